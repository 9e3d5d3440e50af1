"""What Spider's script does to the text of a statement. Expectations are what sqlparse 0.6.1 makes of each text."""

from __future__ import annotations

from typing import Literal

import pytest

from evaluation.conventions.spider_text import executed_text, remove_distinct


@pytest.mark.parametrize(
    ("sql", "left"),
    [
        ("SELECT a FROM t", "SELECT a FROM t"),
        ("SELECT DISTINCT a", "SELECT  a"),
        ("select Distinct(a)", "select (a)"),
        ("SELECT COUNT(DISTINCT a)", "SELECT COUNT( a)"),
        ("a IS NOT DISTINCT FROM b", "a IS NOT  FROM b"),
        ("SELECT t.distinct", "SELECT t."),
        ("SELECT distinct_x, x_distinct, distinct1", "SELECT distinct_x, x_distinct, distinct1"),
        ("WHERE a = 'distinct'", "WHERE a = 'distinct'"),
        ("WHERE a = 'it''s distinct'", "WHERE a = 'it''s distinct'"),
        ("WHERE a = 'a\\' distinct '", "WHERE a = 'a\\' distinct '"),
        ('SELECT "distinct", `distinct`, [distinct]', 'SELECT "distinct", `distinct`, [distinct]'),
        ("SELECT a -- distinct\n, distinct b", "SELECT a -- distinct\n,  b"),
        ("SELECT /* distinct */ distinct b", "SELECT /* distinct */  b"),
        ("SELECT /* distinct", "SELECT /* "),
        ("SELECT :distinct, @distinct, #distinct", "SELECT :distinct, @distinct, #distinct"),
        # of several statements the first is left
        ("SELECT 1; SELECT distinct 2", "SELECT 1;"),
        ("SELECT distinct 1; SELECT 2", "SELECT  1;"),
        ("SELECT ';'; SELECT 2", "SELECT ';';"),
        ("SELECT (1; 2)", "SELECT (1; 2)"),
        ("SELECT 1; \n", "SELECT 1; \n"),
        (";", ";"),
        ("", ""),
        ("'distinct", "'"),
    ],
)
def test_distinct_is_removed_outside_literals(sql: str, left: str) -> None:
    assert remove_distinct(sql) == left


@pytest.mark.parametrize(
    ("sql", "side", "text"),
    [
        # also inside names and literals, and only in lower case
        (
            "SELECT value, values_, Value FROM t WHERE a = 'value'",
            "predicted",
            "SELECT 1, 1s_, Value FROM t WHERE a = '1'",
        ),
        ("SELECT value FROM t", "gold", "SELECT value FROM t"),
        ("a > = 1 AND b < = 2 AND c ! = 3 AND d >  = 4", "gold", "a >= 1 AND b <= 2 AND c != 3 AND d >  = 4"),
        ("a = '> ='", "gold", "a = '>='"),
        # the space after it goes too
        ("YEAR(CURDATE()) - 1", "gold", "2020- 1"),
        ("year ( curdate( ) )", "predicted", "2020"),
    ],
)
def test_other_changes(sql: str, side: Literal["gold", "predicted"], text: str) -> None:
    assert executed_text(sql, side, keep_distinct=True) == text
