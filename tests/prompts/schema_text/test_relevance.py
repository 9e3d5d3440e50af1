"""Which parts of a schema a question is about."""

from __future__ import annotations

import pytest
from hypothesis import given

from prompts.schema_text.relevance import Relevance, stem, words
from sqlassay.schema import Column, Schema, Table
from tests.prompts.schema_text.schemas import QUESTIONS, schemas

PLAYERS = Table(
    "players",
    (
        Column("player_id", "INTEGER", primary_key=True),
        Column("birthDate", "TEXT"),
        Column("hand", "TEXT", description="which arm is used: left or right", values=("'R'", "'L'")),
        Column("country_code", "TEXT", values=("'New Zealand'", "2014", "7")),
    ),
)
MATCHES = Table("tbl_matches", (Column("player_id", "INTEGER"), Column("score", "TEXT"), Column("year", "INT")))
ORDERS = Table("CustOrders", (Column("custname", "TEXT"), Column("XMLValue", "TEXT"), Column("2nd_line", "TEXT")))
SCHEMA = Schema((PLAYERS, MATCHES, ORDERS))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("birth_date", ["birth", "dat"]),
        ("birthDate", ["birth", "dat"]),
        ("XMLValues2", ["xml", "valu", "2"]),
        ("Straße, HAUS-Nr.", ["straß", "haus", "nr"]),
        ("", []),
    ],
)
def test_words(text: str, found: list[str]) -> None:
    assert words(text) == found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("singer", "singers"),
        ("country", "Countries"),
        ("class", "classes"),
        ("name", "named"),
        ("name", "naming"),
        ("bus", "buses"),
        ("status", "statuses"),
    ],
)
def test_forms_of_a_word_have_one_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)


@pytest.mark.parametrize(
    ("question", "columns"),
    [
        ("How many?", []),
        ("What is the birth date?", ["birthDate"]),
        ("List the birthdates.", ["birthDate"]),
        ("Who uses the left arm?", ["hand"]),
        ("Who is from New Zealand?", ["country_code"]),
        ("What happened in 2014?", ["country_code"]),
        ("Who has 7?", []),
        ("Which scores in which years?", ["score", "year"]),
        ("names of customers", ["custname"]),
        ("the XML", ["XMLValue"]),
    ],
)
def test_columns_that_a_question_is_about(question: str, columns: list[str]) -> None:
    scores = Relevance(SCHEMA).of(question)
    found = [
        column.name
        for table, of_table in zip(SCHEMA.tables, scores.columns, strict=True)
        for column, score in zip(table.columns, of_table, strict=True)
        if score > 0
    ]
    assert found == columns


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("How many matches were there?", "tbl_matches"),
        ("Count the players.", "players"),
        ("Which player has the highest score?", "tbl_matches"),  # "score" is rarer than "player"
        ("How many customers?", "CustOrders"),
        ("Which orders?", "CustOrders"),
    ],
)
def test_the_most_relevant_table(question: str, first: str) -> None:
    tables = Relevance(SCHEMA).of(question).tables
    assert SCHEMA.tables[max(range(3), key=lambda number: tables[number])].name == first


def test_a_wide_table_does_not_win_by_its_width() -> None:
    wide = Table("log", tuple(Column(f"singer_{n}", "") for n in range(50)))
    narrow = Table("singer", (Column("id", ""),))
    scores = Relevance(Schema((wide, narrow))).of("How many singers?").tables
    assert scores[1] > scores[0] > 0


@given(schema=schemas(), question=QUESTIONS)
def test_scores_have_the_shape_of_the_schema(schema: Schema, question: str) -> None:
    scores = Relevance(schema).of(question)
    assert [len(of_table) for of_table in scores.columns] == [len(table.columns) for table in schema.tables]
    assert scores == Relevance(schema).of(question)
    for table, of_table in zip(scores.tables, scores.columns, strict=True):
        assert table >= max(of_table) >= min(of_table) >= 0


def test_no_tables() -> None:
    assert Relevance(Schema(())).of("anything").tables == ()
