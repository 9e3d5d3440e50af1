from __future__ import annotations

import sqlite3

import pytest
from sqlglot import parse_one
from sqlglot.errors import SqlglotError

from database_backends.loading.base import Kind, SourceColumn, SourceTable
from evaluation.porting.rewriting import Rewriter, Rewriting

TABLES = (
    SourceTable(
        "singer",
        (
            SourceColumn("id", Kind.INTEGER),
            SourceColumn("name", Kind.TEXT),
            SourceColumn("age", Kind.INTEGER),
            SourceColumn("rank", Kind.TEXT),
            SourceColumn("weight", Kind.REAL),
        ),
    ),
    SourceTable("concert", (SourceColumn("singer_id", Kind.TEXT), SourceColumn("year", Kind.TEXT))),
)

PLAIN = {
    "names are folded and quoted": ("SELECT Name FROM Singer", 'SELECT "name" FROM "singer"'),
    "text in double quotes": (
        'SELECT id FROM singer WHERE name = "Joe"',
        'SELECT "id" FROM "singer" WHERE "name" = \'Joe\'',
    ),
    "a name in double quotes": ('SELECT "NAME" FROM singer', 'SELECT "name" FROM "singer"'),
    "an alias in double quotes": (
        'SELECT count(*) AS "How Many" FROM singer ORDER BY "how many"',
        'SELECT COUNT(*) AS "how many" FROM "singer" ORDER BY "how many" NULLS FIRST',
    ),
    "NULLs come first": ("SELECT id FROM singer ORDER BY age", 'SELECT "id" FROM "singer" ORDER BY "age" NULLS FIRST'),
}


@pytest.mark.parametrize(("gold", "expected"), PLAIN.values(), ids=PLAIN)
def test_the_first_is_a_plain_translation(gold: str, expected: str) -> None:
    assert next(Rewriter(TABLES, "postgres").rewritings(gold)) == Rewriting(expected)


REPAIRED = {
    "a number beside text": (
        "SELECT id FROM singer WHERE rank > 3",
        """SELECT "singer"."id" AS "id" FROM "singer" AS "singer" WHERE "singer"."rank" > '3'""",
        ("types",),
    ),
    "text beside a number": (
        "SELECT id FROM singer WHERE age = '30'",
        'SELECT "singer"."id" AS "id" FROM "singer" AS "singer" WHERE "singer"."age" = 30',
        ("types",),
    ),
    "keys of two types": (
        "SELECT s.name FROM singer s JOIN concert c ON s.id = c.singer_id",
        'SELECT "s"."name" AS "name" FROM "singer" AS "s"'
        ' JOIN "concert" AS "c" ON CAST("s"."id" AS TEXT) = "c"."singer_id"',
        ("types",),
    ),
    "a list of the other type": (
        "SELECT id FROM singer WHERE rank IN (1, 2)",
        """SELECT "singer"."id" AS "id" FROM "singer" AS "singer" WHERE "singer"."rank" IN ('1', '2')""",
        ("types",),
    ),
    "a range of the other type": (
        "SELECT id FROM singer WHERE rank BETWEEN 1 AND 2",
        """SELECT "singer"."id" AS "id" FROM "singer" AS "singer" WHERE "singer"."rank" BETWEEN '1' AND '2'""",
        ("types",),
    ),
    "patterns without case": (
        "SELECT id FROM singer WHERE name LIKE '%joe%'",
        """SELECT "singer"."id" AS "id" FROM "singer" AS "singer" WHERE "singer"."name" ILIKE '%joe%'""",
        ("patterns",),
    ),
    "an alias in HAVING": (
        "SELECT name, count(*) AS n FROM singer GROUP BY name HAVING n > 1",
        'SELECT "singer"."name" AS "name", COUNT(*) AS "n" FROM "singer" AS "singer" GROUP BY "singer"."name"'
        " HAVING COUNT(*) > 1",
        ("names",),
    ),
    "the row of a maximum": (
        "SELECT name, max(age) FROM singer",
        'SELECT "singer"."name" AS "name", "singer"."age" AS "_col_1" FROM "singer" AS "singer"'
        ' ORDER BY "singer"."age" DESC NULLS LAST LIMIT 1',
        ("extremes",),
    ),
    "the row of a minimum in each group": (
        "SELECT name, min(age) FROM singer GROUP BY rank",
        'SELECT (ARRAY_AGG("singer"."name" ORDER BY "singer"."age" ASC))[1] AS "name",'
        ' MIN("singer"."age") AS "_col_1" FROM "singer" AS "singer" GROUP BY "singer"."rank"',
        ("extremes",),
    ),
    "a column that is not grouped": (
        "SELECT name, count(*) FROM singer GROUP BY id",
        'SELECT MAX("singer"."name") AS "name", COUNT(*) AS "_col_1" FROM "singer" AS "singer" GROUP BY "singer"."id"',
        ("extremes",),
    ),
    "the other value of a column that is not grouped": (
        "SELECT name, count(*) FROM singer GROUP BY id",
        'SELECT MIN("singer"."name") AS "name", COUNT(*) AS "_col_1" FROM "singer" AS "singer" GROUP BY "singer"."id"',
        ("least",),
    ),
    "distinct, ordered by what is not selected": (
        "SELECT DISTINCT name FROM singer ORDER BY age",
        'SELECT "singer"."name" AS "name" FROM "singer" AS "singer" GROUP BY "singer"."name"'
        ' ORDER BY MAX("singer"."age") NULLS FIRST',
        ("distinct", "extremes"),
    ),
}


@pytest.mark.parametrize(("gold", "expected", "repairs"), REPAIRED.values(), ids=REPAIRED)
def test_a_repair_says_what_sqlite_leaves_unsaid(gold: str, expected: str, repairs: tuple[str, ...]) -> None:
    assert Rewriting(expected, repairs) in list(Rewriter(TABLES, "postgres").rewritings(gold))


@pytest.mark.parametrize("dialect", ["postgres", "mysql", "trino"])
@pytest.mark.parametrize("gold", [gold for gold, *_ in [*PLAIN.values(), *REPAIRED.values()]])
def test_every_rewriting_can_be_read_and_comes_once(gold: str, dialect: str) -> None:
    texts = [rewriting.sql for rewriting in Rewriter(TABLES, dialect).rewritings(gold)]
    assert len(texts) == len(set(texts))
    for text in texts:
        parse_one(text, read=dialect)


def test_what_cannot_be_read_is_said() -> None:
    with pytest.raises(SqlglotError):
        next(Rewriter(TABLES, "postgres").rewritings("SELECT FROM WHERE ("))


@pytest.mark.parametrize(
    ("text", "number"), [("12", 12.0), (" 3.5 km", 3.5), ("-4e", -4.0), (".5", 0.5), ("null", 0.0), ("", 0.0)]
)
def test_sqlite_computes_with_what_text_begins_with(text: str, number: float) -> None:
    """What the repair `types` writes out for engines that refuse such text."""
    with sqlite3.connect(":memory:") as connection:
        assert connection.execute("SELECT sum(x) + 0.0 FROM (SELECT ? AS x)", [text]).fetchone() == (number,)
