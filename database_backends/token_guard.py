"""The first wall for statements that are not plain: how many are there, and how does each begin?

The guard reads tokens, not a tree. Tokens are linear in the length of the text, whatever the text is, whereas building
the tree of hostile text can take for ever (in sqlglot, `FROM t JOIN t JOIN t …` is exponential) or overflow the C stack
(deeply nested subqueries). And the guard need not know whether a statement is valid: the engine's own parser says that.
It only has to know how many statements there are, how each begins, and whether a writing verb stands where a statement
may begin.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from database_backends import forbidden
from database_backends.errors import FailureKind, StatementRefused
from database_backends.tokens import Kind, Token, tokens_of

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
        "DENY",
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

_LOCKS = re.compile(r"\bFOR (?:UPDATE|SHARE|NO KEY UPDATE|KEY SHARE)\b|\bLOCK IN SHARE MODE\b")
_LOCKING_DIALECTS = frozenset({"mysql", "postgres"})

_SEQUENCE_WRITERS = frozenset({"NEXTVAL", "SETVAL"})
_SEQUENCE_DIALECTS = frozenset({"duckdb", "postgres"})

_BEFORE_CTE = frozenset({"AS", "MATERIALIZED"})
_BEFORE_LAST_NAME = frozenset({"SET", "USING"})

_BEFORE_TABLE = frozenset(
    {"FROM", "JOIN", "LATERAL", "TABLE", "PIVOT", "PIVOT_LONGER", "PIVOT_WIDER", "UNPIVOT"}
    | {"DESC", "DESCRIBE", "SHOW", "SUMMARIZE"}
)
_AFTER_TABLES = frozenset({"SELECT", "WHERE", "GROUP", "HAVING", "WINDOW", "QUALIFY", "ORDER", "LIMIT", "OFFSET"})
"""Reserved, so that no table can be called so; behind a dot even these are names."""
_BEFORE_VALUES = frozenset({"(", "UNION", "INTERSECT", "EXCEPT", "ALL", "DISTINCT"})

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

_MAY_WRITE = re.compile(rf"(?:\b|(?<=[0-9]))(?:INTO|{'|'.join(sorted(_WRITE_VERBS))})\b", re.IGNORECASE)
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
            function that does more than compute and a table that holds secrets. A query that is merely broken is let
            through; the engine says what is wrong with it.
    """
    if len(sql) > MAX_CHARACTERS:
        raise StatementRefused(
            FailureKind.NOT_A_QUERY, f"the text has {len(sql):,} characters; at most {MAX_CHARACTERS:,} are read"
        )
    statement = _only_statement(tokens_of(sql, dialect))
    _check_verb(statement, dialect)
    if _MAY_WRITE.search(sql):
        _check_embedded_writes(statement, dialect)
    if dialect in _LOCKING_DIALECTS:
        _check_locks(statement)
    if dialect == "trino":
        _check_session_properties(statement)
    _check_names(statement, dialect)
    if dialect == "duckdb":
        _check_files(statement, dialect)
    return sql[: statement[-1].end]


def _only_statement(tokens: Sequence[Token]) -> list[Token]:
    statements: list[list[Token]] = []
    after_semicolon = True
    for token in tokens:
        if token.text[0] == ";":
            after_semicolon = True
        elif token.text != _BYTE_ORDER_MARK:
            if after_semicolon:
                statements.append([])
                after_semicolon = False
            statements[-1].append(token)
    if not statements:
        raise StatementRefused(FailureKind.NO_SQL, "there is no statement, only white space, comments or semicolons")
    if len(statements) > 1 and statements[0][0].word != "CREATE":  # a trigger's body has semicolons of its own
        raise StatementRefused(
            FailureKind.MULTIPLE_STATEMENTS, f"{len(statements)} statements where one query is expected"
        )
    return statements[0]


