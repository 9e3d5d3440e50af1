"""Everything that is known of some comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from database_backends.runner import Runner
from evaluation.compare.comparison import Comparison
from evaluation.compare.notes import notes
from evaluation.compare.repeats import repeats, repeats_json
from evaluation.compare.sentence import sentence
from evaluation.compare.slices import Slice, slices
from evaluation.compare.tables import TableUse, table_uses, used
from evaluation.statistics.repeats import Repeats


@dataclass(frozen=True)
class Detail:
    """One comparison and what was counted of it besides.

    Attributes:
        comparison: The comparison.
        slices: The same in every slice of the questions.
        tables: The tables that the answers of each read.
        repeats: What repeats say of each; `None` without repeats.
    """

    comparison: Comparison
    slices: Sequence[Slice]
    tables: tuple[TableUse, TableUse]
    repeats: tuple[Repeats, Repeats] | None

    def to_json(self) -> dict[str, Any]:
        """As JSON types, the verdict first."""
        one = self.comparison
        return {
            "verdict": sentence(one),
            **one.to_json(),
            "sliced_by": one.by,
            "slices": [part.to_json() for part in self.slices],
            "spending": _sides(*(spending.to_json() for spending in one.spending)),
            "tables": _sides(*(use.to_json() for use in self.tables)),
            "repeats": None if self.repeats is None else _sides(*map(repeats_json, self.repeats)),
            "notes": notes(one),
        }


async def details(found: Sequence[Comparison], runner: Runner) -> list[Detail]:
    """Count everything.

    Args:
        found: The comparisons.
        runner: Reads the statements, which are hostile input.
    """
    tables = await used(found, runner)
    return [
        Detail(one, sliced, table_uses(one, tables), repeats(one))
        for one, sliced in zip(found, slices(found), strict=True)
    ]


def _sides(baseline: dict[str, Any], candidate: dict[str, Any]) -> dict[str, Any]:
    return {"baseline": baseline, "candidate": candidate}
