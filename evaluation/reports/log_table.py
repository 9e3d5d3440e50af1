"""The log of a run as a table of DuckDB, where what reports cannot tell apart is counted as one.

What the counts mean is said elsewhere, once: in `RunSummary`, `Disagreements`, `Taxonomy` and `Slices`.
"""

from __future__ import annotations

import glob
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import duckdb

from evaluation.jsonl import complete_size, copy_lines
from evaluation.records import AnswerRecord, ItemRecord, VerdictRecord
from evaluation.reports.slices import Slices
from evaluation.reports.summary import RunSummary
from evaluation.run_log import ITEMS, RunFolder
from evaluation.verdicts import Reason, Status
from sqlassay.errors import UserError

_ANSWER = (
    "STRUCT(finish_reason VARCHAR, model VARCHAR, input_tokens BIGINT, output_tokens BIGINT, cost DOUBLE,"
    " cached BOOLEAN)"
)
_CALLS = f"STRUCT(answer {_ANSWER})[]"
# Of `judges`, that there are any: their words, under their names, stay in the file.
_EVIDENCE = (
    'STRUCT(figures JSON, golds_for JSON, "order" JSON, not_asked JSON, annotation JSON, mechanism JSON,'
    " judge_categories JSON, judges STRUCT(asked VARCHAR))"
)
_STATUS, _REASON = (f"ENUM {tuple(map(str, kind))}" for kind in (Status, Reason))
_VERDICTS = f"STRUCT(strategy VARCHAR, status {_STATUS}, score DOUBLE, reason {_REASON}, evidence {_EVIDENCE})[]"
_COLUMNS = {
    "id": "JSON",  # with its quotes: a number is no id
    "position": "BIGINT",
    "db_id": "VARCHAR",
    "question": "VARCHAR",
    "difficulty": "VARCHAR",
    "tags": "VARCHAR[]",
    "conversation": "VARCHAR",
    "turn": "BIGINT",
    "turns": "BIGINT",
    "answer": _ANSWER,
    "golds": "STRUCT(sql VARCHAR)[]",
    "verdicts": _VERDICTS,
    "calls": _CALLS,
    "answered_by": "VARCHAR",
    "route": "STRUCT(route VARCHAR)",
    "first": f"STRUCT(verdicts {_VERDICTS})",
    "judging": _CALLS,
}
"""What is read of a record; the rest of it is passed over."""

_LOOKED_AT = {
    "difficulty": "{'difficulty': difficulty}",
    "db_id": "{'db_id': db_id}",
    "tag": "{'tags': coalesce(tags, [])}",
    "turn": "{'turn': turn}",
    "feature": "{'golds': coalesce(golds, [])[:1]}",
    "route": "{'route': CASE WHEN route IS NOT NULL THEN {'route': route.route, 'decided_by': ''} END}",
    "model": "{'answered_by': answered_by,"
    " 'answer': CASE WHEN answer IS NOT NULL THEN {'prompt_sha256': '', 'model': coalesce(answer.model, '')} END}",
}
"""For each key of slices, so much of a record as the slices of an item hang on."""

_SOUND = (
    "coalesce(id::VARCHAR LIKE '\"%' AND position IS NOT NULL AND db_id IS NOT NULL AND question IS NOT NULL"
    " AND verdicts IS NOT NULL, false)"
)
_MEGABYTES = 600
_THREADS = 8
"""At most: each holds two of the longest lines."""
_LONGEST = 4 * 2**20
"""Bytes of a line for which there is room at first."""