def _check_verb(statement: Sequence[Token], dialect: str) -> None:
    start = next((i for i, token in enumerate(statement) if token.text != "("), 0)
    verb = statement[start].word.lstrip(_BYTE_ORDER_MARK)
    if verb in _query_verbs(dialect):
        return
    if verb in _WRITE_VERBS or (verb == "PRAGMA" and _pragma_writes(statement)):
        raise StatementRefused(FailureKind.WRITE_ATTEMPT, f"{verb} is not allowed: the database is only read")
    shown = verb or statement[start].text[:40]
    raise StatementRefused(FailureKind.NOT_A_QUERY, f"{shown!r} does not begin a query")


def _check_embedded_writes(statement: Sequence[Token], dialect: str) -> None:
    after_ctes = _ends_of_ctes(statement)
    for place, token in enumerate(statement[1:], start=1):
        word, after = token.word, statement[min(place + 1, len(statement) - 1)]
        if word == "INTO":
            # DuckDB's UNPIVOT … INTO NAME n VALUE v names columns; any other INTO names a place to write to.
            if dialect == "duckdb" and after.word == "NAME":
                continue
        elif not (
            (word in _WRITE_VERBS and dialect == "duckdb" and _begins_cte(statement, place))
            or (
                word in _EMBEDDED_WRITE_VERBS
                and (statement[place - 1].text == "(" or place - 1 in after_ctes)
                and after.kind is not Kind.SIGN  # or it is a function: REPLACE(…)
            )
        ):
            continue
        raise StatementRefused(FailureKind.WRITE_ATTEMPT, f"{word} is not allowed: the database is only read")


def _begins_cte(statement: Sequence[Token], place: int) -> bool:
    """Whether a word is the first of a CTE. DuckDB lets it be any verb that it comes to know: COPY, TRUNCATE."""
    return place > 1 and statement[place - 1].text == "(" and statement[place - 2].word in _BEFORE_CTE


def _ends_of_ctes(statement: Sequence[Token]) -> set[int]:
    """Where a list of CTEs may end, so that the next word is the verb of the statement.

    That is after what stands in parentheses behind AS or MATERIALIZED; elsewhere a word after a parenthesis is a name:
    `SELECT (a) replace`. Parentheses around the beginning, and those that nothing opened, may be anything. PostgreSQL
    also lets a CTE end in `SEARCH … SET name` or `CYCLE … USING name`.
    """
    ends = set[int]()
    opened: list[bool] = []
    start = next((i for i, token in enumerate(statement) if token.text != "("), 0)
    for place, token in enumerate(statement):
        before = statement[place - 1].word if place else ""
        if token.text == "(":
            opened.append(place < start or before in _BEFORE_CTE)
        elif token.text == ")":
            if not opened or opened.pop():
                ends.add(place)
        elif before in _BEFORE_LAST_NAME:
            ends.add(place)
    return ends


def _check_locks(statement: Sequence[Token]) -> None:
    found = _LOCKS.search(" ".join(token.word for token in statement))
    if found is not None:
        raise StatementRefused(FailureKind.WRITE_ATTEMPT, f"{found.group()} is not allowed: no row is locked")


def _check_session_properties(statement: Sequence[Token]) -> None:
    """Trino lets a query set its own limits: `WITH SESSION name = value SELECT …`; a CTE may have the same name."""
    for place, token in enumerate(statement[:-3]):
        first, second, third = statement[place + 1 : place + 4]
        if token.word == "WITH" and first.word == "SESSION" and second.name and third.text in ("=", "."):
            raise StatementRefused(FailureKind.NOT_A_QUERY, "WITH SESSION is not allowed: it changes the session")


