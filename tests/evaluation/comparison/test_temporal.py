"""Which text is a date or a time."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.comparison.cells import Cell, canonical
from evaluation.comparison.temporal import plain_paths, temporal, with_moments

NOON = dt.datetime(2020, 1, 1, 12, 30)
DAY = canonical(dt.date(2020, 1, 1))


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
        ("10:30:00", dt.time(10, 30)),
        ("10:30:00.5", dt.time(10, 30, 0, 500_000)),
        ("10:30:00.500000", dt.time(10, 30, 0, 500_000)),
        ("10:30:00.000", dt.time(10, 30)),
        ("10:30:00.5+01:00", dt.time(9, 30, 0, 500_000, tzinfo=dt.UTC)),
        ("10:30:00Z", dt.time(10, 30, tzinfo=dt.UTC)),
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
        "25:30:00",
        "10:30:60",
        "10:30:00.",
        "10:30:00.1234567890",
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


@given(st.times())
def test_every_time_equals_its_own_text(time: dt.time) -> None:
    assert temporal(str(time)) == temporal(time.isoformat("microseconds")) == canonical(time)


@pytest.mark.parametrize(
    ("cells", "read"),
    [
        (["2020-01-01", None], [DAY, None]),
        (["2020-01-01", "soon"], ["2020-01-01", "soon"]),
        ([["2020-01-01"], []], [("list", (DAY,)), ("list", ())]),
        ([["2020-01-01"], ["soon"]], [("list", ("2020-01-01",)), ("list", ("soon",))]),
        (
            [{"name": "ann", "day": "2020-01-01"}],
            [("map", frozenset({("name", "ann"), ("day", DAY)}))],
        ),
        ([{"2020-01-01": [["2020-01-01", 7]]}], [("map", frozenset({(DAY, ("list", (("list", (DAY, 7)),)))}))]),
        (["2020-01-01", ["soon"]], [DAY, ("list", ("soon",))]),
    ],
)
def test_a_column_is_temporal_where_all_of_its_text_is(cells: list[object], read: list[Cell]) -> None:
    column = [canonical(cell) for cell in cells]
    assert with_moments(column, plain_paths(column)) == read
