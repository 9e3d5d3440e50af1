"""The structural difference: which clauses two statements differ in, and that no text brings the reader down."""

# ruff: noqa: E501  # tables of statements

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from database_backends.errors import BackendError, FailureKind
from database_backends.runner import Runner
from evaluation.base.case import Case
from evaluation.datasets.base import Question
from evaluation.settle import settle
from evaluation.strategies.making import make_strategy
from evaluation.structure.clauses import NAMES, SHOWN, differing, read
from evaluation.verdicts import Reason, Verdict
from sqlassay.errors import UserError
from sqlassay.schema import Column, Schema, Table
from tests.evaluation.world import World

TABLES = {
    "singer": frozenset({"id", "name", "age", "country"}),
    "concert": frozenset({"cid", "sid", "year"}),
    "Big": frozenset({"x"}),
}
SCHEMA = Schema(tuple(Table(name, tuple(Column(column, "") for column in columns)) for name, columns in TABLES.items()))
JOINED = "SELECT name FROM singer JOIN concert ON id = sid"

SAME = [
    ("SELECT name FROM singer", "select NAME\nfrom Singer ;"),
    ("SELECT name FROM singer", "SELECT T1.name FROM singer AS T1"),
    ("SELECT name FROM singer", 'SELECT "name" FROM `singer` -- all'),
    ("SELECT name FROM singer", "(SELECT (name) AS n FROM main.singer)"),
    ("SELECT count(*) FROM singer", "SELECT COUNT ( * ) AS c FROM singer AS s"),
    ("SELECT * FROM singer", "SELECT s.* FROM singer s"),
    ("SELECT name, age FROM singer", "SELECT age, name FROM singer"),
    ("SELECT name FROM singer WHERE age > 1", "SELECT name FROM singer WHERE 1 < age"),
    ("SELECT name FROM singer WHERE age >= 1", "SELECT name FROM singer WHERE (1 <= (age))"),
    ("SELECT name FROM singer WHERE age = 1 AND id = 2", "SELECT name FROM singer WHERE id = 2 AND 1 = age"),
    ("SELECT id FROM singer WHERE id=1 AND (id=2 AND id=3)", "SELECT id FROM singer WHERE (id=3 AND id=1) AND id=2"),
    ("SELECT id FROM singer WHERE id=1 OR id=2 OR id=3", "SELECT id FROM singer WHERE id=3 OR (id=2 OR id=1)"),
    ("SELECT id FROM singer WHERE age <> 1", "SELECT id FROM singer WHERE NOT age = 1"),
    ("SELECT id FROM singer WHERE age != 1", "SELECT id FROM singer WHERE NOT (1 = age)"),
    ("SELECT id FROM singer WHERE age IN (1, 2, 3)", "SELECT id FROM singer WHERE age IN (3, 1, 2)"),
    ("SELECT id FROM singer WHERE name = 'Bob'", 'SELECT id FROM singer WHERE name = "Bob"'),
    ("SELECT id FROM singer WHERE name = 'B.b'", 'SELECT id FROM singer WHERE name = "B.b"'),
    ("SELECT age + id * 2 FROM singer", "SELECT 2 * id + age FROM singer"),
    (JOINED, "SELECT T1.name FROM singer AS T1 INNER JOIN concert AS T2 ON T2.sid = T1.id"),
    (JOINED, "SELECT b.name FROM concert a JOIN singer b ON b.id = a.sid"),
    (JOINED, "SELECT name FROM singer, concert WHERE singer.id = concert.sid"),
    (JOINED, "SELECT name FROM concert CROSS JOIN singer WHERE id = sid"),
    (f"{JOINED} WHERE year = 1", f"{JOINED} AND year = 1"),
    ("SELECT name FROM singer LEFT JOIN concert ON id = sid", "SELECT a.name FROM singer a LEFT OUTER JOIN concert b ON b.sid = a.id"),
    ("SELECT a.name FROM singer a JOIN singer b ON a.id = b.age", "SELECT x.name FROM singer x JOIN singer y ON y.age = x.id"),
    ("SELECT country, count(*) FROM singer GROUP BY country", "SELECT country AS c, count(*) FROM singer GROUP BY c"),
    ("SELECT country, count(*) FROM singer GROUP BY country", "SELECT country, count(*) FROM singer GROUP BY 1"),
    ("SELECT 1 FROM singer GROUP BY age, id", "SELECT 1 FROM singer GROUP BY id, age"),
    ("SELECT age FROM singer GROUP BY age HAVING count(*) > 1", "SELECT age FROM singer GROUP BY age HAVING (1 < count(*))"),
    ("SELECT age, count(*) AS n FROM singer GROUP BY age HAVING n > 1", "SELECT age, count(*) FROM singer GROUP BY age HAVING count(*) > 1"),
    ("SELECT name FROM singer ORDER BY age", "SELECT name FROM singer AS s ORDER BY s.age ASC"),
    ("SELECT age, count(*) FROM singer GROUP BY age ORDER BY count(*) DESC", "SELECT age, count(*) AS n FROM singer GROUP BY age ORDER BY n DESC"),
    ("SELECT name FROM singer ORDER BY name", "SELECT name FROM singer ORDER BY 1"),
    ("SELECT name FROM singer LIMIT 2 OFFSET 1", "SELECT name FROM singer LIMIT 1, 2"),
    ("SELECT id FROM singer WHERE id IN (SELECT sid FROM concert)", "SELECT s.id FROM singer s WHERE s.id IN ((SELECT c.sid FROM concert c))"),
    ("SELECT id FROM singer s WHERE EXISTS (SELECT 1 FROM concert WHERE sid = s.id)", "SELECT id FROM singer WHERE EXISTS (SELECT 1 FROM concert c WHERE singer.id = c.sid)"),
    ("SELECT n FROM (SELECT name AS n FROM singer) AS t", "SELECT u.n FROM (SELECT s.name AS n FROM singer s) u"),
    ("SELECT name FROM singer UNION SELECT year FROM concert", "SELECT year FROM concert UNION SELECT name FROM singer"),
    ("SELECT 1 UNION SELECT 2 UNION SELECT 3", "SELECT 3 UNION (SELECT 1) UNION SELECT 2"),
    ("WITH a AS (SELECT id FROM singer) SELECT * FROM a", "WITH b AS (SELECT s.id FROM singer s) SELECT b.* FROM b"),
    ("SELECT sum(age) OVER (PARTITION BY country) FROM singer", "select SUM(s.age) over (partition by s.country) from singer s"),
    ("SELECT CASE WHEN age > 1 THEN 'a' ELSE 'b' END FROM singer", "SELECT CASE WHEN (1 < age) THEN 'a' ELSE 'b' END FROM singer"),
    ("SELECT CAST(age AS REAL) FROM singer", "SELECT cast(age as real) FROM singer"),
    ("SELECT iif(age, 1, 2) FROM singer", "SELECT IIF(age, 1, 2) FROM singer"),
    ("SELECT my_function(age) FROM singer", "SELECT MY_FUNCTION(age) FROM singer"),
    ("VALUES (1)", "VALUES (1)"),
]  # fmt: skip
DIFFERENT = [
    ("SELECT name FROM singer", "SELECT age FROM singer", "select"),
    ("SELECT name FROM singer", "SELECT name, name FROM singer", "select"),
    ("SELECT count(*) FROM singer", "SELECT count(name) FROM singer", "select"),
    ("SELECT count(name) FROM singer", "SELECT count(DISTINCT name) FROM singer", "select"),
    ("SELECT age - id FROM singer", "SELECT id - age FROM singer", "select"),
    ("SELECT a.name FROM singer a JOIN singer b ON a.id = b.age", "SELECT b.name FROM singer a JOIN singer b ON a.id = b.age", "select"),
    ("SELECT name FROM singer", "SELECT DISTINCT name FROM singer", "distinct"),
    ("SELECT * FROM singer", "SELECT * FROM concert", "from"),
    (JOINED, "SELECT name FROM singer LEFT JOIN concert ON id = sid", "from"),
    (JOINED, "SELECT name FROM singer JOIN concert ON age = sid", "from"),
    (JOINED, "SELECT name FROM singer, concert", "from"),
    ("SELECT id FROM singer LEFT JOIN concert ON id = sid", "SELECT id FROM concert LEFT JOIN singer ON id = sid", "from"),
    ("SELECT id FROM singer WHERE age > 1", "SELECT id FROM singer WHERE age >= 1", "where"),
    ("SELECT id FROM singer WHERE age > 1", "SELECT id FROM singer WHERE age < 1", "where"),
    ("SELECT id FROM singer WHERE name = 'Bob'", "SELECT id FROM singer WHERE name = 'bob'", "where"),
    ("SELECT id FROM singer WHERE name = 'age'", 'SELECT id FROM singer WHERE name = "age"', "where"),
    ("SELECT id FROM singer WHERE id = 1 AND age = 2", "SELECT id FROM singer WHERE id = 1 OR age = 2", "where"),
    ("SELECT id FROM singer WHERE id=1 AND (id=2 OR id=3)", "SELECT id FROM singer WHERE id=1 AND id=2 OR id=3", "where"),
    ("SELECT id FROM singer WHERE age IN (1, 2)", "SELECT id FROM singer WHERE age NOT IN (1, 2)", "where"),
    ("SELECT id FROM singer WHERE id IN (SELECT sid FROM concert)", "SELECT id FROM singer WHERE id IN (SELECT cid FROM concert)", "where"),
    ("SELECT id FROM singer", "SELECT id FROM singer WHERE 1", "where"),
    ("SELECT 1 FROM singer GROUP BY age", "SELECT 1 FROM singer GROUP BY id", "group by"),
    ("SELECT age FROM singer GROUP BY age", "SELECT age FROM singer", "group by"),
    ("SELECT age FROM singer GROUP BY age HAVING count(*) > 1", "SELECT age FROM singer GROUP BY age HAVING count(*) > 2", "having"),
    ("SELECT id FROM singer ORDER BY age", "SELECT id FROM singer ORDER BY age DESC", "order by"),
    ("SELECT id FROM singer ORDER BY age, id", "SELECT id FROM singer ORDER BY id, age", "order by"),
    ("SELECT id FROM singer LIMIT 1", "SELECT id FROM singer LIMIT 2", "limit"),
    ("SELECT id FROM singer LIMIT 1", "SELECT id FROM singer", "limit"),
    ("SELECT id FROM singer LIMIT 1", "SELECT id FROM singer LIMIT 1 OFFSET 1", "limit"),
    ("SELECT 1 UNION SELECT 2", "SELECT 1 UNION ALL SELECT 2", "set operation"),
    ("SELECT 1 EXCEPT SELECT 2", "SELECT 1 INTERSECT SELECT 2", "set operation"),
    ("SELECT 1 EXCEPT SELECT 2", "SELECT 2 EXCEPT SELECT 1", "select"),
    ("SELECT 1 UNION SELECT id FROM singer WHERE id = 1", "SELECT 1 UNION SELECT id FROM singer WHERE id = 2", "where"),
    ("WITH a AS (SELECT id FROM singer) SELECT * FROM a", "WITH a AS (SELECT age FROM singer) SELECT * FROM a", "with"),
    ("SELECT n FROM (SELECT name AS n FROM singer)", "SELECT n FROM (SELECT age AS n FROM singer)", "from"),
    ("SELECT name FROM singer WHERE age > 1 LIMIT 1", "SELECT id FROM singer WHERE age > 2", "select where limit"),
    ("SELECT name FROM singer", "SELECT name FROM singer WHERE age = 1 ORDER BY age", "where; order by"),
    ("SELECT 1", "VALUES (1)", "select other"),
    ("SELECT 1", "SELECT 1 UNION SELECT 1", "set operation; select"),
]  # fmt: skip
LOWER = {name.lower(): columns for name, columns in TABLES.items()}


