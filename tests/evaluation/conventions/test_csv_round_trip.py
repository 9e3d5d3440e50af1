"""Columns of text after CSV. Expectations are what pandas 2.3.3 reads."""

from __future__ import annotations

import math

import pytest

from evaluation.conventions.csv_round_trip import read_back
from evaluation.conventions.frame import Frame
from tests.evaluation.conventions.results import table

NAN = "nan"


@pytest.mark.parametrize(
    ("cells", "back"),
    [
        (["1", "007", " 7", "-0", "+5", "3\n"], [1, 7, 7, 0, 5, 3]),
        (["1", None], [1.0, NAN]),
        (["1", "2.", ".5", "1e2", "inf", "-Infinity"], [1.0, 2.0, 0.5, 100.0, math.inf, -math.inf]),
        (["NA", "", None, "null", "n/a", "#N/A"], [NAN] * 6),
        (["x", "NA", ""], ["x", NAN, NAN]),
        (["true", "FALSE", "True", "tRue"], [True, False, True, True]),
        (["true", None], [True, NAN]),
        (["true", "1"], ["true", "1"]),
        (["1", "x"], ["1", "x"]),
        ([1, "x", 1.0, None, True], ["1", "x", "1.0", NAN, "True"]),
        (["1_0"], ["1_0"]),
        (["0x1F"], ["0x1F"]),
        (["1e"], ["1e"]),
        (["١"], ["١"]),
        # too large for a number: it depends on what comes first
        (["9223372036854775808", "1"], [2**63, 1]),
        (["9223372036854775808", "-1"], ["9223372036854775808", "-1"]),
        (["18446744073709551616"], ["18446744073709551616"]),
        (["9223372036854775808", None], ["9223372036854775808", NAN]),
        (["18446744073709551616", "x"], ["18446744073709551616", "x"]),
        (["18446744073709551616", "1.5"], ["18446744073709551616", "1.5"]),
        (["1.5", "18446744073709551616"], [1.5, 18446744073709551616.0]),
        (["4611686018427387904", "1.5"], [4611686018427387904.0, 1.5]),
        (["1e400"], ["1e400"]),
        # a line of blanks is not read
        (["x", " \t", "y"], ["x", "y"]),
        (["x", " \t", None], ["x", NAN]),
        ([b"x", [1], {"a": 1}], ["b'x'", "[1]", "{'a': 1}"]),
    ],
)
def test_a_column_of_text(cells: list[object], back: list[object]) -> None:
    (column,) = read_back(Frame.of(table(*((cell,) for cell in cells))))
    found = [NAN if isinstance(cell, float) and math.isnan(cell) else cell for cell in column]
    assert list(map(type, found)) == list(map(type, back))
    assert found == back


def test_whole_numbers_beside_floats_are_floats() -> None:
    assert repr(read_back(Frame.of(table((1, 2.5), (3, 4.0))))) == "[[1.0, 3.0], [2.5, 4.0]]"
    assert repr(read_back(Frame.of(table((1, 2.5, "x"))))) == "[[1], [2.5], ['x']]"


def test_no_rows() -> None:
    assert read_back(Frame.of(table(names="ab"))) == [[], []]
