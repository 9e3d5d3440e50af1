"""The cells of runs, and which cell of a baseline each is held against."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from evaluation.run_log import RunFolder


class Placed(Protocol):
    """What has a place in an experiment's grid."""

    @property
    def title(self) -> str:
        """Model · prompt · engine, and the history where there is one."""

    @property
    def kin(self) -> str:
        """As the title, without the prompt's version: what a new version of a prompt is held against."""


P = TypeVar("P", bound=Placed)


@dataclass(frozen=True)
class Cell:
    """The repeats of one cell of an experiment.

    Attributes:
        title: Its name, as tables have it.
        kin: The name without the prompt's version.
        runs: One run per repeat, in their order.
    """

    title: str
    kin: str
    runs: tuple[RunFolder, ...]


def cells_of(runs: Sequence[RunFolder]) -> list[Cell]:
    """The cells of runs, in their order."""
    by_title: dict[str, list[RunFolder]] = defaultdict(list)
    for run in runs:
        by_title[_title(run)].append(run)
    return [Cell(title, _kin(title, found[0]), tuple(sorted(found, key=_repeat))) for title, found in by_title.items()]


def _repeat(run: RunFolder) -> int:
    return int(run.manifest["identity"]["repeat"])


def _title(run: RunFolder) -> str:
    return str(run.manifest["title"]).removesuffix(f" · repeat {_repeat(run) + 1}")


def _kin(title: str, run: RunFolder) -> str:
    ref = str(run.manifest["identity"].get("prompt", {}).get("ref", ""))
    return title.replace(ref, ref.partition("@")[0]) if ref else title


def counterparts(cells: Sequence[Placed], baseline: Sequence[P]) -> Mapping[str, P]:
    """What each cell is held against, by the cell's title; a cell that has no counterpart is left out.

    A cell of the same title; or else the only one that has merely another version of the prompt, which then is held
    against what it replaces.
    """
    by_title = {one.title: one for one in baseline}
    titles = {cell.title for cell in cells}
    free = [one for one in baseline if one.title not in titles]
    replaced = Counter(one.kin for one in free)
    replacing = Counter(cell.kin for cell in cells if cell.title not in by_title)
    found: dict[str, P] = {}
    for cell in cells:
        if cell.title in by_title:
            found[cell.title] = by_title[cell.title]
        elif replaced[cell.kin] == replacing[cell.kin] == 1:
            found[cell.title] = next(one for one in free if one.kin == cell.kin)
    return found
