"""Every type makes the round trip through every engine, and any two engines give the same table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path

import pytest

from database_backends.base import BACKENDS, CanBuild
from database_backends.result import Limits, ResultTable
from evaluation.conventions.base import CONVENTIONS, Statements
from evaluation.verdicts import Reason
from tests.conformance.typed import COLUMNS, ENGINES, statements
from tests.servers.worlds import SERVERS, world_of

MARKS = {str(server.values[0]): list(server.marks) for server in SERVERS}
PAIRS = [
    pytest.param(one, other, marks=[*MARKS.get(one, []), *MARKS.get(other, [])], id=f"{one}-{other}")
    for one, other in combinations(ENGINES, 2)
]


@contextmanager
def database(engine: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """The target and the name of a table with every type."""
    backend = BACKENDS.get(engine)
    if issubclass(backend, CanBuild):
        target = str(folder / f"{engine}.db")
        backend.build(target, statements(engine))
        yield target, "typed"
        return
    world = world_of(engine, request)
    try:
        if engine == "trino":  # of what PostgreSQL has, Trino does not see all types: it keeps this table itself
            name = f"memory.default.{world.new_name()}"
            world.rows(*statements(engine, name))
            yield world.reader, name
            world.rows(f"DROP TABLE {name}")
        else:
            yield world.make(statements(engine)), "typed"
    finally:
        world.close()


def columns(engine: str, folder: Path, request: pytest.FixtureRequest) -> dict[str, ResultTable]:
    """By column: the identifiers and the cells, as the driver gives them."""
    with database(engine, folder, request) as (target, table), BACKENDS.get(engine)(target) as opened:
        return {column: opened.execute(f"SELECT id, {column} FROM {table} ORDER BY id", Limits()) for column in COLUMNS}


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_two_engines_give_the_same(one: str, other: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    convention = CONVENTIONS.make("sqlassay", {})
    left, right = columns(one, tmp_path, request), columns(other, tmp_path, request)
    differing = {}
    for column in COLUMNS:
        for gold, predicted in ((left[column], right[column]), (right[column], left[column])):
            verdict = convention.compare(gold, predicted, Statements("SELECT 1", "SELECT 1", "sqlite"))
            if verdict.reason is not Reason.MATCH:
                differing[column] = (gold.rows, predicted.rows, verdict.reason.value)
    assert differing == {}
    assert all(table.rows[2] == (2, None) for table in (*left.values(), *right.values()))
