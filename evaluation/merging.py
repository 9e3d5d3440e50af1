"""Shards put together: of the parts of an experiment that ran by themselves, the runs that it would have been as one.

Each part ran on a machine of its own, in a group of its own. What belongs together is told by what was run: the text of
the experiment, the number of the cell, and everything else that can change its outcome.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evaluation.groups import new_group
from evaluation.jsonl import line_of
from evaluation.prompt_log import PROMPTS, joined_prompts
from evaluation.run_log import FINISHED, INTERRUPTED, ITEMS, MANIFEST, RESPONSES, STOPPED, RunFolder, held, staging
from evaluation.sharding import Shard
from evaluation.store import Store
from sqlassay.errors import UserError
from sqlassay.whole_file import replace_file

_TOGETHER = "shards are merged when they are of one experiment, over the same data, with the same software"


@dataclass(frozen=True)
class _Part:
    """One shard of one cell.

    Attributes:
        run: Its run.
        shard: Which part of the questions it is.
    """

    run: RunFolder
    shard: Shard

    @property
    def name(self) -> str:
        """For people."""
        return f"shard {self.shard} of {self.run.manifest['title']}"

    @property
    def cell(self) -> int:
        """Which cell of the experiment it is of, from 1."""
        return int(self.run.manifest["cell"])

    @property
    def questions(self) -> int:
        """How many it is about."""
        return int(self.run.manifest["identity"]["dataset"]["questions"])

    @property
    def identity(self) -> dict[str, Any]:
        """What the run of all shards together is told by."""
        identity = dict(self.run.manifest["identity"])
        whole = identity.pop("shard")["questions"]
        return {**identity, "dataset": {**identity["dataset"], "questions": whole}}

    @property
    def is_finished(self) -> bool:
        """Whether it says that nothing is left to do."""
        return bool(self.run.manifest["status"] == FINISHED)

    def items(self) -> Iterator[dict[str, Any]]:
        """Its items; that something is wrong with them may come out at the end only.

        Raises:
            UserError: One of them belongs to another shard, or there are not as many as questions.
        """
        count = 0
        for item in self.run.raw_items():
            count += 1
            if not self.shard.has(item["id"], item.get("conversation")):
                raise self._refused(f"the question {item['id']!r} belongs to another shard than {self.shard}")
            yield item
        if count > self.questions or (self.is_finished and count < self.questions):
            raise self._refused(f"has {count} items, and shard {self.shard} has {self.questions} questions")

    def _refused(self, problem: str) -> UserError:
        return UserError(problem, place=str(self.run.path), remedy="restore the run, or run this shard again")


def shards_in(runs: Sequence[RunFolder]) -> list[RunFolder]:
    """Those of some runs that are shards."""
    return [run for run in runs if Shard.of_identity(run.manifest["identity"]) is not None]


def merge(shards: Sequence[RunFolder], runs: Path, *, allow_missing: bool = False) -> list[RunFolder]:
    """Make ordinary runs of shards, one per cell: a new group. The shards stay as they are.

    Args:
        shards: Every shard of every cell of one experiment, once, in any order.
        runs: The folder that the new runs go to.
        allow_missing: Take what there is. Where shards are missing or not finished, neither is the run:
            `sqlassay run --resume` does the rest.

    Returns:
        The new runs, in the order of the cells.

    Raises:
        UserError: A run is no shard, is being written, is there twice, belongs to another experiment, is not finished,
            or one is missing; or the folder cannot be written.
    """
    parts = [_part(run) for run in shards]
    if not parts:
        raise UserError("there is no shard", place=str(runs), remedy="sqlassay run EXPERIMENT.yaml --shard 1/4")
    with ExitStack() as stack:
        for part in parts:
            stack.enter_context(held(part.run.path))
        cells = _cells(parts)
        if not allow_missing:
            _refuse_missing(parts, cells)
        folder = stack.enter_context(staging(runs))
        made = [_merged(cells[number], folder / f"{number:02d}") for number in sorted(cells)]
        started = min(str(part.run.manifest["started"]) for part in parts)
        name = str(parts[0].run.manifest["experiment"]["name"])
        group = new_group(name, runs, started=datetime.fromisoformat(started))
        found = []
        for manifest in made:
            number = f"{manifest['cell']:02d}"
            manifest |= {"run_id": f"{group}-{number}", "group": group}
            replace_file(folder / number / MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=True) + "\n")
            found.append(RunFolder((folder / number).replace(runs / manifest["run_id"])))
        if 1 not in cells:
            (runs / f"{group}-01").rmdir()  # which took the name for the group
    return found


def _part(run: RunFolder) -> _Part:
    shard = Shard.of_identity(run.manifest["identity"])
    if shard is None:
        raise UserError("is no shard of an experiment", place=str(run.path), remedy="leave it out")
    return _Part(run, shard)


def _cells(parts: Sequence[_Part]) -> dict[int, dict[int, _Part]]:
    """The shards by their numbers, by cells.

    Raises:
        UserError: One is there twice, or they do not belong together.
    """
    cells: dict[int, dict[int, _Part]] = {}
    for part in parts:
        _refuse_foreign(part, parts[0])
        cell = cells.setdefault(part.cell, {})
        twin = cell.setdefault(part.shard.number, part)
        if twin is not part:
            raise UserError(
                f"{part.name} is there twice: {twin.run.run_id} and {part.run.run_id}",
                place=str(part.run.path),
                remedy="name the runs that are to be merged, or delete one of them",
            )
        for key, value, other in _differences(next(iter(cell.values())), part):
            raise UserError(
                f"{part.name} does not belong to {next(iter(cell.values())).run.run_id}: its {key} is {value}, not"
                f" {other}",
                place=str(part.run.path),
                remedy=_TOGETHER,
            )
    return cells


def _refuse_foreign(part: _Part, first: _Part) -> None:
    mine, other = part.run.manifest, first.run.manifest
    if mine["experiment"]["sha256"] != other["experiment"]["sha256"]:
        problem = f"is of another experiment file than {first.run.run_id}"
    elif part.shard.of != first.shard.of:
        problem = f"is shard {part.shard}, and {first.run.run_id} is shard {first.shard}"
    else:
        return
    raise UserError(problem, place=str(part.run.path), remedy="name the runs that are to be merged")


def _differences(first: _Part, part: _Part) -> Iterator[tuple[str, str, str]]:
    """In what a shard is not of the same run as another: the key, its value, and the other's."""
    mine, other = part.identity, first.identity
    for key in sorted({*mine, *other}):
        if mine.get(key) != other.get(key):
            yield key, json.dumps(mine.get(key)), json.dumps(other.get(key))
    databases, others = (one.run.manifest.get("databases", {}) for one in (part, first))
    for db_id in sorted({*databases} & {*others}):
        if databases[db_id] != others[db_id]:
            yield f"database {db_id}", "of other content", "the same"


