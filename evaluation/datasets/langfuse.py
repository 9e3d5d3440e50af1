"""A dataset at Langfuse, in our own question format: what `sqlassay langfuse publish` puts there, or somebody else."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from evaluation.datasets.base import Ids
from evaluation.datasets.json_file import line_records
from evaluation.datasets.native import KEYS, NativeDataset
from evaluation.datasets.record import Record
from evaluation.jsonl import line_of
from evaluation.store import cache_folder
from evaluation.tracing.server import Server, explained
from sqlassay.errors import UnknownName, UserError
from sqlassay.langfuse import access
from sqlassay.whole_file import replace_file

_VERSION = re.compile(r"(?P<name>.+)@(?P<version>[0-9]{4}-[0-9]{2}-[0-9]{2}\S*)")


class LangfuseDataset(NativeDataset):
    """The active items of a dataset: `NAME` as it is now, `NAME@2026-01-31T12:00:00Z` as it was then.

    The input of an item is an object with `question`, `db_id` and any other key of the question format; the expected
    output is its gold: a statement, a list of acceptable ones, or an object with one of them under `gold` or `sql`. The
    id is that in the item's metadata, else the item's own.

    What was fetched is kept in the cache, in a file whose name is the digest of its content; a run that is resumed is
    refused when the dataset has changed meanwhile.
    """

    name = "langfuse"
    file_patterns = ("*.jsonl",)
    is_file = False

    def __init__(self, path: Path, *, databases: Path | None = None, ids: Ids = "field") -> None:
        super().__init__(_fetched(str(path)), databases=databases, ids=ids)

    def records(self) -> Iterator[Record]:
        """The lines of the file."""
        return line_records(self.question_file)

    def _database_folders(self) -> list[Path]:
        return [Path(folder) for folder in self.database_folders] if self.databases is None else [self.databases]


def _fetched(spec: str) -> Path:
    """The file of a dataset, fetched now."""
    match = _VERSION.fullmatch(spec)
    name, version = (match["name"], match["version"]) if match else (spec, None)
    if version is not None:
        _check_time(version)
    to = access()
    with explained(to.host), Server(to) as server:
        if server.dataset(name) is None:
            raise UnknownName("dataset at Langfuse", name, server.datasets())
        items = [one for one in server.dataset_items(name, version) if one.get("status") != "ARCHIVED"]
    if not items:
        raise UserError("the dataset at Langfuse has no items", place=name)
    questions = [_question(one, name) for one in items]
    questions.sort(key=_place)  # the server's order is that of its changes
    return _kept(b"".join(map(line_of, questions)))


def _check_time(version: str) -> None:
    try:
        moment = datetime.fromisoformat(version)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise UserError(f"{version!r} is no time in UTC", remedy="write it as 2026-01-31T12:00:00Z")


def _question(item: Mapping[str, Any], name: str) -> dict[str, Any]:
    place = f"dataset {name!r} at Langfuse, item {item['id']}"
    asked, gold, about = item.get("input"), item.get("expectedOutput"), item.get("metadata")
    if not isinstance(asked, dict) or not {"question", "db_id"} <= asked.keys():
        raise UserError("its input is no object with question and db_id", place=place)
    about = about if isinstance(about, dict) else {}
    if isinstance(gold, dict):
        gold = gold.get("gold", gold.get("sql"))
    fields = {key: value for key, value in {**about, **asked}.items() if key in KEYS}
    return {"id": item["id"], **fields, **({} if gold is None else {"gold": gold})}


def _place(question: Mapping[str, Any]) -> tuple[str, int, int, str]:
    """Turns in their order, and 9 before 10."""
    turn, own = question.get("turn"), str(question["id"])
    return str(question.get("conversation") or ""), turn if isinstance(turn, int) else 0, len(own), own


def _kept(content: bytes) -> Path:
    folder = cache_folder() / "langfuse"
    path = folder / f"{hashlib.sha256(content).hexdigest()[:32]}.jsonl"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", place=str(path)) from error
    replace_file(path, content)
    return path