def told(gold: str, predicted: str, tables: dict[str, frozenset[str]] = LOWER) -> list[str]:
    return list(differing(read(gold, "sqlite", tables), read(predicted, "sqlite", tables)))


@pytest.mark.parametrize(("gold", "predicted"), SAME)
def test_only_the_spelling_differs(gold: str, predicted: str) -> None:
    assert told(gold, predicted) == []
    assert told(predicted, gold) == []


@pytest.mark.parametrize(("gold", "predicted", "clauses"), DIFFERENT)
def test_the_clauses_that_differ(gold: str, predicted: str, clauses: str) -> None:
    expected = [name for name in NAMES if name in clauses]
    assert told(gold, predicted) == expected
    assert told(predicted, gold) == expected


@pytest.mark.parametrize("sql", [sql for pair in SAME for sql in pair] + [sql for one in DIFFERENT for sql in one[:2]])
def test_a_statement_is_like_itself_also_without_a_schema(sql: str) -> None:
    assert told(sql, sql) == told(sql, f"{sql}  ;", {}) == []


def test_clauses_are_shown_as_they_are_written() -> None:
    clauses = read(
        "WITH c AS (SELECT 1) SELECT DISTINCT T1.Name, count(*) AS n FROM singer T1 JOIN concert ON id = sid"
        " WHERE age > 1 GROUP BY 1 HAVING n > 1 ORDER BY n DESC LIMIT 3 OFFSET 1",
        "sqlite",
        LOWER,
    )
    assert {name: clause.text for name, clause in clauses.items()} == {
        "with": "WITH c AS (SELECT 1)",
        "select": "T1.Name, COUNT(*) AS n",
        "distinct": "DISTINCT",
        "from": "FROM singer AS T1 JOIN concert ON id = sid",
        "where": "WHERE age > 1",
        "group by": "GROUP BY 1",
        "having": "HAVING n > 1",
        "order by": "ORDER BY n DESC",
        "limit": "LIMIT 3 OFFSET 1",
    }


