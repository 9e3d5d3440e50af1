"""Which examples a question is shown, and that none of them tells its answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.databases import Databases
from evaluation.datasets.base import Question
from evaluation.datasets.opening import open_dataset
from evaluation.few_shot.example import Example
from evaluation.few_shot.leakage import Secret
from evaluation.few_shot.pool import Pool
from prompts.library import load
from prompts.template import Shots
from tests.evaluation.world import World


def question(number: int | str, text: str, *gold: str, db_id: str = "show", **more: Any) -> Question:
    return Question(str(number), text, db_id, gold, **more)


def databases(world: World) -> Databases:
    world.questions(1)
    return Databases(open_dataset(f"jsonl:{world.folder / 'questions.jsonl'}"), "sqlite")


TRAIN = (
    question(0, "How many singers are there?", "SELECT count(*) FROM singer"),
    question(1, "What is the name of the oldest singer?", "SELECT name FROM singer ORDER BY age DESC LIMIT 1"),
    question(2, "List the names of singers older than 20.", "SELECT name FROM singer WHERE age > 20"),
    question(3, "Show every age.", "SELECT age FROM singer"),
    question(4, "No gold here."),
    question(5, "How many pets are there?", "SELECT count(*) FROM pets", db_id="elsewhere"),
)


def test_static_takes_the_first_with_a_gold(world: World) -> None:
    pool = Pool(TRAIN, "sqlite", databases(world))
    shown = pool.choose(Shots("static", 5), question("x", "Anything?", "SELECT 1"), databases(world))
    assert (shown.ids, shown.withheld) == (("0", "1", "2", "3", "5"), ())
    assert shown.variable[0] == {
        "question": "How many singers are there?",
        "sql": "SELECT count(*) FROM singer",
        "db_id": "show",
        "evidence": "",
    }


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("List the ids of singers older than 7.", "2"),
        ("What is the id of the youngest singer?", "1"),
        ("How many names are there?", "0"),
    ],
)
def test_similar_puts_the_nearest_last(text: str, nearest: str, world: World) -> None:
    pool = Pool(TRAIN, "sqlite", databases(world))
    shown = pool.choose(Shots("similar", 3), question("x", text, "SELECT 1"), databases(world))
    assert len(shown.ids) == 3
    assert shown.ids[-1] == nearest


def test_of_questions_that_are_as_similar_the_one_on_a_similar_schema_is_nearer(world: World) -> None:
    here, there = (question(db, "How many are there?", f"SELECT {db}", db_id=db) for db in ("show", "elsewhere"))
    for train in ((here, there), (there, here)):
        pool = Pool(train, "sqlite", databases(world))
        shown = pool.choose(Shots("similar", 2), question("x", "How many?", "SELECT 1"), databases(world))
        assert shown.ids == ("elsewhere", "show")
        assert pool.unread == ("elsewhere",)


def test_the_earlier_of_two_that_are_alike_is_nearer(world: World) -> None:
    pool = Pool([question(n, "How many?", f"SELECT {n}") for n in range(20)], "sqlite", databases(world))
    assert pool.choose(Shots("similar", 3), TRAIN[0], databases(world)).ids == ("2", "1", "0")


def test_golds_are_those_of_the_dialect(world: World) -> None:
    asked = [
        question(0, "How many?", "SELECT 1", gold_by_dialect={"postgres": ("SELECT 2", "SELECT 3")}),
        question(1, "How many?", gold_by_dialect={"postgres": ("SELECT 4",)}),
    ]
    assert [one.sql for one in Pool(asked, "sqlite", databases(world)).examples] == ["SELECT 1"]
    assert [one.sql for one in Pool(asked, "postgres", databases(world)).examples] == ["SELECT 2", "SELECT 4"]


def test_what_identifies_a_pool(world: World) -> None:
    static, similar = Shots("static", 2), Shots("similar", 2)
    pool = Pool(TRAIN, "sqlite", databases(world))
    assert pool.identity([static]) == Pool(TRAIN, "sqlite", databases(world)).identity([static])
    others = [
        Pool(TRAIN[1:], "sqlite", databases(world)).identity([static]),
        Pool(TRAIN[::-1], "sqlite", databases(world)).identity([static]),
        pool.identity([similar]),
    ]
    assert pool.identity([static]) not in others
    assert pool.identity([similar, static]) == others[-1]


# What tells an answer.

ASKED = question(
    "x",
    "How many singers are there?",
    "SELECT count(*) FROM singer;",
    gold_by_dialect={"mysql": ("SELECT `n` FROM `s`",)},
)


@pytest.mark.parametrize(
    "example",
    [
        Example("a", "how many  singers are there", "SELECT 1", "other"),
        Example("b", "Other?", "select COUNT ( * )\n from Singer", "show"),
        Example("c", "Other?", 'SELECT count(*) FROM "singer"', "other"),
        Example("d", "Other?", "SELECT 1 UNION SELECT count(*) FROM singer WHERE age > 3", "show"),
        Example("e", "Other?", "SELECT n FROM s", "show"),
        Example("f", "Other?", "SELECT 1", "show", "which is SELECT count(*) FROM singer"),
    ],
    ids=lambda example: example.id,
)
def test_told(example: Example) -> None:
    assert Secret.of(ASKED).told_by(example)


@pytest.mark.parametrize(
    "example",
    [
        Example("a", "How many singers are there in town?", "SELECT 1", "show"),
        Example("b", "Other?", "SELECT count(*) FROM singers", "show"),
        Example("c", "Other?", "SELECT count(*) FROM (singer)", "show"),
    ],
    ids=lambda example: example.id,
)
def test_not_told(example: Example) -> None:
    assert not Secret.of(ASKED).told_by(example)


def test_a_question_without_a_gold_has_its_words_to_keep() -> None:
    secret = Secret.of(question("x", "How many?", ""))
    assert secret.told_by(Example("a", "How many", "SELECT 1", "show"))
    assert not secret.told_by(Example("a", "How much?", "SELECT 1", "show"))


def test_the_turns_before_are_no_examples() -> None:
    first = question("a", "How many singers?", "SELECT count(*) FROM singer", gold_by_dialect={"mysql": ("SELECT n",)})
    second = question("b", "And their names?", "SELECT name FROM singer", before=first)
    third = Secret.of(question("c", "Only the oldest?", "SELECT 3", before=second))
    for told_by in (
        Example("a", "How many singers?", "SELECT 1", "show"),
        Example("b", "and their names", "SELECT 1", "show"),
        Example("d", "Other?", "SELECT COUNT(*) FROM singer WHERE age > 3", "show"),
        Example("e", "Other?", "SELECT n", "show"),
    ):
        assert third.told_by(told_by)
    assert not third.told_by(Example("f", "Other?", "SELECT age FROM pets", "show"))
    assert not Secret.of(first).told_by(Example("b", "And their names?", "SELECT name FROM singer", "show"))


def told(rendered: str, asked: Question) -> bool:
    """Whether the examples hold a gold, or the question as one that was answered; looked for in the plainest way."""
    text = " ".join(rendered.casefold().split())
    golds = [re.escape(" ".join(gold.casefold().split()).rstrip("; ")) for gold in asked.gold]
    return any(re.search(rf"(?<!\w){gold}(?!\w)", text) for gold in golds) or any(
        line.casefold() == f"question: {asked.text.casefold()}" for line in rendered.splitlines()
    )


def rendered(pool: Pool, ref: str, asked: Question, there: Databases) -> str:
    template = load(ref)
    assert template.examples is not None
    shown = pool.choose(template.examples, asked, there)
    assert len(shown.examples) <= template.examples.count
    values = {"question": asked.text, "evidence": asked.evidence, "schema": "", "dialect": "SQLite"}
    examples, schema, _ = (
        template.render({**values, "examples": shown.variable}).messages[-1].content.partition("Schema of the SQLite")
    )
    assert schema
    return examples


SPACES = st.sampled_from([" ", "  ", "\n", "\t"])
WORDS = st.lists(
    st.sampled_from(["select", "Name", "AGE", "from", "singer", "count", "3", "town"]), min_size=1, max_size=6
)


@st.composite
def questions(draw: st.DrawFn, number: int) -> Question:
    text, gold = (draw(SPACES).join(draw(WORDS)) for _ in range(2))
    return question(number, f"Which {text}?", f"SELECT {gold}{draw(st.sampled_from(['', ';', ' ;']))}")


TRAINS = st.integers(1, 8).flatmap(lambda size: st.tuples(*(questions(number) for number in range(size))))


@pytest.mark.parametrize("ref", ["few_shot@1", "few_shot@2"])
def test_no_prompt_tells_the_answer(ref: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The questions are their own train split, which tells every answer, were it not withheld."""
    there = databases(World.build(tmp_path_factory.mktemp("w") / "world"))

    @given(train=TRAINS)
    def check(train: Sequence[Question]) -> None:
        pool = Pool(train, "sqlite", there)
        for asked in train:
            assert not told(rendered(pool, ref, asked, there), asked)
            assert asked.id in pool.choose(Shots("static", len(train)), asked, there).withheld

    check()


