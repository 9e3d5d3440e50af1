"""Changes of questions that somebody has reviewed, so that a baseline from before can still be compared with."""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from evaluation.experiment import validated
from evaluation.gate.cells import Cell
from evaluation.gate.comparability import SHOWN, UNKNOWN, Change, Kind
from evaluation.gate.snapshot import DIGITS, Snapshot, asked_of, digest_of, golds_of
from evaluation.yaml_file import parse_yaml, read_text
from sqlassay.counted import some
from sqlassay.errors import UserError
from sqlassay.whole_file import replace_file

NAME = "label_changes.yaml"
"""Looked for beside the experiment file."""
_DIGEST = re.compile(rf"(?:sha256:)?([0-9a-f]{{{DIGITS},64}})")
_NEEDED = {
    Kind.GOLD_CHANGED: ("id", "was", "now"),
    Kind.QUESTION_CHANGED: ("id", "was", "now"),
    Kind.REMOVED: ("id", "was"),
    Kind.ADDED: ("id", "now"),
    Kind.FILES_CHANGED: ("was", "now"),
}
_HEAD = """\
# Changes of questions since the baseline. `sqlassay gate` refuses to compare until each is reviewed: write who has
# looked at it (reviewed_by) and why it is right (reason). `was` and `now` are golds, or what makes a question
# (database, text, evidence), or their digests.
"""


def _as_text(value: object) -> object:
    """YAML reads `id: 7` as a number; ids are text."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


_Id = Annotated[str, BeforeValidator(_as_text)]


class LabelChange(BaseModel):
    """One reviewed change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    id: _Id | None = Field(None, description="The question; none for files_changed.")
    was: str | tuple[str, ...] | None = Field(None, description="What was before: its text, or its digest.")
    now: str | tuple[str, ...] | None = Field(None, description="What is now.")
    reviewed_by: str | None = Field(None, description="Who has looked at it.")
    reason: str | None = Field(None, description="Why the change is right.")
    date: datetime.date | None = None

    @property
    def change(self) -> Change:
        """What it names."""
        return Change(self.kind, self.id or "", _digest(self.was), _digest(self.now))


class LabelChangesFile(BaseModel):
    """The file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    changes: tuple[LabelChange, ...]


@dataclass(frozen=True)
class LabelChanges:
    """Reviewed changes.

    Attributes:
        path: The file.
        named: What each entry names, with the place where it stands.
    """

    path: Path
    named: Mapping[Change, str]

    def settled(self, found: Collection[Change], compared: Iterable[tuple[Snapshot, Snapshot]]) -> list[Change]:
        """The entries that need not be there any more: the baseline is of after the change.

        Args:
            found: Every change there is.
            compared: Baselines and what is held against them.

        Raises:
            UserError: An entry names no change.
        """
        both = list(compared)
        settled = []
        for change, place in self.named.items():
            if change in found:
                continue
            if not any(_is_in(change, baseline, now) for baseline, now in both):
                what = f"question {change.id!r}" if change.id else "the dataset's files"
                raise UserError(
                    f"stale entry: nothing of the kind {change.kind.value} as it says has become of {what}",
                    place=place,
                    remedy="delete the entry, or have `was` and `now` say what is",
                )
            settled.append(change)
        return settled


def read_label_changes(path: Path) -> LabelChanges:
    """Read and check the file.

    Raises:
        UserError: Naming the line: it is no such file, or an entry lacks something, a reviewer above all.
    """
    content, lines = parse_yaml(read_text(path, "file of label changes"), path, "label changes", "give it `changes:`")
    file = validated(LabelChangesFile, content, path, lines, {"changes": LabelChange})
    named: dict[Change, str] = {}
    for index, entry in enumerate(file.changes):
        place = f"{path}:{lines.get(('changes', index), 1)}"
        _check(entry, place)
        if entry.change in named:
            raise UserError(f"{entry.id or 'the files'}: is there twice", place=place, remedy="delete one")
        named[entry.change] = place
    return LabelChanges(path, named)


def write_draft(path: Path, changes: Sequence[Change], cells: Iterable[Cell]) -> None:
    """Write the file for review, with nobody's name in it.

    Args:
        path: A new file.
        changes: What is to be reviewed.
        cells: Whose records hold the texts, where they are at hand.

    Raises:
        UserError: The file is there already, or cannot be written.
    """
    if path.exists():
        raise UserError("is there already", place=str(path), remedy="name another file, and take over what is reviewed")
    texts = _texts(cells, {digest for change in changes for digest in (change.was, change.now)})
    entries = []
    for change in changes:
        entry: dict[str, Any] = {"id": change.id} if change.id else {}
        entry["kind"] = change.kind.value
        entry |= {key: _told(digest, texts) for key, digest in (("was", change.was), ("now", change.now)) if digest}
        entries.append({**entry, "reviewed_by": "", "reason": ""})
    listed = yaml.safe_dump({"changes": entries}, sort_keys=False, allow_unicode=True, width=110)
    replace_file(path, _HEAD + listed)


def _check(entry: LabelChange, place: str) -> None:
    named = f"{entry.kind.value} of {entry.id}" if entry.id else entry.kind.value
    for key in ("id", "was", "now"):
        given = getattr(entry, key) not in (None, "")
        if given is not (key in _NEEDED[entry.kind]):
            needed = " and ".join(_NEEDED[entry.kind])
            raise UserError(
                f"{named}: {'has' if given else 'lacks'} `{key}`", place=place, remedy=f"it is told by {needed}"
            )
    for key, remedy in (("reviewed_by", "who has looked at it?"), ("reason", "why is the change right?")):
        if not (getattr(entry, key) or "").strip():
            raise UserError(f"{named}: is not reviewed: `{key}` is empty", place=place, remedy=remedy)


def _digest(value: str | tuple[str, ...] | None) -> str:
    if value is None or value == UNKNOWN:
        return value or ""
    if isinstance(value, str):
        told = _DIGEST.fullmatch(value.strip())
        return told[1][:DIGITS] if told else digest_of([value])
    return digest_of(value)


def _is_in(change: Change, baseline: Snapshot, now: Snapshot) -> bool:
    """Whether a change was made before the baseline, and holds."""
    before, after = baseline.questions.get(change.id), now.questions.get(change.id)
    if change.kind is Kind.FILES_CHANGED:
        return baseline.dataset[:DIGITS] == now.dataset[:DIGITS] == change.now
    if change.kind is Kind.REMOVED:
        return change.id in baseline.removed and after is None
    if before is None or after is None:
        return False
    if change.kind is Kind.QUESTION_CHANGED:
        return before.question == after.question == change.now
    return before.golds == after.golds == change.now


def _texts(cells: Iterable[Cell], wanted: Collection[str]) -> dict[str, list[str]]:
    """What the digests are of, as far as records say."""
    found: dict[str, list[str]] = {}
    for run in (run for cell in cells for run in cell.runs):
        for record in run.items():
            for texts in (golds_of(record), asked_of(record)):
                digest = digest_of(texts)
                if digest in wanted:
                    found[digest] = texts
    return found


def _told(digest: str, texts: Mapping[str, list[str]]) -> str | list[str]:
    if digest not in texts:
        return digest if digest == UNKNOWN else f"sha256:{digest}"
    return texts[digest][0] if len(texts[digest]) == 1 else texts[digest]


def settled_in_words(settled: Sequence[Change], path: Path) -> str:
    """That entries can go."""
    ids = some([change.id or "the files" for change in settled], SHOWN)
    return f"{path}: the baseline is of after these changes, whose entries can go: {ids}"
