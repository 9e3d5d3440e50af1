"""A schema within a bound: what goes, what stays, and that it holds together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.schema_text.pruning import left_out, prune
from prompts.schema_text.relevance import Relevance
from prompts.schema_text.style import FORMATS, SchemaStyle
from prompts.schema_text.text import SchemaText
from sqlassay.schema import Column, ForeignKey, Schema, Table
from sqlassay.tokens import count
from tests.prompts.schema_text.schemas import QUESTIONS, schemas

BOUNDS = st.integers(1, 200)
FORMAT = st.sampled_from(sorted(FORMATS))


def table(name: str, columns: str, *references: tuple[str, str]) -> Table:
    """A table with the primary key `id`; a reference is a column and the table whose `id` it holds."""
    return Table(
        name,
        (Column("id", "INTEGER", False, True), *(Column(column, "TEXT") for column in columns.split())),
        tuple(ForeignKey((column,), other, ("id",)) for column, other in references),
    )


SCHEMA = Schema(
    (
        table("weather", "rain wind"),
        table("singer", "name age hair"),
        table("ticket", "concert singer price", ("concert", "Concert"), ("singer", "singer")),
        table("concert", "title stadium", ("stadium", "stadium")),
        table("stadium", "place"),
    )
)
WEATHER = ("weather",)
PLACES = ("concert", "stadium")


def shown(question: str, columns: int) -> Schema:
    """The schema with as many columns at most."""
    scores = Relevance(SCHEMA).of(question)
    return prune(SCHEMA, scores, lambda part: sum(len(one.columns) for one in part.tables) <= columns)


@pytest.mark.parametrize(
    ("question", "columns", "out"),
    [
        ("How old are singers by name?", 16, ()),
        # Tables without a word of the question, the last one first; then columns without one.
        ("How old are singers by name?", 15, ("stadium",)),
        ("How old are singers by name?", 12, ("concert", "stadium")),
        ("How old are singers by name?", 8, ("weather", "concert", "stadium")),
        ("How old are singers by name?", 7, ("weather", "ticket.price", "concert", "stadium")),
        (
            "How old are singers by name?",
            5,
            (*WEATHER, "singer.hair", "ticket.concert", "ticket.price", *PLACES),
        ),
        ("How old are singers by name?", 2, (*WEATHER, "singer.age", "singer.hair", "ticket", "concert", "stadium")),
        ("How old are singers by name?", 1, (*WEATHER, "singer.age", "singer.hair", "ticket", "concert", "stadium")),
        # The tables between two that are needed stay, with the columns that join them.
        ("Which stadium for which singer?", 12, (*WEATHER, "ticket.price")),
        ("no word of it", 2, ("weather.rain", "weather.wind", "singer", "ticket", "concert", "stadium")),
    ],
)
def test_what_goes_first(question: str, columns: int, out: tuple[str, ...]) -> None:
    assert left_out(SCHEMA, shown(question, columns)) == out


@given(schema=schemas(), question=QUESTIONS, bound=BOUNDS, name=FORMAT)
def test_within_the_bound_unless_the_least_is_not(schema: Schema, question: str, bound: int, name: str) -> None:
    text = SchemaText(schema, SchemaStyle(name), "sqlite")
    tokens = count(text.about(question, bound).text).tokens
    assert tokens <= bound or text.about(question, bound) == text.about(question, 1)


@given(schema=schemas(), question=QUESTIONS, name=FORMAT)
def test_without_a_bound_nothing_goes(schema: Schema, question: str, name: str) -> None:
    text = SchemaText(schema, SchemaStyle(name), "sqlite")
    assert text.about(question).text == text.whole == FORMATS[name].write(schema, "sqlite")
    assert text.about(question).left_out == ()


@given(schema=schemas(), question=QUESTIONS, columns=st.integers(0, 40))
def test_what_is_left_holds_together(schema: Schema, question: str, columns: int) -> None:
    scores = Relevance(schema).of(question)
    part = prune(schema, scores, lambda part: sum(len(one.columns) for one in part.tables) <= columns)
    whole = {one.name: one for one in schema.tables}
    names = {one.name.lower() for one in part.tables}
    assert part.tables
    for one in part.tables:
        original = whole[one.name]
        kept = {column.name.lower() for column in one.columns}
        assert [column for column in original.columns if column in one.columns] == list(one.columns)
        assert {column.name for column in original.columns if column.primary_key} <= {c.name for c in one.columns}
        assert all(len(row) == len(one.columns) for row in one.rows)
        assert len(one.rows) == len(original.rows)
        if part is not schema:
            for key in one.foreign_keys:
                assert key.table.lower() in names
                assert {column.lower() for column in key.columns} <= kept
                target = next(other for other in part.tables if other.name.lower() == key.table.lower())
                there = {column.name.lower() for column in whole[target.name].columns}
                assert {c.lower() for c in key.references} & there <= {c.name.lower() for c in target.columns}
            possible = [key for key in original.foreign_keys if key.table.lower() in names]
            assert list(one.foreign_keys) == possible, "no key between tables that are left is lost"


@given(schema=schemas(), question=QUESTIONS, columns=st.integers(1, 40))
def test_what_is_left_out_and_what_is_shown_is_everything(schema: Schema, question: str, columns: int) -> None:
    part = prune(
        schema, Relevance(schema).of(question), lambda part: sum(len(one.columns) for one in part.tables) <= columns
    )
    out = left_out(schema, part)
    kept = {(one.name, column.name) for one in part.tables for column in one.columns}
    for one in schema.tables:
        for column in one.columns:
            is_out = one.name in out or f"{one.name}.{column.name}" in out
            assert is_out is ((one.name, column.name) not in kept)


@given(schema=schemas(), question=QUESTIONS, bound=BOUNDS, name=FORMAT)
def test_the_same_question_gets_the_same_schema(schema: Schema, question: str, bound: int, name: str) -> None:
    style = SchemaStyle(name)
    assert SchemaText(schema, style).about(question, bound) == SchemaText(schema, style).about(question, bound)


@given(schema=schemas(), question=QUESTIONS, bound=BOUNDS)
def test_more_space_shows_no_fewer_tables(schema: Schema, question: str, bound: int) -> None:
    text = SchemaText(schema)
    less, more = (set(text.about(question, one).left_out) for one in (bound, bound + 20))
    tables = {one.name for one in schema.tables}
    assert more & tables <= less & tables


def test_the_smaller_bound_counts() -> None:
    text = SchemaText(SCHEMA, SchemaStyle("compact", max_tokens=60))
    tight = text.about("singers", 30)
    assert count(tight.text).tokens <= 30
    assert text.about("singers", 500) == text.about("singers")
    assert 30 < count(text.about("singers").text).tokens <= 60


def test_no_tables() -> None:
    assert SchemaText(Schema(())).about("anything", 1).text == ""