def test_long_text_is_cut_and_says_so() -> None:
    text = read(f"SELECT '{'x' * 1000}'", "sqlite", {})["select"].text
    assert text == f"'{'x' * (SHOWN - 1)}… (1,002 characters)"


REFUSED = {
    "": FailureKind.NO_SQL,
    "-- nothing": FailureKind.NO_SQL,
    "SELECT 1; SELECT 2": FailureKind.MULTIPLE_STATEMENTS,
    "DROP TABLE singer": FailureKind.WRITE_ATTEMPT,
    "PRAGMA table_info(singer)": FailureKind.NOT_A_QUERY,
    "SELECT FROM WHERE": FailureKind.SYNTAX,
    "SELECT (": FailureKind.SYNTAX,
    "SELECT 'open": FailureKind.SYNTAX,
}


@pytest.mark.parametrize(("sql", "kind"), REFUSED.items())
def test_what_cannot_be_read(sql: str, kind: FailureKind) -> None:
    with pytest.raises(BackendError) as raised:
        read(sql, "sqlite", {})
    assert raised.value.kind is kind
    assert "\x1b" not in raised.value.message


WORDS = (
    "SELECT FROM WHERE singer a b ( ) , ; * = < 1 'x' \"y\" AND OR NOT IN JOIN ON UNION ALL WITH AS GROUP BY ORDER LIMIT"
    " CASE WHEN THEN END -- /* \n . count EXISTS LEFT \udc80"
)
PIECES = st.sampled_from(WORDS.split(" "))


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.lists(PIECES, max_size=12).map(lambda words: " ".join(["SELECT", *words])), st.text(max_size=40)))
def test_any_text_is_read_or_refused(sql: str) -> None:
    try:
        clauses = read(sql, "sqlite", LOWER)
    except BackendError:
        return
    assert differing(clauses, clauses) == ()
    assert "\udc80" not in "".join(clause.text for clause in clauses.values())


