"""Runs that are judged: real requests, real records, and the three counts whatever the judges do."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.evaluation.judging.court import Court, ballot
from tests.evaluation.world import World, items_of, model_at
from tests.providers.server import Reply

Capture = pytest.CaptureFixture[str]
QUICK = {
    "retry": {"attempts": 2, "initial": 0.01, "maximum": 0.05, "patience": 2},
    "circuit": {"failures": 50, "recovery": 0.02, "maximum": 0.1},
}
ANSWERS = {
    "q0": "```sql\nSELECT count(*) FROM singer\n```",  # proven
    "q1": "```sql\nSELECT count(*) + 1 FROM singer\n```",
    "q2": "```sql\nSELECT count(nme) FROM singer\n```",  # does not run
    "q3": "I do not know.",
    "q4": "```sql\nSELECT sum(1) + 1 FROM singer\n```",
}
ASKED = ("q1", "q4")
"""The items that there is something to judge about."""
WRONG = ballot("incorrect", "wrong_aggregation")


def lenient(text: str) -> str:
    """Right wherever a sum is taken."""
    return ballot("correct") if "| SELECT sum" in text else WRONG


@pytest.fixture
def court() -> Iterator[Court]:
    judges = {
        "lenient": lenient,
        "strict": lambda text: WRONG,
        "kind": lambda text: ballot("correct"),
        "garbage": lambda text: "The answer is correct, I would say.",
        "off_menu": lambda text: ballot("mostly_correct"),
        "no_grade": lambda text: json.dumps({"why": "", "categories": []}),
        "two_minds": lambda text: ballot("correct") + ballot("incorrect"),
        "first": lambda text: ballot("first"),
        "shorter": lambda text: (
            ballot("first" if text.index("count(*) + 1") < text.index("SELECT 77") else "second")
            if "count(*) + 1" in text
            else ballot("tie")
        ),
        "doubts": lambda text: ballot("gold_may_be_wrong", "gold_may_be_wrong"),
    }
    with Court(**judges) as court:
        yield court


@pytest.fixture
def judged(world: World, court: Court, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("OPENAI_API_KEY", "secret-of-the-judge")
    world.questions(len(ANSWERS))
    world.answers(ANSWERS)
    return world


def strategy(court: Court, *judges: str, name: str = "llm_judge", **settings: object) -> dict[str, object]:
    made: list[dict[str, object]] = [model_at(court.base_url, judge, parameters={"temperature": 0}) for judge in judges]
    return {"strategy": name, "judges": made, "settings": settings}


def experiment(world: World, *strategies: object, **more: object) -> Path:
    every = ["execution_match", *strategies]
    return world.experiment(strategies=every, max_instrument_failures=1.0, **{**QUICK, **more})


def summaries(world: World, capsys: Capture, *run: str | Path) -> dict[str, dict[str, Any]]:
    capsys.readouterr()
    assert world.run("report", *run, "--runs", world.runs, "--json") == 0
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    return {**{one["strategy"]: one for one in run["strategies"]}, "run": run}


def counts(summary: dict[str, Any]) -> tuple[int, int, int, int]:
    """Scored, right, failures of the system, failures of the instrument."""
    return (
        summary["scored"],
        summary["correct"],
        summary["system_failures"],
        summary["instrument_failures"],
    )


def reasons(run: Path, label: str) -> dict[str, str]:
    return {
        item["id"]: verdict["reason"]
        for item in items_of(run)
        for verdict in item["verdicts"]
        if verdict["strategy"] == label
    }


def test_execution_settles_what_it_can_and_the_judge_is_asked_about_the_rest(
    judged: World, court: Court, capsys: Capture
) -> None:
    assert judged.run("run", experiment(judged, strategy(court, "lenient")), "-q") == 0
    (run,) = judged.run_folders()
    assert reasons(run, "llm_judge") == {
        "q0": "match",
        "q1": "judged_wrong",
        "q2": "unknown_column",
        "q3": "no_sql",
        "q4": "judged_correct",
    }
    assert court.asked("lenient") == len(court.requests) == 2
    told = summaries(judged, capsys)
    assert counts(told["execution_match"]) == (5, 1, 4, 0)
    assert counts(told["llm_judge"]) == (5, 2, 3, 0)
    assert told["llm_judge"]["not_asked"] == {"execution proves equality": 1}
    assert told["run"]["tokens"]["asked"] == 4 + 1
    assert (told["run"]["judging"]["asked"], told["run"]["judging"]["input"]) == (2, 240)
    assert told["run"]["taxonomy"] == [
        {
            "strategy": "llm_judge",
            "reason": "wrong_rows",
            "items": 2,
            "categories": {"wrong_aggregation": 1},
            "without": 1,
            "undecided": 0,
        }
    ]


def test_always_is_always(judged: World, court: Court) -> None:
    assert judged.run("run", experiment(judged, strategy(court, "strict", when="always")), "-q") == 0
    (run,) = judged.run_folders()
    assert reasons(run, "llm_judge")["q0"] == "judged_wrong"
    assert court.asked("strict") == 3


FAILING = {
    "refuses": "judge_unreadable",
    "filtered": "judge_unreadable",
    "truncated": "judge_unreadable",
    "garbage": "judge_unreadable",
    "off_menu": "judge_unreadable",
    "no_grade": "judge_unreadable",
    "two_minds": "judge_unreadable",
    "good": "judge_unreadable",  # it answers with SQL
    "calls_a_tool": "judge_unreadable",
    "too_long": "judge_unreadable",
    "no_choices": "provider_down",
    "html": "provider_down",
    "storm": "provider_down",
    "broken": "provider_down",
    "hang": "provider_down",
}


@pytest.mark.parametrize(("judge", "reason"), FAILING.items())
def test_whatever_a_judge_does_the_three_counts_are_right(
    judge: str, reason: str, judged: World, court: Court, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        court.protocol,
        "replies",
        {**court.protocol.replies, "storm": Reply(429, {}, {"retry-after-ms": "5"})},
        raising=False,
    )
    section = strategy(court, judge)
    section["judges"][0]["settings"]["timeout"] = 0.3 if judge == "hang" else 20  # type: ignore[index]
    free = strategy(court, judge, name="llm_judge_reference_free", variant="free")
    free["judges"][0]["settings"]["timeout"] = 0.3 if judge == "hang" else 20  # type: ignore[index]
    fail = strategy(court, judge, name="llm_judge_on_fail")
    fail["judges"][0]["settings"]["timeout"] = 0.3 if judge == "hang" else 20  # type: ignore[index]
    assert judged.run("run", experiment(judged, section, free, fail), "-q") == 0
    (run,) = judged.run_folders()
    told = summaries(judged, capsys)
    assert counts(told["execution_match"]) == (5, 1, 4, 0)
    assert counts(told["llm_judge"]) == (3, 1, 2, 2)
    assert counts(told["llm_judge_reference_free:free"]) == (2, 0, 2, 3)
    assert counts(told["llm_judge_on_fail"]) == (5, 1, 4, 0)  # it only remarks
    assert told["llm_judge_on_fail"]["annotations"] == {f"no remark: {reason.replace('_', ' ')}": 2}
    assert {reasons(run, "llm_judge")[id_] for id_ in ASKED} == {reason}
    assert "secret-of-the-judge" not in (run / "items.jsonl").read_text()


def test_panels(judged: World, court: Court, capsys: Capture) -> None:
    panel = ("lenient", "strict", "kind")
    path = experiment(
        judged,
        strategy(court, *panel, variant="most"),
        strategy(court, *panel, variant="all", vote="unanimous"),
        strategy(court, "strict", "kind", variant="two"),
        strategy(court, "kind", "garbage", "lenient", variant="broken"),
    )
    assert judged.run("run", path, "-q") == 0
    shown = capsys.readouterr().out
    (run,) = judged.run_folders()
    told = summaries(judged, capsys)
    assert counts(told["llm_judge:most"]) == (5, 2, 3, 0)
    assert counts(told["llm_judge:all"]) == counts(told["llm_judge:two"]) == (3, 1, 2, 2)
    assert counts(told["llm_judge:broken"]) == (4, 2, 2, 1)
    assert reasons(run, "llm_judge:broken")["q1"] == "judges_disagree"
    assert "llm_judge:most: judges disagree in % 100.0 (2)" in shown
    assert "2 unscored: judges disagree (llm_judge:all, llm_judge:two)" in shown
    # One judge in four panels is asked once about the same: the others have it from the cache.
    assert (court.asked("strict"), court.asked("kind"), court.asked("lenient")) == (2, 2, 2)


def test_no_score_is_shown_without_its_error(judged: World, court: Court, capsys: Capture) -> None:
    assert judged.run("run", experiment(judged, strategy(court, "lenient")), "-q") == 0
    assert "uncalibrated" in capsys.readouterr().out
    for by in ((), ("--by", "db_id")):
        assert judged.run("report", "--runs", judged.runs, *by) == 0
        assert capsys.readouterr().out.count("uncalibrated") == 2 + bool(by)  # in tables, and why
    told = summaries(judged, capsys)
    assert told["llm_judge"]["judge"]["calibrated"] is False
    assert "judge" not in told["execution_match"]
    assert judged.run("report", "--runs", judged.runs, "--json", "--by", "db_id") == 0
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert run["slices"][0]["strategies"][1]["judge"]["calibrated"] is False


@pytest.mark.parametrize(
    ("judge", "words"),
    [
        ("gpt-5", "judge gpt-5 is the model under test itself"),
        ("gpt-5-mini", "judge gpt-5-mini is of the family of gpt-5 (GPT)"),
        ("claude", None),
    ],
)
def test_a_relative_is_flagged(judge: str, words: str | None, judged: World, court: Court, capsys: Capture) -> None:
    court.judges[judge] = lenient
    models = [{"adapter": "replay", "model": "gpt-5", "settings": {"path": "answers.jsonl"}}]
    assert judged.run("run", experiment(judged, strategy(court, judge), models=models), "-q") == 0
    shown = capsys.readouterr().out
    assert (words is None and "judge claude" not in shown) or f"llm_judge: {words}" in shown
    assert summaries(judged, capsys)["llm_judge"]["kin"] == ([] if words is None else [words])


def test_the_run_remembers_who_judged_by_which_prompt(judged: World, court: Court) -> None:
    assert judged.run("run", experiment(judged, strategy(court, "lenient")), "-q") == 0
    (run,) = judged.run_folders()
    manifest = json.loads((run / "manifest.json").read_text())
    told = manifest["identity"]["strategies"][1]
    (judge,) = told["judges"]
    assert judge == {
        "name": "lenient",
        "model": {"provider": "openai", "model": "lenient", "base_url": court.base_url},
        "parameters": {"temperature": 0},
    }
    assert told["prompt"]["ref"] == "judge_gold@1"
    assert len(told["prompt"]["sha256"]) == 64
    assert "strategies.1.judges.0" in manifest["prices"]
    calls = {item["id"]: item["judging"] for item in items_of(run)}
    assert {id_ for id_, made in calls.items() if made} == set(ASKED)
    assert calls["q4"][0]["role"] == "llm_judge"
    assert (calls["q4"][0]["model"], calls["q4"][0]["why"]) == ("lenient", "correct")


def test_a_resumed_run_pays_no_judge_twice_and_asks_the_failed_ones_again(
    judged: World, court: Court, capsys: Capture
) -> None:
    court.judges["shaky"] = lambda text: "?" if "sum(1)" in text else WRONG
    path = experiment(judged, strategy(court, "shaky"))
    assert judged.run("run", path, "-q") == 0
    assert judged.run("run", path, "-q", "--resume", "--retry-unscored") == 0
    assert court.asked("shaky") == 3  # the unreadable one again
    court.judges["shaky"] = lenient
    assert judged.run("run", path, "-q", "--resume", "--retry-unscored") == 0
    assert court.asked("shaky") == 4
    assert counts(summaries(judged, capsys)["llm_judge"]) == (5, 2, 3, 0)
    assert judged.run("run", path, "-q") == 0  # the same experiment anew: all verdicts are known
    assert court.asked("shaky") == 4


def test_a_failed_call_keeps_the_earlier_verdict(judged: World, court: Court, capsys: Capture) -> None:
    """The judge fails once it has spoken; what it said before is asked of nobody."""
    path = experiment(judged, strategy(court, "lenient"), strategy(court, "garbage", variant="b"))
    assert judged.run("run", path, "-q") == 0
    court.judges["lenient"] = lambda text: "?"
    court.judges["garbage"] = lenient
    assert judged.run("run", path, "-q", "--resume", "--retry-unscored") == 0
    told = summaries(judged, capsys)
    assert counts(told["llm_judge"]) == counts(told["llm_judge:b"]) == (5, 2, 3, 0)


@pytest.mark.parametrize(("judge", "error"), [("bad_key", "AuthFailed"), ("no_quota", "QuotaExhausted")])
def test_a_judge_that_answers_nothing_more_stops_the_run(
    judge: str, error: str, judged: World, court: Court, capsys: Capture
) -> None:
    path = experiment(judged, strategy(court, judge))
    assert judged.run("run", path, "-q") == 2
    assert f"stopped: {error}: openai {judge}" in capsys.readouterr().err
    court.judges[judge] = lenient
    assert judged.run("run", path, "-q", "--resume") == 0
    assert counts(summaries(judged, capsys)["llm_judge"]) == (5, 2, 3, 0)


def test_judges_count_into_the_budget_and_into_the_estimate(judged: World, court: Court, capsys: Capture) -> None:
    prices = {"input": 1.0, "output": 1.0}
    section = strategy(court, "lenient")
    section["judges"][0]["prices"] = prices  # type: ignore[index]
    pair = strategy(court, "first", name="llm_judge_pairwise", against="other.sql")
    (judged.folder / "other.sql").write_text("SELECT 77\n" * 5)
    path = experiment(judged, section, pair)
    assert judged.run("run", path, "--dry-run", "--json") == 0
    found = {one["model"]: one for one in json.loads(capsys.readouterr().out)["estimates"]}
    assert found["lenient (llm_judge)"]["requests"] == 5
    assert found["first (llm_judge_pairwise)"]["requests"] == 10
    assert found["lenient (llm_judge)"]["cost"] > 0
    assert found["first (llm_judge_pairwise)"]["cost"] is None
    assert court.requests == []
    assert judged.run("run", path, "-q", "--max-cost", "1") == 2
    assert "--max-cost: the price of first is unknown" in capsys.readouterr().err
    path = experiment(judged, section)
    assert judged.run("run", path, "-q", "--max-tokens", "10") == 2
    assert "would pass the budget" in capsys.readouterr().err
    assert court.requests == []
    assert judged.run("run", path, "-q", "--resume") == 0
    assert "judging: 2 answers, 240 tokens in, 60 out, cost 0.0003" in capsys.readouterr().out


def test_an_estimate_is_no_less_than_what_is_asked(judged: World, court: Court, capsys: Capture) -> None:
    path = experiment(judged, strategy(court, "strict", when="always"))
    assert judged.run("run", path, "--dry-run", "--json") == 0
    estimated = json.loads(capsys.readouterr().out)["estimates"][1]["input_tokens"] / 5
    assert judged.run("run", path, "-q") == 0
    sizes = [sum(len(message["content"]) for message in request["messages"]) / 3 for request in court.requests]
    assert max(sizes) <= estimated <= 3 * max(sizes)


def test_two_systems(judged: World, court: Court, capsys: Capture) -> None:
    (judged.folder / "other.sql").write_text("SELECT 3\nSELECT 77\nSELECT 77\nSELEC\nSELECT 77\n")
    path = experiment(
        judged,
        strategy(court, "shorter", name="llm_judge_pairwise", against="other.sql"),
        strategy(court, "first", name="llm_judge_pairwise", against="other.sql", variant="by_position"),
    )
    assert judged.run("run", path, "-q") == 0
    (run,) = judged.run_folders()
    assert reasons(run, "llm_judge_pairwise") == {
        "q0": "judged_equal",  # both return the same
        "q1": "judged_better",
        "q2": "judged_worse",  # the other one runs
        "q3": "judged_equal",  # neither has a result
        "q4": "judged_equal",
    }
    told = summaries(judged, capsys)
    figures = told["llm_judge_pairwise"]["figures"]
    assert {name: (one["mean"], one["items"]) for name, one in figures.items()} == {
        "better in %": (20.0, 5),
        "tie in %": (60.0, 5),
        "worse in %": (20.0, 5),
        "position flips in %": (0.0, 2),
    }
    assert told["llm_judge_pairwise"]["score"] == pytest.approx(0.5)
    assert told["llm_judge_pairwise:by_position"]["figures"]["position flips in %"] == {"mean": 100.0, "items": 2}
    assert told["llm_judge_pairwise:by_position"]["score"] == pytest.approx(0.4)
    assert court.asked("shorter") == court.asked("first") == 4


def test_a_run_can_be_held_against_another(judged: World, court: Court, capsys: Capture) -> None:
    assert judged.run("run", experiment(judged), "-q") == 0
    (first,) = judged.run_folders()
    for against in (str(first), first.name):
        path = experiment(judged, strategy(court, "first", name="llm_judge_pairwise", against=against))
        assert judged.run("run", path, "-q") == 0
        assert set(reasons(judged.run_folders()[-1], "llm_judge_pairwise").values()) == {"judged_equal"}
    assert court.requests == []  # a system against itself returns the same


@pytest.mark.parametrize("ours", [True, False])
def test_an_order_that_only_one_of_two_asks_for_is_a_matter_for_the_judge(
    ours: bool, judged: World, court: Court
) -> None:
    """Whichever of the two it is: it may be what the question asks for."""
    plain = ["SELECT name FROM singer WHERE id > 1", "SELECT id FROM singer", "SELECT id, name FROM singer"]
    ordered = [
        "SELECT name FROM singer WHERE id > 1 ORDER BY name DESC",
        "SELECT id FROM singer ORDER BY id",  # as they come: the order is the same
        "SELECT name AS b, id AS a FROM singer GROUP BY id, name",  # no order is asked for
    ]
    one, other = (ordered, plain) if ours else (plain, ordered)
    judged.questions(3)
    judged.answers({f"q{number}": f"```sql\n{sql}\n```" for number, sql in enumerate(one)})
    (judged.folder / "other.sql").write_text("".join(f"{sql}\n" for sql in other))
    court.judges["sorted"] = lambda text: ballot("first" if text.index("DESC") < text.index("id > 1\n") else "second")
    section = strategy(court, "sorted", name="llm_judge_pairwise", against="other.sql")
    assert judged.run("run", experiment(judged, section), "-q") == 0
    (run,) = judged.run_folders()
    assert reasons(run, "llm_judge_pairwise") == {
        "q0": "judged_better" if ours else "judged_worse",
        "q1": "judged_equal",
        "q2": "judged_equal",
    }
    assert court.asked("sorted") == 2


def test_another_system_that_has_no_answer_through_no_fault_of_its_own_has_not_lost(
    judged: World, court: Court, capsys: Capture
) -> None:
    """It was not asked, or its provider was down, or it was asked something else."""
    down = {**model_at(court.base_url, "broken"), "label": "down"}
    assert judged.run("run", experiment(judged, models=[down]), "-q", "--limit", "1") == 0
    (broken,) = judged.run_folders()
    assert judged.run("run", experiment(judged), "-q", "--ids", "q1,q3") == 0
    some = judged.run_folders()[-1]
    judged.questions([{"id": f"q{number}"} | ({"question": "Another?"} if number == 1 else {}) for number in range(5)])
    path = experiment(
        judged,
        strategy(court, "first", name="llm_judge_pairwise", against=str(broken), variant="broken"),
        strategy(court, "first", name="llm_judge_pairwise", against=str(some), variant="some"),
    )
    assert judged.run("run", path, "-q") == 0
    run = judged.run_folders()[-1]
    assert set(reasons(run, "llm_judge_pairwise:broken").values()) == {"rival_missing"}
    assert reasons(run, "llm_judge_pairwise:some") == {
        **dict.fromkeys(ANSWERS, "rival_missing"),
        "q3": "judged_equal",  # neither says anything
    }
    told = summaries(judged, capsys, run)
    assert counts(told["llm_judge_pairwise:broken"]) == (0, 0, 0, 5)
    assert counts(told["llm_judge_pairwise:some"]) == (1, 1, 0, 4)


def test_a_turn_of_a_conversation_is_judged_with_the_turns_before_it(judged: World, court: Court) -> None:
    turns = ["How many singers?", "And older than 40?", "Who are they?"]
    judged.questions(
        {"id": f"q{turn}", "question": text, "conversation": "c", "turn": turn} for turn, text in enumerate(turns)
    )
    judged.answers({f"q{turn}": "```sql\nSELECT 77\n```" for turn in range(3)})
    assert judged.run("run", experiment(judged, strategy(court, "strict")), "-q") == 0
    blocks = {
        request["messages"][-1]["content"].partition(": question]\n")[2].partition("\n[")[0]
        for request in court.requests
    }
    assert blocks == {
        "| How many singers?",
        "| earlier, turn 1: How many singers?\n| the question, turn 2: And older than 40?",
        "| earlier, turn 1: How many singers?\n| earlier, turn 2: And older than 40?\n"
        "| the question, turn 3: Who are they?",
    }


def test_remarks_override_nothing(judged: World, court: Court, capsys: Capture) -> None:
    assert judged.run("run", experiment(judged, strategy(court, "doubts", name="llm_judge_on_fail")), "-q") == 0
    assert "llm_judge_on_fail: the verdicts of execution, with remarks: gold may be wrong 2" in capsys.readouterr().out
    (run,) = judged.run_folders()
    assert reasons(run, "llm_judge_on_fail") == reasons(run, "execution_match")
    told = summaries(judged, capsys)
    assert counts(told["llm_judge_on_fail"]) == counts(told["execution_match"])
    assert court.asked("doubts") == 2
    assert judged.run("report", "--runs", judged.runs, "--show", "incorrect") == 0
    shown = capsys.readouterr().out
    assert "wrong rows          2  gold may be wrong 2" in shown
    assert "doubts: gold_may_be_wrong" in shown


def test_a_prompt_of_ones_own_with_grades_of_its_own(judged: World, court: Court, capsys: Capture) -> None:
    content = {
        "name": "mine",
        "version": 1,
        "messages": [{"role": "user", "content": "{{ question }}\n{{ candidate_sql }}\n{{ grades }}"}],
        "output": "json",
        "grades": {
            "good": {"description": "right", "score": 1},
            "so_so": {"description": "nearly", "score": 0.5},
            "bad": {"description": "wrong", "score": 0},
        },
    }
    (judged.folder / "mine.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    court.judges["mild"] = lambda text: ballot("so_so")
    section = strategy(court, "mild", name="llm_judge_reference_free", prompt="mine.yaml")
    assert judged.run("run", experiment(judged, section), "-q") == 0
    told = summaries(judged, capsys)["llm_judge_reference_free"]
    assert counts(told) == (5, 0, 5, 0)
    assert told["score"] == pytest.approx(1.5 / 5)
    assert all("| Question q" in request["messages"][0]["content"] for request in court.requests)


def test_a_verdict_that_flips_with_the_position_shows_the_reasons_for_either(judged: World, court: Court) -> None:
    def fickle(text: str) -> str:
        ours = text.index("count(*) + 1") < text.index("SELECT 77") if "count(*) + 1" in text else None
        if ours is None:
            return ballot("tie", why="the same")
        return ballot("first", "wrong_join" if ours else "wrong_filter", why="it counts" if ours else "it is short")

    court.judges["fickle"] = fickle
    (judged.folder / "other.sql").write_text("SELECT 77\n" * 5)
    section = strategy(court, "fickle", name="llm_judge_pairwise", against="other.sql")
    assert judged.run("run", experiment(judged, section), "-q") == 0
    (run,) = judged.run_folders()
    told = {item["id"]: item["verdicts"][1]["evidence"] for item in items_of(run)}
    assert told["q1"]["judge_why"] == "shown first: it counts; shown second: it is short"
    assert told["q1"]["judge_categories"] == ["wrong_join", "wrong_filter"]
    assert told["q4"]["judge_why"] == "the same"


def test_a_rubric_adds_up_by_its_weights(judged: World, court: Court, capsys: Capture) -> None:
    grades = {"intent": "fulfilled", "filters": "fulfilled", "joins": "partly", "aggregation": "missed"}
    court.judges["critic"] = lambda text: json.dumps(
        {"why": "", "categories": [], **grades, "presentation": "fulfilled"}
    )
    assert judged.run("run", experiment(judged, strategy(court, "critic", name="llm_judge_rubric")), "-q") == 0
    told = summaries(judged, capsys)["llm_judge_rubric"]
    assert counts(told) == (5, 1, 4, 0)
    assert told["score"] == pytest.approx((1 + 2 * 0.7) / 5)  # (3 + 2 + 1 + 0 + 1) of 10
    assert told["figures"]["joins in %"] == {"mean": 50.0, "items": 2}


def test_repeats_of_one_statement_are_judged_once(judged: World, court: Court) -> None:
    assert judged.run("run", experiment(judged, strategy(court, "lenient"), repeats=3), "-q") == 0
    assert len(judged.run_folders()) == 3
    assert court.asked("lenient") == 2


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "no judge": ({"strategy": "llm_judge"}, "llm_judge has no judge (name it"),
    "needless": (
        {"strategy": "execution_match:bird", "judges": [model_at("http://127.0.0.1:9/v1")]},
        "execution_match:bird asks no judge (leave out `judges`)",
    ),
    "twins": (
        {"strategy": "llm_judge", "judges": [model_at("http://127.0.0.1:9/v1")] * 2},
        "llm_judge: two judges are named 'good'",
    ),
    "key": (
        {"strategy": "llm_judge", "judges": [{"adapter": "openai", "modle": "m"}]},
        "unknown key in strategies.1.judges.0: 'modle' (did you mean 'model'?)",
    ),
    "secret": (
        {"strategy": "llm_judge", "judges": [{"adapter": "openai", "model": "m", "settings": {"api_key": "sk-1234"}}]},
        "strategies.1.judges.0.settings.api_key: holds a secret, which every run would record",
    ),
    "adapter": ({"strategy": "llm_judge", "judges": [{"adapter": "opnai", "model": "m"}]}, "unknown adapter 'opnai'"),
    "setting": (
        {"strategy": "llm_judge", "judges": [model_at("http://127.0.0.1:9/v1")], "settings": {"votes": "all"}},
        "unknown setting of strategy 'llm_judge': 'votes' (did you mean 'vote'?)",
    ),
    "against": (
        {"strategy": "llm_judge_pairwise", "judges": [model_at("http://127.0.0.1:9/v1")]},
        "strategy 'llm_judge_pairwise' needs the setting 'against'",
    ),
    "nowhere": (
        {
            "strategy": "llm_judge_pairwise",
            "judges": [model_at("http://127.0.0.1:9/v1")],
            "settings": {"against": "nobody.sql"},
        },
        "trial.yaml:{line}: against: 'nobody.sql' is no file of predictions, and no run: {runs}: there are no runs yet",
    ),
    "composite": (
        {"strategy": "llm_judge", "judges": [{"label": "x", "fallback": [model_at("http://127.0.0.1:9/v1")] * 2}]},
        "strategies.1.judges.0.fallback: a judge is one model (several judges are a panel)",
    ),
    "no list": (
        {"strategy": "llm_judge", "judges": "openai:gpt-5"},
        "strategies.1.judges: is no list (give a list of judges)",
    ),
    "prompt": (
        {
            "strategy": "llm_judge_rubric",
            "judges": [model_at("http://127.0.0.1:9/v1")],
            "settings": {"prompt": "judge_gold"},
        },
        "llm_judge_rubric: prompt judge_gold@1 has no criteria",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes(mistake: str, judged: World, capsys: Capture) -> None:
    section, words = MISTAKES[mistake]
    path = experiment(judged, section)
    lines = path.read_text().splitlines()
    line = next((number for number, text in enumerate(lines, start=1) if "against: " in text), 0)
    assert judged.run("run", path, "-q") == 2
    shown = capsys.readouterr().err
    assert words.format(line=line, runs=judged.runs) in shown
    assert shown.count("\n") == 1
    assert judged.run_folders() == []


def test_a_value_of_the_environment_is_recorded_by_its_digest_only(
    judged: World, court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUDGE_URL", court.base_url)
    section = strategy(court, "lenient")
    section["judges"][0]["settings"]["base_url"] = "${JUDGE_URL}"  # type: ignore[index]
    assert judged.run("run", experiment(judged, section), "-q") == 0
    (run,) = judged.run_folders()
    assert court.base_url not in (run / "manifest.json").read_text()
    assert "${JUDGE_URL sha256:" in (run / "manifest.json").read_text()


def test_judges_of_a_run_that_is_large_are_all_heard(judged: World, court: Court, capsys: Capture) -> None:
    """Every fifth item is garbage, every seventh is refused; nothing is lost on the way."""
    judged.questions(200)
    judged.answers({f"q{n}": f"```sql\nSELECT {n + 100}\n```" for n in range(200)})
    lock, heard = threading.Lock(), Counter[int]()

    def moody(text: str) -> str:
        number = int(text.rpartition("| SELECT ")[2].partition("\n")[0]) - 100
        with lock:
            heard[number] += 1
        return "?" if number % 5 == 0 else ballot("sort_of") if number % 7 == 0 else ballot("correct")

    court.judges["moody"] = moody
    assert judged.run("run", experiment(judged, strategy(court, "moody")), "-q") == 0
    bad = sum(n % 5 == 0 or n % 7 == 0 for n in range(200))
    assert counts(summaries(judged, capsys)["llm_judge"]) == (200 - bad, 200 - bad, 0, bad)
    assert heard == dict.fromkeys(range(200), 1)


def test_predictions_are_judged_by_whom_the_command_names(
    judged: World, court: Court, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", court.base_url)
    predictions = judged.folder / "mine.sql"
    predictions.write_text("SELECT count(*) FROM singer\nSELECT 4\nSELECT sum(1) + 1 FROM singer\nSELEC\n\n")
    questions = f"jsonl:{judged.folder / 'questions.jsonl'}"
    panel = 'judge=["openai:lenient","openai:kind"],vote=unanimous'
    command = ("score", predictions, "--dataset", questions, "--convention", "sqlassay", "-q")
    asked = ("--strategy", "llm_judge:judge=openai:lenient", "--strategy", f"llm_judge:variant=two,{panel}")
    assert judged.run(*command, *asked, "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    told = {one["strategy"]: one for one in shown["strategies"]}
    assert counts(told["llm_judge"]) == (5, 2, 3, 0)
    assert counts(told["llm_judge:two"]) == (4, 2, 2, 1)
    assert told["llm_judge"]["judge"]["calibrated"] is False
    assert shown["judging"]["asked"] + shown["judging"]["from_cache"] == 6
    assert judged.run(*command, "--strategy", "llm_judge:judge=openai:lenient") == 0
    shown = capsys.readouterr().out
    assert "uncalibrated" in shown
    assert "judging: 2 answers, 2 of them from the cache" in shown
    assert court.asked("lenient") == 2


def test_judges_named_on_the_command_line_count_into_a_budget(
    judged: World, court: Court, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", court.base_url)
    (judged.folder / "mine.sql").write_text("SELECT 4\n" * 5)
    command = ("score", judged.folder / "mine.sql", "--dataset", f"jsonl:{judged.folder / 'questions.jsonl'}", "-q")
    asked = (*command, "--strategy", "llm_judge:judge=openai:lenient")

    def refused(*arguments: str | Path) -> str:
        assert judged.run(*arguments) == 2
        return " ".join(capsys.readouterr().err.split())

    assert "stopped: the next request would pass the budget (0 of 10 tokens spent)" in refused(
        *asked, "--max-tokens", "10"
    )
    assert "--max-cost: the price of openai:lenient is unknown (limit --max-tokens)" in refused(
        *asked, "--max-cost", "1"
    )
    assert "limit what judges spend, and there is none (leave them out)" in refused(*command, "--max-cost", "1")
    assert court.requests == []
    assert judged.run(*asked, "--max-tokens", "100000") == 0
    assert court.asked("lenient") == 5


@pytest.mark.parametrize(
    ("command", "spec", "words"),
    [
        ("score", "llm_judge", "llm_judge has no judge (name it"),
        ("score", "llm_judge:judge=gpt-5", "judge 'gpt-5' is not ADAPTER:MODEL (such as judge=openai:gpt-5)"),
        ("score", "llm_judge:judge=opnai:gpt-5", "unknown adapter 'opnai' (did you mean 'openai'?)"),
        ("score", "structural:judge=openai:gpt-5", "structural asks no judge"),
        ("verdict", "llm_judge", "llm_judge has no judge (name it"),
        ("verdict", "llm_judge:judge=openai:gpt-5", "no judge can be asked here (`sqlassay score` and `run` can)"),
    ],
)
def test_mistakes_on_the_command_line(command: str, spec: str, words: str, judged: World, capsys: Capture) -> None:
    (judged.folder / "mine.sql").write_text("SELECT 1\n" * 5)
    arguments: dict[str, tuple[str | Path, ...]] = {
        "score": (judged.folder / "mine.sql", "--dataset", f"jsonl:{judged.folder / 'questions.jsonl'}"),
        "verdict": ("--database", f"sqlite:{judged.database}", "--gold", "SELECT 1", "--predicted", "SELECT 1"),
    }
    assert judged.run(command, *arguments[command], "--strategy", spec) == 2
    shown = capsys.readouterr().err
    assert words in shown
    assert shown.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "prompt", "problem"),
    [
        ("llm_judge", "judge_rubric@1", "prompt judge_rubric@1 grades by criteria, which is for llm_judge_rubric"),
        ("llm_judge_on_fail", "judge_rubric@1", "prompt judge_rubric@1 grades by criteria"),
        ("llm_judge", "judge_on_fail@1", "has the grade 'gold_may_be_wrong', which is for llm_judge_on_fail"),
        ("llm_judge", "judge_reference_free@1", "prompt judge_reference_free@1 shows no gold_sql and no gold_result"),
        ("llm_judge_rubric", "judge_gold@1", "prompt judge_gold@1 has no criteria"),
    ],
)
def test_a_prompt_of_another_kind_is_refused_before_anyone_is_asked(
    name: str, prompt: str, problem: str, judged: World, court: Court, capsys: Capture
) -> None:
    path = experiment(judged, strategy(court, "kind", name=name, prompt=prompt))
    assert judged.run("run", path, "--dry-run") == 2
    told = " ".join(capsys.readouterr().err.split())
    assert problem in told
    assert not court.requests


@pytest.mark.parametrize(
    ("panel", "missed", "categories"),
    [
        (("one", "two", "three"), ["intent", "filters", "joins"], ["wrong_filter", "wrong_join", "wrong_order"]),
        (("one", "two", "four"), ["intent"], ["wrong_filter", "wrong_join"]),  # the last was outvoted
    ],
)
def test_what_a_rubric_panel_found_wrong_is_told_even_where_the_verdict_is_nobodys_as_a_whole(
    panel: tuple[str, ...], missed: list[str], categories: list[str], judged: World, court: Court
) -> None:
    criteria = ("intent", "filters", "joins", "aggregation", "presentation")

    def says(*missed: str, category: str, why: str) -> str:
        grades = {name: "missed" if name in missed else "fulfilled" for name in criteria}
        return json.dumps({"why": why, "categories": [category], **grades})

    court.judges |= {
        "one": lambda text: says("intent", "filters", category="wrong_filter", why="rows"),
        "two": lambda text: says("intent", "joins", category="wrong_join", why="keys"),
        "three": lambda text: says("filters", "joins", category="wrong_order", why="order"),
        "four": lambda text: says("presentation", category="presentation", why="outvoted"),
    }
    assert judged.run("run", experiment(judged, strategy(court, *panel, name="llm_judge_rubric")), "-q") == 0
    (run,) = judged.run_folders()
    verdict = next(item for item in items_of(run) if item["id"] == "q1")["verdicts"][1]
    grades = verdict["evidence"]["grades"]
    assert [name for name, grade in grades.items() if grade == "missed"] == missed
    assert verdict["evidence"]["judge_categories"] == categories
    assert verdict["evidence"]["judge_why"] == "rows"


def test_a_calibration_is_found_by_score_and_of_another_dataset_it_is_said(
    judged: World, court: Court, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a run's judge is calibrated by is what the same judge is that the command names."""
    monkeypatch.chdir(judged.folder)
    monkeypatch.setenv("OPENAI_BASE_URL", court.base_url)
    judged.answers({f"q{n}": f"```sql\n{'SELECT sum(1) FROM singer' if n % 2 else 'SELECT 4'}\n```" for n in range(20)})
    judged.questions(20)
    section = {"strategy": "llm_judge", "settings": {"when": "always"}, "judges": [model_at(court.base_url, "lenient")]}
    assert judged.run("run", experiment(judged, section), "-q") == 0
    assert judged.run("judge", "calibrate", "--runs", judged.runs) == 0
    (judged.folder / "mine.sql").write_text("SELECT 4\n" * 20)
    command = ("score", "mine.sql", "--dataset", "jsonl:questions.jsonl", "-q")
    asked = ("--strategy", "llm_judge:judge=openai:lenient,when=always")
    for words in ("", " (on another dataset: its errors may be others here)"):
        capsys.readouterr()
        assert judged.run(*command, *asked) == 0
        shown = " ".join(capsys.readouterr().out.split())
        assert "; calibrated on 20 items of jsonl against execution_match" in shown
        assert ("on another dataset" in shown) == bool(words)
        judged.questions([{"id": f"q{n}", "question": "What else?"} for n in range(20)])
