"""Which tables a statement reads."""

from __future__ import annotations

import pytest

from database_backends.errors import BackendError
from database_backends.result import ExecutionFailure
from database_backends.runner import Runner
from evaluation.structure.tables import TablesUsed, tables


@pytest.mark.parametrize(
    ("sql", "read"),
    [
        ("SELECT 1", ""),
        ('SELECT * FROM Singer AS s JOIN "Song" ON s.id = song.singer', "singer song"),
        ("SELECT a FROM x WHERE b IN (SELECT b FROM y WHERE EXISTS (SELECT 1 FROM z))", "x y z"),
        ("SELECT a FROM x UNION SELECT a FROM y EXCEPT SELECT a FROM x", "x y"),
        ("SELECT (SELECT max(a) FROM x) FROM main.y", "x y"),
        ("WITH w AS (SELECT * FROM x) SELECT * FROM w JOIN y", "x y"),
        ("WITH W AS (SELECT * FROM x) SELECT * FROM w", "x"),
        # A name is known from where WITH gives it on.
        ("WITH x AS (SELECT * FROM x) SELECT * FROM x", "x"),
        ("WITH v AS (SELECT * FROM w), w AS (SELECT * FROM v) SELECT * FROM w", "w"),
        ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT * FROM n JOIN x", "x"),
        ("SELECT * FROM (WITH w AS (SELECT 1) SELECT * FROM w) JOIN w", "w"),
        ("WITH w AS (SELECT 1) SELECT * FROM (SELECT * FROM w) AS s", ""),
        ("WITH x AS (SELECT 1) SELECT * FROM main.x", "x"),
        ("SELECT value FROM json_each('[1]') JOIN x", "x"),
    ],
)
def test_tables(sql: str, read: str) -> None:
    assert tables(sql, "sqlite") == frozenset(read.split())


@pytest.mark.parametrize("sql", ["SELECT count(* FROM x", "DROP TABLE x", "SELECT 1; SELECT 2", "", "nonsense ("])
def test_what_is_no_query_has_none(sql: str) -> None:
    with pytest.raises(BackendError):
        tables(sql, "sqlite")


def test_it_is_read_where_it_can_do_no_harm(runner: Runner) -> None:
    assert runner.submit(TablesUsed("SELECT * FROM x", "sqlite")).result() == frozenset({"x"})
    for sql in ("SELECT count(* FROM x", "SELECT " + "(" * 5000 + "1" + ")" * 5000):
        assert isinstance(runner.submit(TablesUsed(sql, "sqlite")).result(), ExecutionFailure)
