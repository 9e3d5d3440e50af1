"""A schema made smaller: what a question needs stays, and what stays still fits together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from prompts.schema_text.relevance import Scores
from sqlassay.schema import ForeignKey, Schema, Table

_Place = tuple[int, int]
"""A column: the number of its table, and its own."""


def prune(schema: Schema, scores: Scores, fits: Callable[[Schema], bool]) -> Schema:
    """As much of the schema as fits.

    First to go are the tables in which no word of the question is found; then the columns of which this is true, those
    of the least relevant table first; then the least relevant table, and so on to the last. With a table stay its
    primary key, the columns of foreign keys to and from other tables that stay, and the tables on the shortest way to
    the more relevant ones. Foreign keys to tables that are left out are left out.

    Args:
        schema: The whole schema.
        scores: What its parts have to do with the question.
        fits: Whether a schema is small enough.

    Returns:
        The schema itself if it fits. If nothing fits, the least there is: of the most relevant table its primary key
        and its most relevant column.
    """
    if not schema.tables or fits(schema):
        return schema
    whole = _Whole(schema, scores)
    parts = list(whole.parts())
    least, most = 1, len(parts)  # the first part is shown in any case; all of them were too many
    while least < most - 1:
        middle = (least + most) // 2
        if fits(whole.made_of(parts[:middle])):
            least = middle
        else:
            most = middle
    return whole.made_of(parts[:least])


def left_out(whole: Schema, shown: Schema) -> tuple[str, ...]:
    """What of a schema is not shown: `table`, or `table.column` where the table is."""
    kept = {table.name: {column.name for column in table.columns} for table in shown.tables}
    names: list[str] = []
    for table in whole.tables:
        if table.name not in kept:
            names.append(table.name)
        else:
            names += [f"{table.name}.{one.name}" for one in table.columns if one.name not in kept[table.name]]
    return tuple(names)


class _Whole:
    """A schema that can be taken apart.

    Args:
        schema: The schema.
        scores: What its parts have to do with the question.
    """

    def __init__(self, schema: Schema, scores: Scores) -> None:
        self._tables = schema.tables
        self._scores = scores
        self._links = [list(_links(table, schema.tables)) for table in schema.tables]
        neighbours: list[set[int]] = [set() for _ in schema.tables]
        for table, links in enumerate(self._links):
            for _, other in links:
                neighbours[table].add(other)
                neighbours[other].add(table)
        self._neighbours = [sorted(others) for others in neighbours]

    def parts(self) -> Iterator[set[_Place]]:
        """The parts, the most needed first: any number of first parts makes a schema. They may overlap."""
        order = sorted(range(len(self._tables)), key=lambda table: -self._scores.tables[table])
        relevant = [table for table in order if self._scores.tables[table] > 0]
        shown: set[int] = set()
        if not relevant:
            yield self._joined(order[0], shown)
        for table in relevant:
            yield self._joined(table, shown)
            for column in self._by_score(table):
                if self._scores.columns[table][column] > 0:
                    yield {(table, column)}
        for table in relevant:
            for column, score in enumerate(self._scores.columns[table]):
                if score == 0:
                    yield {(table, column)}
        for table in order[len(relevant) :]:
            yield self._joined(table, shown) | {(table, column) for column in range(len(self._tables[table].columns))}

    def made_of(self, parts: list[set[_Place]]) -> Schema:
        """The schema of some parts, with the columns that its foreign keys need."""
        places = set().union(*parts)
        shown = {table for table, _ in places}
        for table in shown:
            for key, other in self._links[table]:
                if other in shown:
                    places |= self._places(table, key.columns) | self._places(other, key.references)
        columns: dict[int, list[int]] = {table: [] for table in sorted(shown)}
        for table, column in sorted(places):
            columns[table].append(column)
        return Schema(tuple(self._narrowed(table, numbers, shown) for table, numbers in columns.items()))

    def _narrowed(self, number: int, columns: list[int], shown: set[int]) -> Table:
        table = self._tables[number]
        return replace(
            table,
            columns=tuple(table.columns[column] for column in columns),
            foreign_keys=tuple(key for key, other in self._links[number] if other in shown),
            rows=tuple(tuple(row[column] for column in columns) for row in table.rows),
        )

    def _places(self, table: int, names: tuple[str, ...]) -> set[_Place]:
        columns = self._tables[table].columns
        return {(table, number) for name in names for number in _matching(name, [column.name for column in columns])}

    def _core(self, table: int) -> set[_Place]:
        """What is shown of a table at least."""
        keys = {(table, number) for number, one in enumerate(self._tables[table].columns) if one.primary_key}
        return keys | {(table, column) for column in self._by_score(table)[:1]}

    def _by_score(self, table: int) -> list[int]:
        return sorted(range(len(self._tables[table].columns)), key=lambda one: -self._scores.columns[table][one])

    def _joined(self, table: int, shown: set[int]) -> set[_Place]:
        """The core of a table, and of those between it and what is shown already; all of them are shown then."""
        way = self._way(table, shown)
        shown.update(way)
        return set().union(*map(self._core, way))

    def _way(self, start: int, shown: set[int]) -> list[int]:
        """The tables on the shortest way along foreign keys to one that is shown; the table alone if there is none."""
        came_from = {start: start}
        waiting = [start]
        for table in waiting:
            if table in shown:
                way = [table]
                while way[-1] != start:
                    way.append(came_from[way[-1]])
                return way
            for other in self._neighbours[table]:
                if other not in came_from:
                    came_from[other] = table
                    waiting.append(other)
        return [start]


def _links(table: Table, tables: tuple[Table, ...]) -> Iterator[tuple[ForeignKey, int]]:
    """The foreign keys of a table, each with the number of the table that it leads to."""
    for key in table.foreign_keys:
        for number in _matching(key.table, [one.name for one in tables]):
            yield key, number


def _matching(name: str, names: list[str]) -> list[int]:
    """Where a name is among others: engines take it in any case, unless it is there as it is."""
    exact = [number for number, one in enumerate(names) if one == name]
    return (exact or [number for number, one in enumerate(names) if one.lower() == name.lower()])[:1]
