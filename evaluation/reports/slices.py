"""A run by slices: by difficulty, database, tag, turn, what the gold is made of, or who answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from evaluation.records import ItemRecord
from evaluation.reports.standing import Standing
from evaluation.reports.summary import RunSummary
from sqlassay.errors import UnknownName

Key = Callable[[ItemRecord, str], tuple[str, ...]]


def _features(record: ItemRecord, dialect: str) -> tuple[str, ...]:
    from evaluation.sql_features import features  # brings sqlglot, which no other slice needs

    counts = features(record.golds[0].sql, dialect) if record.golds else None
    if counts is None:
        return ("gold not read",)
    named = tuple(name for name, count in counts.items() if count and name != "joins")
    joins = counts["joins"]
    return (f"joins: {joins if joins < 3 else '3 or more'}", *named)


KEYS: dict[str, Key] = {
    "difficulty": lambda record, _: (record.difficulty or "not graded",),
    "db_id": lambda record, _: (record.db_id,),
    "tag": lambda record, _: record.tags or ("no tag",),
    "turn": lambda record, _: ("no turn" if record.turn is None else str(record.turn),),
    "feature": _features,
    "route": lambda record, _: (record.route.route if record.route is not None else "no route",),
    "model": lambda record, _: (record.answered_by or (record.answer.model if record.answer else "") or "no model",),
}
"""What a run can be sliced by, and the slices that an item is in: several, where it has several tags or features."""


class Slices:
    """The numbers of every slice, added up item by item.

    Args:
        key: One of `KEYS`.
        dialect: The sqlglot dialect of the golds.
        standings: What is known of the judges, as of the whole run.

    Raises:
        UnknownName: There is no such key.
    """

    def __init__(self, key: str, dialect: str, standings: Mapping[str, Standing] | None = None) -> None:
        if key not in KEYS:
            raise UnknownName("slice", key, KEYS, place="--by")
        self.key = key
        self.by_conversation = key == "db_id"
        self._dialect = dialect
        self._standings = {
            label: replace(standing, note=standing.note.of_slices) for label, standing in (standings or {}).items()
        }
        self._found: dict[str, RunSummary] = {}

    def names(self, record: ItemRecord) -> tuple[str, ...]:
        """The slices that an item is in."""
        return KEYS[self.key](record, self._dialect)

    def part(self, name: str) -> RunSummary:
        """The numbers of one slice, to be added to."""
        if name not in self._found:
            self._found[name] = RunSummary(name, standings=self._standings, by_conversation=self.by_conversation)
        return self._found[name]

    def add(self, record: ItemRecord) -> None:
        """Count one item in each of its slices."""
        for name in self.names(record):
            self.part(name).add(record)

    @property
    def summaries(self) -> list[RunSummary]:
        """One for each slice, grades from easy to hard, turns from the first, others by name."""
        return [replace(self._found[name], total=self._found[name].items) for name in sorted(self._found, key=place)]


_MOST_DIGITS = 9
_GRADES = ("easy", "simple", "medium", "moderate", "hard", "challenging", "extra")


def place(name: str) -> tuple[int, int, str]:
    """What slices are sorted by: grades from easy to hard, numbers by size, everything else by name."""
    number = int(name) if name.isascii() and name.isdigit() and len(name) <= _MOST_DIGITS else -1
    return (_GRADES.index(name) if name in _GRADES else len(_GRADES), number, name)