def _refuse_missing(parts: Sequence[_Part], cells: Mapping[int, Mapping[int, _Part]]) -> None:
    """Name what is not there, or not finished.

    Raises:
        UserError: There is such a shard.
    """
    first = parts[0]
    missing = []
    for number in range(1, int(first.run.manifest["cells"]) + 1):
        cell = cells.get(number, {})
        title = next(iter(cell.values())).run.manifest["title"] if cell else f"cell {number}"
        absent = [f"{shard}/{first.shard.of}" for shard in range(1, first.shard.of + 1) if shard not in cell]
        if absent:
            missing.append(f"{', '.join(absent)} of {title}")
    name = first.run.manifest["experiment"]["name"]
    if missing:
        raise UserError(
            f"missing of {name}: shard {'; '.join(missing)}",
            remedy="run them, or take what there is with --allow-missing",
        )
    for part in parts:
        if not part.is_finished:
            manifest = part.run.manifest
            why = ": ".join(str(manifest[key]) for key in ("status", "stopped_by") if key in manifest)
            raise UserError(
                f"{part.name} is not finished: {why}",
                place=str(part.run.path),
                remedy="finish it with `sqlassay run --resume`, or take what there is with --allow-missing",
            )


def _merged(cell: Mapping[int, _Part], folder: Path) -> dict[str, Any]:
    """Write the records of one cell, and tell its manifest; where it goes is not known yet."""
    parts = [cell[number] for number in sorted(cell)]
    folder.mkdir()
    with (folder / ITEMS).open("wb") as file:
        # As each shard has them: a turn that was answered anew stands after those that were shown the old answer.
        counts = [sum(bool(file.write(line_of(item))) for item in part.items()) for part in parts]
    with (folder / PROMPTS).open("wb") as file:
        file.writelines(joined_prompts([part.run.path / PROMPTS for part in parts]))
    answers = [path for part in parts if (path := part.run.path / RESPONSES).exists()]
    if answers:
        with closing(Store(folder / RESPONSES)) as store:
            for path in answers:
                store.take(path)
    manifests = [part.run.manifest for part in parts]
    complete = len(parts) == parts[0].shard.of and all(part.is_finished for part in parts)
    kept = {key: value for key, value in manifests[0].items() if key not in ("ended", "stopped_by")}
    return {
        **kept,
        **_end(manifests, complete=complete),
        "started": min(str(manifest["started"]) for manifest in manifests),
        "identity": parts[0].identity,
        "databases": {db_id: sha for manifest in manifests for db_id, sha in manifest.get("databases", {}).items()},
        "merged": {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "shards": [
                {"shard": str(part.shard), "run_id": part.run.run_id, "items": count}
                for part, count in zip(parts, counts, strict=True)
            ],
        },
    }


def _end(manifests: Sequence[Mapping[str, Any]], *, complete: bool) -> dict[str, Any]:
    """How a run ended whose shards ended so."""
    ended = [str(manifest["ended"]) for manifest in manifests if "ended" in manifest]
    end = {"ended": max(ended)} if ended else {}
    if complete:
        return {"status": FINISHED, **end}
    stopped = next((str(manifest["stopped_by"]) for manifest in manifests if "stopped_by" in manifest), None)
    return {"status": INTERRUPTED, **end} if stopped is None else {"status": STOPPED, "stopped_by": stopped, **end}
