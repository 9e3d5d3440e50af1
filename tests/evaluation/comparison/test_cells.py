"""Which cells are the same cell."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.comparison.cells import canonical, temporal

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
        (UUID("12345678-1234-5678-1234-567812345678"), "12345678-1234-5678-1234-567812345678"),
        (
            dt.datetime(2020, 1, 1, 13, 0, tzinfo=IN_PARIS),
            dt.datetime(2020, 1, 1, 12, 0, tzinfo=dt.UTC),
        ),
        ([1, 2], (1.0, 2)),
        ({"a": 1, "b": [2]}, {"b": [2.0], "a": 1}),
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
        (dt.timedelta(days=1), 86400),
        (dt.timedelta(days=1), "1 day"),
        ([1, 2], [2, 1]),
        ([], None),
        ({"a": 1}, {"a": 2}),
        ([1], {"a": 1}),
        (float("inf"), float("-inf")),
    ],
)
def test_different(left: object, right: object) -> None:
    assert canonical(left) != canonical(right)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2020-01-01", dt.date(2020, 1, 1)),
        ("2020-01-01", dt.datetime(2020, 1, 1)),
        ("2020-01-01 12:30:00", NOON),
        ("2020-01-01T12:30:00", NOON),
        ("2020-01-01 12:30", NOON),
        ("2020-01-01 12:30:00.000000", NOON),
        ("2020-01-01 12:30:00.25", NOON.replace(microsecond=250_000)),
        ("2020-01-01 12:30:00Z", NOON.replace(tzinfo=dt.UTC)),
        ("2020-01-01 13:30:00+01:00", NOON.replace(tzinfo=dt.UTC)),
        ("2020-01-01 13:30:00+01", NOON.replace(tzinfo=dt.UTC)),
        ("2020-01-01T07:00:00-0530", NOON.replace(tzinfo=dt.UTC)),
        ("2020-02-29", dt.date(2020, 2, 29)),
    ],
)
def test_temporal_text(text: str, value: object) -> None:
    assert temporal(text) == canonical(value)


@pytest.mark.parametrize(
    "text",
    [
        "2020-13-01",
        "2021-02-29",
        "2020-1-1",
        "20200101",
        "2020-01-01 25:00",
        "2020-01-01x",
        "on 2020-01-01",
        "2020-01-01\n",
        "٢٠٢٠-01-01",
        "10:30",
        "",
        "0001-01-01T00:00:00+14:00",
    ],
)
def test_text_that_is_no_date(text: str) -> None:
    assert temporal(text) is None


def test_fractions_of_a_microsecond_count() -> None:
    assert temporal("2020-01-01 00:00:00.0000001") != temporal("2020-01-01")


@given(st.datetimes())
def test_every_timestamp_equals_its_own_text(moment: dt.datetime) -> None:
    assert temporal(moment.isoformat(sep=" ")) == canonical(moment)


class _Strange:
    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return "strange"


def test_values_of_unknown_types_compare_by_type_and_text() -> None:
    assert canonical(_Strange()) == canonical(_Strange())
    assert canonical(_Strange()) != canonical("strange")
