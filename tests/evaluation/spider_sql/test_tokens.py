from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.spider_sql.errors import NotParsed
from evaluation.spider_sql.tokens import tokenize

TOKENS = {
    "lower case": ("SELECT Name", "select name"),
    "brackets stand alone": ("count(*)", "count ( * )"),
    "stars stand alone": ("t1.*", "t1. *"),
    "commas": ("a,b , c", "a , b , c"),
    "a comma before a digit does not part": ("1,2", "1,2"),
    "operators of two signs": ("a >= 1 ! = 2 <= 3 != 4", "a >= 1 != 2 <= 3 != 4"),
    "signs that touch": ("a>=b", "a > =b"),
    "no such operator": ("a <> 1", "a < > 1"),
    "equals does not part": ("a=1", "a=1"),
    "arithmetic does not part": ("a+b a/b a-b", "a+b a/b a-b"),
    "semicolon": ("a;", "a ;"),
    "comment": ("a--b", "a -- b"),
    "backticks": ("`a`", "` a `"),
    "dots": ("a..b ... c", "a .. b ... c"),
    "full stop at the end": ("a . b.c.", "a . b.c ."),
    "full stop in brackets at the end": ("(a.)", "( a . )"),
    "NUL": ("a\0b", "a\ufffdb"),
    "nothing": ("", ""),
    "spaces": (" \n\t ", ""),
}


@pytest.mark.parametrize(("sql", "tokens"), TOKENS.values(), ids=TOKENS)
def test_tokens(sql: str, tokens: str) -> None:
    assert tokenize(sql) == tokens.split()


def test_quoted_text_is_one_token_in_its_own_case() -> None:
    assert tokenize("a = 'New York' and b = \"x, (y)\"") == ["a", "=", '"New York"', "and", "b", "=", '"x, (y)"']
    assert tokenize("('')") == ["(", '""', ")"]


def test_quotes_pair_whatever_their_kind() -> None:
    assert tokenize("'a\" b 'c\"") == ['"a"', "b", '"c"']


def test_quoted_text_that_touches_a_word_means_nothing() -> None:
    (token,) = tokenize("name='x'")
    assert token.startswith("name=")
    assert '"' not in token


def test_an_open_quote_is_no_sql() -> None:
    with pytest.raises(NotParsed, match="a quote is left open"):
        tokenize("SELECT 'it's'")


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    sql = text + "'" * ((text.count("'") + text.count('"')) % 2)
    assert all(tokenize(sql))
