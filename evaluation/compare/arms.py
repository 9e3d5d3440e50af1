"""Which runs are one side of a comparison, and which sides are compared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from evaluation.dialect import dialect_of
from evaluation.records import ItemRecord

DIMENSIONS = ("prompt", "model", "backend", "history")
"""Of the first of these in which the runs of one experiment differ, the values are compared; the others stay as they
are."""
HISTORY = DIMENSIONS.index("history")
GROUP = len(DIMENSIONS)
"""Where a key has the group of a run, after the values of these."""

Key = tuple[str, ...]


class Recorded(Protocol):
    """Records with what they were made from: a run, or a file of predictions that was scored."""

    @property
    def manifest(self) -> dict[str, Any]:
        """What they were made from: see `evaluation.run_log`."""

    @property
    def path(self) -> Path:
        """Where it is."""

    @property
    def run_id(self) -> str:
        """What it is called."""

    def items(self) -> Iterator[ItemRecord]:
        """Every record.

        Raises:
            UserError: One cannot be read.
        """


@dataclass(frozen=True)
class Arm:
    """One side of a comparison: the repeats of one cell.

    Attributes:
        name: What tells it from the other side.
        where: What both sides have in common and other comparisons do not.
        runs: Its runs.
    """

    name: str
    where: str
    runs: tuple[Recorded, ...]

    @property
    def manifest(self) -> Mapping[str, Any]:
        """What all its runs were made from, but for the repeat."""
        return self.runs[0].manifest

    @property
    def dialect(self) -> str:
        """The sqlglot dialect of its statements."""
        return dialect_of(self.manifest)


def blocks(runs: Sequence[Recorded]) -> Iterator[tuple[Arm, list[Arm]]]:
    """Each baseline with what is compared with it.

    Runs of one experiment that differ in several things are compared in the first of `DIMENSIONS` that is among them,
    for each combination of the others. Runs of several experiments are compared with the first of all.

    Args:
        runs: In their order; runs that differ in nothing but the repeat are one arm.
    """
    arms = _arms(runs)
    varying = [index for index, values in enumerate(zip(*arms, strict=True)) if len(set(values)) > 1]
    compared = varying
    if GROUP not in varying:
        compared = next(([index] for index in varying if _together(arms, [index])), varying)
    elif len({tuple(key[index] for index in varying if index != GROUP) for key in arms}) == len(arms):
        compared = [index for index in varying if index != GROUP]
    common = [index for index in varying if index not in (*compared, GROUP)]
    for keys in _together(arms, [*compared, GROUP]):
        baseline, *candidates = (
            Arm(_joined(key[i] for i in compared), _joined(key[i] for i in common), tuple(arms[key])) for key in keys
        )
        yield baseline, candidates


def _arms(runs: Sequence[Recorded]) -> dict[Key, list[Recorded]]:
    arms: dict[Key, list[Recorded]] = defaultdict(list)
    keys = [(_key(run), run) for run in runs]
    histories = list(dict.fromkeys(key[HISTORY] for key, _ in keys if key[HISTORY]))
    several = len({key[GROUP] for key, _ in keys}) > 1
    for key, run in keys:
        # What shows no history is the same beside each: two prompts are compared although only one shows it.
        of_all = histories if histories and not key[HISTORY] and not several else [key[HISTORY]]
        for history in of_all:
            arms[(*key[:HISTORY], history, *key[HISTORY + 1 :])].append(run)
    return arms


def _key(run: Recorded) -> Key:
    """The values of `DIMENSIONS`, and the group."""
    manifest, identity = run.manifest, run.manifest["identity"]
    model = manifest.get("model_label", manifest["title"])
    history = identity.get("history", {}).get("by", "")
    prompt = identity.get("prompt", {}).get("ref", "")
    backend = manifest.get("backend_label", identity.get("backend", {}).get("name", ""))
    values = (prompt, model, backend, history, manifest["group"])
    return tuple(map(str, values))


def _joined(values: Iterable[str]) -> str:
    return " · ".join(filter(None, values))


def _together(keys: Iterable[Key], free: Collection[int]) -> list[list[Key]]:
    """The keys that differ in nothing but what is free, where there are several."""
    found: dict[Key, list[Key]] = defaultdict(list)
    for key in keys:
        found[tuple(value for index, value in enumerate(key) if index not in free)].append(key)
    return [block for block in found.values() if len(block) > 1]
