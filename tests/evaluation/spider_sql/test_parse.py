from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.spider_sql.clauses import Column, Condition, Conditions, Order, Query, Selected, Term
from evaluation.spider_sql.components import differing
from evaluation.spider_sql.errors import NotParsed
from evaluation.spider_sql.hardness import hardness_of
from evaluation.spider_sql.parse import DEEPEST, LONGEST
from tests.evaluation.spider_sql.world import NAMES, parsed

NAME, AGE, STAR = Column("singer.name"), Column("singer.age"), Column("*")
SINGERS = Query((Selected(Term(NAME)),), tables=("singer",))


def where(*conditions: Condition, connectors: tuple[str, ...] = ()) -> Conditions:
    return Conditions(conditions, connectors)  # type: ignore[arg-type]


def old(operator: str, value: object, second: object = None, *, negated: bool = False) -> Condition:
    return Condition(Term(AGE), operator, value, second, negated)  # type: ignore[arg-type]


def test_select() -> None:
    query = parsed("SELECT DISTINCT name, max(age), count(DISTINCT country), age - id FROM singer")
    assert query.distinct
    assert query.select == (
        Selected(Term(NAME)),
        Selected(Term(AGE), "max"),
        Selected(Term(Column("singer.country", None, distinct=True)), "count"),
        Selected(Term(AGE, "-", Column("singer.id"))),
    )


def test_an_alias_holds_everywhere() -> None:
    query = parsed("SELECT T2.title FROM singer AS T1 JOIN concert AS T2 ON T1.id = T2.singer_id")
    assert query.tables == ("singer", "concert")
    assert query.select == (Selected(Term(Column("concert.title"))),)
    assert query.joined == where(Condition(Term(Column("singer.id")), "=", Column("concert.singer_id")))


def test_two_ons_are_joined_with_and() -> None:
    query = parsed("SELECT name FROM singer JOIN concert ON singer.id = singer_id JOIN ticket ON concert_id = price")
    assert (len(query.joined.all), query.joined.connectors) == (2, ("and",))


def test_a_column_without_a_table_is_of_the_first_that_has_it() -> None:
    assert parsed("SELECT name FROM ticket JOIN singer").select == (Selected(Term(Column("ticket.name"))),)
    assert parsed("SELECT name FROM singer JOIN ticket").select == (Selected(Term(NAME)),)


CONDITIONS = {
    "number": ("age > 3", old(">", 3.0)),
    "text": ("age = 'x y'", old("=", '"x y"')),
    "column": ("age = id", old("=", Column("singer.id"))),
    "between": ("age BETWEEN 1 AND 2", old("between", 1.0, 2.0)),
    "not like": ("age NOT LIKE 'a%'", old("like", '"a%"', negated=True)),
    "text in brackets": ("age IN ('x')", old("in", '"x"')),
    "statement": ("age NOT IN (SELECT name FROM singer)", old("in", SINGERS, negated=True)),
    "statement without brackets": ("age = SELECT name FROM singer", old("=", SINGERS)),
    "what follows a column is passed over": ("age = id OR name = 3", old("=", Column("singer.id"))),
}


@pytest.mark.parametrize(("sql", "condition"), CONDITIONS.values(), ids=CONDITIONS)
def test_a_condition(sql: str, condition: Condition) -> None:
    assert parsed(f"SELECT name FROM singer WHERE {sql}").where == where(condition)


def test_connectors() -> None:
    query = parsed("SELECT name FROM singer WHERE age > 1 AND age < 2 OR age = 3")
    assert query.where == where(old(">", 1.0), old("<", 2.0), old("=", 3.0), connectors=("and", "or"))


def test_the_other_clauses() -> None:
    query = parsed(
        "SELECT name FROM singer WHERE age > 1 GROUP BY name, age HAVING count(*) > 1 ORDER BY age DESC, name LIMIT 3;"
    )
    assert query.group == (NAME, AGE)
    assert query.having == where(Condition(Term(Column("*", "count")), ">", 1.0))
    assert query.order == Order("desc", (Term(AGE), Term(NAME)))
    assert query.limited


def test_order_is_ascending_unless_said_and_the_last_word_counts() -> None:
    assert parsed("SELECT name FROM singer ORDER BY age").order == Order("asc", (Term(AGE),))
    assert parsed("SELECT name FROM singer ORDER BY age DESC, name ASC").order == Order("asc", (Term(AGE), Term(NAME)))


@pytest.mark.parametrize("operator", ["intersect", "union", "except"])
@pytest.mark.parametrize("rest", ["SELECT name FROM singer", "(SELECT name FROM singer)"])
def test_set_operators(operator: str, rest: str) -> None:
    query = parsed(f"SELECT name FROM singer {operator} {rest}")
    assert query.compound is not None
    assert (query.compound.operator, query.compound.query) == (operator, SINGERS)


def test_a_statement_in_from() -> None:
    assert parsed("SELECT count(*) FROM (SELECT name FROM singer)").tables == (SINGERS,)


@pytest.mark.parametrize("tail", [" OFFSET 2", ") ) )", "; DROP TABLE singer"])
def test_what_follows_the_statement_is_not_read(tail: str) -> None:
    assert parsed(f"SELECT name FROM singer LIMIT 1{tail}").limited


LIMITS = {"a number": "3", "a word": "value", "text": "'x'"}


@pytest.mark.parametrize("limit", LIMITS.values(), ids=LIMITS)
def test_any_limit_will_do(limit: str) -> None:
    assert parsed(f"SELECT name FROM singer LIMIT {limit}").limited


