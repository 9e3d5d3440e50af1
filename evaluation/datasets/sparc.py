"""SParC (Yu et al. 2019, https://yale-lily.github.io/sparc): Spider's databases, asked in conversations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from evaluation.datasets.base import Question
from evaluation.datasets.json_file import array_records
from evaluation.datasets.record import Record, kind
from evaluation.datasets.spider import SpiderDataset
from evaluation.spider_sql.annotation import read_annotation
from evaluation.spider_sql.hardness import hardness_of
from sqlassay.errors import UserError


class SparcDataset(SpiderDataset):
    """A JSON array of `database_id` and `interaction`, a list of `utterance` and `query`; other keys are not read.

    Each utterance is a question, a turn of the conversation that its interaction is. Neither has an id of its own:
    the id of a question is its position from 0 over all interactions, that of a conversation its interaction's.
    `final`, the question that the whole interaction comes to, is not asked. Hardness, databases and `tables.json` are
    as in Spider.
    """

    name = "sparc"
    file_patterns: ClassVar[tuple[str, ...]] = ("dev.json", "test.json", "train.json")

    def records(self) -> Iterator[Record]:
        """The turns of every interaction."""
        for entry in array_records(self.question_file):
            turns = entry.fields.get("interaction")
            if not isinstance(turns, list) or not turns:
                raise UserError(
                    "has no 'interaction', a list of turns",
                    place=entry.place,
                    remedy=f"is it a {self.name} file? `datasets list` tells the formats",
                )
            for number, turn in enumerate(turns):
                place = f"turn {number}"
                if not isinstance(turn, dict):
                    raise UserError(f"is {kind(turn)}, not an object", place=f"{entry.place}, {place}")
                own = {"db_id": entry.fields.get("database_id"), "conversation": entry.number - 1, "turn": number}
                yield Record(entry.file, entry.unit, entry.number, {**turn, **own}, place)

    def question(self, record: Record, question_id: str) -> Question:
        """The question that a turn asks."""
        annotation = read_annotation(record.fields.get("sql"))
        return Question(
            id=question_id,
            text=record.text("utterance"),
            db_id=record.text("db_id"),
            gold=record.texts("query"),
            difficulty=None if annotation is None else hardness_of(annotation),
            turn=record.optional_count("turn"),
            conversation=record.identifier("conversation"),
        )
