from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from database_backends.result import ResultTable
from evaluation.comparison.untyped import untyped

COLUMNS: dict[str, tuple[Sequence[object], Sequence[object]]] = {
    "whole numbers": (["7", "-7", "0", "12345678901234567890"], [7, -7, 0, 12345678901234567890]),
    "numbers": (["1.50", "2", "-3.", "1e3", "1E-2"], [1.5, 2, -3.0, 1000.0, 0.01]),
    "numbers of both kinds": (["2014", 2015, None], [2014, 2015, None]),
    "empty is NULL": (["7", ""], [7, None]),
    "empty text is NULL": (["a", ""], ["a", None]),
    "nothing but empty": (["", ""], [None, None]),
    "leading zeros": (["007", "12"], ["007", "12"]),
    "one text makes all text": (["7", "n/a", 1.5, 2, None], ["7", "n/a", "1.5", "2", None]),
    "no numbers": (["+1", "1,000"], ["+1", "1,000"]),
    "spaces": ([" 1", "2"], [" 1", "2"]),
    "other digits": (["\u0661"], ["\u0661"]),
    "words for numbers": (["NaN", "inf"], ["NaN", "inf"]),
    "beyond every number": (["9" * 5000], ["9" * 5000]),
    "typed": ([1, 2.5, None], [1, 2.5, None]),
    "other types beside text": (["a", dt.date(2020, 1, 1), b"x"], ["a", dt.date(2020, 1, 1), b"x"]),
}


def table(column: Sequence[object]) -> ResultTable:
    return ResultTable(("a",), ("",), [(cell,) for cell in column])


@pytest.mark.parametrize(("cells", "read"), COLUMNS.values(), ids=COLUMNS)
def test_a_column_as_a_file_gives_it_back(cells: Sequence[object], read: Sequence[object]) -> None:
    found = [row[0] for row in untyped(table(cells)).rows]
    assert found == read
    assert list(map(type, found)) == list(map(type, read))


@pytest.mark.parametrize("rows", [[], [(), ()]])
def test_a_table_without_cells_stays(rows: list[tuple[object, ...]]) -> None:
    empty = ResultTable((), (), rows)
    assert untyped(empty) == empty


@given(st.lists(st.one_of(st.none(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary())))
def test_once_is_enough(cells: list[object]) -> None:
    once = untyped(table(cells))
    assert untyped(once) == once
