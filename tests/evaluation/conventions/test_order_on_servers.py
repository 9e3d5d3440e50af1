"""The order and the limits that embedded engines are tested with, on real servers."""

from __future__ import annotations

import asyncio

import pytest
from sqlglot import transpile

from database_backends.runner import Runner
from evaluation.settle import settle
from evaluation.strategies.making import make_strategy
from evaluation.verdicts import Reason
from tests.evaluation.conventions.test_order import PAIRS, SETUP
from tests.servers.worlds import SERVERS, dialect_of_setup, world_of

REFUSED = {
    "postgres": {"an alias within an expression", "an alias within an expression, in order"},
    "mysql": {"order of a subquery", "an offset that is asked for", "an offset that is asked for, another row"},
    "trino": {"an offset that is asked for", "an offset that is asked for, another row"},
}
"""Golds that are not SQL of the engine."""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("engine", SERVERS)
def test_order_on_a_server(engine: str, request: pytest.FixtureRequest) -> None:
    world = world_of(engine, request)
    strategy = make_strategy("execution_match")
    setup = transpile(SETUP, read="duckdb", write=dialect_of_setup(engine))
    try:
        database = f"{engine}:{world.make([statement for statement in setup if ' many' not in statement])}"
        found = {}
        with Runner(1, megabytes=1024) as runner:
            for name, (*pair, _) in PAIRS.items():
                gold, predicted = (transpile(sql, read="postgres", write=engine)[0] for sql in pair)
                settled = asyncio.run(settle(runner, database, [gold], predicted, [strategy]))
                found[name] = settled.verdicts["execution_match"].reason
    finally:
        world.close()
    expected = {name: reason for name, (*_, reason) in PAIRS.items()}
    assert found == expected | dict.fromkeys(REFUSED[engine], Reason.GOLD_FAILED)
