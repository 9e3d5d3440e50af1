"""From names to strategies."""

from __future__ import annotations

import pytest

from evaluation.conventions.base import CONVENTIONS
from evaluation.strategies.making import expand, make_execution_matches, make_strategy
from sqlassay.errors import UnknownName


def test_all_is_every_convention_once_and_ours_first() -> None:
    labels = [strategy.label for strategy in make_execution_matches(["bird", "all"])]
    assert labels[:2] == ["execution_match:bird", "execution_match"]
    assert len(labels) == len(set(labels)) == len(CONVENTIONS.names())


@pytest.mark.parametrize("name", ["execution_match", "execution_match:bird"])
def test_other_names_stand_for_themselves(name: str) -> None:
    assert expand(name) == (name,)
    assert make_strategy(name).label == name


def test_an_unknown_convention_suggests_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"unknown convention 'brid' \(did you mean 'bird'\?\)"):
        make_strategy("execution_match:brid")
