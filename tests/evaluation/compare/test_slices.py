"""The same comparison in every slice, and what a side's accuracy is clustered by."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import ceil

import pytest

from evaluation.compare.accuracy import Accuracy
from evaluation.compare.answers import Asked, Pair, Told
from evaluation.compare.arms import Arm
from evaluation.compare.comparison import Comparison
from evaluation.compare.detail_screen import _power
from evaluation.compare.notes import few_databases
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
    assert found.needed_databases == ceil(found.needed / 10)
    assert f"takes {found.needed:,} on {found.needed_databases:,} databases like these" in _power(found)
    assert found.to_json()["databases_needed"] == found.needed_databases

    alike = on_databases([(1, 2, 7)] * 10)
    assert alike.needed_databases is None
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
