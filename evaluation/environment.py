"""What an experiment takes from the environment: filled in where it is used, and never written down.

A run records the experiment's text, which holds the names of variables only. Where a setting would be recorded as well,
its variables stand in it as `${NAME sha256:1a2b3c4d}`: a changed value is another identity that nobody can read.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from evaluation.own_words import own_spans
from evaluation.records import (
    AnswerRecord,
    CallRecord,
    ExecutionRecord,
    FirstRecord,
    ItemRecord,
    VerdictRecord,
)
from sqlassay import secrets
from sqlassay.errors import UserError

Location = tuple[str | int, ...]
"""The keys and indexes that lead to a value."""
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
"""`${NAME}` or `${NAME:-default}`."""
SHORTEST = 4
"""Characters of a value from which it is looked for within texts; shorter ones are in every text and no secret."""


def is_free(at: Location) -> bool:
    """Whether a key is for values of any kind, secrets among them; all others are names, numbers, choices and paths."""
    if at[0:1] in (("models",), ("strategies",)):  # a model may be within another, or judge
        return "settings" in at[2:] or "parameters" in at[2:]
    return at[0:1] + at[2:3] == ("backends", "target")


@dataclass(frozen=True)
class Environment:
    """The content of a file, with and without what the environment holds.

    Attributes:
        filled: The content, its variables filled in.
        recorded: The content as it may be written down.
        values: What was filled in where anything may stand, and what is written in its place.
    """

    filled: Any = None
    recorded: Any = None
    values: Mapping[str, str] = field(default_factory=dict)

    def told(self, settings: Mapping[str, Any], *at: str | int) -> dict[str, Any]:
        """What something tells of its settings, as it may be written down.

        Args:
            settings: What it tells, such as the identity of an adapter.
            at: Where it was given its settings.
        """
        given, recorded = _mapping(_at(self.filled, at)), _mapping(_at(self.recorded, at))
        return {
            key: recorded[key] if recorded.get(key) != given.get(key) else self._concealed(value)
            for key, value in settings.items()
        }

    def without(self, text: str, *, data: bool = False) -> str:
        """A text without the values and without keys, which a server or a driver may have repeated in it.

        Args:
            text: A message, or a prompt.
            data: Whether it is data, in which something short may only look like a key.
        """
        return secrets.without(self._marked(text), data=data)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Take the values out of the user's mistakes that are found within."""
        try:
            yield
        except UserError as error:
            error.problem = self.without(error.problem)  # a remedy is in words of our own
            error.args = (error.problem, error.place, error.remedy)
            raise

    def without_in(self, record: ItemRecord) -> ItemRecord:
        """An item without the values and keys: in messages and evidence, not in questions, answers and SQL."""
        return replace(
            record,
            answer=None if record.answer is None else self._answer(record.answer),
            golds=tuple(map(self._execution, record.golds)),
            predicted=None if record.predicted is None else self._execution(record.predicted),
            verdicts=tuple(map(self._verdict, record.verdicts)),
            calls=tuple(map(self._call, record.calls)),
            judging=tuple(map(self._call, record.judging)),
            first=None if record.first is None else self._first(record.first),
        )

    def _call(self, call: CallRecord) -> CallRecord:
        answer = None if call.answer is None else self._answer(call.answer)
        ran = None if call.ran is None else self._execution(call.ran)
        return replace(call, why=self.without(call.why), answer=answer, ran=ran)

    def _first(self, first: FirstRecord) -> FirstRecord:
        predicted = None if first.predicted is None else self._execution(first.predicted)
        return replace(first, predicted=predicted, verdicts=tuple(map(self._verdict, first.verdicts)))

    def _answer(self, answer: AnswerRecord) -> AnswerRecord:
        attempts = [replace(attempt, message=self.without(attempt.message)) for attempt in answer.attempts]
        return replace(answer, attempts=tuple(attempts))

    def _execution(self, execution: ExecutionRecord) -> ExecutionRecord:
        return replace(execution, message=None if execution.message is None else self.without(execution.message))

    def _verdict(self, verdict: VerdictRecord) -> VerdictRecord:
        return replace(verdict, evidence={key: self._shown(value) for key, value in verdict.evidence.items()})

    def _shown(self, value: Any) -> Any:
        """Evidence: texts, also those of several judges; rows are left as they are."""
        if isinstance(value, Mapping):
            return {key: self._shown(one) for key, one in value.items()}
        return self.without(value) if isinstance(value, str) else value

    def _marked(self, text: str) -> str:
        """A text without the values; fixed text stays."""
        values = [value for value in self.values if len(value) >= SHORTEST and value in text]
        if not values:
            return text
        fixed = own_spans(text, values)
        found: list[tuple[int, int, str]] = []
        for value in values:  # the longest first: what lies within it is gone with it
            for match in re.finditer(f"(?={re.escape(value)})", text):
                start, end = match.start(), match.start() + len(value)
                if not any(first <= start and end <= last for first, last in [*fixed, *(one[:2] for one in found)]):
                    found.append((start, end, self.values[value]))
        told, at = "", 0
        for start, end, mark in sorted(found):
            told += (text[at:start] + mark) if start >= at else ""
            at = max(at, end)
        return told + text[at:]

    def _concealed(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: self._concealed(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._concealed(item) for item in value]
        text = str(value)
        return self.values.get(text) or (self._marked(text) if isinstance(value, str) else value)


def fill_in(content: Any, refuse: Callable[[Location, str], UserError]) -> Environment:
    """Fill in every `${NAME}` and `${NAME:-default}`.

    Args:
        content: Mappings, lists and texts.
        refuse: The mistake that a place names a variable that is not set.
    """
    values: dict[str, str] = {}

    def filled(at: Location, text: str, mark: Callable[[str, str], str]) -> str:
        def found(match: re.Match[str]) -> str:
            name, default = match.groups()
            if name in os.environ:
                return mark(name, os.environ[name])
            if default is None:
                raise refuse(at, name)
            return str(default)

        return VARIABLE.sub(found, text)

    def walk(value: Any, at: Location, mark: Callable[[str, str], str]) -> Any:
        if isinstance(value, dict):
            return {key: walk(item, (*at, key), mark) for key, item in value.items()}
        if isinstance(value, list):
            return [walk(item, (*at, index), mark) for index, item in enumerate(value)]
        if not isinstance(value, str):
            return value
        if is_free(at):
            for name, _ in VARIABLE.findall(value):
                if os.environ.get(name):
                    values.update(dict.fromkeys(_spellings(os.environ[name]), _mark(name, os.environ[name])))
        return filled(at, value, mark)

    with_values = walk(content, (), lambda _, value: value)
    longest_first = dict(sorted(values.items(), key=lambda pair: -len(pair[0])))
    return Environment(with_values, walk(content, (), _mark), longest_first)


def _mark(name: str, value: str) -> str:
    return f"${{{name} sha256:{hashlib.sha256(f'{name}={value}'.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}}}"


def _spellings(value: str) -> set[str]:
    """How a value may come back: as it is, trimmed, as in an address, or as Python shows it."""
    plain = {value, value.strip(), value.strip().rstrip("/")}
    return {text for one in plain for text in (one, quote(one), quote(one, safe=""), repr(one)[1:-1]) if text}


def _at(content: Any, at: Location) -> Any:
    for key in at:
        try:
            content = content[key]
        except (KeyError, IndexError, TypeError):
            return None
    return content


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
