"""The same comparison in every slice, and what a side's accuracy is clustered by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from math import ceil

import pytest

from evaluation.compare.accuracy import Accuracy
from evaluation.compare.answers import Asked, Pair, Told
from evaluation.compare.arms import Arm
from evaluation.compare.comparison import Comparison
from evaluation.compare.detail_screen import _power
from evaluation.compare.notes import few_databases
from evaluation.compare.screen import basis
from evaluation.compare.sentence import sentence
from evaluation.compare.slices import slices
from evaluation.statistics.interval import wilson
from evaluation.verdicts import Reason


def told(right: bool, db_id: str = "db", *slices: str) -> Told:
    return Told(0, "?", db_id, Reason.MATCH if right else Reason.WRONG_ROWS, "SELECT 1", slices=slices)


def comparison(*answers: tuple[bool, bool, tuple[str, ...]], by: str = "tag") -> Comparison:
    pairs = [
        Pair(Asked(f"q{n}", 0), told(a, f"db{n % 2}", *names), told(b, f"db{n % 2}", *names))
        for n, (a, b, names) in enumerate(answers)
    ]
    return Comparison(Arm("a", "", ()), Arm("b", "", ()), "execution_match", tuple(pairs), by=by)


def test_a_question_is_in_all_its_slices() -> None:
    found = comparison(*[(False, True, ("x", "y"))] * 6, *[(True, True, ("y",))] * 4, (True, False, ()))
    (parts,) = slices([found])
    assert [(part.name, part.paired.questions, part.right) for part in parts] == [
        ("not graded", 1, (1, 0)),
        ("x", 6, (0, 6)),
        ("y", 10, (4, 10)),
    ]
    assert [part.adjusted_p for part in parts] == pytest.approx([1, 3 * 2 / 2**6, 3 * 2 / 2**6])
    assert not any(part.shown for part in parts)


def test_holm_is_over_the_slices_of_all_comparisons() -> None:
    one = comparison(*[(False, True, ("x",))] * 8)
    other = comparison(*[(False, True, ("x",))] * 7, *[(False, True, ("y",))] * 2)
    parts = [part for found in slices([one, other]) for part in found]
    assert [part.adjusted_p for part in parts] == pytest.approx([3 * 2 / 2**8, 2 * 2 / 2**7, 1 * 2 / 2**2])


def test_databases_are_slices_where_questions_have_no_grade() -> None:
    (parts,) = slices([comparison(*[(True, False, ())] * 4, by="db_id")])
    assert [(part.name, part.paired.questions) for part in parts] == [("db0", 2), ("db1", 2)]


def test_grades_go_from_easy_to_hard() -> None:
    (parts,) = slices([comparison(*((True, True, (name,)) for name in ("extra", "hard", "easy", "medium")))])
    assert [part.name for part in parts] == ["easy", "medium", "hard", "extra"]


def on_databases(sums: Sequence[tuple[int, int, int]]) -> Comparison:
    """So many questions of each database that only A has right, only B, and both."""
    pairs = [
        Pair(Asked(f"{db}-{n}", 0), told(right < 1 or right > 1, f"db{db}"), told(right > 0, f"db{db}"))
        for db, counts in enumerate(sums)
        for n, right in enumerate(right for right, count in enumerate(counts) for _ in range(count))
    ]
    return Comparison(Arm("a", "", ()), Arm("b", "", ()), "execution_match", tuple(pairs), adjusted_p=1.0)


def test_more_questions_are_needed_on_more_databases() -> None:
    """Where clusters matter, more of the same databases would show nothing: the screen says on how many they are."""
    found = on_databases([(0, 6, 4), (3, 0, 7)] * 5)
    assert found.clustered is not None
    assert found.clustered.clusters_matter
    assert found.needed is not None
    assert found.needed_clusters == ceil(found.needed / 10)
    assert f"takes {found.needed:,} on {found.needed_clusters:,} databases like these" in _power(found)
    assert found.to_json()["databases_needed"] == found.needed_clusters

    alike = on_databases([(1, 2, 7)] * 10)
    assert alike.needed_clusters is None
    assert "databases" not in _power(alike)


@pytest.mark.parametrize(("databases", "told"), [(1, False), (2, True), (5, True), (6, False)])
def test_too_few_databases_are_told(databases: int, told: bool) -> None:
    found = few_databases(on_databases([(1, 2, 7)] * databases))
    assert [f"{databases} databases are too few" in note for note in found] == [True] * told


def test_accuracy_is_clustered_by_what_answers_share() -> None:
    alone = Accuracy.of((Asked(f"q{n}", 0), told(n < 30)) for n in range(40))
    assert alone == Accuracy(30, 40, wilson(30, 40), None)
    databases = [(Asked(f"{db}-{n}", 0), told(db < 6, f"db{db}")) for db, n in product(range(8), range(5))]
    clustered = Accuracy.of(databases)
    assert (clustered.share, clustered.clustered_by) == (0.75, "db_id")
    assert clustered.interval[0] < alone.interval[0] < alone.interval[1] < clustered.interval[1]
    repeated = Accuracy.of((Asked(f"q{n}", repeat), told(n < 6)) for n, repeat in product(range(8), range(5)))
    assert (repeated.share, repeated.clustered_by) == (0.75, "question")
    assert repeated.interval == pytest.approx(clustered.interval)


def test_accuracy_of_repeats_is_never_that_of_as_many_questions() -> None:
    """Also on many databases that are as good as each other, where these make it no wider."""
    asked = product(range(8), range(4), range(5))
    told_ = [(Asked(f"{db}-{n}", repeat), told(n > 0, f"db{db}")) for db, n, repeat in asked]
    found = Accuracy.of(told_)
    assert (found.share, found.clustered_by) == (0.75, "question")
    once = Accuracy.of((asked, one) for asked, one in told_ if not asked.repeat)
    assert found.interval == pytest.approx(once.interval, abs=0.01)


def test_few_questions_are_few_however_often_they_are_asked() -> None:
    found = Accuracy.of(
        (Asked(f"q{n}", repeat), told((n, repeat) != (0, 0))) for n, repeat in product(range(5), range(20))
    )
    assert (found.right, found.answers, found.clustered_by) == (99, 100, "question")
    assert found.interval == wilson(99 / 20, 5)


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("databases", [1, 8])
def test_repeats_that_are_all_alike_are_one_answer(databases: int, right: bool) -> None:
    """A model without randomness that has all right is not surer of it the more often it is asked."""
    repeated = product(range(40), range(5))
    found = Accuracy.of((Asked(f"q{n}", repeat), told(right, f"db{n % databases}")) for n, repeat in repeated)
    assert (found.right, found.answers, found.clustered_by) == (200 * right, 200, "question")
    assert found.interval == wilson(40 * right, 40)


@pytest.mark.parametrize("databases", [1, 4, 8])
def test_accuracy_of_turns_is_clustered_by_conversation(databases: int) -> None:
    turns = [
        (Asked(f"{db}-{n}-{turn}", 0), replace(told(n > 0, f"db{db}"), conversation=f"{db}-{n}"))
        for db, n, turn in product(range(databases), range(8), range(3))
    ]
    found = Accuracy.of(turns)
    assert found.clustered_by == "conversation"
    assert found.interval[0] < wilson(found.right, found.answers)[0]


def of_conversations(marks: str) -> Comparison:
    """Three turns of each conversation, all alike: `+` won, `-` lost, `=` both right."""
    pairs = [
        Pair(Asked(f"{n}-{turn}", 0), *(replace(told(right), conversation=f"c{n}") for right in RIGHT[mark]))
        for n, mark in enumerate(marks)
        for turn in range(3)
    ]
    return Comparison(Arm("a", "", ()), Arm("b", "", ()), "execution_match", tuple(pairs), adjusted_p=1.0)


RIGHT = {"+": (False, True), "-": (True, False), "=": (True, True)}


def test_turns_of_conversations_are_told_as_such() -> None:
    """By all turns alone there would be a difference: twelve to three; by conversations it is four to one."""
    found = of_conversations("++++-=====")
    assert found.paired is not None
    assert found.clustered is not None
    assert found.paired.p < 0.05 < found.clustered.p
    assert "with 30 paired questions in 10 conversations" in sentence(found)
    assert f"in {found.needed_clusters:,} conversations like these" in _power(found)
    assert "p and interval are of conversations" in basis([found])
    told_ = found.to_json()
    assert told_["clustered_by"] == "conversation"
    assert (told_["databases_needed"], told_["conversations_needed"]) == (None, found.needed_clusters)
    shown_ = replace(of_conversations("+" * 9 + "-"), adjusted_p=0.02)
    assert "p = 0.020; clustered by conversation" in sentence(shown_)
