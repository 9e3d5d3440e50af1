"""What is asked again about the same objects is not found out again."""

from __future__ import annotations

import pytest

from evaluation.conventions.remembered import remembered


def test_the_last_answer_is_given_again_for_the_same_objects_only() -> None:
    asked: list[list[int]] = []

    @remembered
    def length(rows: list[int]) -> int:
        asked.append(rows)
        return len(rows)

    one, other = [1], [1]
    assert [length(one), length(one), length(other), length(one)] == [1, 1, 1, 1]
    assert list(map(id, asked)) == [id(one), id(other), id(one)]


def test_an_error_is_no_answer() -> None:
    @remembered
    def inverse(number: float) -> float:
        return 1 / number

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            inverse(0)
