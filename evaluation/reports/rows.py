"""The items of runs as one flat table, made by DuckDB from the run logs: what the data formats have in common."""

from __future__ import annotations

import errno
import re
import tempfile
from collections.abc import Sequence
from os import strerror
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.jsonl import complete_size, copy_lines
from evaluation.run_log import FINISHED, ITEMS, RunFolder
from sqlassay.errors import UserError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_EXECUTION = 'STRUCT("sql" VARCHAR, "rows" BIGINT, seconds DOUBLE, failure VARCHAR, message VARCHAR, source VARCHAR)'
_ANSWER = (
    "STRUCT(finish_reason VARCHAR, input_tokens BIGINT, output_tokens BIGINT, cost DOUBLE, seconds DOUBLE,"
    " cached BOOLEAN)"
)
_LINE = {
    "id": "VARCHAR",
    "position": "BIGINT",
    "db_id": "VARCHAR",
    "question": "VARCHAR",
    "difficulty": "VARCHAR",
    "tags": "VARCHAR[]",
    "conversation": "VARCHAR",
    "turn": "BIGINT",
    "answer": _ANSWER,
    "sql": "VARCHAR",
    "golds": f"{_EXECUTION}[]",
    "predicted": _EXECUTION,
    "verdicts": "STRUCT(strategy VARCHAR, status VARCHAR, score DOUBLE, reason VARCHAR)[]",
    "calls": f"STRUCT(answer {_ANSWER})[]",
    "answered_by": "VARCHAR",
    "started": "VARCHAR",
    "seconds": "DOUBLE",
}
"""What is read of a record; the types are those of `ItemRecord`."""


def _sum(field: str) -> str:
    """Over the answers that were paid for; unknown where one of them is, or where no model was asked."""
    return f"""CASE WHEN len(told) > 0 AND len([one for one in paid if one.{field} IS NULL]) = 0
        THEN coalesce(list_sum([one.{field} for one in paid]), 0) END"""


COLUMNS = {
    "run_id": ("VARCHAR", "run_id"),
    "group": ("VARCHAR", '"group"'),
    "title": ("VARCHAR", "title"),
    "model": ("VARCHAR", "model"),
    "prompt": ("VARCHAR", "prompt"),
    "backend": ("VARCHAR", "backend"),
    "repeat": ("BIGINT", "repeat"),
    "id": ("VARCHAR", "id"),
    "position": ("BIGINT", "position"),
    "db_id": ("VARCHAR", "db_id"),
    "question": ("VARCHAR", "question"),
    "difficulty": ("VARCHAR", "difficulty"),
    "tags": ("VARCHAR", "CAST(to_json(coalesce(tags, [])) AS VARCHAR)"),
    "conversation": ("VARCHAR", "conversation"),
    "turn": ("BIGINT", "turn"),
    "strategy": ("VARCHAR", "verdict.strategy"),
    "status": ("VARCHAR", "verdict.status"),
    "score": ("DOUBLE", "verdict.score"),
    "reason": ("VARCHAR", "verdict.reason"),
    "sql": ("VARCHAR", '"sql"'),
    "rows": ("BIGINT", 'predicted."rows"'),
    "failure": ("VARCHAR", "predicted.failure"),
    "message": ("VARCHAR", "predicted.message"),
    "execution_seconds": ("DOUBLE", "predicted.seconds"),
    "golds": ("BIGINT", "coalesce(len(golds), 0)"),
    "gold_sql": ("VARCHAR", 'coalesce(golds[1].source, golds[1]."sql")'),
    "gold_rows": ("BIGINT", 'golds[1]."rows"'),
    "answered_by": ("VARCHAR", "answered_by"),
    "finish_reason": ("VARCHAR", "answer.finish_reason"),
    "requests": ("BIGINT", "len(paid)"),
    "from_cache": ("BIGINT", "len(told) - len(paid)"),
    "input_tokens": ("BIGINT", _sum("input_tokens")),
    "output_tokens": ("BIGINT", _sum("output_tokens")),
    "cost": ("DOUBLE", _sum("cost")),
    "answer_seconds": ("DOUBLE", "answer.seconds"),
    "started": ("VARCHAR", "started"),
    "seconds": ("DOUBLE", '"seconds"'),
}
"""Of the table: name, type, and where it is from. Names and types stay; new ones come last."""

_QUERY = """
WITH lines AS (SELECT row_number() OVER () AS line, * FROM read_json($files, {read}, filename = true)),
asked AS (
    SELECT *, [one for one in list_concat([answer], [call.answer for call in coalesce(calls, [])])
               if one IS NOT NULL AND one.finish_reason IS NOT NULL] AS told
    FROM lines JOIN last USING (line) JOIN runs USING (filename)
),
verdicts AS (
    SELECT *, [one for one in told if NOT coalesce(one.cached, false)] AS paid,
           unnest(verdicts) AS verdict, generate_subscripts(verdicts, 1) AS place
    FROM asked
)
SELECT {columns} FROM verdicts ORDER BY run, position, line, place
"""
_LAST = """
CREATE TABLE last AS
SELECT max(line) AS line, bool_or(id IS NULL OR verdicts IS NULL) AS foreign_line
FROM (SELECT row_number() OVER () AS line, id, verdicts, filename FROM read_json($files, {read}, filename = true))
GROUP BY filename, id
"""
"""The last record of an id counts."""
_MEGABYTES = 1000
"""Of DuckDB: what does not fit is sorted on disk. A million items of three verdicts need more than 600."""
_COMMAND = r"^''*[=+\-@\t\r\n＝＋－＠]"
"""What a spreadsheet would take for a formula; as text of SQL, where a quote is written twice."""


