"""Which models answered in a run, as their providers name them: behind a name there may be another one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Self

from evaluation.jsonl import read_lines
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
            UserError: A line of these is broken.
        """
        path = folder.path / ITEMS
        tested: dict[str, None] = {}
        judges: defaultdict[tuple[str, str], dict[str, None]] = defaultdict(dict)
        for item in islice(read_lines(path), LOOKED_AT) if path.exists() else ():
            for made in (item, *item.get("calls", ())):
                tested |= _name(made)
            for call in item.get("judging", ()):
                judges[str(call.get("role")), str(call.get("model"))] |= _name(call)
        return cls(tuple(tested), {judge: tuple(names) for judge, names in judges.items()})

    def judges_of(self, label: str) -> tuple[str, ...]:
        """Of all judges of one strategy."""
        names = (name for (role, _), found in self.judges.items() if role == label for name in found)
        return tuple(dict.fromkeys(names))


UNKNOWN = Answered()
"""Where nobody has said."""


def _name(made: Mapping[str, Any]) -> dict[str, None]:
    answer = made.get("answer") or {}
    return {str(answer["model"]): None} if answer.get("finish_reason") and answer.get("model") else {}
