"""Names that no query may use, whoever asks: what they stand for does more than compute, or holds secrets.

Such functions reach for files, for other servers, for other sessions, or leave something in their own; or they run text
as SQL, in which all of this could hide. Such tables hold passwords.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from database_backends.tokens import LEXICONS

_FUNCTIONS = {
    "duckdb": (
        r"nextval|setval|query|query_table|json_execute_serialized_sql|getenv|which_secret|duckdb_secrets",
        r"(?:force_)?checkpoint|(?:enable|disable)_(?:logging|profiling)|truncate_duckdb_logs|write_log",
        r"(?:create|destroy|register|deregister)_external_resource\w*",
        r"(?:python_)?arrow_scan\w*|pandas_scan|python_map_function",
        r"read_\w+|sniff_csv|parquet_\w+|st_(?:read|drivers)\w*|duckdb_extensions",
        r"(?:avro|delta|iceberg|mssql|mysql|odbc|postgres|sqlite)_(?:scan|query|attach|metadata|snapshots)\w*",
    ),
    "mysql": (
        r"load_file",
        r"get_lock|release_(?:all_)?locks?|service_(?:get|release)_\w*locks",
        r"(?:master|source)_pos_wait|wait_(?:for|until)_\w+",
        r"sys_(?:exec|eval|get|set)|https?_\w+",
        r"(?:asynchronous_connection_failover|audit_api|audit_log|group_replication|innodb_redo_log|version_tokens)_\w+",
        r"(?:keyring_key|masking_dictionar|gen_dictionary|mysql_firewall|(?:read|set)_firewall)_?\w+",
    ),
    "postgres": (
        r"set_config|setseed|nextval|setval",
        r"pg_(?:terminate|cancel)_backend",
        r"pg_(?:try_)?advisory_\w+",
        r"pg_(?:read|stat)_(?:binary_)?file|pg_ls_\w+|pg_current_logfile|pg_show_all_file_settings",
        r"pg_(?:backup|copy|create|drop|hba|ident|log|logdir|logical|replication|rotate|start|stop|switch|sync|wal|file)"
        r"_\w+",
        r"pg_stat_(?:statements_)?reset\w*|pg_(?:clear|restore)_\w+_stats",
        r"pg_(?:export_snapshot|import_system_collations|nextoid|notify|promote|reload_conf)",
        r"(?:query|cursor|table|schema|database)_to_xml\w*",
        r"query_export_to_s3|table_import_from_s3|dblink\w*|postgres_fdw_\w+|http(?:_(?:get|post|put|patch|delete|head))?",
        r"lo_(?:creat|create|export|from_bytea|get|import|open|put|truncate|truncate64|unlink)|loread|lowrite",
        r"ts_stat|ts_rewrite|crosstab\w*|connectby|xpath_table|xslt_process",
        r"(?:brin|gin)_(?:de)?(?:summarize|clean)_\w+|binary_upgrade_\w+",
        r"(?:auto|pg_)prewarm\w*|pg_buffercache_evict\w*|pg_truncate_visibility_map|heap_force_\w+",
    ),
    "sqlite": (r"load_extension|fts3_tokenizer|optimize|pragma_optimize|readfile|writefile|edit|fsdir|zipfile",),
    "trino": (
        r"(?:raw_)?query|query_range|procedure|sheet",  # table functions that hand text to what is behind a catalog
        r"ai_(?:analyze_sentiment|classify|extract|fix_grammar|gen|mask|translate)",
    ),
}
_TABLES = {
    "postgres": (
        r"(?:(?:_pg_)?user_mapping(?:s|_options)"
        r"|pg_(?:authid|shadow|user_mappings?|subscription|hba_file_rules|ident_file_mappings|file_settings))"
    ),
    "sqlite": r"pragma_optimize",
}
_SCHEMAS = {"mysql": r"mysql"}
_SUFFIXES = r"(?:arrows?|avro|csv|d?db|duckdb|fgb|geojsonl?|gpkg|jsonl?|ndjson|parquet|shp|sqlite3?|tsv|txt|xlsx)"
_FILES = {"duckdb": rf"[.]{_SUFFIXES}(?:[.]\w+)?(?:[?]|$)"}
"""How the name of a file ends that is read where a table of that name is asked for."""
_FILE_FUNCTIONS = {"duckdb": r"glob"}
"""Functions in the place of a table that reach for files; elsewhere, their names are those of operators."""
_TAKING_TABLES = {"duckdb": r"histogram(?:_values)?"}
"""Functions in the place of a table that are given the name of one."""


def _compiled(names: Mapping[str, str]) -> Mapping[str, re.Pattern[str]]:
    return {dialect: re.compile(one, re.IGNORECASE | re.ASCII) for dialect, one in names.items()}


_FUNCTION = _compiled({dialect: "|".join(names) for dialect, names in _FUNCTIONS.items()})
_SCHEMA, _TABLE = _compiled(_SCHEMAS), _compiled(_TABLES)
_FILE_FUNCTION, _TAKING_TABLE = _compiled(_FILE_FUNCTIONS), _compiled(_TAKING_TABLES)
_FILE = {dialect: re.compile(ends, re.IGNORECASE) for dialect, ends in _FILES.items()}
_BETWEEN = r"[\s\u200b\u2060\ufeff\"`\]]*"
"""What may stand between the name of a function and its parenthesis, without a comment."""
_LAST_WORD = re.compile(rf"{_BETWEEN}+(\w++)")
"""In what stands before a parenthesis, read from its end."""
_CALLED = {dialect: re.compile("|".join(names), re.IGNORECASE) for dialect, names in _FUNCTIONS.items()}
_MENTION = {
    dialect: re.compile(
        "|".join(
            [
                *(rf"\b{names}\b" for names in filter(None, [_TABLES.get(dialect)])),
                *(rf"\b{names}[\s`]*\." for names in filter(None, [_SCHEMAS.get(dialect)])),
                *(rf"\.{_BETWEEN}{_SUFFIXES}\b" for _ in filter(None, [_FILES.get(dialect)])),
                *(
                    rf"\b(?:{names}){_BETWEEN}\("
                    for names in filter(None, [_FILE_FUNCTIONS.get(dialect), _TAKING_TABLES.get(dialect)])
                ),
                lexicon.hidden,
            ]
        ),
        re.IGNORECASE,
    )
    for dialect, lexicon in LEXICONS.items()
}


def is_mentioned(statement: str, dialect: str) -> bool:
    """Whether a plain statement may use such a name; it may also be in a string."""
    if dialect not in _FUNCTIONS:
        return False
    *before, _ = statement.split("(")
    for text in before:
        word = _LAST_WORD.match(text[::-1])
        if word is not None and _may_be_called(word[1][::-1], dialect):
            return True
    mention = _MENTION.get(dialect)
    return mention is not None and mention.search(statement) is not None


@lru_cache(maxsize=4096)
def _may_be_called(name: str, dialect: str) -> bool:
    """As `is_function`, in letters of any alphabet: most statements call the same few functions."""
    return _CALLED[dialect].fullmatch(name) is not None


def _is_one_of(names: Mapping[str, re.Pattern[str]], name: str, dialect: str) -> bool:
    known = names.get(dialect)
    return known is not None and known.fullmatch(name) is not None


def is_function(name: str, dialect: str) -> bool:
    """Whether a function of that name is forbidden."""
    return _is_one_of(_FUNCTION, name, dialect)


def is_table(name: str, dialect: str) -> bool:
    """Whether a table of that name is forbidden."""
    return _is_one_of(_TABLE, name, dialect)


def is_schema(name: str, dialect: str) -> bool:
    """Whether all tables of a schema of that name are forbidden."""
    return _is_one_of(_SCHEMA, name, dialect)


def is_file(name: str, dialect: str) -> bool:
    """Whether the engine would read a file, if it is asked for a table of that name."""
    ends = _FILE.get(dialect)
    return ends is not None and ends.search(name) is not None


def is_file_function(name: str, dialect: str) -> bool:
    """Whether a function of that name, in the place of a table, reaches for files."""
    return _is_one_of(_FILE_FUNCTION, name, dialect)


def takes_table(name: str, dialect: str) -> bool:
    """Whether a function of that name, in the place of a table, is given the name of a table."""
    return _is_one_of(_TAKING_TABLE, name, dialect)