# The strategy.

GOLD = "SELECT name FROM singer WHERE age > 1"


def judge(
    runner: Runner | None,
    sql: str | None,
    *golds: str,
    settled: Verdict | None = None,
    read_schema: Callable[[], Schema] | None = lambda: SCHEMA,
    seconds: float = 20.0,
) -> Verdict:
    perform = None if runner is None else runner.run
    case = Case(
        Question("q", "?", "show", golds), "sqlite", sql=sql, settled=settled, perform=perform, read_schema=read_schema
    )
    return asyncio.run(make_strategy("structural", {"seconds": seconds}).evaluate(case))


def test_the_verdict_tells_the_clauses(runner: Runner) -> None:
    assert judge(runner, "SELECT s.name FROM singer s WHERE 1 < age", GOLD) == Verdict.of(Reason.MATCH)
    verdict = judge(runner, "SELECT name FROM singer WHERE age > 2 LIMIT 1", GOLD)
    assert verdict.reason is Reason.DIFFERENT_CLAUSES
    assert verdict.evidence == {
        "differs": ["where", "limit"],
        "clauses": {
            "where": {"gold": "WHERE age > 1", "predicted": "WHERE age > 2"},
            "limit": {"gold": None, "predicted": "LIMIT 1"},
        },
    }


def test_the_nearest_gold_counts(runner: Runner) -> None:
    verdict = judge(runner, GOLD, "SELECT age FROM concert", "SELECT name FROM singer", "SELECT (")
    assert verdict.evidence["differs"] == ["where"]
    assert judge(runner, GOLD, "SELECT age FROM concert", GOLD).reason is Reason.MATCH


