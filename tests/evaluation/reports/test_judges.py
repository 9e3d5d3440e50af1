"""What goes with the scores of judges, in tables of any width."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from evaluation.calibration.note import CalibrationNote, calibration_notes
from evaluation.records import ItemRecord, VerdictRecord
from evaluation.reports import console
from evaluation.reports.answered import Answered
from evaluation.reports.base import REPORTS
from evaluation.reports.standing import Standing, standings, told_of_judges
from evaluation.reports.summary import RunSummary
from evaluation.reports.taxonomy import Taxonomy
from evaluation.runs import summarise
from evaluation.verdicts import JUDGE_CATEGORIES, JUDGES, Reason, Status
from tests.evaluation.calibration.judged import calibration, judged, write_run


def item(number: int, executed: Reason, judged: Reason, *categories: str, asked: bool = True) -> ItemRecord:
    said = {} if judged.status is Status.UNSCORED else {JUDGE_CATEGORIES: list(categories)}
    evidence = {JUDGES: {"m": "x"}, **said} if asked else {}
    verdicts = (
        VerdictRecord("execution_match", executed.status, float(executed.status is Status.CORRECT), executed),
        VerdictRecord("llm_judge", judged.status, float(judged.status is Status.CORRECT), judged, evidence),
    )
    return ItemRecord(str(number), number, "show", "?", verdicts=verdicts)


ITEMS = [
    item(0, Reason.MATCH, Reason.MATCH, asked=False),
    item(1, Reason.WRONG_ROWS, Reason.JUDGED_WRONG, "wrong_filter", "wrong_join"),
    item(2, Reason.WRONG_ROWS, Reason.JUDGED_WRONG, "wrong_filter"),
    item(3, Reason.WRONG_ROWS, Reason.JUDGED_CORRECT),
    item(4, Reason.EMPTY, Reason.JUDGED_WRONG, "wrong_filter"),
    item(5, Reason.EMPTY, Reason.JUDGES_DISAGREE),
]


def printed(shown: object, width: int) -> str:
    text = StringIO()
    Console(file=text, width=width).print(shown)
    return text.getvalue()


@pytest.mark.parametrize("width", [60, 80, 100, 160, 300])
@pytest.mark.parametrize(
    ("note", "words"), [(CalibrationNote(), "uncalibrated"), (CalibrationNote(calibration()), "corrected")]
)
def test_the_calibration_stands_with_the_score(note: CalibrationNote, words: str, width: int) -> None:
    summary = RunSummary("a run", total=5, standings={"llm_judge": Standing(note)})
    for one in ITEMS:
        summary.add(one)
    shown = printed(console.Results([summary]), width)
    assert shown.count(words) == 1
    assert shown.index("execution_match") < shown.index("llm_judge") < shown.index(words)


def test_reasons_and_categories_side_by_side() -> None:
    taxonomy = Taxonomy()
    for one in ITEMS:
        taxonomy.add(one)
    rows = taxonomy.rows
    assert [(row.reason, row.items, dict(row.categories), row.without, row.undecided) for row in rows] == [
        (Reason.WRONG_ROWS, 3, {"wrong_filter": 2, "wrong_join": 1}, 1, 0),
        (Reason.EMPTY, 2, {"wrong_filter": 1}, 0, 1),
    ]
    lines = printed(console.taxonomy(rows), 120).splitlines()
    assert lines[1].rstrip().split("  ")[-1] == "wrong filter 2, wrong join 1, nothing 1"
    assert lines[2].rstrip().split("  ")[-1] == "wrong filter 1, no verdict 1"
    assert "llm_judge" not in lines[2]


def test_who_judges_is_told_from_what_the_run_remembers() -> None:
    judge = {"name": "j", "model": {"provider": "openai", "model": "gpt-5"}, "parameters": {}}
    strategies = [{"label": "execution_match"}, {"label": "llm_judge", "judges": [judge]}]
    router = {"composite": {}, "parts": {"a": {"model": {"provider": "ollama", "model": "qwen3"}, "parameters": {}}}}
    notes = calibration_notes(strategies)
    assert standings(strategies, notes, router) == {"llm_judge": Standing(CalibrationNote())}
    router["parts"]["b"] = {"model": {"provider": "openrouter", "model": "openai/gpt-5-mini"}, "parameters": {}}
    (kin,) = (one.kin for one in standings(strategies, notes, router).values())
    assert kin == ("judge j is of the family of openai/gpt-5-mini (GPT)",)
    assert standings(strategies, notes, None)["llm_judge"].kin == ()
    assert standings([], {}, None) == {}


def test_a_relative_of_the_system_that_is_compared_with_is_flagged_too() -> None:
    judge = {"name": "j", "model": {"provider": "openai", "model": "gpt-5"}, "parameters": {}}
    against = {"name": "the other", "sha256": "b" * 64, "model": {"provider": "openai", "model": "gpt-5-mini"}}
    strategies = [{"label": "llm_judge_pairwise", "judges": [judge], "against": against}]
    (one,) = standings(strategies, calibration_notes(strategies), {"provider": "a", "model": "claude"}).values()
    assert one.kin == ("judge j is of the family of gpt-5-mini (GPT), the other system's model",)
    del against["model"]  # as older runs have it
    (one,) = standings(strategies, calibration_notes(strategies), {"provider": "a", "model": "claude"}).values()
    assert one.kin == ()


def test_a_relative_behind_an_alias_is_flagged_beside_the_other_system() -> None:
    judge = {"name": "j", "model": {"provider": "openai", "model": "house"}, "parameters": {}}
    against = {"name": "the other", "sha256": "b" * 64, "model": {"provider": "openai", "model": "gpt-5-mini"}}
    strategies = [{"label": "llm_judge_pairwise", "judges": [judge], "against": against}]
    answered = Answered(("gpt-5-2025-08-07",), {("llm_judge_pairwise", "j"): ("gpt-5-nano",)})
    found = standings(strategies, calibration_notes(strategies), {"provider": "openai", "model": "prod"}, answered)
    assert found["llm_judge_pairwise"].kin == (
        "judge j is of the family of gpt-5-2025-08-07 (GPT)",
        "judge j is of the family of gpt-5-mini (GPT), the other system's model",
    )


def test_a_relative_is_flagged_in_every_kind_of_report(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "one", judged(5, 0.5, seed=1))
    folder.manifest["identity"]["model"] = {"provider": "openai", "model": "gpt-5"}
    words = "is of the family of gpt-5 (GPT)"
    for name in ("junit", "markdown", "html"):
        path = tmp_path / name
        REPORTS.make(name).write([folder], path)
        assert words in path.read_text(), name
    assert any(words in note for note in console.notes(summarise(folder)))


def test_remarks_on_verdicts_of_execution_have_no_part_in_these(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "one", judged(5, 0.5, seed=1))
    (entry,) = (one for one in folder.manifest["identity"]["strategies"] if one["label"] == "llm_judge")
    entry["name"] = "llm_judge"
    (line,) = told_of_judges([("one", folder)], "llm_judge", "the difference")
    assert line.startswith("llm_judge, whose errors are in the difference: uncalibrated")
    entry["name"] = "llm_judge_on_fail"
    assert told_of_judges([("one", folder)], "llm_judge", "the difference") == []


def test_who_answered_counts_where_a_name_tells_nothing() -> None:
    judge = {"name": "j", "model": {"provider": "openai", "model": "house"}, "parameters": {}}
    strategies = [{"label": "llm_judge", "judges": [judge]}]
    tested = {"provider": "openai", "model": "prod"}

    def kin(answered: Answered) -> tuple[str, ...]:
        return standings(strategies, calibration_notes(strategies), tested, answered)["llm_judge"].kin

    by = {("llm_judge", "j"): ("gpt-5-2025-08-07",), ("llm_judge:other", "j"): ("claude-opus-4-5",)}
    assert kin(Answered(("gpt-5-mini-2025-08-07",), by)) == ("judge j is of the family of gpt-5-mini-2025-08-07 (GPT)",)
    assert kin(Answered(("claude-opus-4-5",), by)) == ()
    assert kin(Answered(("gpt-5",), {})) == ()
    tested["model"] = "gpt-5-mini"
    assert kin(Answered(("gpt-5-mini-2025-08-07",), by)) == (
        "judge j is of the family of gpt-5-mini (GPT)",
        "judge j is of the family of gpt-5-mini-2025-08-07 (GPT)",
    )
    judge["model"] = {"provider": "openai", "model": "gpt-5"}  # told by its name: no more need be said
    assert kin(Answered(("gpt-5-mini-2025-08-07",), by)) == ("judge j is of the family of gpt-5-mini (GPT)",)
