"""Which cell of a baseline a cell is held against."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from evaluation.gate.cells import counterparts


class Placed(NamedTuple):
    title: str
    kin: str


def placed(*titles: str) -> list[Placed]:
    return [Placed(title, title.partition("@")[0]) for title in titles]


TABLE = [
    ("p@1", "p@1", {"p@1": "p@1"}),
    ("p@2", "p@1", {"p@2": "p@1"}),
    ("p@1 p@2", "p@1", {"p@1": "p@1"}),  # what is there beside it replaces nothing
    ("p@2 p@3", "p@1", {}),
    ("p@3", "p@1 p@2", {}),
    ("p@1 p@3", "p@1 p@2", {"p@1": "p@1", "p@3": "p@2"}),
    ("q@1", "p@1", {}),
    ("q@2 p@2", "p@1 q@1", {"q@2": "q@1", "p@2": "p@1"}),
    ("p@1", "", {}),
]


@pytest.mark.parametrize(("cells", "baseline", "expected"), TABLE)
def test_counterparts(cells: str, baseline: str, expected: dict[str, str]) -> None:
    found = counterparts(placed(*cells.split()), placed(*baseline.split()))
    assert {title: one.title for title, one in found.items()} == expected
