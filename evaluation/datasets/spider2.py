"""Spider 2.0-lite (Lei et al. 2024, https://spider2-sql.github.io)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from evaluation.datasets.base import GoldResult, Question
from evaluation.datasets.file_dataset import FileDataset
from evaluation.datasets.json_file import line_records
from evaluation.datasets.record import Record
from evaluation.datasets.text_file import no_such_file, read_text, unreadable
from sqlassay.errors import UserError

_DIALECTS = {"local": "sqlite", "bq": "bigquery", "ga": "bigquery", "sf": "snowflake"}
"""What ids begin with, and the dialect of the engine that has the database."""

_FURTHER_FILES = (
    "evaluation_suite/gold/spider2lite_eval.jsonl",
    "evaluation_suite/gold/exec_result/*.csv",
    "evaluation_suite/gold/sql/*.sql",
    "resource/documents/*.*",
)


class Spider2Dataset(FileDataset):
    """JSON Lines of `instance_id`, `db`, `question` and `external_knowledge`; other keys are not read.

    Golds are results in `evaluation_suite/gold/exec_result`: `<instance_id>.csv`, `<instance_id>_a.csv`, `_b` and so
    on, any of which may be met. `evaluation_suite/gold/spider2lite_eval.jsonl` says which of their columns count and
    whether the order of rows does. SQL in `evaluation_suite/gold/sql` is the gold of a question without results only:
    the two do not always agree, and the published score goes by the results.

    The evidence is the text of the document that `external_knowledge` names, where `resource/documents` has it. The
    tag is the engine: `sqlite`, `bigquery` or `snowflake`.
    """

    name = "spider2"
    id_key = "instance_id"
    file_patterns = ("spider2-lite.jsonl",)
    database_folders = ("resource/databases/spider2-localdb", "resource/databases/sqlite", "spider2-localdb")

    @property
    def files(self) -> tuple[Path, ...]:
        """The question file, the golds with what counts of them, and the documents."""
        beside = self.question_file.parent
        return (self.question_file, *(file for pattern in _FURTHER_FILES for file in sorted(beside.glob(pattern))))

    def records(self) -> Iterator[Record]:
        """The lines."""
        return line_records(self.question_file)

    def question(self, record: Record, question_id: str) -> Question:
        """The question that a line holds."""
        instance = record.text("instance_id")
        results = self._results(instance)
        dialect = next((dialect for start, dialect in _DIALECTS.items() if instance.startswith(start)), "")
        return Question(
            id=question_id,
            text=record.text("question"),
            db_id=record.text("db"),
            gold_by_dialect={} if results else self._statement(instance, dialect),
            gold_results=results,
            evidence=self._document(record),
            tags=(dialect,) if dialect else (),
        )

    def _results(self, instance: str) -> tuple[GoldResult, ...]:
        files = self._files.get(instance, [])
        if not files:
            return ()
        if instance not in self._rules:
            raise UserError(
                f"no line has the instance_id {instance!r}, which has gold results",
                place=str(self._rule_file),
                remedy="is the file complete?",
            )
        rule = self._rules[instance]
        columns = _condition_columns(rule, len(files))
        ignore_order = _ignore_order(rule)
        return tuple(GoldResult(file, chosen, ignore_order) for file, chosen in zip(files, columns, strict=True))

    def _statement(self, instance: str, dialect: str) -> Mapping[str, tuple[str, ...]]:
        file = self._gold_folder / "sql" / f"{instance}.sql"
        if not dialect or Path(instance).name != instance or not file.is_file():
            return {}
        text = read_text(file)
        return {dialect: (text,)} if text.strip() else {}

    def _document(self, record: Record) -> str:
        name = record.optional_text("external_knowledge") or ""
        file = self.question_file.parent / "resource" / "documents" / name
        return read_text(file) if Path(name).name == name and name and file.is_file() else ""

    @property
    def _gold_folder(self) -> Path:
        return self.question_file.parent / "evaluation_suite" / "gold"

    @property
    def _rule_file(self) -> Path:
        return self._gold_folder / "spider2lite_eval.jsonl"

    @cached_property
    def _files(self) -> Mapping[str, list[Path]]:
        """The gold results of each instance, in the order of their letters."""
        folder = self._gold_folder / "exec_result"
        found: defaultdict[str, list[Path]] = defaultdict(list)
        try:
            for file in sorted(folder.glob("*.csv")):
                instance, mark, letter = file.stem.rpartition("_")
                found[instance if mark and len(letter) == 1 and letter.islower() else file.stem].append(file)
        except OSError as error:
            raise unreadable(folder, error) from None
        return found

    @cached_property
    def _rules(self) -> Mapping[str, Record]:
        """The line of each instance in the file that says what counts."""
        if not self._rule_file.exists():
            raise no_such_file(self._rule_file)
        rules: dict[str, Record] = {}
        for record in line_records(self._rule_file):
            instance = record.text("instance_id")
            if instance in rules:
                raise UserError(
                    f"instance_id {instance!r} is at line {rules[instance].number} and at line {record.number}",
                    place=str(self._rule_file),
                    remedy="take one of the lines out",
                )
            rules[instance] = record
        return rules


def _condition_columns(rule: Record, golds: int) -> list[tuple[int, ...]]:
    """The columns that count, for each gold: one list for all of them, or a list of lists, by place.

    Published files have lists of lists that are longer or shorter than there are golds: what is too much is not used,
    and where one is missing every column counts.
    """
    value = rule.fields.get("condition_cols")
    entries = [] if value is None else value
    if not isinstance(entries, list):
        raise rule.wrong_kind("condition_cols", value, "a list")
    if not any(isinstance(entry, list) for entry in entries):
        return [_columns(rule, entries)] * golds
    chosen = [_columns(rule, entry) for entry in entries]
    return [*chosen, *[()] * golds][:golds]


def _columns(rule: Record, value: object) -> tuple[int, ...]:
    columns = value if isinstance(value, list) else [value]
    for column in columns:
        if isinstance(column, bool) or not isinstance(column, int) or column < 0:
            raise rule.wrong_kind("condition_cols", column, "a column's place from 0")
    return tuple(columns)


def _ignore_order(rule: Record) -> bool:
    value = rule.fields.get("ignore_order")
    if not isinstance(value, bool):
        raise rule.wrong_kind("ignore_order", value, "true or false")
    return value
