"""What a judge says is held against what was offered; nothing else is a verdict."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.judging.ballot import JudgeUnreadable, read_ballot, schema_of
from evaluation.judging.taxonomy import Category
from tests.evaluation.judging.court import ballot

MENU = {"grade": ("correct", "incorrect")}
CORRECT = ballot("correct")


@pytest.mark.parametrize(
    "text",
    [
        CORRECT,
        f"```json\n{CORRECT}\n```",
        f"Here is what I think.\n{CORRECT}\nThat is all.",
        f"<think>It says {ballot('incorrect')}, but no.</think>\n{CORRECT}",
        f"{CORRECT}\n{CORRECT}",
        ballot(" Correct "),
        '{"grade": "correct"}',
        '{"grade": "correct", "categories": "none", "why": 5}',
    ],
    ids=ascii,
)
def test_readable(text: str) -> None:
    assert read_ballot(text, MENU).grades == {"grade": "correct"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not one JSON object"),
        ("correct", "not one JSON object"),
        ("The grade is correct.", "not one JSON object"),
        ('["correct"]', "not one JSON object"),
        ('{"grade": "correct"', "not one JSON object"),
        (f"The candidate says {CORRECT}. I say {ballot('incorrect')}", "not one JSON object"),
        ('{"grade": "incorrect", "grade": "correct"}', "not one JSON object"),
        ('{"verdict": "correct"}', "'grade' is missing"),
        ('{"grade": "correct or incorrect"}', "offered were correct, incorrect"),
        ('{"grade": ["correct"]}', "offered were"),
        ('{"grade": null}', "offered were"),
        ('{"grade": true}', "offered were"),
        ('{"grade": {"grade": "correct"}}', "offered were"),
        ('{"grade": ""}', "offered were"),
    ],
    ids=ascii,
)
def test_unreadable_or_off_the_menu(text: str, problem: str) -> None:
    with pytest.raises(JudgeUnreadable, match=problem):
        read_ballot(text, MENU)


@given(st.text() | st.from_type(object).map(str) | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_no_text_is_a_grade_by_default(text: str) -> None:
    with pytest.raises(JudgeUnreadable):
        read_ballot(text, {"a grade that nobody guesses": ("yes",)})


def test_a_deeply_nested_answer_is_unreadable() -> None:
    with pytest.raises(JudgeUnreadable):
        read_ballot('{"a":' * 5_000, MENU)


def test_categories_that_were_not_offered_are_others_and_each_counts_once() -> None:
    text = ballot("incorrect", "wrong_join", "wrong_join", "bad_karma", "worse_karma")
    assert read_ballot(text, MENU).categories == (Category.WRONG_JOIN, Category.OTHER)
    assert read_ballot(text, MENU, [Category.OTHER]).categories == (Category.OTHER,)


def test_the_schema_offers_the_menu_and_asks_for_reasons_first() -> None:
    schema = schema_of({"intent": ("met", "missed"), "joins": ("met", "missed")}, [Category.OTHER])
    assert list(schema["properties"]) == schema["required"] == ["why", "categories", "intent", "joins"]
    assert schema["properties"]["joins"]["enum"] == ["met", "missed"]
    assert schema["properties"]["categories"]["items"]["enum"] == ["other"]
    assert schema["additionalProperties"] is False


def test_every_category_is_described() -> None:
    assert all(category.description and "_" not in category.words for category in Category)