def _check_names(statement: Sequence[Token], dialect: str) -> None:
    following = [*(token.text for token in statement[1:]), ""]
    for token, after in zip(statement, following, strict=True):
        # SQLite takes a string for a name where one is wanted: FROM 't', IN 't'.
        name, kind = _unquoted(token) if dialect == "sqlite" else token.name, FailureKind.PERMISSION
        if token.kind is Kind.HIDDEN:
            problem = "only the engine can read what follows it"
        elif after == "(" and name.upper() in _SEQUENCE_WRITERS and dialect in _SEQUENCE_DIALECTS:
            kind, problem = FailureKind.WRITE_ATTEMPT, "it changes a sequence"
        elif after == "(" and forbidden.is_function(name, dialect):
            problem = "it does more than compute"
        elif forbidden.is_table(name, dialect) or (after == "." and forbidden.is_schema(name, dialect)):
            problem = "it holds secrets"
        else:
            continue
        raise StatementRefused(kind, f"{token.text} is not allowed: {problem}")


def _check_files(statement: Sequence[Token], dialect: str) -> None:
    """DuckDB takes the name of a file for a table, with quotes of any kind or without: `FROM 'a.csv'`, `FROM a.csv`."""
    lists = [False]  # in each bracket that is open: is it tables that commas part?
    wanted = False
    before = ""
    for place, token in enumerate(statement):
        word, is_name = token.word, before.endswith(".")
        if word in _BEFORE_TABLE:  # behind a dot as well, which may end a number: SELECT 1.FROM t
            lists[-1] = wanted = True
        elif not is_name and (
            word in _AFTER_TABLES or (word == "VALUES" and before in _BEFORE_VALUES and _calls(statement, place))
        ):
            lists[-1] = wanted = False
        elif token.kind is Kind.SIGN:
            for sign in token.text:
                if sign in "([{":
                    wanted = wanted and sign == "("
                    lists.append(wanted)
                elif sign in ")]}":
                    wanted = False
                    lists = lists[:-1] or [False]
                else:
                    wanted = sign in ",:" and lists[-1]
        elif wanted:
            wanted = False
            parts = _dotted(statement, place)
            name, last = ".".join(parts), place + 2 * (len(parts) - 1)
            if forbidden.is_file(name, dialect) or (_calls(statement, last) and _reads_file(statement, last, dialect)):
                raise StatementRefused(FailureKind.PERMISSION, f"{name} is not allowed: it is no table of the database")
        before = token.word or token.text


def _calls(statement: Sequence[Token], place: int) -> bool:
    """Whether a parenthesis follows."""
    return place + 1 < len(statement) and statement[place + 1].text == "("


def _reads_file(statement: Sequence[Token], place: int, dialect: str) -> bool:
    """Whether a table function reads files, or takes a table by its name and is given that of a file.

    A name that is not simply written there may be that of a file.
    """
    function, place = statement[place].name, place + 2
    if not forbidden.takes_table(function, dialect):
        return forbidden.is_file_function(function, dialect)
    parts = _dotted(statement, place)
    end = place + 2 * len(parts) - 1
    has_escapes = any(token.kind is Kind.TEXT and token.text[0] != "'" for token in statement[place : place + 1])
    is_all = [token.text for token in statement[end : end + 1]] == [","]
    return has_escapes or not is_all or forbidden.is_file(".".join(parts), dialect)


def _dotted(statement: Sequence[Token], place: int) -> list[str]:
    """The parts of the name that stands there, without their quotes."""
    parts = [_unquoted(token) for token in statement[place : place + 1]]
    while place + 2 < len(statement) and statement[place + 1].text == ".":
        place += 2
        parts.append(statement[place].name)
    return parts


def _unquoted(token: Token) -> str:
    return token.text[1:-1] if token.kind is Kind.TEXT else token.name


def _pragma_writes(statement: Sequence[Token]) -> bool:
    signs = {token.text for token in statement if token.kind is Kind.SIGN}
    words = {token.word for token in statement}
    if "=" in signs or words & _PRAGMA_WRITERS:
        return True
    return "(" in signs and not words & _PRAGMA_READERS


def _query_verbs(dialect: str) -> frozenset[str]:
    return _QUERY_VERBS | _QUERY_VERBS_OF.get(dialect, frozenset())
