"""Functions that do more than compute: a query that calls one is refused, whoever may call it.

They reach for files, for other servers, for other sessions, or leave something in their own; or they run text as SQL,
in which all of this could hide.
"""

from __future__ import annotations

import re

_NAMES = {
    "mysql": (
        r"load_file",
        r"get_lock|release_(?:all_)?locks?",
        r"(?:master|source)_pos_wait|wait_(?:for|until)_\w+",
        r"sys_(?:exec|eval|get|set)",
    ),
    "postgres": (
        r"set_config",
        r"pg_(?:terminate|cancel)_backend",
        r"pg_(?:try_)?advisory_\w+",
        r"pg_(?:read|stat)_(?:binary_)?file|pg_ls_\w+",
        r"pg_(?:backup|copy|create|drop|logical|replication|stat_(?:statements_)?reset|wal)_?\w+",
        r"pg_(?:export_snapshot|import_system_collations|log_backend_memory_contexts|notify|promote|reload_conf)",
        r"pg_(?:rotate_logfile\w*|switch_wal|file_\w+)",
        r"(?:query|cursor|table|schema|database)_to_xml\w*",
        r"dblink\w*",
        r"lo_(?:creat|create|export|from_bytea|get|import|open|put|truncate|truncate64|unlink)|loread|lowrite",
        r"ts_stat|ts_rewrite|crosstab\w*|connectby|xpath_table",
    ),
    "trino": (r"query",),  # the table function that hands text to the database behind a catalog
}
_HIDDEN = {
    "mysql": r"/\*M?!",  # a comment that MySQL executes
    "postgres": r"\bU&\s*\"",  # a name in escapes
}
_CALLS = {dialect: re.compile("|".join(names), re.IGNORECASE | re.ASCII) for dialect, names in _NAMES.items()}
_MENTIONS = {
    dialect: re.compile(rf"\b(?:{'|'.join(names)})[\s\"`]*\(|{_HIDDEN.get(dialect, '(?!)')}", re.IGNORECASE | re.ASCII)
    for dialect, names in _NAMES.items()
}


def is_mentioned(statement: str, dialect: str) -> bool:
    """Whether a plain statement may call such a function; it may also be in a string."""
    mentions = _MENTIONS.get(dialect)
    return mentions is not None and mentions.search(statement) is not None


def is_hidden(text: str, dialect: str) -> bool:
    """Whether a text has a form of writing in which a call could hide from us, and not from the engine."""
    hidden = _HIDDEN.get(dialect)
    return hidden is not None and re.search(hidden, text, re.IGNORECASE) is not None


def is_forbidden(function: str, dialect: str) -> bool:
    """Whether a function of that name is."""
    calls = _CALLS.get(dialect)
    return calls is not None and calls.fullmatch(function) is not None
