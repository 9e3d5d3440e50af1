"""What the rules say is so: on the engines that are here, each rule is tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from database_backends.base import BACKENDS, DatabaseBackend
from database_backends.duckdb import DuckDBBackend
from database_backends.errors import BackendError
from database_backends.result import Limits
from database_backends.sqlite import SQLiteBackend
from prompts import dialect_rules
from prompts.dialect_rules import RULES

FAILS = object()
"""In the place of a value: the engine refuses the statement."""

TABLE = "(SELECT 1 AS \"Big Name\", 'Ann' AS name UNION ALL SELECT 2, NULL) AS t"
SQLITE = {
    "names in double quotes ignore case": (f'SELECT "bIG nAME" FROM {TABLE} LIMIT 1', 1),
    "text in single quotes minds case": ("SELECT 'a' = 'A'", 0),
    "LIKE ignores case": ("SELECT 'a' LIKE 'A'", 1),
    "division cuts off": ("SELECT 1 / 2", 0),
    "times 1.0": ("SELECT 1.0 * 1 / 2", 0.5),
    "cast to real": ("SELECT CAST(1 AS REAL) / 2", 0.5),
    "bars join": ("SELECT 'a' || 'b'", "ab"),
    "plus adds": ("SELECT 'a' + 'b'", 0),
    "date": ("SELECT date('2024-01-31', '+1 day')", "2024-02-01"),
    "strftime": ("SELECT strftime('%Y', '2024-01-31')", "2024"),
    "julianday": ("SELECT julianday('2024-02-01') - julianday('2024-01-31')", 1.0),
    "no YEAR": ("SELECT YEAR('2024-01-31')", FAILS),
    "no DATEDIFF": ("SELECT DATEDIFF('2024-01-31', '2024-01-30')", FAILS),
    "no EXTRACT": ("SELECT EXTRACT(YEAR FROM '2024-01-31')", FAILS),
    "no INTERVAL": ("SELECT '2024-01-31' + INTERVAL '1' DAY", FAILS),
    "LIMIT OFFSET": (f"SELECT 7 FROM {TABLE} LIMIT 1 OFFSET 1", 7),
    "no TOP": (f"SELECT TOP 1 7 FROM {TABLE}", FAILS),
    "no FETCH FIRST": (f"SELECT 7 FROM {TABLE} FETCH FIRST 1 ROWS ONLY", FAILS),
    "NULL first": (f"SELECT name FROM {TABLE} ORDER BY name LIMIT 1", None),
    "NULLS LAST": (f"SELECT name FROM {TABLE} ORDER BY name NULLS LAST LIMIT 1", "Ann"),
    "booleans": ("SELECT 2 > 1", 1),
    "GROUP_CONCAT": ("SELECT GROUP_CONCAT(x, ', ') FROM (SELECT 1 AS x UNION ALL SELECT 1)", "1, 1"),
}
DUCKDB = {
    "names in double quotes ignore case": (f'SELECT "bIG nAME" FROM {TABLE} LIMIT 1', 1),
    "text minds case": ("SELECT 'a' = 'A'", False),
    "LIKE minds case": ("SELECT 'a' LIKE 'A'", False),
    "ILIKE does not": ("SELECT 'a' ILIKE 'A'", True),
    "division keeps": ("SELECT 1 / 2", 0.5),
    "two slashes cut off": ("SELECT 1 // 2", 0),
    "bars join": ("SELECT 'a' || 'b'", "ab"),
    "date": ("SELECT strftime(DATE '2024-01-31' + INTERVAL 1 DAY, '%Y-%m')", "2024-02"),
    "year": ("SELECT year(DATE '2024-01-31')", 2024),
    "date_diff": ("SELECT date_diff('day', DATE '2024-01-31', DATE '2024-02-01')", 1),
    "current_date": ("SELECT current_date > DATE '2024-01-31'", True),
    "LIMIT OFFSET": (f"SELECT 7 FROM {TABLE} LIMIT 1 OFFSET 1", 7),
    "GROUP BY is strict": (f"SELECT name, count(*) FROM {TABLE}", FAILS),
    "GROUP BY ALL": (f"SELECT count(*), name FROM {TABLE} GROUP BY ALL LIMIT 1", 1),
    "NULL last": (f"SELECT name FROM {TABLE} ORDER BY name LIMIT 1", "Ann"),
    "NULL last with DESC": (f"SELECT name FROM {TABLE} ORDER BY name DESC LIMIT 1", "Ann"),
    "NULLS FIRST": (f"SELECT name FROM {TABLE} ORDER BY name NULLS FIRST LIMIT 1", None),
    "text is no number": (f"SELECT sum(name) FROM {TABLE}", FAILS),
    "cast": ("SELECT CAST('1.5' AS DOUBLE)", 1.5),
    "try_cast": ("SELECT TRY_CAST('x' AS DOUBLE)", None),
    "string_agg": ("SELECT string_agg(x, ', ') FROM (SELECT 'a' AS x UNION ALL SELECT 'a')", "a, a"),
}


def check(value: Callable[[], object], expected: object) -> None:
    if expected is FAILS:
        with pytest.raises(BackendError):
            value()
    else:
        assert value() == expected


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, DatabaseBackend]]:
    folder = tmp_path_factory.mktemp("rules")
    SQLiteBackend.build(str(folder / "a.sqlite"), ["CREATE TABLE t (a)"])
    DuckDBBackend.build(str(folder / "a.duckdb"), ["CREATE TABLE t (a INT)"])
    with SQLiteBackend(str(folder / "a.sqlite")) as sqlite, DuckDBBackend(str(folder / "a.duckdb")) as duckdb:
        yield {"sqlite": sqlite, "duckdb": duckdb}


@pytest.mark.parametrize(("sql", "expected"), SQLITE.values(), ids=SQLITE)
def test_sqlite(sql: str, expected: object, engines: dict[str, DatabaseBackend]) -> None:
    check(lambda: engines["sqlite"].execute(sql, Limits()).rows[0][0], expected)


@pytest.mark.parametrize(("sql", "expected"), DUCKDB.values(), ids=DUCKDB)
def test_duckdb(sql: str, expected: object, engines: dict[str, DatabaseBackend]) -> None:
    check(lambda: engines["duckdb"].execute(sql, Limits()).rows[0][0], expected)


def test_every_engine_that_is_shipped_has_rules() -> None:
    assert {BACKENDS.get(name).dialect for name in ("sqlite", "duckdb", "postgres", "mysql", "trino")} == set(RULES)


def test_text() -> None:
    assert dialect_rules.text("sqlite").splitlines()[1] == "- = on text minds case, LIKE does not."
    assert all(rule and "\n" not in rule for rules in RULES.values() for rule in rules)
    assert dialect_rules.text("of a plug-in") == ""