@pytest.mark.parametrize("ref", ["few_shot@1", "few_shot@2"])
def test_no_prompt_tells_the_turns_before(ref: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A conversation that is its own train split."""
    there = databases(World.build(tmp_path_factory.mktemp("w") / "world"))

    @given(train=TRAINS)
    def check(train: Sequence[Question]) -> None:
        pool = Pool(train, "sqlite", there)
        before = None
        for turn in train:
            before = replace(turn, before=before)
            shown = rendered(pool, ref, before, there)
            assert not any(told(shown, one) for one in (before, *before.earlier))

    check()


REAL = {
    "spider": ("spider:spider", None),
    "bird": ("bird:bird/questions/dev.json", "bird/databases"),
}


@pytest.mark.data
@pytest.mark.parametrize("ref", ["few_shot@1", "few_shot@2"])
@pytest.mark.parametrize(("spec", "folder"), REAL.values(), ids=REAL)
def test_no_prompt_tells_the_answer_of_a_real_question(
    spec: str, folder: str | None, ref: str, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, _, path = spec.partition(":")
    dataset = open_dataset(f"{name}:{data / path}", databases=data / folder if folder else None)
    there = Databases(dataset, "sqlite")
    asked = [one for one in dataset.questions() if name == "spider" or there.target(one.db_id) is not None]
    assert len(asked) == {"spider": 1034, "bird": 274}[name]
    pool = Pool(asked, "sqlite", there)
    assert not [one.id for one in asked if told(rendered(pool, ref, one, there), one)]
    monkeypatch.setattr(Secret, "told_by", lambda *_: False)
    leaks = sum(told(rendered(pool, ref, one, there), one) for one in asked[:50])
    assert leaks >= (49 if ref == "few_shot@2" else 5), "the check finds nothing"
