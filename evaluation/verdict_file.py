"""Verdict files: one line per question and strategy, in the order of the questions."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from evaluation.jsonl import line_of
from evaluation.records import ItemRecord
from sqlassay.errors import UserError


class VerdictFile:
    """Writes verdicts beside where they belong, and puts them there when all are written. A context manager.

    Items may come in any order; those that wait for an earlier one are kept, and no others.

    Args:
        path: `verdicts.jsonl`. A pipe or a device is written as items come.
        overwrite: Whether a file that is there may be replaced.

    Raises:
        UserError: It is there already, or its folder is not.
    """

    def __init__(self, path: Path, *, overwrite: bool) -> None:
        self.path = path
        self._is_stream = path.exists() and not path.is_file() and not path.is_dir()
        if path.is_dir():
            raise UserError("is a folder", place=str(path), remedy="name a file in it")
        if path.is_file() and not overwrite:
            raise UserError("is there already", place=str(path), remedy="name another file or add --overwrite")
        if not path.parent.is_dir():
            raise UserError("its folder is not there", place=str(path), remedy=f"make {path.parent}")
        self._written = path if self._is_stream else path.with_name(f".{path.name}.{os.getpid()}.tmp")
        self._next = 0
        self._waiting: dict[int, ItemRecord] = {}

    def spare(self, files: Iterable[Path]) -> None:
        """Refuse to be one of the files that are read.

        Raises:
            UserError: It is one of them, also by another name.
        """
        for file in files:
            if self.path.exists() and file.exists() and self.path.samefile(file):
                problem = f"is read by this command, as {file}"
                raise UserError(problem, place=str(self.path), remedy="name another file")

    def __enter__(self) -> Self:
        try:
            self._file: BinaryIO = self._written.open("wb")
        except OSError as error:
            raise self._refused(error) from error
        return self

    def add(self, record: ItemRecord) -> None:
        """Write the verdicts of one item, when those of all items before it are written.

        Raises:
            UserError: The disk is full, say.
        """
        self._waiting[record.position] = record
        try:
            while (item := self._waiting.pop(self._next, None)) is not None:
                self._file.writelines(line_of(line.to_json()) for line in item.verdict_lines())
                self._next += 1
        except OSError as error:
            raise self._refused(error) from error

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._file.close()
            if kind is None and not self._is_stream:
                self._written.replace(self.path)
        except OSError as error:
            raise self._refused(error) from error
        finally:
            if not self._is_stream:
                self._written.unlink(missing_ok=True)

    def _refused(self, error: OSError) -> UserError:
        return UserError(f"cannot be written: {error.strerror}", place=str(self.path))
