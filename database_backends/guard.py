"""The first wall: is this exactly one statement, and is it a query?

Most statements are plain: one SELECT without semicolons, comments or a word that could write. Those are let through
at a glance; all others are read token by token in `token_guard`.
"""

from __future__ import annotations

import re

from database_backends import forbidden, token_guard

_PLAIN = re.compile(r"[ \t\r\n]*SELECT\b(?:[^;/#\0-]++|-(?!-)|/(?!\*))*+", re.IGNORECASE | re.ASCII)
_END = " \t\r\n;"
_WRITING = ("INTO", "COPY", "DELETE", "INSERT", "MERGE", "REPLACE", "TRUNCATE", "UPDATE", "LOCK", "SHARE")
# What stands before a word is looked at last: most places are then ruled out by one comparison.
_MAY_WRITE = re.compile(f"(?:{'|'.join(f'{word}(?<![A-Z_]{word})' for word in _WRITING)})(?![A-Z0-9_])")
_GLANCE = 20_000
"""Characters up to which a statement may be called plain."""


def check(sql: str, dialect: str) -> str:
    """Refuse what is not one query.

    Args:
        sql: Any text.
        dialect: The sqlglot dialect in which to read it.

    Returns:
        The statement, without the semicolons and comments after it: drivers count those as a second statement.

    Raises:
        StatementRefused: `no_sql`, `multiple_statements`, `write_attempt`, `not_a_query`, or `permission` for a
            function that does more than compute and a table that holds secrets. A query that is merely broken is let
            through; the engine says what is wrong with it.
    """
    statement = sql.rstrip(_END)
    if is_plain(statement) and not forbidden.is_mentioned(statement, dialect):
        return statement
    return token_guard.check(sql, dialect)


def is_plain(statement: str) -> bool:
    """Whether a text can only be one query, in every dialect: it has no place where a second one could begin."""
    return (
        len(statement) <= _GLANCE
        and _PLAIN.fullmatch(statement) is not None
        and _MAY_WRITE.search(statement.upper()) is None
    )
