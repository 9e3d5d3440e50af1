"""From names to strategies."""

from __future__ import annotations

import pytest

from evaluation.conventions.base import CONVENTIONS
from evaluation.strategies.making import expand, make_execution_matches, make_strategies, make_strategy
from sqlassay.errors import UnknownName, UserError


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


SPECS: dict[str, tuple[str, dict[str, object]]] = {
    "execution_match:relative_tolerance=1e-3": ("execution_match", {"relative_tolerance": 1e-3}),
    "execution_match:sqlassay,rounding=accept, column_order=strict": (
        "execution_match",
        {"rounding": "accept", "column_order": "strict"},
    ),
    'execution_match:rounding="accept"': ("execution_match", {"rounding": "accept"}),
    "execution_match:convention=bird": ("execution_match:bird", {"convention": "bird"}),
    "execution_match:": ("execution_match", {"convention": "sqlassay"}),
    "ves:repeats=7": ("ves", {"repeats": 7}),
}


@pytest.mark.parametrize(("spec", "made"), SPECS.items(), ids=SPECS)
def test_a_text_has_settings(spec: str, made: tuple[str, dict[str, object]]) -> None:
    (strategy,) = make_strategies([spec])
    label, settings = made
    assert strategy.label == label
    assert settings.items() <= strategy.settings.items()


WRONG_SPECS = {
    "execution_match:tolerance=1": "unknown setting of convention 'sqlassay': 'tolerance' (did you mean",
    "execution_match:brid,rounding=accept": "unknown convention 'brid' (did you mean 'bird'?)",
    "execution_match:rounding=maybe": "unknown value of rounding: 'maybe' (known: accept, refuse)",
    "execution_match:relative_tolerance=abc": "relative_tolerance is 'abc'",
    "execution_match:rounding=accept,strict": (
        "strategy 'execution_match:rounding=accept,strict': 'strict' is no setting (NAME:"
    ),
    "execution_match:,rounding=accept": "strategy 'execution_match:,rounding=accept': '' is no setting (",
    "execution_match:rounding=accept,rounding=refuse": (
        "strategy 'execution_match:rounding=accept,rounding=refuse': the setting 'rounding' is there twice"
    ),
    "exact_set_match:bird": "unknown setting of strategy 'exact_set_match': 'convention' (",
}


@pytest.mark.parametrize(("spec", "expected"), WRONG_SPECS.items(), ids=WRONG_SPECS)
def test_a_wrong_text_is_one_line(spec: str, expected: str) -> None:
    with pytest.raises(UserError) as caught:
        make_strategies([spec])
    assert str(caught.value).startswith(expected)
