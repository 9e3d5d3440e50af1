from __future__ import annotations

import pytest

from evaluation.spider_sql.components import differing
from tests.evaluation.spider_sql.world import NAMES, parsed

JOINED = "FROM singer AS T1 JOIN concert AS T2 ON T1.id = T2.singer_id"
UNKEYED = "FROM singer JOIN ticket"

SAME = {
    "other literals": ("SELECT name FROM singer WHERE age > 1", "SELECT name FROM singer WHERE age > 99"),
    "a literal and a column": ("SELECT name FROM singer WHERE age = 1", "SELECT name FROM singer WHERE age = id"),
    "DISTINCT": ("SELECT DISTINCT name FROM singer", "SELECT name FROM singer"),
    "DISTINCT in an aggregate": ("SELECT count(DISTINCT name) FROM singer", "SELECT count(name) FROM singer"),
    "order of columns": ("SELECT name, age FROM singer", "SELECT age, name FROM singer"),
    "order of conditions": (
        "SELECT name FROM singer WHERE age = 1 AND id = 2",
        "SELECT name FROM singer WHERE id = 1 AND age = 2",
    ),
    "order of tables": ("SELECT title FROM singer JOIN concert", "SELECT title FROM concert JOIN singer"),
    "names of aliases": (f"SELECT T1.name {JOINED}", f"SELECT B.name {JOINED.replace('T1', 'B')}"),
    "what is after ON": (f"SELECT title {JOINED}", "SELECT title FROM singer JOIN concert ON concert.id = age"),
    "columns equal by foreign key": (f"SELECT T1.id {JOINED}", f"SELECT T2.singer_id {JOINED}"),
    "the same after a set operator": (
        f"SELECT T1.id {JOINED} UNION SELECT T1.id {JOINED}",
        f"SELECT T1.id {JOINED} UNION SELECT T2.singer_id {JOINED}",
    ),
    "number of LIMIT": (
        "SELECT name FROM singer ORDER BY age LIMIT 1",
        "SELECT name FROM singer ORDER BY age LIMIT 5",
    ),
    "ascending": ("SELECT name FROM singer ORDER BY age", "SELECT name FROM singer ORDER BY age ASC"),
    "literals inside a statement": (
        "SELECT name FROM singer WHERE age > (SELECT age FROM singer WHERE id = 1)",
        "SELECT name FROM singer WHERE age > (SELECT age FROM singer WHERE id = 2)",
    ),
}

