from __future__ import annotations

import pytest

from evaluation.spider_sql.errors import NotParsed
from evaluation.spider_sql.hardness import hardness
from tests.evaluation.spider_sql.world import SCHEMA

JOINED = "FROM singer AS T1 JOIN concert AS T2 ON T1.id = T2.singer_id"
INSIDE = "(SELECT age FROM singer)"

GRADES = {
    "SELECT count(*) FROM singer": "easy",
    "SELECT name FROM singer WHERE age > 1": "easy",
    f"SELECT title {JOINED}": "easy",
    "SELECT name FROM singer LIMIT 1": "easy",
    # two things: columns, and conditions or aggregates
    "SELECT name, age FROM singer": "medium",
    "SELECT max(age), min(age) FROM singer": "medium",
    "SELECT name, age FROM singer WHERE age > 1 AND id > 1": "medium",
    # two clauses
    "SELECT name FROM singer ORDER BY age LIMIT 1": "medium",
    "SELECT name FROM singer WHERE name LIKE 'a'": "medium",
    "SELECT name, age FROM singer ORDER BY age LIMIT 1": "medium",
    f"SELECT title {JOINED} WHERE age > 1": "medium",
    # three clauses: OR is one
    f"SELECT title {JOINED} ORDER BY age LIMIT 1": "hard",
    "SELECT name FROM singer WHERE age > 1 OR age < 3 LIMIT 1": "hard",
    "SELECT name, age FROM singer GROUP BY name, age HAVING count(*) > 1 AND count(*) < 3 AND age > 1": "hard",
    # a statement inside
    f"SELECT name FROM singer WHERE age > {INSIDE}": "hard",
    "SELECT name FROM singer UNION SELECT name FROM singer": "hard",
    f"SELECT name, age FROM singer WHERE age > {INSIDE}": "extra",
    f"SELECT name FROM singer WHERE age > {INSIDE} AND id > {INSIDE}": "extra",
    "SELECT count(*) FROM (SELECT name FROM singer)": "easy",
    # more
    f"SELECT title {JOINED} WHERE age > 1 ORDER BY age LIMIT 1": "extra",
    # quirks: two clauses and two things; NOT counts as an aggregate, and so does AND in HAVING
    "SELECT name, age FROM singer WHERE age > 1 AND id > 1 LIMIT 1": "extra",
    "SELECT name, age, country FROM singer WHERE age > 1 AND id > 1 GROUP BY name, age": "hard",
    "SELECT name FROM singer WHERE name NOT IN ('a')": "easy",
    "SELECT count(*) FROM singer WHERE name NOT IN ('a')": "medium",
    "SELECT name FROM singer WHERE name NOT IN ('a') AND age NOT IN ('b')": "medium",
    "SELECT name FROM singer GROUP BY name HAVING count(*) > 1 AND age > 2": "easy",
    "SELECT count(*) FROM singer GROUP BY name HAVING age > 1 AND age > 2": "medium",
    "SELECT name FROM singer GROUP BY name HAVING count(*) > 1": "easy",
}


@pytest.mark.parametrize(("sql", "grade"), GRADES.items())
def test_grades(sql: str, grade: str) -> None:
    assert hardness(sql, SCHEMA) == grade


def test_what_is_outside_the_grammar_has_none() -> None:
    with pytest.raises(NotParsed):
        hardness("SELECT 1", SCHEMA)
