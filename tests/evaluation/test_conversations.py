"""Runs over conversations: a model whose answers hang on what it is shown of the turns before."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from evaluation.experiment import read_experiment
from evaluation.grid import Grid
from evaluation.run_log import RunFolder
from evaluation.runs import summarise
from sqlassay.tokens import count
from tests.evaluation.world import World, items_of, model_at
from tests.providers.chat_completions import ChatCompletions, completion
from tests.providers.server import ProviderServer, Reply


def gold(turn: int) -> str:
    return f"SELECT count(*) + {turn} FROM singer"


class Talker(ProviderServer):
    """Answers rightly where the last statement that it is shown is the gold of the turn before.

    Of conversations with an odd number it gets the first turn wrong. What is in `down` it cannot be asked.
    """

    def __init__(self) -> None:
        super().__init__(ChatCompletions())
        self.down: set[str] = set()
        self.seconds = 0.0

    def choose(self, model: str, body: Mapping[str, Any]) -> str:
        time.sleep(self.seconds)
        *earlier, (number, turn) = questions_in(body)
        if f"{number}.{turn}" in self.down:
            return "broken"
        shown = re.findall(r"```sql\n(.*)\n```", text_of(body))
        right = shown[-1:] == [gold(int(turn) - 1)] if turn != "0" else int(number) % 2 == 0
        assert len(shown) <= len(earlier)
        return gold(int(turn)) if right else "SELECT 'wrong'"

    def reply(self, name: str) -> Reply:
        return Reply(body=completion(f"```sql\n{name}\n```")) if name.startswith("SELECT") else super().reply(name)


def text_of(body: Mapping[str, Any]) -> str:
    return "".join(message["content"] for message in body["messages"])


def questions_in(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    return re.findall(r"Question (\d+)\.(\d+)\?", text_of(body))


@pytest.fixture
def server() -> Iterator[Talker]:
    with Talker() as server:
        yield server


def ask(world: World, conversations: int = 4, turns: int = 3) -> None:
    world.questions(
        {"id": f"{number}.{turn}", "conversation": f"c{number}", "turn": turn, "gold": gold(turn)}
        for number in range(conversations)
        for turn in range(turns)
    )


def experiment(world: World, server: Talker, **changes: object) -> Path:
    models = [model_at(server.base_url, concurrency=2)]
    return world.experiment(**{"models": models, "prompts": ["conversational@1"], **changes})  # type: ignore[arg-type]


def outcomes(run: Path) -> dict[str, tuple[object, ...]]:
    """What came of every question, by the record that counts."""
    return {
        item["id"]: (
            item["sql"],
            item["verdicts"][0]["reason"],
            item["history"],
            item["answer"] and item["answer"]["prompt_sha256"],
        )
        for item in RunFolder(run).raw_items()
    }


def correct(run: Path) -> dict[str, bool]:
    return {item["id"]: item["verdicts"][0]["status"] == "correct" for item in RunFolder(run).raw_items()}


def test_gold_and_own_history_are_reported_apart(
    world: World, server: Talker, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(world)
    path = experiment(world, server, history={"by": ["gold", "own"]})
    assert world.run("run", path, "-q", "--json") == 0
    shown = json.loads(capsys.readouterr().out)["runs"]
    assert [one["title"] for one in shown] == [
        "good · conversational@1 · sqlite · gold history",
        "good · conversational@1 · sqlite · own history",
    ]
    by_gold, by_own = map(correct, world.run_folders())
    for number in range(4):
        odd = number % 2 == 1
        assert [by_gold[f"{number}.{turn}"] for turn in range(3)] == [not odd, True, True]
        assert [by_own[f"{number}.{turn}"] for turn in range(3)] == [not odd] * 3
    assert [one["strategies"][0]["score"] for one in shown] == [10 / 12, 6 / 12]
    for one in shown:
        (interactions,) = one["interactions"]
        assert {key: interactions[key] for key in ("strategy", "accuracy", "scored", "correct", "incorrect")} == {
            "strategy": "execution_match",
            "accuracy": 0.5,
            "scored": 4,
            "correct": 2,
            "incorrect": 2,
        }
        assert (interactions["unscored"], interactions["incomplete"]) == (0, 0)
        low, high = interactions["interval_95"]
        assert 0 < low < 0.5 < high < 1

    assert world.run("report", "latest", "--runs", world.runs, "--by", "turn") == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    rows = [line for line in lines if line.startswith("interactions")]
    assert rows == ["interactions 50.0 % 15.0 – 85.0 4 2 2 0"] * 2
    assert [line for line in lines if re.match(r"[012] execution_match", line)] == [
        "0 execution_match 50.0 % 15.0 – 85.0 4 2 (0) 2 (0) 0",
        "1 execution_match 100.0 % 51.0 – 100.0 4 4 (0) 0 (0) 0",
        "2 execution_match 100.0 % 51.0 – 100.0 4 4 (0) 0 (0) 0",
        "0 execution_match 50.0 % 15.0 – 85.0 4 2 (0) 2 (0) 0",
        "1 execution_match 50.0 % 15.0 – 85.0 4 2 (0) 2 (0) 0",
        "2 execution_match 50.0 % 15.0 – 85.0 4 2 (0) 2 (0) 0",
    ]
    assert world.run("report", "latest", "--runs", world.runs, "--show", "incorrect") == 0
    told = capsys.readouterr().out
    assert "turn 2 of conversation c1, own history: 2 shown]" in " ".join(told.split())


def test_the_record_tells_what_was_shown(world: World, server: Talker) -> None:
    ask(world, 1, 4)
    turn_size = count("Question 0.0?", "good").tokens + count(gold(0), "good").tokens
    most = 3 * turn_size - 1  # two fit, three do not
    path = experiment(world, server, history={"by": "gold", "max_tokens": most})
    assert world.run("run", path, "-q") == 0
    (run,) = world.run_folders()
    shown = {item["turn"]: (item["conversation"], item["turns"], item["history"]) for item in items_of(run)}
    history = {"by": "gold", "without_sql": 0}
    assert shown == {
        turn: ("c0", 4, {**history, "shown": min(turn, 2), "left_out": max(turn - 2, 0)}) for turn in range(4)
    }
    last = max(server.requests, key=lambda request: len(questions_in(request)))
    assert [turn for _, turn in questions_in(last)] in (["0", "1", "2"], ["1", "2", "3"])
    identity = json.loads((run / "manifest.json").read_text())["identity"]
    assert identity["history"].items() >= {"by": "gold", "max_tokens": most}.items()
    assert "counted_by" in identity["history"]


def test_own_answers_are_the_default(world: World, server: Talker) -> None:
    """A prompt shows no gold unless the experiment says so."""
    ask(world, 2)
    assert world.run("run", experiment(world, server), "-q") == 0
    (run,) = world.run_folders()
    assert {item["history"]["by"] for item in items_of(run)} == {"own"}
    assert not any(correct(run)[f"1.{turn}"] for turn in range(3))


def test_a_prompt_that_shows_no_history_is_asked_without(world: World, server: Talker) -> None:
    ask(world, 2)
    path = experiment(world, server, prompts=["zero_shot@1", "conversational@1"], history=["gold", "own"])
    grid = Grid(read_experiment(path))
    assert [cell.title for cell in grid.cells] == [
        "good · zero_shot@1 · sqlite",
        "good · conversational@1 · sqlite · gold history",
        "good · conversational@1 · sqlite · own history",
    ]
    identities = [grid.identity(cell) for cell in grid.cells]
    assert ["history" in identity for identity in identities] == [False, True, True]
    assert identities[1]["history"] == {"by": "gold", "max_tokens": None}


def test_questions_of_no_conversation_have_no_history(world: World, server: Talker) -> None:
    world.questions([{"id": "0.0", "gold": gold(0)}])
    path = experiment(world, server)
    (cell,) = Grid(read_experiment(path)).cells
    assert cell.title == "good · conversational@1 · sqlite"
    assert world.run("run", path, "-q") == 0
    (run,) = world.run_folders()
    assert correct(run) == {"0.0": True}
    assert "conversation so far" not in text_of(server.requests[0])


MISTAKES: dict[str, tuple[dict[str, object], str]] = {
    "nothing shows it": (
        {"prompts": ["zero_shot@1"], "history": "gold"},
        "history: no prompt of the experiment shows it (add the prompt conversational, or leave it out)",
    ),
    "a sample": (
        {"history": {"by": ["gold", "own"]}, "dataset": {"format": "jsonl", "path": "questions.jsonl", "only": "1.2"}},
        "history by own answers: question '1.2' is turn 2 of conversation 'c1', and the turns before it are not"
        " selected (select whole conversations (`filter: {conversation: …}`), or take `history: gold`)",
    ),
    "whose": ({"history": "mine"}, "history.by.0: Input should be 'gold' or 'own'"),
    "twice": ({"history": {"by": ["own", "own"]}}, "history: by names own twice"),
    "nobody's": ({"history": {"by": []}}, "history.by: is empty (name at least one)"),
    "a key": ({"history": {"tokens": 5}}, "unknown key in history: 'tokens' (did you mean 'max_tokens'?)"),
    "no window": ({"history": {"max_tokens": 0}}, "history.max_tokens: Input should be greater than 0"),
}


@pytest.mark.parametrize(("changes", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line(
    changes: dict[str, object], message: str, world: World, server: Talker, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(world)
    assert world.run("run", experiment(world, server, **changes), "-q") == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert re.sub(r"^error: \S+trial.yaml(:\d+)?: ", "", told) == message + "\n"
    assert server.requests == []


def test_golds_are_shown_whatever_is_selected(world: World, server: Talker) -> None:
    ask(world)
    assert world.run("run", experiment(world, server, history="gold"), "-q", "--filter", "turn=2") == 0
    (run,) = world.run_folders()
    assert correct(run) == {f"{number}.2": True for number in range(4)}
    assert {item["history"]["shown"] for item in items_of(run)} == {2}


def test_a_whole_conversation_is_selected_by_its_name(world: World, server: Talker) -> None:
    ask(world)
    assert world.run("run", experiment(world, server), "-q", "--filter", "conversation=c2") == 0
    (run,) = world.run_folders()
    assert correct(run) == {f"2.{turn}": True for turn in range(3)}


def test_a_conversation_may_be_cut_at_its_end(world: World, server: Talker, capsys: pytest.CaptureFixture[str]) -> None:
    ask(world)
    assert world.run("run", experiment(world, server), "-q", "--limit", "5", "--json") == 0
    (interactions,) = json.loads(capsys.readouterr().out)["runs"][0]["interactions"]
    assert (interactions["scored"], interactions["incomplete"]) == (1, 1)
    assert world.run("report", "latest", "--runs", world.runs) == 0
    assert "1 conversation is not there with all its turns" in " ".join(capsys.readouterr().out.split())


def test_a_dry_run_takes_golds_for_answers(world: World, server: Talker, capsys: pytest.CaptureFixture[str]) -> None:
    ask(world)
    path = experiment(world, server, history={"by": ["gold", "own"]})
    assert world.run("run", path, "--dry-run", "--json") == 0
    by_gold, by_own = json.loads(capsys.readouterr().out)["estimates"]
    assert by_gold["requests"] == by_own["requests"] == 12
    assert by_gold["input_tokens"] == by_own["input_tokens"]
    assert server.requests == []


def test_what_a_turn_would_be_sent_can_be_looked_at(
    world: World, server: Talker, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(world)
    path = experiment(world, server, history="gold")
    assert world.run("run", path, "-q") == 0
    (run,) = world.run_folders()
    sent = next(item["answer"]["prompt_sha256"] for item in items_of(run) if item["id"] == "1.2")
    capsys.readouterr()
    dataset = ["--dataset", f"jsonl:{world.folder / 'questions.jsonl'}"]
    for where in (["--experiment", path], ["conversational@1", *dataset]):
        assert world.run("prompts", "render", *where, "--id", "1.2", "--json") == 0
        (shown,) = json.loads(capsys.readouterr().out)
        assert shown["sha256"] == sent
        assert shown["history"] == {"by": "gold", "shown": 2, "left_out": 0, "without_sql": 0}
    own = experiment(world, server, history={"by": "own", "max_tokens": 20})
    assert world.run("prompts", "render", "--experiment", own, "--id", "1.2") == 0
    assert "history   1 turn, with golds in the place of own answers, 1 left out\n" in capsys.readouterr().out
    for where in (["--experiment", path], dataset):
        assert world.run("prompts", "render", "zero_shot@1", *where, "--id", "1.2", "--json") == 0
        assert json.loads(capsys.readouterr().out)[0]["history"] is None


def uninterrupted(world: World, server: Talker, tmp_path: Path) -> dict[str, tuple[object, ...]]:
    """What the same experiment comes to in one go."""
    other = World.build(tmp_path / "whole")
    (other.folder / "questions.jsonl").write_bytes((world.folder / "questions.jsonl").read_bytes())
    assert other.run("run", experiment(other, server, cache="run"), "-q") == 0
    (run,) = other.run_folders()
    return outcomes(run)


def test_killed_within_conversations_and_resumed(world: World, server: Talker, tmp_path: Path) -> None:
    ask(world, 12, 5)
    path = experiment(world, server, cache="run")
    expected = uninterrupted(world, server, tmp_path)
    server.requests.clear()
    server.seconds = 0.02
    for point in (9, 20):
        so_far = len(server.requests)
        process = world.start("run", path, *(["--resume"] if so_far else []))
        wait_until(lambda so_far=so_far, point=point: len(server.requests) >= so_far + point)
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        (run,) = world.run_folders()
        assert 0 < len(items_of(run)) < 60
    (run / "responses.sqlite").unlink()  # so that the record alone says what was answered
    recorded = {item["id"] for item in items_of(run)}
    so_far = len(server.requests)
    server.seconds = 0.0
    assert world.run("run", "--resume", path, "-q") == 0
    assert outcomes(run) == expected
    assert len(items_of(run)) == len(expected) == 60
    assert recorded.isdisjoint(".".join(questions_in(request)[-1]) for request in server.requests[so_far:])


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_a_turn_that_was_not_answered_is_mended_with_those_after_it(
    world: World, server: Talker, tmp_path: Path
) -> None:
    ask(world, 4, 4)
    more = {"retry": {"attempts": 1}, "max_instrument_failures": 1}
    path = experiment(world, server, **more)
    expected = uninterrupted(world, server, tmp_path)
    server.down = {"2.1"}
    assert world.run("run", path, "-q") == 0
    (run,) = world.run_folders()
    assert [outcomes(run)[f"2.{turn}"][1] for turn in range(4)] == [
        "match",
        "provider_down",
        "earlier_turn_unanswered",
        "earlier_turn_unanswered",
    ]
    counts = summarise(RunFolder(run)).interactions["execution_match"]
    assert (counts.correct, counts.incorrect, counts.unscored) == (1, 2, 1)
    server.down = set()
    server.requests.clear()
    assert world.run("run", path, "--resume", "--retry-unscored", "-q") == 0
    assert [".".join(questions_in(request)[-1]) for request in server.requests] == ["2.1", "2.2", "2.3"]
    assert outcomes(run) == expected


def test_what_follows_a_turn_that_is_asked_again_is_told_its_new_answer(world: World, server: Talker) -> None:
    """Its gold fails, so that it is unscored although it is answered."""
    ask(world, 2, 3)
    lines = (world.folder / "questions.jsonl").read_text().splitlines()
    first = {**json.loads(lines[0]), "gold": "SELECT nothing FROM nowhere"}
    (world.folder / "questions.jsonl").write_text("\n".join([json.dumps(first), *lines[1:]]))
    path = experiment(world, server, cache="run", max_instrument_failures=1)
    assert world.run("run", path, "-q") == 0
    (run,) = world.run_folders()
    before = outcomes(run)
    assert before["0.0"][1] == "gold_failed"
    assert before["0.1"][1] == "match"
    server.requests.clear()
    assert world.run("run", path, "--resume", "--retry-unscored", "-q") == 0
    assert server.requests == [], "prompts that are the same are answered from before"
    assert outcomes(run) == before
    assert sorted(item["id"] for item in items_of(run)) == [
        "0.0",
        "0.0",
        "0.1",
        "0.1",
        "0.2",
        "0.2",
        "1.0",
        "1.1",
        "1.2",
    ]


def test_what_was_asked_with_an_answer_that_no_longer_counts_is_asked_again(
    world: World, server: Talker, tmp_path: Path
) -> None:
    """As after a kill between a turn that was asked again and those after it."""
    ask(world, 2, 3)
    path = experiment(world, server, cache="run")
    assert world.run("run", path, "-q") == 0
    (run,) = world.run_folders()
    first = next(item for item in items_of(run) if item["id"] == "0.0")
    with (run / "items.jsonl").open("a") as lines:
        lines.write(json.dumps({**first, "sql": "SELECT 'another'"}) + "\n")
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps({**manifest, "status": "running"}))
    server.requests.clear()
    assert world.run("run", path, "--resume", "-q") == 0
    assert [".".join(questions_in(request)[-1]) for request in server.requests] == ["0.1", "0.2"]
    assert "SELECT 'another'" in text_of(server.requests[0])
    assert [correct(run)[f"{number}.1"] for number in range(2)] == [False, False]


def test_a_model_made_of_models_is_shown_what_it_answered_in_the_end(world: World, server: Talker) -> None:
    """Three samples of each turn; the conversation goes on from the one that was chosen."""
    ask(world, 2)
    models = [{"self_consistency": {"model": model_at(server.base_url), "samples": 3}}]
    assert world.run("run", experiment(world, server, models=models), "-q") == 0
    (run,) = world.run_folders()
    assert correct(run) == {f"{number}.{turn}": number == 0 for number in range(2) for turn in range(3)}


def test_scored_predictions_have_interactions_too(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    ask(world, 3, 2)
    predictions = world.folder / "predictions.txt"
    blocks = [[gold(0), gold(1)], [gold(0), "SELECT 7"], [gold(0), gold(1)]]
    predictions.write_text("\n\n".join("\n".join(block) for block in blocks) + "\n\n")
    dataset = f"jsonl:{world.folder / 'questions.jsonl'}"
    assert world.run("score", predictions, "--dataset", dataset, "-q") == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "interactions 66.7 % 20.8 – 93.9 3 2 1 0" in lines
    assert world.run("score", predictions, "--dataset", dataset, "-q", "--json") == 0
    (interactions,) = json.loads(capsys.readouterr().out)["interactions"]
    assert (interactions["correct"], interactions["incorrect"]) == (2, 1)


@pytest.mark.data
def test_conversations_over_real_databases(world: World, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Spider's questions, four of a database to a conversation, in SParC's shape."""
    by_database: dict[str, list[dict[str, Any]]] = {}
    for one in json.loads((data / "spider" / "dev.json").read_text()):
        by_database.setdefault(one["db_id"], []).append(one)
    chosen = {db_id: by_database[db_id][:8] for db_id in ("concert_singer", "pets_1", "world_1")}
    interactions = [
        {
            "database_id": db_id,
            "interaction": [{"utterance": one["question"], "query": one["query"]} for one in turns[start : start + 4]],
            "final": {"utterance": turns[start]["question"], "query": turns[start]["query"]},
        }
        for db_id, turns in chosen.items()
        for start in (0, 4)
    ]
    (world.folder / "dev.json").write_text(json.dumps(interactions))
    golds = [[turn["query"] for turn in one["interaction"]] for one in interactions]
    golds[3][2] = "SELECT 'wrong'"
    predictions = world.folder / "predictions.txt"
    predictions.write_text("\n\n".join("\n".join(one) for one in golds) + "\n")
    dataset = [f"sparc:{world.folder / 'dev.json'}", "--databases", data / "spider" / "database"]
    assert world.run("score", predictions, "--dataset", *dataset, "-q", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["strategies"][0]["correct"], shown["total"]) == (23, 24)
    assert (shown["interactions"][0]["correct"], shown["interactions"][0]["incorrect"]) == (5, 1)
