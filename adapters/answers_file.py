"""The file of recorded answers: one JSON object a line, found again by its place in the file."""

from __future__ import annotations

import hashlib
import json
import os
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, NamedTuple

from adapters.base import FinishReason, Usage
from sqlassay.errors import UnknownName, UserError

_FIELDS = ("question_id", "answer", "model", "prompt", "dialect", "repeat", "finish_reason", "usage", "note")
_USAGE = ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens")

Shape = tuple[bool, ...]
"""Which of model, prompt, dialect and repeat a line names."""


class Key(NamedTuple):
    """Which requests a line answers; `None` matches any."""

    question_id: str
    model: str | None
    prompt: str | None
    dialect: str | None
    repeat: int | None

    @property
    def shape(self) -> Shape:
        """Which of the fields after the question are named."""
        return tuple(field is not None for field in self[1:])

    def keep(self, shape: Shape) -> Key:
        """The key with only the named fields."""
        model, prompt, dialect, repeat = shape
        return Key(
            self.question_id,
            self.model if model else None,
            self.prompt if prompt else None,
            self.dialect if dialect else None,
            self.repeat if repeat else None,
        )


def _precedence(shape: Shape) -> tuple[int, Shape]:
    """More fields win; among as many, the one that names the model, then the prompt, then the dialect."""
    return sum(shape), shape


@dataclass(frozen=True)
class RecordedAnswer:
    """One line of the file."""

    key: Key
    text: str
    finish_reason: FinishReason
    usage: Usage


class AnswersFile:
    """The answers of one model in a file.

    The file is read once, from start to end. What stays in memory is a hash and an offset for each answer: 16 bytes.

    Args:
        path: The file.
        model: Lines that name another model are checked and passed over.

    Attributes:
        sha256: Hex digest of the whole file.
        models: The models that the file names.

    Raises:
        UserError: The file cannot be read, a line is wrong, or two lines answer the same requests.
    """

    def __init__(self, path: Path, model: str) -> None:
        self.path = path
        self.models: set[str] = set()
        self._hashes = array("q")
        self._offsets = array("Q")
        shapes: set[Shape] = set()
        digest = hashlib.sha256()
        for offset, line, answer in self._lines():
            digest.update(line)
            if answer is None:
                continue
            if answer.key.model is not None:
                self.models.add(answer.key.model)
            if answer.key.model in (None, model):
                shapes.add(answer.key.shape)
                self._hashes.append(hash(answer.key))
                self._offsets.append(offset)
        self.sha256 = digest.hexdigest()
        self._shapes = sorted(shapes, key=_precedence, reverse=True)
        self._sort()

    def _lines(self) -> Iterator[tuple[int, bytes, RecordedAnswer | None]]:
        """Offset, bytes and content of each line; an empty line has no content."""
        try:
            with self.path.open("rb") as file:
                self._version = _version(file)
                offset = 0
                for number, line in enumerate(file, 1):
                    try:
                        yield offset, line, _parse(line) if line.strip() else None
                    except UserError as error:
                        error.place = f"{self.path}: line {number}"
                        raise
                    offset += len(line)
        except OSError as error:
            raise UserError(f"cannot read the recorded answers: {error.strerror}", place=str(self.path)) from error

    def __len__(self) -> int:
        """The number of answers of this model."""
        return len(self._offsets)

    def find(self, request: Key) -> RecordedAnswer | None:
        """The most specific answer to a request whose every field is given, if there is any.

        Raises:
            UserError: The file is gone or was changed after it was opened.
        """
        for shape in self._shapes:
            found = self._find(request.keep(shape))
            if found is not None:
                return found
        return None

    def _sort(self) -> None:
        order = sorted(range(len(self._hashes)), key=self._hashes.__getitem__)
        self._hashes = array("q", (self._hashes[i] for i in order))
        self._offsets = array("Q", (self._offsets[i] for i in order))
        for i, j in pairwise(range(len(order))):
            if self._hashes[i] == self._hashes[j]:
                self._refuse_duplicates(self._hashes[i])

    def _refuse_duplicates(self, of: int) -> None:
        seen: dict[Key, int] = {}
        for offset in self._places(of):
            key = self._read(offset).key
            if key in seen:
                first, second = sorted(map(self._line_number, (seen[key], offset)))
                raise UserError(
                    f"lines {first} and {second} answer the same requests of question {key.question_id!r}",
                    place=str(self.path),
                    remedy="remove one, or tell them apart by model, prompt, dialect or repeat",
                )
            seen[key] = offset

    def _find(self, key: Key) -> RecordedAnswer | None:
        lines = map(self._read, self._places(hash(key)))
        return next((line for line in lines if line.key == key), None)

    def _places(self, hashed: int) -> Iterator[int]:
        i = bisect_left(self._hashes, hashed)
        while i < len(self._hashes) and self._hashes[i] == hashed:
            yield self._offsets[i]
            i += 1

    def _read(self, offset: int) -> RecordedAnswer:
        try:
            with self.path.open("rb") as file:
                if _version(file) != self._version:
                    raise UserError("the recorded answers were changed while they were in use", place=str(self.path))
                file.seek(offset)
                return _parse(file.readline())
        except OSError as error:
            raise UserError(f"cannot read the recorded answers: {error.strerror}", place=str(self.path)) from error

    def _line_number(self, offset: int) -> int:
        with self.path.open("rb") as file:
            return file.read(offset).count(b"\n") + 1


def _version(file: BinaryIO) -> tuple[int, int]:
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns


def _parse(line: bytes) -> RecordedAnswer:
    try:
        fields = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UserError("not text in UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"not valid JSON: {error}") from error
    if not isinstance(fields, dict):
        raise UserError("a line must be a JSON object")
    for name in fields:
        if name not in _FIELDS:
            raise UnknownName("key", name, _FIELDS)
    return RecordedAnswer(
        Key(
            _question_id(fields),
            _text(fields, "model"),
            _text(fields, "prompt"),
            _text(fields, "dialect"),
            _whole_number(fields, "repeat"),
        ),
        _required(_text(fields, "answer"), "answer"),
        _finish_reason(fields),
        _usage(fields),
    )


def _question_id(fields: Mapping[str, object]) -> str:
    value = fields.get("question_id")
    return str(value) if type(value) is int else _required(_text(fields, "question_id"), "question_id")


def _finish_reason(fields: Mapping[str, object]) -> FinishReason:
    value = _text(fields, "finish_reason") or FinishReason.STOP
    if value not in list(FinishReason):
        raise UnknownName("finish_reason", value, FinishReason)
    return FinishReason(value)


def _usage(fields: Mapping[str, object]) -> Usage:
    value = fields.get("usage")
    if value is None:
        return Usage()
    if not isinstance(value, dict):
        raise UserError("'usage' must be an object")
    for name in value:
        if name not in _USAGE:
            raise UnknownName("key of usage", name, _USAGE)
    return Usage(*(_whole_number(value, name) for name in _USAGE))


def _text(fields: Mapping[str, object], name: str) -> str | None:
    value = fields.get(name)
    if value is None or isinstance(value, str):
        return value
    raise UserError(f"{name!r} must be text")


def _whole_number(fields: Mapping[str, object], name: str) -> int | None:
    value = fields.get(name)
    if value is None or (type(value) is int and value >= 0):
        return value
    raise UserError(f"{name!r} must be a whole number, not below 0")


def _required(value: str | None, name: str) -> str:
    if value is None:
        raise UserError(f"the key {name!r} is missing")
    return value
