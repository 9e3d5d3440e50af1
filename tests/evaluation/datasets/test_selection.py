from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.datasets.base import Question
from evaluation.datasets.selection import Selection, parse_filter
from sqlassay.errors import UnknownName, UserError

QUESTIONS = [
    Question("a", "?", "shop", difficulty="easy", tags=("join", "group")),
    Question("b", "?", "shop", difficulty="hard", turn=0),
    Question("c", "?", "farm", difficulty="easy", tags=("join",), turn=1),
    Question("d", "?", "farm"),
    Question("e", "?", "zoo", difficulty="hard", tags=("order",)),
]

SELECTED = {
    "everything": (Selection(), "abcde"),
    "limit": (Selection(limit=2), "ab"),
    "limit above": (Selection(limit=9), "abcde"),
    "one filter": (Selection(filters=(("db_id", "farm"),)), "cd"),
    "values of one key are alternatives": (Selection(filters=(("db_id", "farm"), ("db_id", "zoo"))), "cde"),
    "keys must all be met": (Selection(filters=(("db_id", "shop"), ("difficulty", "hard"))), "b"),
    "tag": (Selection(filters=(("tag", "join"),)), "ac"),
    "turn": (Selection(filters=(("turn", "0"),)), "b"),
    "ids in the order of the dataset": (Selection(ids=("e", "a")), "ae"),
    "ids that come twice": (Selection(ids=("a", "a")), "a"),
    "ids after filters": (Selection(filters=(("db_id", "shop"),), ids=("a", "e")), "a"),
    "limit after filters": (Selection(limit=1, filters=(("db_id", "farm"),)), "c"),
    "sample above": (Selection(sample=5), "abcde"),
    "sample far above": (Selection(sample=50), "abcde"),
}

REFUSED = {
    "limit of 0": ({"limit": 0}, "limit is 0 (give a whole number from 1)"),
    "negative sample": ({"sample": -1}, "sample is -1 (give a whole number from 1)"),
    "filter key": ({"filters": (("db", "a"),)}, "unknown filter key 'db' (did you mean 'db_id'?)"),
}

NOTHING = {
    "value that never comes": (
        Selection(filters=(("db_id", "frm"),)),
        "unknown db_id in the filter: 'frm' (did you mean 'farm'?)",
    ),
    "tag that never comes": (
        Selection(filters=(("db_id", "farm"), ("tag", "zzz"))),
        "unknown tag in the filter: 'zzz' (known: group, join, order)",
    ),
    "key that no question has": (
        Selection(filters=(("turn", "7"),)),
        "unknown turn in the filter: '7' (known: 0, 1)",
    ),
    "filters that exclude each other": (
        Selection(filters=(("db_id", "zoo"), ("tag", "join"))),
        "no question has db_id=zoo and tag=join (leave one of the conditions out)",
    ),
    "ids that the filters exclude": (
        Selection(filters=(("db_id", "zoo"),), ids=("b", "a")),
        "no question has db_id=zoo and id=a or b (leave one of the conditions out)",
    ),
    "id": (Selection(ids=("a", "x")), "unknown question id 'x' (the dataset has 5 questions, from 'a' to 'e')"),
}


def ids(selection: Selection, questions: list[Question]) -> str:
    return "".join(question.id for question in selection.apply(questions))


@pytest.mark.parametrize(("selection", "expected"), SELECTED.values(), ids=SELECTED)
def test_what_is_selected(selection: Selection, expected: str) -> None:
    assert ids(selection, QUESTIONS) == expected


@pytest.mark.parametrize(("settings", "message"), REFUSED.values(), ids=REFUSED)
def test_settings_that_make_no_sense(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UserError) as caught:
        Selection(**settings)  # type: ignore[arg-type]
    assert str(caught.value) == message


@pytest.mark.parametrize(("selection", "message"), NOTHING.values(), ids=NOTHING)
def test_nothing_left_says_why(selection: Selection, message: str) -> None:
    with pytest.raises(UserError) as caught:
        list(selection.apply(QUESTIONS))
    assert str(caught.value) == message


def test_an_empty_dataset() -> None:
    for selection in (Selection(), Selection(sample=1), Selection(limit=1)):
        with pytest.raises(UserError) as caught:
            list(selection.apply([]))
        assert str(caught.value) == "the dataset has no questions"


def test_a_near_id_is_suggested() -> None:
    with pytest.raises(UnknownName) as caught:
        list(Selection(ids=("q-17",)).apply([Question("q_17", "?", "a")]))
    assert str(caught.value) == "unknown question id 'q-17' (did you mean 'q_17'?)"


