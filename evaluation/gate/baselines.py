"""The index of green runs: which run of each cell passed last, with all that is needed to compare with it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError

from evaluation.gate.snapshot import Kept, Snapshot
from sqlassay.errors import UserError
from sqlassay.whole_file import replace_file

NAME = "baselines.json"
"""In the folder of runs, unless another file is named."""
LATEST_GREEN = "latest-green"
"""What a baseline from the index is called."""
FORMAT = 1
PATIENCE = 60.0
"""Seconds to wait for another process, which needs less than one."""
Green = dict[str, dict[str, Snapshot]]
"""By the experiment's name and the cell's title."""


class Baselines:
    """The index, one file, which may be all that is left of the runs.

    Args:
        path: The file; without it there is no green run yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def of(self, experiment: str) -> list[Snapshot]:
        """The green run of each cell of an experiment.

        Raises:
            UserError: The file is no such index.
        """
        return list(self._read().get(experiment, {}).values())

    def promote(self, experiment: str, cells: Sequence[Snapshot], replaced: Mapping[str, str]) -> list[str]:
        """Make cells the green ones, unless there is a newer one; safe beside other processes.

        Args:
            experiment: The experiment's name.
            cells: What has passed.
            replaced: The title of the cell that a cell was held against, by its own title.

        Returns:
            The titles of the cells whose green run is newer, and stays.

        Raises:
            UserError: The file is no such index, or cannot be written.
        """
        newer = []
        with self._locked():
            green = self._read()
            of_experiment = green.setdefault(experiment, {})
            for cell in cells:
                before = of_experiment.get(cell.title)
                if before is not None and before.when > cell.when:
                    newer.append(cell.title)
                    continue
                of_experiment.pop(replaced.get(cell.title, ""), None)
                of_experiment[cell.title] = cell
            replace_file(self.path, _text(green))
        return newer

    def _read(self) -> Green:
        try:
            content = json.loads(self.path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise UserError(f"cannot be read: {error.strerror}", place=str(self.path)) from error
        except ValueError as error:
            raise self._corrupt(str(error)) from error
        if not isinstance(content, dict) or "baselines" not in content:
            raise self._corrupt("it has no key baselines")
        if content.get("format") != FORMAT:
            raise UserError(
                f"is an index of baselines of format {content.get('format')!r}, this sqlassay reads {FORMAT}",
                place=str(self.path),
                remedy="use the sqlassay that wrote it, or another --baselines FILE",
            )
        try:
            return _adapter().validate_python(content["baselines"])
        except ValidationError as error:
            first = error.errors()[0]
            raise self._corrupt(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None

    def _corrupt(self, why: str) -> UserError:
        return UserError(
            f"is no index of baselines: {why}",
            place=str(self.path),
            remedy="restore it, or delete it: the next gate with --promote begins a new one",
        )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Alone with the file: two that write at once would lose a green run."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self.path.with_name(f".{self.path.name}.lock"), timeout=PATIENCE):
                yield
        except Timeout as error:
            raise UserError(
                f"another process has held it for {PATIENCE:g} seconds", place=str(self.path), remedy="try again"
            ) from error
        except OSError as error:
            raise UserError(f"cannot be written: {error.strerror}", place=str(self.path)) from error


def _text(green: Green) -> str:
    """One line per question, so that a change of the file can be read."""
    lines = [f'{{"format":{FORMAT},"baselines":{{']
    for number, (experiment, cells) in enumerate(green.items()):
        lines.append(f"{',' if number else ''}{json.dumps(experiment)}:{{")
        for place, (title, cell) in enumerate(cells.items()):
            head = {key: value for key, value in vars(cell).items() if key != "questions"}
            told = json.dumps(head, separators=(",", ":"))
            lines.append(f'{"," if place else ""}{json.dumps(title)}:{told[:-1]},"questions":{{')
            questions = [f"{json.dumps(one)}:{_line(kept)}" for one, kept in cell.questions.items()]
            lines += [",\n".join(questions), "}}"]
        lines.append("}")
    return "\n".join([*lines, "}}"]) + "\n"


def _line(kept: Kept) -> str:
    """Of a question; one that is no turn of a conversation has no word of it."""
    return json.dumps(kept if kept.conversation is not None else kept[:-1], separators=(",", ":"))


@cache
def _adapter() -> TypeAdapter[Green]:
    return TypeAdapter(Green)
