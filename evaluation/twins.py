"""Entries of an experiment that are there twice: they would be asked and paid for twice, and told apart by nobody."""

from __future__ import annotations

import json
from collections.abc import Sequence

from evaluation.experiment import ExperimentFile
from sqlassay.errors import UserError


def refuse_twins(file: ExperimentFile, key: str, entries: Sequence[tuple[str, object]]) -> None:
    """Refuse an entry that is another one again.

    Args:
        file: The experiment.
        key: The list: models, prompts or backends.
        entries: Of each entry, what it is called and what it is.

    Raises:
        UserError: Naming both.
    """
    seen: dict[str, int] = {}
    for index, (name, what) in enumerate(entries):
        first = seen.setdefault(json.dumps(what, sort_keys=True, default=str), index)
        if first != index:
            raise UserError(
                f"{key}.{index}, {name!r}, is the same as {key}.{first}, {entries[first][0]!r}",
                place=file.place(key, index),
                remedy="leave one out; `repeats: 2` asks twice",
            )


def refuse_namesakes(file: ExperimentFile, key: str, names: Sequence[str]) -> None:
    """Refuse two entries that tables could not tell apart, and comparisons would take for repeats of one.

    Args:
        file: The experiment.
        key: The list: models or backends.
        names: What each entry is called.

    Raises:
        UserError: Naming both.
    """
    for index, name in enumerate(names):
        if name in names[:index]:
            raise UserError(
                f"{key}.{index} and {key}.{names.index(name)} are both called {name!r}",
                place=file.place(key, index),
                remedy="give one a `label`",
            )
