"""What the rules say is so: each rule is tried on its engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from database_backends.base import BACKENDS, DatabaseBackend
from database_backends.duckdb import DuckDBBackend
from database_backends.errors import BackendError
from database_backends.mysql import MySQLBackend
from database_backends.postgres import PostgresBackend
from database_backends.result import Limits
from database_backends.sqlite import SQLiteBackend
from database_backends.trino import TrinoBackend
from prompts import dialect_rules
from prompts.dialect_rules import RULES
from tests.servers.plugin import Server

FAILS = object()
"""In the place of a value: the engine refuses the statement."""

TABLE = "(SELECT 1 AS \"Big Name\", 'Ann' AS name UNION ALL SELECT 2, NULL) AS t"
SQLITE = {
    "names in double quotes ignore case": (f'SELECT min("bIG nAME") FROM {TABLE}', 1),
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
    "names in double quotes ignore case": (f'SELECT min("bIG nAME") FROM {TABLE}', 1),
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

POSTGRES = {
    "names are folded": ("SELECT BIG FROM (SELECT 1 AS big) AS t", 1),
    "quoted names are not": ('SELECT Big FROM (SELECT 1 AS "Big") AS t', FAILS),
    "quotes": ('SELECT "Big" FROM (SELECT 1 AS "Big") AS t', 1),
    "text minds case": ("SELECT 'a' = 'A'", False),
    "LIKE minds case": ("SELECT 'a' LIKE 'A'", False),
    "ILIKE does not": ("SELECT 'a' ILIKE 'A'", True),
    "division cuts off": ("SELECT 1 / 2", 0),
    "cast": ("SELECT 1::numeric / 2", Decimal("0.5")),
    "bars join": ("SELECT 'a' || 'b'", "ab"),
    "date": ("SELECT to_char(DATE '2024-01-31' + INTERVAL '1 day', 'YYYY-MM')", "2024-02"),
    "EXTRACT": ("SELECT EXTRACT(YEAR FROM DATE '2024-01-31')", 2024),
    "days": ("SELECT DATE '2024-02-01' - DATE '2024-01-31'", 1),
    "CURRENT_DATE": ("SELECT CURRENT_DATE > DATE '2024-01-31'", True),
    "LIMIT OFFSET": (f"SELECT 7 FROM {TABLE} LIMIT 1 OFFSET 1", 7),
    "GROUP BY is strict": (f"SELECT name, count(*) FROM {TABLE}", FAILS),
    "aliases in WHERE": (f"SELECT name AS n FROM {TABLE} WHERE n = 'Ann'", FAILS),
    "aliases in HAVING": (f"SELECT count(*) AS n FROM {TABLE} HAVING n > 1", FAILS),
    "ROUND of a float": ("SELECT ROUND(1.25::float8, 1)", FAILS),
    "ROUND of numeric": ("SELECT ROUND(1.25::float8::numeric, 1)", Decimal("1.3")),
    "NULL last": (f"SELECT name FROM {TABLE} ORDER BY name LIMIT 1", "Ann"),
    "NULL first with DESC": (f"SELECT name FROM {TABLE} ORDER BY name DESC LIMIT 1", None),
    "NULLS LAST": (f"SELECT name FROM {TABLE} ORDER BY name DESC NULLS LAST LIMIT 1", "Ann"),
    "text is no number": (f"SELECT name FROM {TABLE} WHERE name > 1", FAILS),
    "STRING_AGG": ("SELECT STRING_AGG(x, ', ') FROM (SELECT 'a' AS x UNION ALL SELECT 'a') AS t", "a, a"),
}
MYSQL = {
    "backticks": ("SELECT `Big Name` FROM (SELECT 1 AS `Big Name`) AS t", 1),
    "text ignores case": ("SELECT 'a' = 'A'", 1),
    "LIKE ignores case": ("SELECT 'a' LIKE 'A'", 1),
    "division keeps": ("SELECT 1 / 2", Decimal("0.5")),
    "DIV cuts off": ("SELECT 1 DIV 2", 0),
    "CONCAT": ("SELECT CONCAT('a', 'b')", "ab"),
    "bars mean OR": ("SELECT 'a' || '1'", 1),
    "date": ("SELECT DATE_FORMAT(DATE_ADD('2024-01-31', INTERVAL 1 DAY), '%Y-%m')", "2024-02"),
    "YEAR": ("SELECT YEAR('2024-01-31')", 2024),
    "DATEDIFF": ("SELECT DATEDIFF('2024-02-01', '2024-01-31')", 1),
    "CURDATE": ("SELECT CURDATE() > '2024-01-31'", 1),
    "LIMIT OFFSET": ("SELECT 7 FROM (SELECT 1 UNION ALL SELECT 2) AS t LIMIT 1 OFFSET 1", 7),
    "no LIMIT in IN": ("SELECT 1 WHERE 1 IN (SELECT 1 LIMIT 1)", FAILS),
    "GROUP BY is strict": ("SELECT name, count(*) FROM (SELECT 'Ann' AS name, 1 AS a) AS t GROUP BY a + 1", FAILS),
    "no FULL OUTER JOIN": (
        "SELECT 1 FROM (SELECT 1 AS a) AS s FULL OUTER JOIN (SELECT 1 AS a) AS t ON s.a = t.a",
        FAILS,
    ),
    "NULL first": ("SELECT a FROM (SELECT 1 AS a UNION ALL SELECT NULL) AS t ORDER BY a LIMIT 1", None),
    "NULL last with DESC": ("SELECT a FROM (SELECT 1 AS a UNION ALL SELECT NULL) AS t ORDER BY a DESC LIMIT 1", 1),
    "no NULLS LAST": ("SELECT a FROM (SELECT 1 AS a) AS t ORDER BY a NULLS LAST", FAILS),
    "SIGNED": ("SELECT CAST('7' AS SIGNED)", 7),
    "DECIMAL": ("SELECT CAST('7' AS DECIMAL(10, 2))", Decimal(7)),
    "CHAR": ("SELECT CAST(7 AS CHAR)", "7"),
    "no INTEGER": ("SELECT CAST('7' AS INTEGER)", FAILS),
    "no VARCHAR": ("SELECT CAST(7 AS VARCHAR(10))", FAILS),
    "GROUP_CONCAT": ("SELECT GROUP_CONCAT(x SEPARATOR ', ') FROM (SELECT 'a' AS x UNION ALL SELECT 'a') AS t", "a, a"),
}
TRINO = {
    "names in double quotes ignore case": (f'SELECT min("bIG nAME") FROM {TABLE}', 1),
    "text minds case": ("SELECT 'a' = 'A'", False),
    "LIKE minds case": ("SELECT 'a' LIKE 'A'", False),
    "no ILIKE": ("SELECT 'a' ILIKE 'A'", FAILS),
    "lower": ("SELECT lower('ABCD') LIKE 'abc%'", True),
    "division cuts off": ("SELECT 1 / 2", 0),
    "cast": ("SELECT CAST(1 AS double) / 2", 0.5),
    "bars join": ("SELECT 'a' || 'b'", "ab"),
    "bars join text only": ("SELECT 'a' || 1", FAILS),
    "varchar": ("SELECT 'a' || CAST(1 AS varchar)", "a1"),
    "date": ("SELECT date_format(DATE '2024-01-31' + INTERVAL '1' DAY, '%Y-%m')", "2024-02"),
    "year": ("SELECT year(DATE '2024-01-31')", 2024),
    "date_diff": ("SELECT date_diff('day', DATE '2024-01-31', DATE '2024-02-01')", 1),
    "current_date": ("SELECT current_date > DATE '2024-01-31'", True),
    "OFFSET LIMIT": (f"SELECT 7 FROM {TABLE} OFFSET 1 LIMIT 1", 7),
    "LIMIT OFFSET": (f"SELECT 7 FROM {TABLE} LIMIT 1 OFFSET 1", FAILS),
    "GROUP BY is strict": (f"SELECT name, count(*) FROM {TABLE}", FAILS),
    "aliases in WHERE": (f"SELECT name AS n FROM {TABLE} WHERE n = 'Ann'", FAILS),
    "aliases in GROUP BY": (f"SELECT lower(name) AS n FROM {TABLE} GROUP BY n", FAILS),
    "aliases in HAVING": (f"SELECT count(*) AS n FROM {TABLE} HAVING n > 1", FAILS),
    "NULL last": (f"SELECT name FROM {TABLE} ORDER BY name LIMIT 1", "Ann"),
    "NULL last with DESC": (f"SELECT name FROM {TABLE} ORDER BY name DESC LIMIT 1", "Ann"),
    "NULLS FIRST": (f"SELECT name FROM {TABLE} ORDER BY name NULLS FIRST LIMIT 1", None),
    "text is no number": (f"SELECT name FROM {TABLE} WHERE name > 1", FAILS),
    "text is no date": ("SELECT DATE '2024-01-31' > '2024-01-30'", FAILS),
    "cast of text": ("SELECT CAST('1.5' AS double)", 1.5),
    "try_cast": ("SELECT TRY_CAST('x' AS double)", None),
    "listagg": ("SELECT listagg(x, ', ') WITHIN GROUP (ORDER BY x) FROM (VALUES 'b', 'a') AS t (x)", "a, b"),
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


@pytest.fixture(scope="module")
def postgres(postgres_server: Server) -> Iterator[DatabaseBackend]:
    with PostgresBackend(postgres_server.reader) as database:
        yield database


@pytest.fixture(scope="module")
def mysql(mysql_server: Server) -> Iterator[DatabaseBackend]:
    with MySQLBackend(mysql_server.reader) as database:
        yield database


@pytest.fixture(scope="module")
def trino(trino_server: Server) -> Iterator[DatabaseBackend]:
    with TrinoBackend(trino_server.reader) as database:
        yield database


@pytest.mark.parametrize(("sql", "expected"), POSTGRES.values(), ids=POSTGRES)
def test_postgres(sql: str, expected: object, postgres: DatabaseBackend) -> None:
    check(lambda: postgres.execute(sql, Limits()).rows[0][0], expected)


@pytest.mark.parametrize(("sql", "expected"), MYSQL.values(), ids=MYSQL)
def test_mysql(sql: str, expected: object, mysql: DatabaseBackend) -> None:
    check(lambda: mysql.execute(sql, Limits()).rows[0][0], expected)


@pytest.mark.parametrize(("sql", "expected"), TRINO.values(), ids=TRINO)
def test_trino(sql: str, expected: object, trino: DatabaseBackend) -> None:
    check(lambda: trino.execute(sql, Limits()).rows[0][0], expected)


def test_every_engine_that_is_shipped_has_rules() -> None:
    assert {BACKENDS.get(name).dialect for name in ("sqlite", "duckdb", "postgres", "mysql", "trino")} == set(RULES)


def test_text() -> None:
    assert dialect_rules.text("sqlite").splitlines()[1] == "- = on text minds case, LIKE does not."
    assert all(rule and "\n" not in rule for rules in RULES.values() for rule in rules)
    assert dialect_rules.text("of a plug-in") == ""
