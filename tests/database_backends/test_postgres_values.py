from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.adapt import Transformer
from psycopg.pq import Format

from database_backends.postgres_values import ADAPTERS, Adapters, or_text

INTERVAL = psycopg.adapters.types["interval"].oid


def loaded(text: str, adapters: Adapters | None = None) -> object:
    return Transformer(adapters or Adapters(ADAPTERS)).get_loader(INTERVAL, Format.TEXT).load(text.encode())


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("00:00:00", timedelta(0)),
        ("1 mon", timedelta(30)),
        ("1 year", timedelta(360)),
        ("-2 years -3 mons", timedelta(-810)),
        ("1 year 2 mons 3 days 04:05:06.789", timedelta(423, 6, 789_000, 0, 5, 4)),
        ("-1 years +2 mons -3 days +04:05:06", timedelta(-303, 6, 0, 0, 5, 4)),
        ("-1 days +02:03:00", timedelta(-1, hours=2, minutes=3)),
        ("1 day -00:00:01.5", timedelta(1, -1, -500_000)),
        ("-00:00:00.000001", timedelta(microseconds=-1)),
        ("2562047788:00:54.775807", timedelta(0, 54, 775_807, hours=2562047788)),
    ],
)
def test_a_month_has_thirty_days(text: str, length: timedelta) -> None:
    assert loaded(text) == length


@pytest.mark.parametrize("text", ["infinity", "-infinity", "178000000 years", "-99999999 years"])
def test_a_length_that_python_has_no_value_for_is_text(text: str) -> None:
    with pytest.raises(psycopg.DataError):
        loaded(text)
    assert loaded(text, or_text()) == text


@given(length=st.timedeltas(timedelta(days=-(10**6)), timedelta(days=10**6)))
def test_days_and_times_are_exact(length: timedelta) -> None:
    days, rest = divmod(abs(length), timedelta(1))
    sign = "-" if length < timedelta(0) else "+"
    hours, rest = divmod(rest, timedelta(hours=1))
    minutes, rest = divmod(rest, timedelta(minutes=1))
    clock = f"{hours:02}:{minutes:02}:{rest.seconds:02}.{rest.microseconds:06}"
    assert loaded(f"{sign}{days} days {sign}{clock}") == length
