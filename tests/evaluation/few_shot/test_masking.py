"""What is left of a question without names and values."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.few_shot.masking import NAME, VALUE, masked, name_words, stem
from sqlassay.schema import Column, Schema, Table

SCHEMA = Schema(
    (
        Table("Singers", (Column("singer_id", "INT"), Column("date_of_birth", "TEXT"), Column("homeTown", "TEXT"))),
        Table("T_Stadium", (Column("Number of seats", "INT"), Column("größe", "INT"))),
    )
)
NAMES = name_words(SCHEMA)


def test_names_are_words() -> None:
    assert NAMES == ("singer", "id", "date", "birth", "home", "town", "stadium", "seat", "grösse")


@pytest.mark.parametrize(
    ("question", "left"),
    [
        ("How many singers are there?", "how many <name> are there"),
        ("What is the date of birth of each singer?", "what is the <name> of <name> of each <name>"),
        ("Which home town has more than 20,000 seats?", "which <name> has more than <value> <name>"),
        ("Who was born in New York before 1990-01-31?", "who was born in <value> before <value>"),
        ("Find 'Bob' and \"Ann Lee\".", "find <value> and <value>"),
        ("Is the singer's town the stadium's town?", "is the <name> s <name> the <name> s <name>"),
        ("List them. Show Bob. Then stop.", "list them show <value> then stop"),
        ("Welche Größe haben Stadien?", "welche <name> haben <value>"),
        ("", ""),
    ],
)
def test_masked(question: str, left: str) -> None:
    assert " ".join(masked(question, NAMES)) == left


@pytest.mark.parametrize(
    ("word", "one"),
    [("Singers", "singer"), ("countries", "country"), ("class", "class"), ("bus", "bus"), ("is", "is"), ("ids", "ids")],
)
def test_stem(word: str, one: str) -> None:
    assert stem(word) == one


@given(question=st.text(), names=st.lists(st.text()))
def test_any_text_can_be_masked(question: str, names: list[str]) -> None:
    words = masked(question, names)
    assert all(words)
    assert not any(a == b and a in (NAME, VALUE) for a, b in pairwise(words))


@given(values=st.lists(st.integers(0, 10**9), min_size=2, max_size=2))
def test_questions_that_differ_in_values_and_names_alone_are_one(values: list[int]) -> None:
    one, other = (f"Which {n} has over {v} seats?" for n, v in zip(("town", "stadium"), values, strict=True))
    assert masked(one, NAMES) == masked(other, NAMES)
