"""The folder of batches that were sent: what a process that died leaves to the next one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapters.untrusted import array, mapping, text
from sqlassay.errors import UserError
from sqlassay.whole_file import replace_file

_BATCH = ".batch.json"
_ANSWERS = ".answers.jsonl"


@dataclass(eq=False)
class Batch:
    """Requests that are sent together, and paid once.

    Attributes:
        name: Of its files.
        input_file: The provider's id of the uploaded requests.
        requests: Their digests; those that were answered are taken out.
        id: The provider's; empty until the batch is known to be made.
        answers: The provider's lines by digest, when they were fetched; `None` before.
    """

    name: str
    input_file: str
    requests: set[str]
    id: str = ""
    answers: Mapping[str, Mapping[str, Any]] | None = None


@dataclass(frozen=True)
class BatchFolder:
    """Two files for each batch: its id with the digests of its requests, and its answers once they were fetched.

    Neither holds a prompt. A batch that is answered wholly has no file.

    Args:
        path: The folder; made with the first batch.
    """

    path: Path
    _batches: dict[str, Batch] = field(default_factory=dict, init=False)
    """By digest of each request."""
    _changed: dict[str, Batch] = field(default_factory=dict, init=False)
    """Answered in part since they were written, by name."""

    def read(self) -> None:
        """Learn what is there.

        Raises:
            UserError: A file cannot be read, or is none of this folder's.
        """
        self._batches.clear()
        for path in sorted(self.path.glob(f"*{_BATCH}")):
            try:
                fields = mapping(json.loads(path.read_bytes()))
            except (OSError, ValueError) as error:
                raise UserError(f"cannot be read: {error}", place=str(path), remedy="delete it to ask anew") from None
            name = path.name.removesuffix(_BATCH)
            batch = Batch(
                name, text(fields.get("input_file")), set(array(fields.get("requests"))), text(fields.get("id"))
            )
            answers = self.path / f"{name}{_ANSWERS}"
            if answers.exists():
                batch.answers = lines(answers.read_text(encoding="utf-8"))
                batch.requests &= set(batch.answers)  # those that failed are asked anew
            self._batches.update(dict.fromkeys(batch.requests, batch))

    def find(self, digest: str) -> Batch | None:
        """The batch that a request was sent with; `None` when it was not sent, or was answered."""
        return self._batches.get(digest)

    def add(self, batch: Batch) -> None:
        """Keep a batch as it is now; when this returns, it survives this process.

        Raises:
            UserError: The folder cannot be written.
        """
        self._write(batch)
        self._batches.update(dict.fromkeys(batch.requests, batch))

    def fetched(self, batch: Batch, answers: Iterable[Mapping[str, Any]]) -> None:
        """Keep the answers of a batch until they are given."""
        batch.answers = {text(line.get("custom_id")): line for line in answers}
        content = "".join(json.dumps(line) + "\n" for line in batch.answers.values())
        self._replace(self.path / f"{batch.name}{_ANSWERS}", content)

    def answered(self, digest: str) -> None:
        """A request was answered: the same request is a new one from now on."""
        batch = self._batches.pop(digest, None)
        if batch is not None:
            batch.requests.discard(digest)
            self._changed[batch.name] = batch
            if not batch.requests:
                self.forget(batch)

    def forget(self, batch: Batch) -> None:
        """The batch is over: what of it was not answered is to be asked anew."""
        self._changed.pop(batch.name, None)
        for digest in batch.requests:
            self._batches.pop(digest, None)
        for suffix in (_BATCH, _ANSWERS):
            (self.path / f"{batch.name}{suffix}").unlink(missing_ok=True)

    def save(self) -> None:
        """Write what is left of batches that were answered in part."""
        for batch in self._changed.values():
            self._write(batch)
        self._changed.clear()

    def _write(self, batch: Batch) -> None:
        fields = {"id": batch.id, "input_file": batch.input_file, "requests": sorted(batch.requests)}
        self._replace(self.path / f"{batch.name}{_BATCH}", json.dumps(fields, indent=1))

    def _replace(self, path: Path, content: str) -> None:
        """Whole or not at all, also where the machine stops."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"cannot be written: {error.strerror}", place=str(path)) from None
        replace_file(path, content)


def lines(content: str) -> dict[str, Mapping[str, Any]]:
    """The lines of a provider's file by the digests of their requests; what is no such line is left out."""
    found = {}
    for line in content.split("\n"):
        try:
            fields = mapping(json.loads(line))
        except (ValueError, RecursionError):
            continue
        if name := text(fields.get("custom_id")):
            found[name] = fields
    return found
