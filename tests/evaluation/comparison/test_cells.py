"""Which cells are the same cell."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from uuid import UUID

import pytest

from evaluation.comparison.cells import canonical

NAN = float("nan")
NOON = dt.datetime(2020, 1, 1, 12, 30)
IN_PARIS = dt.timezone(dt.timedelta(hours=1))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (True, 1),
        (False, 0),
        (2, 2.0),
        (2, Decimal("2.00")),
        (0.5, Decimal("0.5")),
        (-0.0, 0.0),
        (NAN, float("nan")),
        (NAN, Decimal("NaN")),
        (NAN, Decimal("sNaN")),
        (float("inf"), Decimal("Infinity")),
        (bytearray(b"x"), b"x"),
        (memoryview(b"x"), b"x"),
        (dt.date(2020, 1, 1), dt.datetime(2020, 1, 1)),
        (dt.time(10, 30), "10:30:00"),
        (dt.time(10, 30, 0, 500_000), "10:30:00.5"),
        (dt.time(10, 30, tzinfo=IN_PARIS), dt.time(9, 30, tzinfo=dt.UTC)),
        (UUID("12345678-1234-5678-1234-567812345678"), "12345678-1234-5678-1234-567812345678"),
        (
            dt.datetime(2020, 1, 1, 13, 0, tzinfo=IN_PARIS),
            dt.datetime(2020, 1, 1, 12, 0, tzinfo=dt.UTC),
        ),
        ([1, 2], (1.0, 2)),
        ({"a": 1, "b": [2]}, {"b": [2.0], "a": 1}),
        ({"key": [[1], [0]], "value": ["x", "y"]}, {"key": [[0], [1]], "value": ["y", "x"]}),
    ],
)
def test_equal(left: object, right: object) -> None:
    assert canonical(left) == canonical(right)
    assert hash(canonical(left)) == hash(canonical(right))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (None, 0),
        (None, ""),
        (None, "None"),
        (None, NAN),
        (True, "true"),
        ("007", 7),
        ("2014", 2014),
        ("a", "A"),
        ("a", "a "),
        ("é", "e\u0301"),
        (b"a", "a"),
        (2**53 + 1, float(2**53)),
        (2**53 + 1, 2**53),
        (dt.datetime(2020, 1, 1, 12), dt.datetime(2020, 1, 1, 12, tzinfo=dt.UTC)),
        (NOON, dt.date(2020, 1, 1)),
        (dt.time(10, 30), dt.time(10, 30, tzinfo=dt.UTC)),
        (dt.timedelta(days=1), 86400),
        (dt.timedelta(days=1), "1 day"),
        ([1, 2], [2, 1]),
        ([], None),
        ({"a": 1}, {"a": 2}),
        ([1], {"a": 1}),
        ({"key": [[1], [0]], "value": ["x", "y"]}, {"key": [[0], [1]], "value": ["x", "y"]}),
        ({"key": [1, 0], "value": ["x", "y"]}, {"key": [0, 1], "value": ["y", "x"]}),
        (float("inf"), float("-inf")),
    ],
)
def test_different(left: object, right: object) -> None:
    assert canonical(left) != canonical(right)


class _Strange:
    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return "strange"


def test_values_of_unknown_types_compare_by_type_and_text() -> None:
    assert canonical(_Strange()) == canonical(_Strange())
    assert canonical(_Strange()) != canonical("strange")
