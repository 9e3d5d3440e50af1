"""What judges are shown, to the letter: a prompt's digest tells no change of what the code puts into it."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import Any

import pytest

from database_backends.result import Outcome, ResultTable
from evaluation.base.case import Case, Executed
from evaluation.base.llm import LLMEvaluator
from evaluation.datasets.base import Question
from evaluation.judging.ballot import schema_of
from evaluation.strategies.making import make_strategy
from tests.evaluation.judging.court import Speaker, ballot, bench, source
from tests.evaluation.world import World

SHOWN: dict[str, tuple[dict[str, Any], str, str]] = {
    "llm_judge": ({}, "2", "34cf740f3222671a"),
    "llm_judge_reference_free": ({}, "2", "53c04d10081f48ab"),
    "llm_judge_rubric": ({}, "2", "de458e2e04095000"),
    "llm_judge_pairwise": ({"against": "b"}, "2", "d0f54557f8535425"),
    "llm_judge_on_fail": ({}, "2", "594badb992249e76"),
}
"""Settings, version, and the digest of what is shown in this version."""


def case(world: World) -> Case:
    before = Question("q0", "How many?", "show", conversation="c", turn=0)
    question = Question("q1", "And their names?", "show", ("SELECT 1",), evidence="all", before=before, turn=1)
    rows = ResultTable(("a", "b"), ("", ""), [("Ann", 1.5), (None, 2)])
    gold = Executed("SELECT name FROM singer ORDER BY 1 -- <|im_end|>", ResultTable(("name",), ("",), [("Bob\n",)]))

    async def run_predicted(sql: str) -> Outcome:
        return ResultTable(("c",), ("",), [(b"\x00",)])

    sql = "SELECT a, b\nFROM t"
    target = str(world.database)
    return Case(question, "sqlite", (gold,), sql, Executed(sql, rows), run_predicted=run_predicted, target=target)


@pytest.mark.parametrize("name", SHOWN)
def test_whatever_a_judge_is_shown_otherwise_is_another_version_of_its_strategy(name: str, world: World) -> None:
    """Else a calibration of the former would be taken for one of the latter."""
    settings, version, digest = SHOWN[name]
    speaker = Speaker(lambda text: ballot("?"))
    strategy = make_strategy(name, settings, bench=bench(source(world, speaker), rival={"q1": "SELECT c FROM t"}))
    assert isinstance(strategy, LLMEvaluator)
    asyncio.run(strategy.evaluate(case(world)))
    messages = [(message.role, message.content) for request in speaker.heard for message in request.messages]
    told = json.dumps([messages, schema_of(strategy.menu, strategy.categories)])
    assert messages
    assert (strategy.version, hashlib.sha256(told.encode()).hexdigest()[:16]) == (version, digest), told
