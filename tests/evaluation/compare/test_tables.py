"""Recall and precision of tables: micro, macro, and what is left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.compare.answers import Told
from evaluation.compare.tables import Share, TableUse, table_use
from evaluation.verdicts import Reason


def told(sql: str | None, *golds: str) -> Told:
    """Statements here are the names of their tables; `?` is one that cannot be read."""
    return Told(0, "", "db", Reason.MATCH, sql, golds)


def tables(sql: str) -> frozenset[str] | None:
    return None if sql == "?" else frozenset(sql.split())


def use(*answers: Told) -> TableUse:
    return table_use(answers, tables)


def test_micro_counts_tables_and_macro_counts_answers() -> None:
    # 1 of 1 and 1 of 3; then 2 of 4 and 2 of 2
    found = use(told("a", "a b c"), told("a b c d", "a b"))
    assert found.micro == Share(3 / 5, 3 / 5)
    assert found.macro == Share((1 + 0.5) / 2, (1 / 3 + 1) / 2)
    assert found.answers == 2


def test_of_several_golds_the_nearest_counts() -> None:
    found = use(told("a b", "c", "a b", "a b c"))
    assert found.micro == found.macro == Share(1, 1)


def test_who_names_no_table_names_no_wrong_one() -> None:
    assert use(told("", "a")).micro == Share(1, 0)


def test_what_is_left_out_is_counted() -> None:
    found = use(told(None, "a"), told("?", "a"), told("a", "?"), told("a"), told("a", ""), told("a", "?", "a"))
    assert found == TableUse(1, Share(1, 1), Share(1, 1), without_sql=1, unread=1, without_gold=3)
    assert use(told(None, "a")).to_json() == {
        "answers": 0,
        "micro": None,
        "macro": None,
        "without_sql": 1,
        "unread": 0,
        "without_gold": 0,
    }


NAMES = st.lists(st.sampled_from("abcd"), unique=True).map(" ".join)


@given(st.lists(st.tuples(st.none() | st.just("?") | NAMES, st.just("?") | NAMES), min_size=1))
def test_every_answer_is_counted_once_and_shares_are_shares(answers: list[tuple[str | None, str]]) -> None:
    found = use(*(told(sql, gold) for sql, gold in answers))
    assert found.answers + found.without_sql + found.unread + found.without_gold == len(answers)
    for share in (found.micro, found.macro):
        assert (share is None) == (found.answers == 0)
        assert share is None or all(0 <= part <= 1 for part in share)


@given(st.lists(NAMES.filter(bool), min_size=1))
def test_the_gold_itself_is_perfect(golds: list[str]) -> None:
    found = use(*(told(gold, gold) for gold in golds))
    assert found.micro == pytest.approx(Share(1, 1))
    assert found.macro == pytest.approx(Share(1, 1))
