"""Which models answered in a run, as their providers name them: behind a name there may be another one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Self

from evaluation.calibration.judge import is_judge
from evaluation.jsonl import read_lines
from evaluation.records import names_of
from evaluation.run_log import ITEMS, RunFolder

LOOKED_AT = 1_000
"""Items of a run that are looked at: who answers to a name changes from run to run, hardly within one."""


@dataclass(frozen=True)
class Answered:
    """The names that providers gave with their answers.

    Attributes:
        tested: Of the models under test.
        judges: Of each judge, by the label of its strategy and its own name.
    """

    tested: tuple[str, ...] = ()
    judges: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: RunFolder) -> Self:
        """Of the first items of a run.

        Raises:
            UserError: A line of these is broken, or no item record.
        """
        path = folder.path / ITEMS
        tested: dict[str, None] = {}
        judges: defaultdict[tuple[str, str], dict[str, None]] = defaultdict(dict)
        for record in map(folder.record, islice(read_lines(path), LOOKED_AT)) if path.exists() else ():
            tested |= names_of([record.answer, *(call.answer for call in record.calls)])
            for call in record.judging:
                judges[call.role, call.model] |= names_of([call.answer])
        return cls(tuple(tested), {judge: tuple(names) for judge, names in judges.items()})

    def judges_of(self, label: str) -> tuple[str, ...]:
        """Of all judges of one strategy."""
        names = (name for (role, _), found in self.judges.items() if role == label for name in found)
        return tuple(dict.fromkeys(names))


UNKNOWN = Answered()
"""Where nobody has said."""


def answered_in(folder: RunFolder, strategies: Iterable[Mapping[str, Any]]) -> Answered:
    """Who answered in a run, where one of some strategies asks judges; nobody else wants to know.

    Raises:
        UserError: As of `Answered.of`.
    """
    return Answered.of(folder) if any(map(is_judge, strategies)) else UNKNOWN