def test_an_unknown_id_is_told_before_any_question_is_given() -> None:
    with pytest.raises(UnknownName):
        next(Selection(ids=("a", "x")).apply(QUESTIONS))


def test_a_limit_reads_no_further_than_it_has_to() -> None:
    def endless() -> Iterator[Question]:
        for number in count():
            yield Question(str(number), "?", "shop" if number % 2 else "farm")

    selection = Selection(limit=3, filters=(("db_id", "shop"),))
    assert [question.id for question in selection.apply(endless())] == ["1", "3", "5"]


def test_the_sample_of_a_seed_never_changes() -> None:
    questions = [Question(str(number), "?", "a") for number in range(1000)]
    assert [q.id for q in Selection(sample=5).apply(questions)] == ["87", "392", "404", "923", "942"]
    assert [q.id for q in Selection(sample=5, seed=1).apply(questions)] == ["661", "691", "819", "932", "989"]


@pytest.mark.parametrize(
    ("text", "pair"),
    {"db_id=world_1": ("db_id", "world_1"), "tag=a=b": ("tag", "a=b"), "turn= 0": ("turn", " 0")}.items(),
)
def test_a_filter_is_parsed(text: str, pair: tuple[str, str]) -> None:
    assert parse_filter(text) == pair


@pytest.mark.parametrize(
    ("text", "message"),
    {
        "world_1": "filter 'world_1' is not of the form KEY=VALUE (such as db_id=world_1)",
        "db_id=": "filter 'db_id=' is not of the form KEY=VALUE (such as db_id=world_1)",
        "=x": "unknown filter key '' (known: conversation, db_id, difficulty, tag, turn)",
        "tags=x": "unknown filter key 'tags' (did you mean 'tag'?)",
    }.items(),
)
def test_a_bad_filter_is_one_line(text: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_filter(text)
    assert str(caught.value) == message


names = st.sampled_from("abc")
datasets = st.lists(
    st.builds(
        Question,
        id=st.text(max_size=3),
        text=st.just("?"),
        db_id=names,
        difficulty=st.none() | names,
        tags=st.lists(names).map(tuple),
        turn=st.none() | st.integers(0, 2),
    ),
    min_size=1,
    unique_by=lambda question: question.id,
)
sizes = st.none() | st.integers(1, 20)
selections = st.builds(
    Selection,
    limit=sizes,
    sample=sizes,
    seed=st.integers(),
    filters=st.lists(st.tuples(st.sampled_from(["db_id", "difficulty", "tag"]), names), max_size=2).map(tuple),
)


def select(selection: Selection, questions: list[Question]) -> list[Question]:
    """The selection, with an empty list where nothing is left."""
    try:
        return list(selection.apply(questions))
    except UserError:
        return []


@given(datasets, selections)
def test_a_selection_is_a_part_in_order_and_always_the_same(questions: list[Question], selection: Selection) -> None:
    selected = select(selection, questions)
    places = [questions.index(question) for question in selected]
    assert places == sorted(set(places))
    assert selected == select(selection, questions)
    assert len(selected) <= min(selection.limit or len(questions), selection.sample or len(questions))


@given(datasets, st.integers(1, 20), st.integers(), st.randoms(use_true_random=False))
def test_a_sample_does_not_depend_on_order(
    questions: list[Question], size: int, seed: int, source: random.Random
) -> None:
    shuffled = source.sample(questions, len(questions))
    sample = Selection(sample=size, seed=seed)
    chosen = select(sample, questions)
    assert len(chosen) == min(size, len(questions))
    assert {question.id for question in chosen} == {question.id for question in select(sample, shuffled)}
    larger = Selection(sample=size + 1, seed=seed)
    assert {question.id for question in chosen} <= {question.id for question in select(larger, questions)}


@given(datasets, st.data())
def test_filters_and_ids_meet(questions: list[Question], draw: st.DataObject) -> None:
    wanted = draw.draw(st.sets(st.sampled_from([question.id for question in questions]), min_size=1))
    db_id = draw.draw(names)
    selection = Selection(filters=(("db_id", db_id),), ids=tuple(wanted))
    expected = [question for question in questions if question.id in wanted and question.db_id == db_id]
    assert select(selection, questions) == expected


def test_seeds_choose_differently() -> None:
    questions = [Question(str(number), "?", "a") for number in range(100)]
    samples = {
        tuple(question.id for question in Selection(sample=10, seed=seed).apply(questions)) for seed in range(20)
    }
    assert len(samples) == 20