DIFFERENT = {
    "another column": ("SELECT name FROM singer", "SELECT age FROM singer", "select, select(no AGG)"),
    "another aggregate": ("SELECT max(age) FROM singer", "SELECT min(age) FROM singer", "select"),
    "a column more": ("SELECT name FROM singer", "SELECT name, age FROM singer", "select, select(no AGG)"),
    "a column twice": ("SELECT name, name FROM singer", "SELECT name, age FROM singer", "select, select(no AGG)"),
    "another operator": (
        "SELECT name FROM singer WHERE age > 1",
        "SELECT name FROM singer WHERE age >= 1",
        "where",
    ),
    "another condition": (
        "SELECT name FROM singer WHERE age > 1",
        "SELECT name FROM singer WHERE id > 1",
        "where, where(no OP)",
    ),
    "no condition": (
        "SELECT name FROM singer WHERE age > 1",
        "SELECT name FROM singer",
        "where, where(no OP), keywords",
    ),
    "NOT": (
        "SELECT name FROM singer WHERE name LIKE 'a'",
        "SELECT name FROM singer WHERE name NOT LIKE 'a'",
        "where, keywords",
    ),
    "OR for AND": (
        "SELECT name FROM singer WHERE age = 1 AND id = 2",
        "SELECT name FROM singer WHERE age = 1 OR id = 2",
        "and/or, keywords",
    ),
    "another group": (
        "SELECT name FROM singer GROUP BY age",
        "SELECT name FROM singer GROUP BY country",
        "group(no Having), group",
    ),
    "the same column of another table": (
        f"SELECT price {UNKEYED} GROUP BY singer.name",
        f"SELECT price {UNKEYED} GROUP BY ticket.name",
        "group",
    ),
    "order of groups": (
        "SELECT name FROM singer GROUP BY age, country",
        "SELECT name FROM singer GROUP BY country, age",
        "group",
    ),
    "HAVING": (
        "SELECT name FROM singer GROUP BY age HAVING count(*) > 1",
        "SELECT name FROM singer GROUP BY age",
        "group, keywords",
    ),
    "no group": (
        "SELECT name FROM singer GROUP BY age",
        "SELECT name FROM singer",
        "group(no Having), group, keywords",
    ),
    "direction": (
        "SELECT name FROM singer ORDER BY age",
        "SELECT name FROM singer ORDER BY age DESC",
        "order, keywords",
    ),
    "order of keys": (
        "SELECT name FROM singer ORDER BY age, name",
        "SELECT name FROM singer ORDER BY name, age",
        "order",
    ),
    "no order": ("SELECT name FROM singer ORDER BY age", "SELECT name FROM singer", "order, keywords"),
    "LIMIT": (
        "SELECT name FROM singer ORDER BY age",
        "SELECT name FROM singer ORDER BY age LIMIT 1",
        "order, keywords",
    ),
    "LIMIT without ORDER BY": ("SELECT name FROM singer", "SELECT name FROM singer LIMIT 1", "keywords"),
    "OR in ON": (
        f"SELECT title {JOINED}",
        f"SELECT title {JOINED.replace('T1.id = T2.singer_id', 'T1.id = 1 OR T1.id = 2')}",
        "keywords",
    ),
    "another set operator": (
        "SELECT name FROM singer UNION SELECT name FROM singer",
        "SELECT name FROM singer EXCEPT SELECT name FROM singer",
        "IUEN, keywords",
    ),
    "no set operator": (
        "SELECT name FROM singer UNION SELECT name FROM singer",
        "SELECT name FROM singer",
        "IUEN, keywords",
    ),
    "another statement after it": (
        "SELECT name FROM singer UNION SELECT name FROM singer",
        "SELECT name FROM singer UNION SELECT country FROM singer",
        "IUEN",
    ),
    "sides of EXCEPT": (
        "SELECT name FROM singer EXCEPT SELECT country FROM singer",
        "SELECT country FROM singer EXCEPT SELECT name FROM singer",
        "select, select(no AGG), IUEN",
    ),
    "another table": ("SELECT count(*) FROM singer", "SELECT count(*) FROM concert", "from"),
    "a table more": ("SELECT title FROM concert", "SELECT title FROM concert JOIN singer", "from"),
    "a key whose other table is not there": (
        f"SELECT T1.id {JOINED}",
        "SELECT singer_id FROM concert",
        "from",
    ),
    "DISTINCT inside a statement": (
        "SELECT name FROM singer WHERE id IN (SELECT singer_id FROM concert)",
        "SELECT name FROM singer WHERE id IN (SELECT DISTINCT singer_id FROM concert)",
        "where",
    ),
    "equal columns inside a statement": (
        f"SELECT name FROM singer WHERE id IN (SELECT T1.id {JOINED})",
        f"SELECT name FROM singer WHERE id IN (SELECT T2.singer_id {JOINED})",
        "where",
    ),
    "order inside a statement": (
        "SELECT name FROM singer WHERE id IN (SELECT name, age FROM singer)",
        "SELECT name FROM singer WHERE id IN (SELECT age, name FROM singer)",
        "where",
    ),
    "literals in FROM": (
        "SELECT count(*) FROM (SELECT name FROM singer WHERE age = 1)",
        "SELECT count(*) FROM (SELECT name FROM singer WHERE age = 2)",
        "from",
    ),
}


@pytest.mark.parametrize(("gold", "predicted"), SAME.values(), ids=SAME)
def test_same(gold: str, predicted: str) -> None:
    assert differing(parsed(gold), parsed(predicted), NAMES) == ()
    assert differing(parsed(predicted), parsed(gold), NAMES) == ()


@pytest.mark.parametrize(("gold", "predicted", "components"), DIFFERENT.values(), ids=DIFFERENT)
def test_different(gold: str, predicted: str, components: str) -> None:
    assert ", ".join(differing(parsed(gold), parsed(predicted), NAMES)) == components
    assert ", ".join(differing(parsed(predicted), parsed(gold), NAMES)) == components