class LogTable:
    """The items of a run, the last record of each id; a torn last line is left out.

    Args:
        folder: The run.
        slices: What it is to be sliced into, if it is.

    Raises:
        UserError: A line is not an item record.
    """

    def __init__(self, folder: RunFolder, slices: Slices | None = None) -> None:
        self._folder = folder
        self._slices = slices
        self._scratch = tempfile.TemporaryDirectory(prefix="sqlassay-")
        self._connection = duckdb.connect(
            config={
                "memory_limit": f"{_MEGABYTES}MB",
                "threads": min(os.cpu_count() or 1, _THREADS),
                "temp_directory": self._scratch.name,
                "autoinstall_known_extensions": False,
            }
        )
        try:
            self._load()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        """The table itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of it."""
        self.close()

    def close(self) -> None:
        """Let go of the table, and of what it has on disk."""
        self._connection.close()
        self._scratch.cleanup()

    def summarise(self, summary: RunSummary) -> None:
        """Count the items of the run in a summary that is empty so far."""
        self._count("whole", lambda _: summary, conversations=summary.by_conversation)

    def summarise_slices(self) -> None:
        """Count the items of each slice."""
        if self._slices is not None:
            self._count("sliced", self._slices.part, conversations=self._slices.by_conversation)

    def alike(self) -> Iterator[tuple[ItemRecord, int]]:
        """Items whose verdicts reports cannot tell apart, as one, with their number.

        They have nothing but their verdicts, and of the evidence what judges name and what a disagreement hangs on.
        """
        for told, times in self._rows(f"SELECT {_TOLD} AS told, count(*) FROM whole GROUP BY told ORDER BY min(line)"):  # noqa: S608
            yield _item(told), times

    def places(self, wanted: Callable[[ItemRecord], bool]) -> list[int]:
        """Where in the file items are: the numbers of their lines, from 0, in their order.

        Args:
            wanted: Says so of an item that has nothing but its verdicts, as those of `alike`.
        """
        groups = self._rows(f"SELECT {_TOLD} AS told, list(line) FROM whole GROUP BY told")  # noqa: S608
        return sorted(place for told, places in groups if wanted(_item(told)) for place in places)

    def _load(self) -> None:
        path, copy = self._folder.path / ITEMS, Path(self._scratch.name) / ITEMS
        try:
            if not (path.exists() and self._read_at_once(path)):
                longest = copy_lines(path if path.exists() else Path(os.devnull), copy)
                self._read(copy, max(longest, _LONGEST))
                copy.unlink()
            self._prepare()
        except duckdb.Error as error:
            raise self._fault(str(error)) from error

    def _read_at_once(self, path: Path) -> bool:
        """Read the file as it is; not where a run has begun another line, or a line is very long, or broken."""
        if complete_size(path) < path.stat().st_size:
            return False
        try:
            self._read(path, _LONGEST)
        except duckdb.Error:
            return False
        return True

    def _read(self, path: Path, longest: int) -> None:
        columns = ", ".join(f"{name}: {_quoted(kind)}" for name, kind in _COLUMNS.items())
        looked_at = "NULL" if self._slices is None else f"to_json({_LOOKED_AT[self._slices.key]})::VARCHAR"
        self._cursor().execute(
            f"CREATE TABLE log AS SELECT id, db_id, conversation, turns, answer, calls, judging, verdicts,"  # noqa: S608
            f" first.verdicts AS first_verdicts, {looked_at} AS looked_at, {_SOUND} AS sound"
            f" FROM read_json({_quoted(glob.escape(str(path.absolute())))}, format = 'newline_delimited',"
            f" compression = 'uncompressed', hive_partitioning = false, maximum_object_size = {longest},"
            f" columns = {{{columns}}})"
        )

    def _prepare(self) -> None:
        """Views of the records that count: `line` is the place of a record, `name` its slice."""
        execute = self._cursor().execute
        lacking = " OR ".join(f"v.{name} IS NULL" for name in ("strategy", "status", "score", "reason"))
        unsound = "NOT sound OR " + " OR ".join(
            f"list_bool_or(list_transform({verdicts}, lambda v: {lacking}))"
            for verdicts in ("verdicts", "first_verdicts")
        )
        counted = f"SELECT count(*) FILTER ({unsound}), count(first_verdicts), count(conversation) FROM log"  # noqa: S608
        ((faults, self._firsts, self._turns),) = execute(counted).fetchall()
        if faults:
            raise self._fault("not an item record")
        execute(
            "CREATE TABLE earlier AS SELECT rowid AS line FROM log"
            " WHERE rowid NOT IN (SELECT max(rowid) FROM log GROUP BY id)"
        )
        counts = "rowid NOT IN (SELECT line FROM earlier)"
        execute(f"CREATE VIEW whole AS SELECT rowid AS line, '' AS name, * FROM log WHERE {counts}")  # noqa: S608
        if self._slices is not None:
            texts = [text for (text,) in execute("SELECT DISTINCT looked_at FROM log").fetchall()]
            pairs = [(text, name) for text in texts for name in self._slices.names(_looked_at(text))]
            execute("CREATE TABLE slice (looked_at VARCHAR, name VARCHAR)")
            execute("INSERT INTO slice SELECT unnest(?), unnest(?)", [[p[0] for p in pairs], [p[1] for p in pairs]])
            execute(
                "CREATE VIEW sliced AS SELECT line, slice.name, whole.* EXCLUDE (line, name)"
                " FROM whole JOIN slice USING (looked_at)"
            )

    def _count(self, view: str, part: Callable[[str], RunSummary], *, conversations: bool) -> None:
        for name, items in self._rows(f"SELECT name, count(*) FROM {view} GROUP BY name"):  # noqa: S608
            part(name).items += items
        for name, db_id, told, times in self._rows(_verdicts(view, "verdicts")):
            part(name).add_verdict(_verdict(told), db_id, times)
        for name, _, told, times in self._rows(_verdicts(view, "first_verdicts")) if self._firsts else ():
            part(name).add_first(_verdict(told), times)
        for name, judging, answer, times in self._rows(_answers(view)):
            tokens = part(name).judging if judging else part(name).tokens
            tokens.add_sum(AnswerRecord("", **answer), times)
        conversations = conversations and self._turns > 0
        for name, label, statuses, complete, times in self._rows(_conversations(view)) if conversations else ():
            said = frozenset(map(Status, statuses))
            part(name).conversations.add_alike(label, said, complete=complete, times=times)

    def _rows(self, query: str) -> Iterator[tuple[Any, ...]]:
        cursor = self._cursor()
        try:
            cursor.execute(query)
            while rows := cursor.fetchmany(1_000):
                yield from rows
        except duckdb.Error as error:
            raise self._fault(str(error)) from error

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        cursor = self._connection.cursor()
        cursor.execute("SET enable_progress_bar = false")  # it would be among the data
        return cursor

    def _fault(self, words: str) -> UserError:
        """What is wrong with the file, and where: as whoever reads it line by line says it, or else in these words."""
        return self._folder.fault() or UserError(words.partition("\n")[0], place=str(self._folder.path / ITEMS))


