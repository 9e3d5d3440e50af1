"""Old runs: which groups may go, and letting them go."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from evaluation.run_log import RunFolder, held, staging
from evaluation.runs import all_runs, made
from sqlassay.errors import UserError

BASELINES = "baselines.json"
"""The file in the folder of runs in which a gate keeps what it compares with: what it names is never deleted."""
_AGE = re.compile(r"([0-9]{1,6})([hdw])", re.ASCII)
_HOURS = {"h": 1, "d": 24, "w": 168}


@dataclass(frozen=True)
class Group:
    """The runs of one execution of an experiment.

    Attributes:
        name: Its name.
        runs: Its runs, the oldest first.
        kept: Why it must stay although it is old; empty when it may go.
    """

    name: str
    runs: tuple[RunFolder, ...]
    kept: str = ""

    @property
    def made(self) -> str:
        """When its last run came to be, UTC, ISO 8601."""
        return max(map(made, self.runs))

    @property
    def bytes(self) -> int:
        """What it takes on disk."""
        return sum(path.stat().st_size for run in self.runs for path in run.path.rglob("*") if path.is_file())


def parse_age(text: str) -> timedelta:
    """The age that is written `30d`: hours `h`, days `d`, weeks `w`.

    Raises:
        UserError: Not of this form.
    """
    found = _AGE.fullmatch(text)
    if found is None:
        raise UserError(f"{text!r} is no age", remedy="such as 12h, 30d or 8w")
    return timedelta(hours=int(found[1]) * _HOURS[found[2]])


def old_groups(runs: Path, *, keep: int = 0, older_than: timedelta | None = None) -> list[Group]:
    """The groups beyond the newest, the oldest first; those that must stay say why.

    Args:
        runs: The folder of runs.
        keep: How many of the newest groups are not old.
        older_than: Groups that are younger than this are not old either.

    Raises:
        UserError: A manifest, or the file of baselines, cannot be read.
    """
    groups: dict[str, list[RunFolder]] = {}
    for run in all_runs(runs):
        groups.setdefault(str(run.manifest["group"]), []).append(run)
    named = _baselines(runs / BASELINES)
    found = sorted((Group(name, tuple(of)) for name, of in groups.items()), key=lambda group: (group.made, group.name))
    if older_than is not None:
        before = (datetime.now(UTC) - older_than).isoformat(timespec="seconds")
        young = sum(group.made >= before for group in found)
        keep = max(keep, young)
    return [Group(group.name, group.runs, _why_kept(group, named)) for group in found[: max(0, len(found) - keep)]]


def delete(group: Group, runs: Path) -> None:
    """Delete a group: every one of its runs goes at once.

    Raises:
        UserError: One of them is being written by now, or the folder of runs cannot be written.
    """
    with ExitStack() as stack:
        for run in group.runs:
            stack.enter_context(held(run.path))
        away = stack.enter_context(staging(runs))
        for run in group.runs:
            run.path.replace(away / run.path.name)


def _baselines(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        problem = "cannot be read, and says which runs are still needed"
        raise UserError(problem, place=str(path), remedy="restore the file") from error


def _why_kept(group: Group, baselines: str) -> str:
    return next(_reasons(group.name, group.runs, baselines), "")


def _reasons(name: str, runs: Sequence[RunFolder], baselines: str) -> Iterator[str]:
    if name in baselines or any(run.run_id in baselines for run in runs):
        yield f"{BASELINES} names it"
    for run in runs:
        try:
            with held(run.path):
                pass
        except UserError:
            yield "it is being written"
