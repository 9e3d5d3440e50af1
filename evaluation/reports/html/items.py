"""The questions of a report as the page holds them: columns for the table, and parts that are opened when needed.

What is embedded is JSON, compressed, in base64: no text of a dataset or a model can be taken for HTML.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator, Mapping
from typing import Any

from evaluation.records import AnswerRecord, CallRecord, ExecutionRecord, ItemRecord, VerdictRecord
from evaluation.verdicts import Reason, Status

PART = 200
"""Questions in one part."""
SHOWN_ANSWER = 4_000
"""Characters of an answer that are kept; its statement is kept whole."""


class Items:
    """The questions of several runs, one beside the other.

    A question of two runs is one question where id, database and words are the same.

    Args:
        runs: How many runs there are.
    """

    def __init__(self, runs: int) -> None:
        self._runs = runs
        self._rows: dict[tuple[str, str, str], int] = {}
        self._positions: list[int] = []
        self._databases = Names()
        self._grades = Names()
        self._strategies = Names()
        self._columns: dict[str, list[Any]] = {name: [] for name in ("id", "db", "grade", "question", "gold")}
        self._sql: list[list[str | None]] = [[] for _ in range(runs)]
        self._reasons: list[dict[int, list[int]]] = [{} for _ in range(runs)]
        self._details: list[dict[str, Any]] = []

    def __len__(self) -> int:
        return len(self._details)

    def add(self, run: int, record: ItemRecord) -> None:
        """Take in what one run has of one question."""
        row = self._row(record)
        self._sql[run][row] = record.sql
        for verdict in record.verdicts:
            reasons = self._reasons[run].setdefault(self._strategies.number(verdict.strategy), [])
            reasons += [-1] * (row + 1 - len(reasons))
            reasons[row] = _REASONS[verdict.reason]
        told = [verdict for verdict in map(self._verdict, record.verdicts) if len(verdict) > 1]
        detail = self._details[row]
        of_run = _of_run(record) | ({"verdicts": told} if told else {})
        golds = [_gold(gold) for gold in record.golds]
        if not detail["golds"]:
            detail["golds"] = golds
        elif [gold["sql"] for gold in golds] != [gold["sql"] for gold in detail["golds"]]:
            of_run["golds"] = golds  # another engine, another dialect
        detail["runs"][run] = of_run

    def _row(self, record: ItemRecord) -> int:
        key = (record.id, record.db_id, record.question)
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = len(self._details)
            values = {
                "id": record.id,
                "db": self._databases.number(record.db_id),
                "grade": self._grades.number(record.difficulty or ""),
                "question": record.question,
                "gold": record.golds[0].sql if record.golds else None,
            }
            for name, value in values.items():
                self._columns[name].append(value)
            self._positions.append(record.position)
            self._details.append(_of_question(record) | {"runs": [None] * self._runs})
            for column in self._sql:
                column.append(None)
        return row

    def _verdict(self, verdict: VerdictRecord) -> dict[str, Any]:
        told: dict[str, Any] = {"strategy": self._strategies.number(verdict.strategy)}
        if verdict.score != (verdict.status is Status.CORRECT):
            told["score"] = verdict.score
        if verdict.evidence:
            told["evidence"] = verdict.evidence
        return told

    def _order(self) -> list[int]:
        """The rows in the order of the questions; those of another selection behind each other."""
        return sorted(range(len(self)), key=lambda row: (self._positions[row], row))

    def columns(self, names: list[dict[str, str]]) -> str:
        """What the table shows and is filtered by, packed.

        Args:
            names: The runs, for people.
        """
        order = self._order()
        return packed(
            {
                "runs": names,
                "part": PART,
                "databases": self._databases.all,
                "grades": self._grades.all,
                "strategies": self._strategies.all,
                "reasons": [[reason.words, reason.status.value] for reason in Reason],
                **{name: [column[row] for row in order] for name, column in self._columns.items()},
                "sql": [[column[row] for row in order] for column in self._sql],
                "verdicts": [
                    [self._in_order(reasons.get(number), order) for number in range(len(self._strategies.all))]
                    for reasons in self._reasons
                ],
            }
        )

    @staticmethod
    def _in_order(reasons: list[int] | None, order: list[int]) -> list[int] | None:
        """`None` for a strategy that the run has not; -1 for a question that it says nothing of."""
        if reasons is None:
            return None
        return [reasons[row] if row < len(reasons) else -1 for row in order]

    def parts(self) -> Iterator[str]:
        """Everything else of each question, in the same order, packed by `PART` questions."""
        order = self._order()
        for start in range(0, len(order), PART):
            yield packed([self._details[row] for row in order[start : start + PART]])


class Names:
    """Each name once, by number, in the order in which they came."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, name: str) -> int:
        """The number of a name."""
        return self._numbers.setdefault(name, len(self._numbers))

    @property
    def all(self) -> list[str]:
        """The names in the order of their numbers."""
        return list(self._numbers)


_REASONS = {reason: number for number, reason in enumerate(Reason)}


def packed(value: object) -> str:
    """JSON, compressed, as letters and digits: the same for the same value."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"), default=str)
    return base64.b64encode(gzip.compress(text.encode("ascii"), compresslevel=6, mtime=0)).decode("ascii")


def _of_question(record: ItemRecord) -> dict[str, Any]:
    told = {
        "evidence": record.evidence,
        "tags": record.tags,
        "conversation": record.conversation,
        "turn": record.turn,
    }
    return _told(told) | {"golds": [_gold(gold) for gold in record.golds]}


def _of_run(record: ItemRecord) -> dict[str, Any]:
    first = record.first
    return _told(
        {
            "predicted": record.predicted and _execution(record.predicted),
            "extraction": record.extraction,
            "answer": record.answer and _answer(record.answer, record.sql),
            "answered_by": record.answered_by,
            "note": record.note,
            "route": record.route and f"{record.route.route}, decided by {record.route.decided_by}",
            "history": record.history and vars(record.history),
            "first": first and _told({"sql": first.sql, "ran": first.predicted and _execution(first.predicted)}),
            "calls": [_call(call) for call in record.calls],
            "judging": [_call(call) for call in record.judging],
            "seconds": record.seconds or None,
        }
    )


def _gold(gold: ExecutionRecord) -> dict[str, Any]:
    return {"sql": gold.sql, **_execution(gold)}


def _execution(ran: ExecutionRecord) -> dict[str, Any]:
    return _told({name: value for name, value in vars(ran).items() if name != "sql"})


def _answer(answer: AnswerRecord, sql: str | None) -> dict[str, Any]:
    names = ("model", "prompt", "finish_reason", "input_tokens", "output_tokens", "reasoning_tokens", "cost", "cached")
    told = {name: getattr(answer, name) for name in names}
    text = answer.text if answer.text.strip() != (sql or "").strip() else ""
    cut = f"{text[:SHOWN_ANSWER]}… ({len(text):,} characters)" if len(text) > SHOWN_ANSWER else text
    attempts = [_told(vars(attempt)) for attempt in answer.attempts]
    return _told({**told, "seconds": answer.seconds or None, "text": cut, "attempts": attempts})


def _call(call: CallRecord) -> dict[str, Any]:
    answer = call.answer
    return _told(
        {
            "role": call.role,
            "model": call.model,
            "why": call.why,
            "sql": call.sql,
            "seconds": (answer.seconds or None) if answer is not None else None,
            "cost": answer.cost if answer is not None else None,
        }
    )


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what says nothing; a count of 0 says something."""
    return {name: value for name, value in values.items() if value is not False and (value or value == 0)}
