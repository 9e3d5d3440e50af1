"""The first wall for statements that are not plain: how many are there, and how does each begin?

The guard reads sqlglot's tokens, not its tree. Tokens are linear in the length of the text, whatever the text is,
whereas building the tree of hostile text can take for ever (`FROM t JOIN t JOIN t …` is exponential) or overflow the
C stack (deeply nested subqueries). And the guard need not know whether a statement is valid: the engine's own
parser says that. It only has to know how many statements there are, how each begins, and whether a writing verb
stands where a statement may begin.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from functools import cache

from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from database_backends import forbidden
from database_backends.errors import FailureKind, StatementRefused

MAX_CHARACTERS = 1_000_000
"""Longer text is refused unread."""

_QUERY_VERBS = frozenset({"SELECT", "WITH", "VALUES"})
_QUERY_VERBS_OF = {
    "duckdb": frozenset({"FROM", "TABLE", "PIVOT", "PIVOT_LONGER", "PIVOT_WIDER", "UNPIVOT"}),
    "mysql": frozenset({"TABLE"}),
    "postgres": frozenset({"TABLE"}),
    "trino": frozenset({"TABLE"}),
}
_WRITE_VERBS = frozenset(
    [
        "ALTER",
        "ANALYZE",
        "ATTACH",
        "CHECKPOINT",
        "COMMENT",
        "COPY",
        "CREATE",
        "DELETE",
        "DETACH",
        "DROP",
        "EXPORT",
        "FORCE",
        "GRANT",
        "IMPORT",
        "INSERT",
        "INSTALL",
        "LOAD",
        "MERGE",
        "OPTIMIZE",
        "REFRESH",
        "REINDEX",
        "RENAME",
        "REPLACE",
        "REVOKE",
        "TRUNCATE",
        "UNINSTALL",
        "UPDATE",
        "UPSERT",
        "VACUUM",
    ]
)
_EMBEDDED_WRITE_VERBS = frozenset({"DELETE", "INSERT", "MERGE", "REPLACE", "UPDATE"})
"""The verbs with which a statement inside a statement writes: the body of a CTE, or what follows the CTEs."""

_BEFORE_CTE = frozenset({"AS", "MATERIALIZED"})
_BEFORE_LAST_NAME = frozenset({"SET", "USING"})

_PRAGMA_READERS = frozenset(
    [
        "COLLATION_LIST",
        "COMPILE_OPTIONS",
        "DATABASE_LIST",
        "DATABASE_SIZE",
        "FOREIGN_KEY_CHECK",
        "FOREIGN_KEY_LIST",
        "FUNCTION_LIST",
        "INDEX_INFO",
        "INDEX_LIST",
        "INDEX_XINFO",
        "INTEGRITY_CHECK",
        "MODULE_LIST",
        "PRAGMA_LIST",
        "QUICK_CHECK",
        "SHOW",
        "STORAGE_INFO",
        "TABLE_INFO",
        "TABLE_LIST",
        "TABLE_XINFO",
    ]
)
_PRAGMA_WRITERS = frozenset({"INCREMENTAL_VACUUM", "OPTIMIZE", "WAL_CHECKPOINT"})

_LEGAL_ENDS = {"sqlite": ("", "*/")}
"""What the text may lack at its end: SQLite lets a comment stay open."""

_MAY_WRITE = re.compile(rf"\b(?:INTO|{'|'.join(_EMBEDDED_WRITE_VERBS)})\b", re.IGNORECASE)
_LOOKS_LIKE_WRITE = re.compile(rf"\bINTO\b|[()/]\s*(?:{'|'.join(_EMBEDDED_WRITE_VERBS)})\s*[\w\"`\[/-]", re.IGNORECASE)
_QUOTED = frozenset({TokenType.IDENTIFIER, *(kind for kind in TokenType if kind.name.endswith("STRING"))})
_WORD = re.compile(r"\w+")
_BLANK = re.compile(r"(?:\s|\ufeff|--[^\n]*|/\*.*?\*/|\()*", re.DOTALL)
_BYTE_ORDER_MARK = "\ufeff"


def check(sql: str, dialect: str) -> str:
    """Refuse what is not one query.

    Args:
        sql: Any text.
        dialect: The sqlglot dialect in which to read it.

    Returns:
        The statement, without the semicolons and comments after it: drivers count those as a second statement.

    Raises:
        StatementRefused: `no_sql`, `multiple_statements`, `write_attempt`, `not_a_query`, or `permission` for a
            function that does more than compute. A query that is merely
            broken is let through; the engine says what is wrong with it.
    """
    if len(sql) > MAX_CHARACTERS:
        raise StatementRefused(
            FailureKind.NOT_A_QUERY, f"the text has {len(sql):,} characters; at most {MAX_CHARACTERS:,} are read"
        )
    if forbidden.is_hidden(sql, dialect):
        raise StatementRefused(FailureKind.PERMISSION, "a part of it is written so that only the engine can read it")
    tokens = _tokens(sql, dialect)
    if tokens is None:
        _check_unreadable(sql, dialect)
        return sql
    statement = _only_statement(tokens)
    _check_verb(statement, dialect)
    if _MAY_WRITE.search(sql):
        _check_embedded_writes(statement, dialect)
    _check_calls(statement, dialect)
    return sql[: statement[-1].end + 1]


def _tokens(sql: str, dialect: str) -> list[Token] | None:
    """The tokens, or None where sqlglot cannot tell them apart, say for an open quote."""
    for end in _LEGAL_ENDS.get(dialect, ("",)):
        with suppress(SqlglotError, ValueError, RecursionError):
            return _dialect(dialect).tokenize(sql + end)
    return None


@cache
def _dialect(name: str) -> Dialect:
    return Dialect.get_or_raise(name)


def _only_statement(tokens: Sequence[Token]) -> list[Token]:
    statements: list[list[Token]] = []
    after_semicolon = True
    for token in tokens:
        if token.token_type is TokenType.SEMICOLON:
            after_semicolon = True
        elif token.text != _BYTE_ORDER_MARK:
            if after_semicolon:
                statements.append([])
                after_semicolon = False
            statements[-1].append(token)
    if not statements:
        raise StatementRefused(FailureKind.NO_SQL, "there is no statement, only white space, comments or semicolons")
    if len(statements) > 1 and _word(statements[0][0]) != "CREATE":  # a trigger's body has semicolons of its own
        raise StatementRefused(
            FailureKind.MULTIPLE_STATEMENTS, f"{len(statements)} statements where one query is expected"
        )
    return statements[0]


def _check_verb(statement: Sequence[Token], dialect: str) -> None:
    start = next((i for i, token in enumerate(statement) if token.token_type is not TokenType.L_PAREN), 0)
    verb = _word(statement[start]).lstrip(_BYTE_ORDER_MARK)
    if verb in _query_verbs(dialect):
        return
    if verb in _WRITE_VERBS or (verb == "PRAGMA" and _pragma_writes(statement)):
        raise StatementRefused(FailureKind.WRITE_ATTEMPT, f"{verb} is not allowed: the database is only read")
    shown = verb or statement[start].text[:40]
    raise StatementRefused(FailureKind.NOT_A_QUERY, f"{shown!r} does not begin a query")


def _check_embedded_writes(statement: Sequence[Token], dialect: str) -> None:
    after_ctes = _ends_of_ctes(statement)
    for place, token in enumerate(statement[1:], start=1):
        word, after = _word(token), statement[min(place + 1, len(statement) - 1)]
        if word == "INTO":
            # DuckDB's UNPIVOT … INTO NAME n VALUE v names columns; any other INTO names a place to write to.
            if dialect == "duckdb" and _word(after) == "NAME":
                continue
        elif not (
            word in _EMBEDDED_WRITE_VERBS
            and (statement[place - 1].token_type is TokenType.L_PAREN or place - 1 in after_ctes)
            and (_word(after) or after.token_type in _QUOTED)
        ):
            continue
        raise StatementRefused(FailureKind.WRITE_ATTEMPT, f"{word} is not allowed: the database is only read")


def _ends_of_ctes(statement: Sequence[Token]) -> set[int]:
    """Where a list of CTEs may end, so that the next word is the verb of the statement.

    That is after what stands in parentheses behind AS or MATERIALIZED; elsewhere a word after a parenthesis is a name:
    `SELECT (a) replace`. Parentheses around the beginning, and those that nothing opened, may be anything. PostgreSQL
    also lets a CTE end in `SEARCH … SET name` or `CYCLE … USING name`.
    """
    ends = set[int]()
    opened: list[bool] = []
    start = next((i for i, token in enumerate(statement) if token.token_type is not TokenType.L_PAREN), 0)
    for place, token in enumerate(statement):
        before = _word(statement[place - 1]) if place else ""
        if token.token_type is TokenType.L_PAREN:
            opened.append(place < start or before in _BEFORE_CTE)
        elif token.token_type is TokenType.R_PAREN:
            if not opened or opened.pop():
                ends.add(place)
        elif before in _BEFORE_LAST_NAME:
            ends.add(place)
    return ends


def _check_calls(statement: Sequence[Token], dialect: str) -> None:
    for token, after in zip(statement, statement[1:], strict=False):
        if after.token_type is TokenType.L_PAREN and forbidden.is_forbidden(token.text, dialect):
            raise StatementRefused(FailureKind.PERMISSION, f"{token.text} is not allowed: it does more than compute")


def _pragma_writes(statement: Sequence[Token]) -> bool:
    kinds = {token.token_type for token in statement}
    words = {_word(token) for token in statement}
    if TokenType.EQ in kinds or words & _PRAGMA_WRITERS:
        return True
    return TokenType.L_PAREN in kinds and not words & _PRAGMA_READERS


def _check_unreadable(sql: str, dialect: str) -> None:
    """Let text through that has no tokens if it can only be one broken query."""
    start = _BLANK.match(sql)
    verb = _WORD.match(sql, start.end() if start else 0)
    if verb is None or verb.group().upper() not in _query_verbs(dialect):
        raise StatementRefused(FailureKind.NOT_A_QUERY, "the text does not begin a query and cannot be read")
    if ";" in sql.rstrip("; \t\r\n"):
        raise StatementRefused(FailureKind.MULTIPLE_STATEMENTS, "the text has a semicolon inside and cannot be read")
    if _LOOKS_LIKE_WRITE.search(sql):
        raise StatementRefused(FailureKind.WRITE_ATTEMPT, "the text may write and cannot be read")
    if forbidden.is_mentioned(sql, dialect):
        raise StatementRefused(FailureKind.PERMISSION, "the text may do more than compute and cannot be read")


def _query_verbs(dialect: str) -> frozenset[str]:
    return _QUERY_VERBS | _QUERY_VERBS_OF.get(dialect, frozenset())


def _word(token: Token) -> str:
    """The token as an upper-case word; empty for quoted text and punctuation."""
    if token.token_type in _QUOTED:
        return ""
    text = token.text
    return text.upper() if text[:1].isalpha() or text[:1] in ("_", _BYTE_ORDER_MARK) else ""
