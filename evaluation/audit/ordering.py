"""What an ordered or cut query chooses from, asked of the engine."""

from __future__ import annotations

from dataclasses import dataclass

from database_backends.result import ResultTable
from evaluation.audit.subject import Subject
from evaluation.audit.trees import Part
from evaluation.comparison.cells import canonical
from evaluation.comparison.numbers import Tolerance
from evaluation.comparison.order import Choice
from evaluation.comparison.rows import Row
from evaluation.conventions.ranking import Ranking
from evaluation.conventions.ranking_query import ranking_of


@dataclass(frozen=True)
class Ordering:
    """All rows that a query chooses from, in its order.

    Attributes:
        ranking: How they are asked for.
        raw: What its statement gives.
        choice: The same as groups of rows that tie.
    """

    ranking: Ranking
    raw: ResultTable
    choice: Choice

    @property
    def sql(self) -> str:
        """The statement that asks for them: the query's columns, its ORDER BY keys, the rank."""
        return self.ranking.sql

    @property
    def rows(self) -> list[Row]:
        """The rows without keys and rank, canonical."""
        return [tuple(map(canonical, row)) for row in self.choice.table.rows]

    @property
    def keys(self) -> list[tuple[object, ...]]:
        """The keys of each row, as the driver gives them."""
        first, last = self.ranking.width, self.ranking.width + self.ranking.keys
        return [row[first:last] for row in self.raw.rows]


async def ordering_of(subject: Subject, part: Part) -> Ordering | str:
    """What a query chooses from, or why that cannot be known."""
    result = await subject.run(part.sql)
    what = "the gold" if part.is_whole else "a query inside it"
    if not isinstance(result, ResultTable) or result.truncated:
        return f"{what} cannot be executed alone: it depends on the query around it, or is too large"
    ranking = ranking_of(part.sql, subject.dialect, result.columns)
    if not isinstance(ranking, Ranking):
        return f"the order of {what} cannot be read"
    raw = await subject.run(ranking.sql)
    if not isinstance(raw, ResultTable):
        return f"the rows that {what} chooses from cannot be asked for: {raw.message}"
    if raw.truncated:
        return f"{what} chooses from more than {len(raw.rows):,} rows"
    choice = ranking.choice(result, raw, Tolerance())
    if isinstance(choice, str):
        return f"the rows that {what} chooses from cannot be told: {choice}"
    if not choice.complete:
        return f"a key of the order of {what} cannot be computed"
    return Ordering(ranking, raw, choice)