def copy_rows(runs: Sequence[RunFolder], path: Path, options: str, *, for_spreadsheets: bool = False) -> None:
    """Write one row for every run, item and strategy: by run, then in the order of the questions.

    Args:
        runs: Whose items.
        path: The file.
        options: Of DuckDB's `COPY`.
        for_spreadsheets: Whether a text that a spreadsheet would execute gets an apostrophe before it.

    Raises:
        UserError: A record cannot be read.
        OSError: The file cannot be written.
    """
    import duckdb

    path.touch()  # what is wrong with the place is best said by the system itself
    with tempfile.TemporaryDirectory() as scratch:
        files = [_complete(run, Path(scratch) / f"{number}.jsonl") for number, run in enumerate(runs)]
        settings: dict[str, str | bool | int | float | list[str]] = {
            "temp_directory": scratch,
            "memory_limit": f"{_MEGABYTES}MB",
            "autoinstall_known_extensions": False,
        }
        with duckdb.connect(config=settings) as database:
            try:
                _prepare(database, runs, files)
                columns = ", ".join(_column(name, for_spreadsheets=for_spreadsheets) for name in COLUMNS)
                query = _QUERY.format(read=_read(_LINE), columns=columns)
                target = str(path).replace("'", "''")
                database.execute(f"COPY ({query}) TO '{target}' ({options})", {"files": files})
            except duckdb.IOException as error:
                raise _unwritable(error) from error
            except duckdb.OutOfMemoryException as error:
                remedy = "report fewer runs at a time"
                raise UserError(
                    f"the items do not fit into {_MEGABYTES:,} MB", place=str(path), remedy=remedy
                ) from error
            except duckdb.Error as error:
                raise _unreadable(runs, str(error)) from error


def _prepare(database: DuckDBPyConnection, runs: Sequence[RunFolder], files: Sequence[str]) -> None:
    database.execute("SET enable_progress_bar = false")
    database.execute(
        'CREATE TABLE runs (run BIGINT, filename VARCHAR, run_id VARCHAR, "group" VARCHAR, title VARCHAR,'
        " model VARCHAR, prompt VARCHAR, backend VARCHAR, repeat BIGINT)"
    )
    for number, (run, file) in enumerate(zip(runs, files, strict=True)):
        told, identity = run.manifest, run.manifest["identity"]
        known = [run.run_id, told["group"], told["title"], told.get("model_label")]
        parts = [identity.get("prompt", {}).get("ref"), identity.get("backend", {}).get("name"), identity.get("repeat")]
        database.execute("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [number, file, *known, *parts])
    read = _read({key: _LINE[key] for key in ("id", "verdicts")})
    database.execute(_LAST.format(read=read), {"files": list(files)})
    if database.execute("SELECT bool_or(foreign_line) FROM last").fetchall() == [(True,)]:
        raise _unreadable(runs, "not an item record")


def _read(columns: dict[str, str]) -> str:
    told = ", ".join(f"'{name}': '{type_}'" for name, type_ in columns.items())
    return f"format = 'newline_delimited', columns = {{{told}}}"


def _column(name: str, *, for_spreadsheets: bool) -> str:
    type_, source = COLUMNS[name]
    value = f"CAST({source} AS {type_})"
    if for_spreadsheets and type_ == "VARCHAR":
        value = f"CASE WHEN regexp_matches({value}, '{_COMMAND}') THEN '''' || {value} ELSE {value} END"
    return f'{value} AS "{name}"'


def _complete(run: RunFolder, path: Path) -> str:
    """A file with every complete line of a run's items, under a name without letters that DuckDB takes for patterns."""
    items = run.path / ITEMS
    if not items.exists():
        path.touch()
    elif run.manifest["status"] == FINISHED and complete_size(items) == items.stat().st_size:
        path.symlink_to(items.resolve())
    else:  # it may grow while it is read
        copy_lines(items, path)
    return str(path)


def _unwritable(error: Exception) -> OSError:
    told = re.search(r'"errno":"(\d+)"', str(error))
    number = int(told[1]) if told else errno.EIO
    return OSError(number, strerror(number) if told else str(error).partition("\n")[0])


def _unreadable(runs: Sequence[RunFolder], told: str) -> UserError:
    """What names the line, where our own reader finds it too."""
    unknown = UserError(f"DuckDB cannot read the records: {' '.join(told.split())}", place=str(runs[0].path / ITEMS))
    return next(filter(None, (run.fault() for run in runs)), unknown)