_PLACE = "line * 1024 + i"
"""Of a verdict or an answer: that of its record, and in it."""

_TOLD = (
    "list_transform(verdicts, lambda v: {'strategy': v.strategy, 'status': v.status, 'reason': v.reason, 'score': 0.0,"
    " 'evidence': {'mechanism': v.evidence.mechanism, 'judge_categories': v.evidence.judge_categories,"
    " 'judges': CASE WHEN v.evidence.judges IS NOT NULL THEN '{}' END}})"
)


def _verdicts(view: str, column: str) -> str:
    """Verdicts that add up alike: the slice, the database where it is missing, the verdict, how many there are."""
    return (
        "SELECT name, CASE WHEN v.reason = 'database_missing' THEN db_id ELSE '' END AS missing,"  # noqa: S608
        " {'strategy': v.strategy, 'status': v.status, 'score': v.score, 'reason': v.reason,"
        " 'evidence': {'figures': v.evidence.figures, 'golds_for': v.evidence.golds_for, 'order': v.evidence.\"order\","
        " 'not_asked': v.evidence.not_asked, 'annotation': v.evidence.annotation,"
        " 'judges': CASE WHEN v.evidence.judges IS NOT NULL THEN '{}' END}} AS told, count(*)"
        f" FROM (SELECT name, db_id, line, unnest({column}) AS v, generate_subscripts({column}, 1) AS i FROM {view})"
        f" GROUP BY name, missing, told ORDER BY min({_PLACE})"
    )


def _answers(view: str) -> str:
    """Answers of which the same is known: the slice, whether judges gave them, their sums, how many there are."""
    calls = "SELECT name, line, unnest({0}) AS call, generate_subscripts({0}, 1) AS i FROM {1}"
    return (
        f"WITH answers AS (SELECT name, false AS judging, line, 0 AS i, answer AS a FROM {view}"  # noqa: S608
        f" UNION ALL SELECT name, false, line, i, call.answer FROM ({calls.format('calls', view)})"
        f" UNION ALL SELECT name, true, line, i, call.answer FROM ({calls.format('judging', view)}))"
        " SELECT name, judging, {'cached': coalesce(a.cached, false), 'input_tokens': sum(a.input_tokens),"
        f" 'output_tokens': sum(a.output_tokens), 'cost': sum(a.cost ORDER BY {_PLACE})}}, count(*)"
        " FROM answers WHERE a.finish_reason IS NOT NULL GROUP BY name, judging, coalesce(a.cached, false),"
        f" a.input_tokens IS NULL, a.output_tokens IS NULL, a.cost IS NULL ORDER BY min({_PLACE})"
    )


def _conversations(view: str) -> str:
    """Conversations that went alike: the slice, the strategy, the statuses, whether complete, how many there are."""
    return (
        f"WITH turn AS (SELECT * FROM {view} WHERE conversation IS NOT NULL AND turns IS NOT NULL),"  # noqa: S608
        " seen AS (SELECT name, conversation, min(line) AS began, count(*) >= arg_min(turns, line) AS complete"
        " FROM turn GROUP BY name, conversation),"
        f" said AS (SELECT name, conversation, v.strategy, list_sort(list(DISTINCT v.status)) AS statuses,"
        f" min({_PLACE}) AS place FROM (SELECT name, conversation, line, unnest(verdicts) AS v,"
        " generate_subscripts(verdicts, 1) AS i FROM turn) GROUP BY name, conversation, v.strategy)"
        " SELECT name, strategy, statuses, complete, count(*) FROM said JOIN seen USING (name, conversation)"
        " GROUP BY name, strategy, statuses, complete ORDER BY min({'began': began, 'place': place})"
    )


def _item(told: list[Mapping[str, Any]]) -> ItemRecord:
    return ItemRecord("", 0, "", "", verdicts=tuple(map(_verdict, told)))


def _verdict(told: Mapping[str, Any]) -> VerdictRecord:
    evidence = {name: json.loads(text) for name, text in told["evidence"].items() if text is not None}
    return VerdictRecord(told["strategy"], Status(told["status"]), told["score"], Reason(told["reason"]), evidence)


def _looked_at(text: str) -> ItemRecord:
    """An item that has nothing but what its slices hang on."""
    return ItemRecord.from_json({"id": "", "position": 0, "db_id": "", "question": "", **json.loads(text)})


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
