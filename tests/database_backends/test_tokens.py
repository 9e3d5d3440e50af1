"""Text is taken apart where the engines take it apart: nothing hides in a string or comment that is none to them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import duckdb
import psycopg
import pymysql
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from database_backends.mysql import MySQLBackend
from database_backends.tokens import LEXICONS, Kind, tokens_of
from sqlassay.errors import UserError
from tests.servers.plugin import Server

W, N, T, S, H = Kind.WORD, Kind.NAME, Kind.TEXT, Kind.SIGN, Kind.HIDDEN

TEXTS = {
    "sqlite": [
        ("a -- b\r c\n d", [(W, "a"), (W, "d")]),
        ("a /* /* */ b", [(W, "a"), (W, "b")]),
        ("a /* open", [(W, "a")]),
        ("a /*/ b */ c", [(W, "a"), (W, "c")]),
        ("4 //* x */ 2", [(S, "4"), (S, "/"), (S, "2")]),
        ("'it''s' '\\' b", [(T, "'it''s'"), (T, "'\\'"), (W, "b")]),
        ("[a\"b] `c``d` \"e\"\"f\" 'g", [(N, "[a\"b]"), (N, "`c``d`"), (N, '"e""f"'), (T, "'g")]),
        ("[a b", [(T, "[a b")]),
        ("a$x$ $y", [(W, "a$x$"), (S, "$"), (W, "y")]),
        ("\ufeffa\ufeffb", [(W, "a\ufeffb")]),
        ("x'00'", [(W, "x"), (T, "'00'")]),
    ],
    "duckdb": [
        ("a -- b\r c", [(W, "a"), (W, "c")]),
        ("a /* /* */ b */ c", [(W, "a"), (W, "c")]),
        ("a /* open", [(W, "a"), (T, "/* open")]),
        ("5 //* ' */ 2", [(S, "5"), (S, "/"), (S, "2")]),
        ("E'\\'' e'\\\\' '\\'", [(T, "E'\\''"), (T, "e'\\\\'"), (T, "'\\'")]),
        ("E'a'\n'\\' b", [(T, "E'a'"), (T, "'\\'"), (W, "b")]),
        ("$$ ' $$ $a$ $b$ $$ $a$ b", [(T, "$$ ' $$"), (T, "$a$ $b$ $$ $a$"), (W, "b")]),
        ("a$x$ b$x$", [(W, "a$x$"), (W, "b$x$")]),
        ("a\u2028$x$ b", [(W, "a\u2028$x$"), (W, "b")]),
        ("a \u00a0$x$ b $x$", [(W, "a"), (H, "\u00a0"), (T, "$x$ b $x$")]),
        ("DELETE\u00a0FROM\ufefft\u3000u", [(W, "DELETE"), (W, "FROM"), (W, "t"), (W, "u")]),
        ("`a'b` $1 #1", [(N, "`a'b`"), (S, "$"), (S, "1"), (S, "#"), (S, "1")]),
        ("{'a': [1]}", [(S, "{"), (T, "'a'"), (S, ":"), (S, "["), (S, "1"), (S, "]}")]),
        ("$a$ open", [(T, "$a$ open")]),
    ],
    "postgres": [
        ("a -- b\r c", [(W, "a"), (W, "c")]),
        ("a /* /* */ b */ c", [(W, "a"), (W, "c")]),
        ("5 #-- ' \n 2 --'", [(S, "5"), (S, "#"), (S, "2")]),
        ("'a' ||/* ' */ b /* ' */", [(T, "'a'"), (S, "||"), (W, "b")]),
        ("E'a'\n'b\\'' c", [(T, "E'a'\n'b\\''"), (W, "c")]),
        ("E'a' -- x\r -- '\n 'b\\'' c", [(T, "E'a' -- x\r -- '\n 'b\\''"), (W, "c")]),
        ("E'a' 'b\\' c", [(T, "E'a'"), (T, "'b\\'"), (W, "c")]),
        ("'a'\n'b\\' c", [(T, "'a'"), (T, "'b\\'"), (W, "c")]),
        ("aE'\\' b", [(W, "aE"), (T, "'\\'"), (W, "b")]),
        ("$é1$ ' $é1$ $1$$ ' $$", [(T, "$é1$ ' $é1$"), (S, "$"), (S, "1"), (T, "$$ ' $$")]),
        ("a\u00a0$x$ b", [(W, "a\u00a0$x$"), (W, "b")]),
        ("$A$ $a$ $A$ a", [(T, "$A$ $a$ $A$"), (W, "a")]),
        ('U&\'\\\' "U&"', [(W, "U"), (S, "&"), (T, "'\\'"), (N, '"U&"')]),
        ('u&"', [(H, 'u&"')]),
        ("1into 1_000", [(S, "1"), (W, "into"), (S, "1"), (W, "_000")]),
    ],
    "mysql": [
        ("a # b\r c\n d", [(W, "a"), (W, "d")]),
        ("1 #> ' \n a", [(S, "1"), (W, "a")]),
        ("{# \n a #}", [(S, "{"), (W, "a")]),
        ("1 --2 -- 3\n a --", [(S, "1"), (S, "-"), (S, "-"), (S, "2"), (W, "a")]),
        ("--\x01 a\n b", [(W, "b")]),
        ("'\\'' \"\\\"\" '''' `a``'` b", [(T, "'\\''"), (T, '"\\""'), (T, "''''"), (N, "`a``'`"), (W, "b")]),
        ("a /* /* */ b", [(W, "a"), (W, "b")]),
        ("/*! a */", [(H, "/*!"), (W, "a"), (S, "*"), (S, "/")]),
        ("/*M! a", [(H, "/*M!"), (W, "a")]),
        ("/*+ NO_BNL() */ a /*+ x Set_Var(y) */", [(W, "a"), (H, "/*+"), (W, "x"), (W, "Set_Var"), (S, "("), (W, "y"),
                                                   (S, ")"), (S, "*"), (S, "/")]),
        ("2a 12 $$ 1ea 0x1a", [(W, "2a"), (S, "12"), (W, "$$"), (W, "1ea"), (W, "0x1a")]),
        ("1e5a .5a 1.a >.5e-1a", [(S, "1e5"), (W, "a"), (S, ".5"), (W, "a"), (S, "1."), (W, "a"), (S, ">"),
                                  (S, ".5e-1"), (W, "a")]),
    ],
    "trino": [
        ("a -- b\r c", [(W, "a"), (W, "c")]),
        ("a /* /* */ b", [(W, "a"), (W, "b")]),
        ("'\\' U&'a''b' \"a\"\"b\" `c`", [(T, "'\\'"), (W, "U"), (S, "&"), (T, "'a''b'"), (N, '"a""b"'), (N, "`c`")]),
        ("$x$ a", [(S, "$"), (W, "x$"), (W, "a")]),
    ],
    "snowflake": [
        ("a -- b\n 'it''s' \"N\" (1)", [(W, "a"), (T, "'it''s'"), (N, '"N"'), (S, "("), (S, "1"), (S, ")")]),
        ("a 'open", [(T, "a 'open")]),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("dialect", "sql", "tokens"), [(dialect, *case) for dialect, cases in TEXTS.items() for case in cases]
)
def test_a_text_and_its_tokens(dialect: str, sql: str, tokens: list[tuple[Kind, str]]) -> None:
    found = tokens_of(sql, dialect)
    assert [(token.kind, token.text) for token in found] == tokens
    assert all(sql[: token.end].endswith(token.text) for token in found)


def test_a_dialect_that_nobody_knows_is_named() -> None:
    with pytest.raises(UserError, match="its dialect is 'klingon', which sqlglot does not know"):
        tokens_of("SELECT 1", "klingon")


@pytest.mark.parametrize(
    ("text", "name"), [("a", "a"), ('"a""b"', 'a"b'), ("`a``b`", "a`b"), ("[a b]", "a b"), ("'a'", ""), ("1", "")]
)
def test_a_name_is_told_without_its_quotes(text: str, name: str) -> None:
    (token,) = tokens_of(text, "sqlite")
    assert token.name == name
    assert token.word == (name.upper() if text == name else "")


@given(sql=st.text(), dialect=st.sampled_from(list(LEXICONS)))
def test_any_text_has_tokens(sql: str, dialect: str) -> None:
    found = tokens_of(sql, dialect)
    ends = [token.end for token in found]
    assert ends == sorted(ends)
    assert all(sql[token.end - len(token.text) : token.end] == token.text for token in found)


PIECES = [
    *[
        "'",
        "''",
        "'a'",
        '"',
        '"a"',
        "`",
        "[",
        "]",
        "\\",
        "\\'",
        "E'",
        "e'a'",
        "U&'",
        "x'00'",
        "N'",
        "a",
        "é",
        "1",
        "1e",
        ".5",
        "1.",
    ],
    *["$", "$$", "$a$", "$1", "a$a$", "_$a$", "é$a$", "--", "/*", "*/", "/**/", "/*'*/", "#", "#-", "||", "||/", "|/"],
    *["//", "+", "-", "*", "/", "->", "@", "%", "^", ",", "AS", " ", "\n", "\r", "\t", "\f", "\v", "\ufeff", "\u00a0"],
    *["\u2028", "{", "}", "(", ")", ":", "::", "text", "OR", "b"],
]
MARK = ", 4711 AS mark "
HIDING = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)

Columns = Callable[[str], list[str]]
"""The names of the columns that an engine gives for a statement; empty where it refuses it."""


def _sqlite() -> Iterator[Columns]:
    with closing(sqlite3.connect(":memory:")) as connection:

        def columns(sql: str) -> list[str]:
            try:
                return [name for name, *_ in connection.execute(sql).description or ()]
            except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError):
                return []

        yield columns


def _duckdb() -> Iterator[Columns]:
    with duckdb.connect() as connection:

        def columns(sql: str) -> list[str]:
            try:
                return [name for name, *_ in connection.execute(sql).description or ()]
            except (duckdb.Error, ValueError):
                return []

        yield columns


def _postgres(server: Server) -> Iterator[Columns]:
    with psycopg.connect(server.reader, autocommit=True) as connection:

        def columns(sql: str) -> list[str]:
            result = connection.pgconn.exec_params(sql.encode(), None)
            return [(result.fname(place) or b"").decode() for place in range(result.nfields)]

        yield columns


def _mysql(server: Server) -> Iterator[Columns]:
    with closing(MySQLBackend(server.reader).connect()) as session:

        def columns(sql: str) -> list[str]:
            try:
                session.query(sql)
            except pymysql.Error:
                return []
            return [name for name, *_ in session._result.description or [("INTO",)]]

        yield columns


@pytest.fixture(scope="module")
def sqlite_columns() -> Iterator[Columns]:
    yield from _sqlite()


@pytest.fixture(scope="module")
def duckdb_columns() -> Iterator[Columns]:
    yield from _duckdb()


@pytest.fixture(scope="module")
def postgres_columns(postgres_server: Server) -> Iterator[Columns]:
    yield from _postgres(postgres_server)


@pytest.fixture(scope="module")
def mysql_columns(mysql_server: Server) -> Iterator[Columns]:
    yield from _mysql(mysql_server)


def assert_agree(columns: list[str], sql: str, dialect: str) -> None:
    """What the engine executes, we see; what is text or comment to it, we do not."""
    if columns:
        tokens = tokens_of(sql, dialect)
        seen = any(token.word == "MARK" for token in tokens)
        assert seen == ("mark" in columns) or any(token.kind is Kind.HIDDEN for token in tokens), sql


def hide_and_seek(test: Callable[..., None]) -> Callable[..., None]:
    """Statements around a mark that quotes and comments may swallow, or not."""
    known = [
        ("||/*'*/'a'", "/*'*/"),
        ("#--'\n2", "--'"),
        ("//*'*/2", "/*'*/"),
        ("-- \r", "--"),
        (" AS a$a$", " AS b$a$"),
        (" AS é\u00a0$a$", " AS b$a$"),
        (",E'a'\n'b\\''", ",''"),
        (",'\\'", ",'\\'"),
        ("/* /* */", " */"),
    ]
    for before, after in known:
        test = example(before=before, after=after)(test)
    test = given(before=HIDING, after=HIDING)(test)
    return settings(
        max_examples=1500,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )(test)


@hide_and_seek
def test_nothing_hides_from_us_in_sqlite(sqlite_columns: Columns, before: str, after: str) -> None:
    sql = f"SELECT 1{before}{MARK}{after}"
    assert_agree(sqlite_columns(sql), sql, "sqlite")


@hide_and_seek
def test_nothing_hides_from_us_in_duckdb(duckdb_columns: Columns, before: str, after: str) -> None:
    sql = f"SELECT 1{before}{MARK}{after}"
    assert_agree(duckdb_columns(sql), sql, "duckdb")


@hide_and_seek
def test_nothing_hides_from_us_in_postgres(postgres_columns: Columns, before: str, after: str) -> None:
    sql = f"SELECT 1{before}{MARK}{after}"
    assert_agree(postgres_columns(sql), sql, "postgres")


@hide_and_seek
def test_nothing_hides_from_us_in_mysql(mysql_columns: Columns, before: str, after: str) -> None:
    sql = f"SELECT 1{before}{MARK}{after}"
    assert_agree(mysql_columns(sql), sql, "mysql")


@hide_and_seek
def test_no_place_to_write_to_hides_from_us_in_mysql(mysql_columns: Columns, before: str, after: str) -> None:
    sql = f"SELECT 1{before}INTO @mark{after}"
    if mysql_columns(sql) == ["INTO"]:
        tokens = tokens_of(sql, "mysql")
        assert any(token.word == "INTO" or token.kind is Kind.HIDDEN for token in tokens), sql
