"""The traps that no other comparator gets right: all of them on SQLite, and on other engines where their SQL allows."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlglot import exp, parse, parse_one

from database_backends.runner import Runner
from evaluation.cases import read_traps, settle_trap
from evaluation.settle import settle
from evaluation.strategies.making import make_strategy
from evaluation.verdicts import Status
from sqlassay.errors import UserError
from tests.servers.worlds import SERVERS, dialect_of_setup, world_of

pytestmark = pytest.mark.data

NOT_THERE = {
    "postgres": {"K2"},  # a column of numbers and text
    "mysql": {"K2", "O3"},  # LIMIT within IN
    "trino": {"K2", "F7"},  # 10.0 / 3 is 3.3: nothing is rounded
}
"""Traps that an engine does not have."""


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with Runner(1, megabytes=1024) as runner:
        yield runner


@pytest.mark.parametrize(("engine", "usable"), [("sqlite", 46), ("duckdb", 35)])
def test_every_trap(engine: str, usable: int, data: Path, runner: Runner) -> None:
    strategy = make_strategy("execution_match")
    judged = {}
    for trap in read_traps(data / "comparison" / "cases.json"):
        try:
            settled = asyncio.run(settle_trap(runner, replace(trap, engine=engine), [strategy]))
        except UserError:  # columns without a type: only SQLite has them
            continue
        judged[trap.id] = (settled.verdicts[strategy.label].status, trap.expected)
    assert {name: pair for name, pair in judged.items() if pair[0] is not pair[1]} == {}
    assert len(judged) == usable
    assert Status.CORRECT in {found for found, _ in judged.values()}


@pytest.mark.parametrize("engine", SERVERS)
def test_every_trap_on_a_server(engine: str, data: Path, runner: Runner, request: pytest.FixtureRequest) -> None:
    strategy = make_strategy("execution_match")
    traps = [trap for trap in read_traps(data / "comparison" / "cases.json") if trap.id not in NOT_THERE[engine]]
    world = world_of(engine, request)
    made: dict[tuple[str, ...], str] = {}
    wrong = {}
    try:
        for trap in traps:
            if trap.setup not in made:
                made[trap.setup] = world.make(_typed(trap.setup, dialect_of_setup(engine)))
            golds = [_written(gold, engine) for gold in trap.golds]
            database = f"{engine}:{made[trap.setup]}"
            settled = asyncio.run(settle(runner, database, golds, _written(trap.predicted, engine), [strategy]))
            verdict = settled.verdicts[strategy.label]
            if verdict.status is not trap.expected:
                wrong[trap.id] = verdict
    finally:
        world.close()
    assert wrong == {}
    assert len(traps) == 46 - len(NOT_THERE[engine])


def _typed(setup: Sequence[str], dialect: str) -> list[str]:
    """The statements that make tables, in another dialect; columns without a type get that of their values."""
    trees = [tree for text in setup for tree in parse(text, read="sqlite") if not isinstance(tree, exp.Select)]
    rows = defaultdict(list)
    for tree in trees:
        if isinstance(tree, exp.Insert):
            rows[tree.this.name] += tree.expression.expressions
    for tree in trees:
        if isinstance(tree, exp.Create):
            for place, column in enumerate(tree.this.expressions):
                if column.args.get("kind") is None:
                    kind = _kind([row.expressions[place] for row in rows[tree.this.this.name]])
                    column.replace(exp.ColumnDef(this=exp.to_identifier(column.name), kind=exp.DataType.build(kind)))
    return [tree.sql(dialect=dialect) for tree in trees]


def _kind(values: Sequence[exp.Expr]) -> str:
    if any(value.is_string for value in values):
        return "TEXT"
    return "INT" if all(value.is_int or isinstance(value, exp.Null) for value in values) else "DOUBLE"


def _written(sql: str, dialect: str) -> str:
    """The statement in another dialect; derived tables get the alias without which MySQL has none."""
    tree = parse_one(sql, read="sqlite")
    for derived in tree.find_all(exp.Subquery):
        if isinstance(derived.parent, exp.From) and not derived.alias:
            derived.set("alias", exp.TableAlias(this=exp.to_identifier("derived")))
    return tree.sql(dialect=dialect)
