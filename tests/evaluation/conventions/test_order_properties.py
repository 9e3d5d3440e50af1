"""Every result that an ordered or cut gold may return is accepted, and no other: held against all permutations."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise, permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from database_backends.result import ResultTable, Row
from evaluation.conventions.base import Statements
from evaluation.conventions.sqlassay import SqlAssay
from evaluation.verdicts import Status, Verdict

NAMES = ("a", "b", "s")
values = st.one_of(st.none(), st.integers(0, 2))
tables = st.lists(st.tuples(values, values, st.sampled_from(["x", "X", "y", None])), min_size=1, max_size=5)
keys = st.lists(
    st.sampled_from(
        [
            *[
                "a",
                "b DESC",
                "s COLLATE NOCASE",
                "s COLLATE NOCASE DESC",
                "a NULLS LAST",
                "b DESC NULLS FIRST",
                "1",
                "2 DESC",
            ],
            *["-a", "a + b", "CASE WHEN s = 'x' THEN 0 ELSE 1 END", "t.b", "coalesce(b, 1) DESC", "length(s)"],
        ]
    ),
    max_size=2,
)


def run(connection: sqlite3.Connection, sql: str) -> ResultTable:
    cursor = connection.execute(sql)
    names = tuple(column for column, *_ in cursor.description)
    return ResultTable(names, ("",) * len(names), cursor.fetchall())


def settle(connection: sqlite3.Connection, gold: str, rows: list[Row]) -> Verdict:
    convention, statements = SqlAssay(), Statements(gold, "", "sqlite")
    expected = run(connection, gold)
    predicted = ResultTable(expected.columns, expected.types, rows)
    further = convention.further_gold(expected, predicted, statements)
    return convention.compare(expected, predicted, statements, None if further is None else run(connection, further))


def legal(connection: sqlite3.Connection, rows: str, order: list[str], cut: slice) -> Iterator[tuple[Row, ...]]:
    """All results: the permutations of the rows in which no rank falls, cut."""
    rank = f"dense_rank() OVER (ORDER BY {', '.join(order)})" if order else "0"
    ranked = run(connection, rows.replace(" FROM", f", {rank} FROM", 1)).rows
    for rows in permutations(ranked):
        if all(one[-1] <= other[-1] for one, other in pairwise(rows)):
            yield tuple(row[:-1] for row in rows[cut])


@given(
    tables,
    keys,
    st.sampled_from(["a, b, s", "a, b", "a, s AS b", "b", "DISTINCT a, b, s", "DISTINCT *"]),
    st.integers(0, 3),
    st.integers(0, 2),
    st.data(),
)
@settings(max_examples=300)
def test_the_legal_results_and_no_others(
    table: list[Row], order: list[str], outputs: str, limit: int, offset: int, data: st.DataObject
) -> None:
    is_distinct = "DISTINCT" in outputs
    columns = "a, b, s" if is_distinct else outputs
    source = f"{columns} FROM {'(SELECT DISTINCT a, b, s FROM t) AS t' if is_distinct else 't'}"
    order = [key for key in order if not key.startswith("2") or "," in columns]
    if "AS b" in outputs:  # within an expression SQLite takes the column, which the text alone does not tell
        order = [key for key in order if "b" not in key or key.split()[0] in ("b", "t.b")]
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE TABLE t (a INTEGER, b INTEGER, s TEXT)")
        connection.executemany("INSERT INTO t VALUES (?, ?, ?)", table)
        gold = f"SELECT {outputs} FROM t"
        if order:
            gold += f" ORDER BY {', '.join(order)}"
        cut = slice(offset, offset + limit if limit else None)
        if limit or offset:
            gold += f" LIMIT {limit or -1} OFFSET {offset}"
        places = {"1": 0, "2 DESC": 1}
        by_place = [expression.split(" AS ")[0] for expression in columns.split(", ")]
        meant = [key if key not in places else key.replace(key[0], by_place[places[key]], 1) for key in order]
        # An alias comes before a column of its name where it is the whole key.
        meant = ["s" + key[1:] if "s AS b" in outputs and key.split()[0] == "b" else key for key in meant]
        allowed = set(legal(connection, f"SELECT {source}", meant, cut))
        rows = run(connection, f"SELECT {outputs} FROM t").rows
        candidate = data.draw(st.permutations(rows))[: len(next(iter(allowed)))]
        for rows in (candidate, list(data.draw(st.sampled_from(sorted(allowed, key=repr))))):
            verdict = settle(connection, gold, list(rows))
            assert (verdict.status is Status.CORRECT) == (tuple(rows) in allowed), (gold, verdict)
            assert "order" not in verdict.evidence


@given(
    tables,
    keys,
    st.sampled_from(["a", "a, b", "s", "b AS s, s AS b"]),
    st.sampled_from(["a, b, s", "*", "DISTINCT a, b, s", "DISTINCT *"]),
    st.integers(1, 4),
    st.integers(0, 3),
    st.booleans(),
    st.data(),
)
@settings(max_examples=300)
def test_the_legal_rows_of_a_derived_table_in_any_order(
    table: list[Row],
    order: list[str],
    outputs: str,
    inner: str,
    limit: int,
    offset: int,
    is_common: bool,
    data: st.DataObject,
) -> None:
    is_distinct, has_star = "DISTINCT" in inner, "*" in inner
    if has_star:  # what a place means is not told, nor beside DISTINCT an expression
        order = [key for key in order if not key[0].isdigit()]
    if has_star and is_distinct:
        order = [key for key in order if key.split()[0] in ("a", "b", "s", "t.b") and "+" not in key]
    source = "SELECT a, b, s FROM " + ("(SELECT DISTINCT a, b, s FROM t) AS t" if is_distinct else "t")
    derived = f"SELECT {inner} FROM t"
    if order:
        derived += f" ORDER BY {', '.join(order)}"
    derived += f" LIMIT {limit} OFFSET {offset}"
    gold = f"WITH d AS ({derived}) SELECT {outputs} FROM d" if is_common else f"SELECT {outputs} FROM ({derived}) AS d"
    places = {"1": "a", "2 DESC": "b DESC"}
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE TABLE t (a INTEGER, b INTEGER, s TEXT)")
        connection.executemany("INSERT INTO t VALUES (?, ?, ?)", table)
        cut = slice(offset, offset + limit)
        shown = [NAMES.index(output.split()[0]) for output in outputs.split(", ")]
        whole = legal(connection, source, [places.get(key, key) for key in order], cut)
        allowed = {tuple(tuple(row[place] for place in shown) for row in rows) for rows in whole}
        contents = [Counter(rows) for rows in allowed]
        rows = [tuple(row[place] for place in shown) for row in run(connection, source).rows]
        candidate = data.draw(st.permutations(rows))[: len(next(iter(allowed)))]
        for rows in (candidate, data.draw(st.permutations(data.draw(st.sampled_from(sorted(allowed, key=repr)))))):
            verdict = settle(connection, gold, list(rows))
            assert (verdict.status is Status.CORRECT) == (Counter(rows) in contents), (gold, verdict)
            assert "order" not in verdict.evidence