OUTSIDE = {
    "nothing": ("", "there is no FROM"),
    "no FROM": ("SELECT 1", "there is no FROM"),
    "no statement": ("DROP FROM singer", "'select' expected, 'drop' found"),
    "WITH": ("WITH a AS (SELECT name FROM singer) SELECT name FROM a", "'select' expected, 'with' found"),
    "no such table": ("SELECT name FROM singers", "no table 'singers'"),
    "no such column": ("SELECT nam FROM singer", "no column 'nam'"),
    "a column of another table": ("SELECT title FROM singer", "no column 'title'"),
    "no such alias": ("SELECT T3.name FROM singer AS T1", "no column 't3.name'"),
    "a column's alias": ("SELECT name AS n FROM singer", "no column 'as'"),
    "an alias without AS": ("SELECT s.name FROM singer s", "no table 's'"),
    "an alias that is a table": ("SELECT name FROM singer AS concert", "'concert' cannot be an alias"),
    "an alias at the end": ("SELECT name FROM singer AS", "'' cannot be an alias"),
    "all of a table": ("SELECT singer.* FROM singer", "no column 'singer.'"),
    "a literal": ("SELECT 1 FROM singer", "no column '1'"),
    "LEFT JOIN": ("SELECT name FROM singer LEFT JOIN concert", "no table 'left'"),
    "a comma in FROM": ("SELECT name FROM singer, concert", "no table ','"),
    "IS NULL": ("SELECT name FROM singer WHERE age IS NULL", "no column 'null'"),
    "EXISTS": ("SELECT name FROM singer WHERE EXISTS (SELECT name FROM singer)", "no column 'exists'"),
    "<>": ("SELECT name FROM singer WHERE age <> 1", "no column '>'"),
    "no spaces": ("SELECT name FROM singer WHERE age=1", "no column 'age=1'"),
    "a list": ("SELECT name FROM singer WHERE age IN (1, 2)", "')' expected, ',' found"),
    "a column in brackets": (
        "SELECT name FROM singer WHERE age = (id)",
        "a value in brackets is neither a statement nor a literal",
    ),
    "an aggregate as a value": ("SELECT name FROM singer WHERE age = max(id)", "a value expected, 'max' found"),
    "no value": ("SELECT name FROM singer WHERE age =", "a value expected, '' found"),
    "no operator": ("SELECT name FROM singer WHERE age", "an operator expected, '' found"),
    "no connector": ("SELECT name FROM singer WHERE age = 1 age = 2", "'and' or 'or' expected, 'age' found"),
    "CASE": ("SELECT CASE WHEN age = 1 THEN 2 END FROM singer", "no column 'case'"),
    "a quoted name": ('SELECT "name" FROM singer', "no column '\"name\"'"),
    "a name in backticks": ("SELECT `name` FROM singer", "no column '`'"),
    "GROUP without BY": ("SELECT name FROM singer GROUP name", "'by' expected, 'name' found"),
    "HAVING without GROUP BY": ("SELECT name FROM singer HAVING age > 1", "no table 'having'"),
    "LIMIT at the end": ("SELECT name FROM singer LIMIT", "LIMIT without a number"),
    "an open bracket": ("SELECT name FROM singer WHERE age = (SELECT name FROM singer", "')' expected, '' found"),
    "two brackets": (
        "SELECT name FROM singer WHERE ((count(*))) = 1",
        "an operator expected, ')' found",
    ),
    "too long": ("SELECT name FROM singer" + " " * LONGEST, "longer than 100,000 characters"),
    "too deep": (
        "SELECT name FROM singer WHERE age = (" * 1000 + ")" * 1000,
        f"more than {DEEPEST} statements inside one another",
    ),
    "too many set operators": (
        " UNION ".join(["SELECT name FROM singer"] * 1000),
        f"more than {DEEPEST} statements inside one another",
    ),
}


@pytest.mark.parametrize(("sql", "message"), OUTSIDE.values(), ids=OUTSIDE)
def test_outside_the_grammar(sql: str, message: str) -> None:
    with pytest.raises(NotParsed) as caught:
        parsed(sql)
    assert str(caught.value) == message


HOSTILE = {
    "brackets": "(" * LONGEST,
    "selects": "select " * (LONGEST // 7),
    "froms": "from " * (LONGEST // 5),
    "aliases": "as " * (LONGEST // 3),
    "quotes": "'" * LONGEST,
    "dots": "." * LONGEST,
    "full stops": "a.)" * (LONGEST // 3),
    "commas": "," * LONGEST,
    "columns": "SELECT " + "name, " * 16_000 + "FROM singer",
    "joins": "SELECT name FROM singer" + " JOIN singer" * 8_000,
    "conditions": "SELECT name FROM singer WHERE age = 1" + " AND age = 1" * 8_000,
    "a megabyte": "SELECT name FROM singer WHERE age = 1" + " AND age = 1" * 80_000,
}


@pytest.mark.parametrize("sql", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_takes_no_time(sql: str) -> None:
    started = time.process_time()
    try:
        query = parsed(sql)
        assert differing(query, query, NAMES) == ()
        hardness_of(query)
    except NotParsed:
        pass
    assert time.process_time() - started < 5


GRAMMAR = """
select from where group by order limit having and or not in like between is distinct as on join union except intersect
count max none ( ) , ; * = > < ! - + 1 'x' singer concert ticket name age t1 t1.name singer.id
"""
WORDS = st.sampled_from(GRAMMAR.split())


@given(st.lists(WORDS, max_size=30).map(" ".join) | st.text())
def test_no_text_breaks_it(text: str) -> None:
    for sql in (text, f"SELECT name FROM singer {text}", f"SELECT {text} FROM singer WHERE {text}"):
        try:
            query = parsed(sql)
        except NotParsed:
            continue
        assert differing(query, query, NAMES) == ()
        assert hardness_of(query) in ("easy", "medium", "hard", "extra")