REASONS: dict[str, tuple[str | None, Sequence[str], Verdict | None, Reason]] = {
    "no gold": (GOLD, (), None, Reason.GOLD_MISSING),
    "a gold that cannot be read": (GOLD, ("SELECT (",), None, Reason.GOLD_FAILED),
    "no SQL": (None, (GOLD,), None, Reason.NO_SQL),
    "refused": (None, (GOLD,), Verdict.of(Reason.REFUSED), Reason.REFUSED),
    "provider down": (None, (), Verdict.of(Reason.PROVIDER_DOWN), Reason.PROVIDER_DOWN),
    "syntax": ("SELECT (", (GOLD,), None, Reason.SYNTAX),
    "empty": (" ", (GOLD,), None, Reason.NO_SQL),
    "write": ("DELETE FROM singer", (GOLD,), None, Reason.WRITE_ATTEMPT),
    "two": ("SELECT 1; SELECT 2", (GOLD,), None, Reason.MULTIPLE_STATEMENTS),
    "no query": ("EXPLAIN SELECT 1", (GOLD,), None, Reason.NOT_A_QUERY),
}


@pytest.mark.parametrize(("sql", "golds", "settled", "reason"), REASONS.values(), ids=REASONS)
def test_reasons(
    runner: Runner, sql: str | None, golds: Sequence[str], settled: Verdict | None, reason: Reason
) -> None:
    assert judge(runner, sql, *golds, settled=settled).reason is reason


def broken_schema() -> Schema:
    raise BackendError(FailureKind.CONNECTION, "gone")


def no_schema() -> Schema:
    raise UserError("no tables")


@pytest.mark.parametrize("read_schema", [None, broken_schema, no_schema])
def test_without_a_schema_fewer_qualifiers_can_be_told(
    runner: Runner, read_schema: Callable[[], Schema] | None
) -> None:
    assert judge(runner, "SELECT singer.name FROM singer", "SELECT name FROM singer").reason is Reason.MATCH
    one, other = JOINED, JOINED.replace("name", "singer.name")
    assert judge(runner, other, one).reason is Reason.MATCH
    assert judge(runner, other, one, read_schema=read_schema).reason is Reason.DIFFERENT_CLAUSES


def test_without_a_process_nothing_is_read() -> None:
    assert judge(None, GOLD, GOLD).reason is Reason.BACKEND_DOWN


HOSTILE = {
    "joins": "SELECT * FROM singer" + " JOIN singer" * 40,
    "brackets": f"SELECT {'(' * 20_000}1{')' * 20_000}",
    "brackets, few": f"SELECT {'(' * 300}1{')' * 300}",
    "nested queries": f"{'SELECT * FROM (' * 3_000}SELECT 1{')' * 3_000}",
    "not": f"SELECT {'NOT ' * 20_000}1",
    "minus": f"SELECT {'- ' * 20_000}1",
    "case": f"SELECT {'CASE WHEN 1 THEN ' * 2_000}1{' END' * 2_000}",
    "and": f"SELECT 1 WHERE {' AND '.join(['1=1'] * 20_000)}",
    "unions": " UNION ".join(["SELECT 1"] * 3_000),
    "columns": f"SELECT {', '.join(['a'] * 50_000)}",
    "aliases": "SELECT 1 AS a0" + "".join(f", a{n} + a{n} AS a{n + 1}" for n in range(60)) + " ORDER BY a60",
}


@pytest.mark.timeout(180)
@pytest.mark.parametrize("sql", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_costs_one_item(runner: Runner, sql: str) -> None:
    """It is read and differs, or it takes the worker down and is incorrect; as a gold, it is unscored."""
    verdict = judge(runner, sql, GOLD, seconds=1)
    assert verdict.status.value == "incorrect"
    assert judge(runner, GOLD, sql, seconds=1).status.value in ("incorrect", "unscored")
    assert judge(runner, GOLD, GOLD).reason is Reason.MATCH


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan"), "long"])
def test_bad_settings_are_refused(seconds: object) -> None:
    with pytest.raises(UserError):
        make_strategy("structural", {"seconds": seconds})


def test_the_pair_of_a_dispute(world: World, runner: Runner) -> None:
    strategy = make_strategy("structural")
    work = settle(runner, f"sqlite:{world.database}", ["SELECT age FROM singer"], "SELECT name FROM singer", [strategy])
    verdict = asyncio.run(work).verdicts["structural"]
    assert verdict.evidence["differs"] == ["select"]
    assert replace(verdict, evidence={}) == Verdict.of(Reason.DIFFERENT_CLAUSES)


def test_on_the_command_line(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    questions = world.questions(2)
    predictions = world.folder / "predictions.jsonl"
    predictions.write_text(
        '{"id": "q0", "sql": "SELECT count(*) FROM singer AS s"}\n{"id": "q1", "sql": "SELECT 7"}\n', "utf-8"
    )
    assert world.run("score", predictions, "--dataset", f"jsonl:{questions}", "--strategy", "structural", "-q") == 0
    assert "different clauses" in capsys.readouterr().out
