"""What every dataset that is one file of questions beside a folder of databases shares."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from evaluation.datasets.base import Dataset, Ids, Question
from evaluation.datasets.conversations import linked
from evaluation.datasets.databases import find_database
from evaluation.datasets.record import Record
from evaluation.datasets.text_file import no_such_file, unreadable
from sqlassay.errors import UserError


class FileDataset(Dataset):
    """A dataset of one question file.

    A subclass declares its layout and turns records into questions; ids, duplicates and emptiness are seen to
    here. Lines and entries in messages count from 1, positions as ids from 0.
    """

    id_key: ClassVar[str] = ""
    """The key of the dataset's own ids; empty when the format has none."""
    file_patterns: ClassVar[tuple[str, ...]]
    """What question files are called, for a path that is a folder."""
    default_file: ClassVar[str] = ""
    """The question file that is meant when a folder holds several; empty when there is no such rule."""
    database_folders: ClassVar[tuple[str, ...]]
    """Where databases are looked for when no folder is given, from the folder of the question file."""

    def __init__(self, path: Path, *, databases: Path | None = None, ids: Ids = "field") -> None:
        super().__init__(path, databases=databases, ids=ids)
        try:
            self._question_file = self._find_question_file()
            if databases is not None and not databases.is_dir():
                raise _no_folder(databases)
        except OSError as error:
            raise unreadable(path, error) from None

    @property
    def question_file(self) -> Path:
        """The file that holds the questions."""
        return self._question_file

    @abstractmethod
    def records(self) -> Iterator[Record]:
        """The records of the question file, in file order, one at a time."""

    @abstractmethod
    def question(self, record: Record, question_id: str) -> Question:
        """The question that a record holds."""

    def questions(self) -> Iterator[Question]:
        """Every question, in file order; the turns of a conversation are read together."""
        return linked(self._placed())

    def _placed(self) -> Iterator[tuple[str, Question]]:
        """Every question with its place."""
        seen: dict[str, int] = {}
        for position, record in enumerate(self.records()):
            question_id = self._own_id(record) or str(position)
            if question_id in seen:
                raise UserError(
                    f"question id {question_id!r} is at {record.unit} {seen[question_id]}"
                    f" and at {record.unit} {record.number}",
                    place=str(self.question_file),
                    remedy="give each question its own id, or count them from 0 with --ids-by-position",
                )
            seen[question_id] = record.number
            yield record.place, self.question(record, question_id)
        if not seen:
            raise UserError("holds no questions", place=str(self.question_file), remedy="was it written to the end?")

    def own_ids(self) -> Iterator[str | None]:
        """The id that the file gives each question, or `None`."""
        for record in self.records():
            yield record.identifier(self.id_key) if self.id_key else None

    def database(self, db_id: str, suffixes: tuple[str, ...]) -> Path | None:
        """The database file of a `db_id`, or `None`; see `find_database`."""
        return find_database(self._database_folders(), db_id, suffixes)

    def _database_folders(self) -> list[Path]:
        """Where databases are looked for."""
        return self._beside(*self.database_folders) if self.databases is None else [self.databases]

    def _beside(self, *folders: str) -> list[Path]:
        """Folders as seen from that of the question file."""
        # Not Path.parent: the parent of "." is "." to it.
        return [Path(os.path.normpath(self.question_file.parent / folder)) for folder in folders]

    def _own_id(self, record: Record) -> str | None:
        return record.identifier(self.id_key) if self.id_key and self.ids == "field" else None

    def _find_question_file(self) -> Path:
        if not self.path.is_dir():
            if not self.path.exists():
                raise no_such_file(self.path)
            return self.path
        found = sorted({file for pattern in self.file_patterns for file in self.path.glob(pattern)})
        if self.default_file and self.path / self.default_file in found:
            return self.path / self.default_file
        if not found:
            raise UserError(
                f"no {self.name} question file in this folder: looked for {', '.join(self.file_patterns)}",
                place=str(self.path),
                remedy="give the question file itself",
            )
        if len(found) > 1:
            raise UserError(
                f"several question files in this folder: {', '.join(file.name for file in found)}",
                place=str(self.path),
                remedy=f"name one, such as {self.name}:{found[0]}",
            )
        return found[0]


def _no_folder(path: Path) -> UserError:
    if path.exists():
        return UserError("is a file, not a folder of databases", place=str(path), remedy="give the folder it is in")
    return no_such_file(path)
