"""What goes with the scores of judges, in tables of any width."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from evaluation.records import ItemRecord, VerdictRecord
from evaluation.reports import console
from evaluation.reports.standing import UNCALIBRATED, Standing, standings
from evaluation.reports.summary import RunSummary
from evaluation.reports.taxonomy import taxonomy
from evaluation.verdicts import JUDGE_CATEGORIES, JUDGES, Reason, Status


def item(number: int, executed: Reason, judged: Reason, *categories: str, asked: bool = True) -> ItemRecord:
    evidence = {JUDGES: {"m": "x"}, **({JUDGE_CATEGORIES: list(categories)} if categories else {})} if asked else {}
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
]


def printed(shown: object, width: int) -> str:
    text = StringIO()
    Console(file=text, width=width).print(shown)
    return text.getvalue()


@pytest.mark.parametrize("width", [60, 80, 100, 160, 300])
def test_the_calibration_stands_with_the_score(width: int) -> None:
    summary = RunSummary("a run", total=5, standings={"llm_judge": Standing("kappa 0.81 on 300 items")})
    for one in ITEMS:
        summary.add(one)
    shown = printed(console.Results([summary]), width)
    assert shown.count("kappa 0.81 on 300 items") == 1
    assert shown.index("execution_match") < shown.index("llm_judge") < shown.index("kappa 0.81")


def test_reasons_and_categories_side_by_side() -> None:
    rows = taxonomy(ITEMS)
    assert [(row.reason, row.items, dict(row.categories), row.without) for row in rows] == [
        (Reason.WRONG_ROWS, 3, {"wrong_filter": 2, "wrong_join": 1}, 1),
        (Reason.EMPTY, 1, {"wrong_filter": 1}, 0),
    ]
    lines = printed(console.taxonomy(rows), 120).splitlines()
    assert lines[1].split("  ")[-1].strip() == "wrong filter 2, wrong join 1, nothing 1"
    assert "empty" in lines[2]
    assert "llm_judge" not in lines[2]


def test_who_judges_is_told_from_what_the_run_remembers() -> None:
    judge = {"name": "j", "model": {"provider": "openai", "model": "gpt-5"}, "parameters": {}}
    strategies = [{"label": "execution_match"}, {"label": "llm_judge", "judges": [judge]}]
    router = {"composite": {}, "parts": {"a": {"model": {"provider": "ollama", "model": "qwen3"}, "parameters": {}}}}
    assert standings(strategies, router) == {"llm_judge": Standing(UNCALIBRATED)}
    router["parts"]["b"] = {"model": {"provider": "openrouter", "model": "openai/gpt-5-mini"}, "parameters": {}}
    assert standings(strategies, router)["llm_judge"].kin == ("judge j is of the family of openai/gpt-5-mini (GPT)",)
    assert standings(strategies, None)["llm_judge"].kin == ()
    assert standings([], None) == {}
