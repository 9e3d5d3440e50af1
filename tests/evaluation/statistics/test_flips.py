"""Flips between verdicts on the same thing."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.statistics.flips import Flips
from evaluation.statistics.interval import wilson

groups = st.lists(st.lists(st.booleans(), max_size=6), max_size=30)


def test_counted_by_hand() -> None:
    flips = Flips.of([(True, True, False), (False, False), (True,), (), (True, False)])
    assert flips == Flips(items=3, unstable=2, pairs=5, differing=3)
    assert flips.rate == 0.6
    assert flips.unstable_share == (2 / 3, *wilson(2, 3))


def test_what_was_judged_once_tells_nothing() -> None:
    flips = Flips.of([(True,), (False,)])
    assert flips == Flips(0, 0, 0, 0)
    assert flips.rate is None
    assert flips.unstable_share is None


@given(groups)
def test_the_order_of_verdicts_and_which_is_which_do_not_matter(found: list[list[bool]]) -> None:
    assert Flips.of(found) == Flips.of([verdicts[::-1] for verdicts in found])
    assert Flips.of(found) == Flips.of([[not one for one in verdicts] for verdicts in found])


@given(groups)
def test_an_unstable_item_has_a_pair_that_differs(found: list[list[bool]]) -> None:
    flips = Flips.of(found)
    assert 0 <= flips.unstable <= flips.items
    assert flips.unstable <= flips.differing <= flips.pairs


@pytest.mark.parametrize("repeats", [2, 3, 8])
def test_the_rate_does_not_grow_with_the_number_of_repeats(repeats: int) -> None:
    chance = random.Random(5)
    flips = Flips.of([chance.random() < 0.9 for _ in range(repeats)] for _ in range(20_000))
    assert flips.rate == pytest.approx(2 * 0.9 * 0.1, abs=0.01)
