"""Values of every type of DuckDB under the default convention, as its driver gives them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from database_backends.duckdb import DuckDBBackend
from database_backends.runner import Runner
from evaluation.settle import settle
from evaluation.strategies.making import make_strategy
from evaluation.verdicts import Reason

EQUAL = [
    ("TIMESTAMP_NS '2020-01-01 00:00:00.5'", "'2020-01-01 00:00:00.500000000'"),
    ("TIMESTAMPTZ '2020-01-01 00:00+02'", "'2019-12-31T22:00:00Z'"),
    ("'infinity'::DATE", "'infinity'::DATE"),
    ("'infinity'::DATE", "'infinity'::TIMESTAMP"),
    ("'infinity'::DATE", "'infinity'"),
    ("TIMESTAMP_NS '2020-01-01 00:00:00.000000001'", "'2020-01-01T00:00:00.000000001'"),
    ("123456789012345678901234567890123456789012345::BIGNUM", "123456789012345678901234567890123456789012345::BIGNUM"),
    ("7::BIGNUM", "7"),
    ("INTERVAL 1 MONTH", "INTERVAL 30 DAYS"),  # so says DuckDB
    ("'-infinity'::TIMESTAMPTZ", "'-infinity'::TIMESTAMPTZ"),
    ("'0044-01-01 (BC)'::DATE", "'0044-01-01 (BC)'::DATE"),
    ("TIME '10:00:00.5'", "'10:00:00.500000'"),
    ("TIMETZ '10:00:00.5+02'", "'10:00:00.5+02'"),
    ("TIMETZ '10:00:00+02'", "TIMETZ '08:00:00+00'"),
    ("[DATE '2020-01-01', NULL]", "['2020-01-01', NULL]"),
    ("{'day': DATE '2020-01-01', 'who': 'ann'}", "{'who': 'ann', 'day': '2020-01-01 00:00:00'}"),
    ("MAP {'x': DATE '2020-01-01'}", "MAP {'x': '2020-01-01'}"),
    ("MAP {'a': 1, 'b': 2}", "MAP {'b': 2, 'a': 1}"),
    ("MAP {[1]: 'x', [2]: 'y'}", "MAP {[2]: 'y', [1]: 'x'}"),
    ("MAP {'a': 1}", "{'a': 1}"),
    ("'0101'::BIT", "'0101'"),
    ("[0.1::DOUBLE + 0.2]", "[0.3]"),
    ("union_value(a := 1)", "1"),
    ("'x'::ENUM('x', 'y')", "'x'"),
]
DIFFERENT = [
    ("'infinity'::DATE", "DATE '9999-12-31'"),
    ("'infinity'::TIMESTAMP", "'-infinity'::TIMESTAMP"),
    ("TIMESTAMP_NS '2020-01-01 00:00:00.000000001'", "TIMESTAMP_NS '2020-01-01 00:00:00.000000002'"),
    ("7::BIGNUM", "'7'"),
    ("TIME '10:00:00'", "'10:00'"),
    ("TIME '10:00:00'", "TIMETZ '10:00:00+00'"),
    ("TIMESTAMPTZ '2020-01-01 00:00+00'", "TIMESTAMP '2020-01-01 00:00'"),
    ("MAP {[1]: 'x', [2]: 'y'}", "MAP {[2]: 'x', [1]: 'y'}"),
    ("{'a': 1, 'b': 2}", "{'a': 2, 'b': 1}"),
    ("{'a': 1, 'b': 2}", "row(1, 2)"),
    ("'0101'::BIT", "'101'::BIT"),
    ("'0101'::BIT", "101"),
    ("INTERVAL 1 DAY", "'1 day'"),
    ("[[1], [2]]", "[[2], [1]]"),
    ("[]", "NULL"),
    ("'x'::BLOB", "'x'"),
]


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with Runner(1, megabytes=1024) as runner:
        yield runner


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = Path(tmp_path_factory.mktemp("values")) / "empty.duckdb"
    DuckDBBackend.build(str(path), [])
    return f"duckdb:{path}"


def reason(runner: Runner, database: str, gold: str, predicted: str) -> Reason:
    strategy = make_strategy("execution_match")
    settled = asyncio.run(settle(runner, database, [f"SELECT {gold}"], f"SELECT {predicted}", [strategy]))
    return settled.verdicts["execution_match"].reason


@pytest.mark.parametrize(("one", "other"), EQUAL)
def test_equal(one: str, other: str, runner: Runner, database: str) -> None:
    assert reason(runner, database, one, other) is Reason.MATCH
    assert reason(runner, database, other, one) is Reason.MATCH


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different(one: str, other: str, runner: Runner, database: str) -> None:
    for found in (reason(runner, database, one, other), reason(runner, database, other, one)):
        assert found in (Reason.WRONG_ROWS, Reason.TYPE, Reason.NULL_HANDLING)
