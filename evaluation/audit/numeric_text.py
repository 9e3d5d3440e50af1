"""The probe of numbers that are kept as text, and sorted as text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from sqlglot import exp

from database_backends.result import ResultTable
from evaluation.audit.base import Finding, Needs, Probe, fired, not_applicable, quiet
from evaluation.audit.ordering import ordering_of
from evaluation.audit.subject import Subject
from evaluation.audit.trees import alone, parts

_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?\s*", re.ASCII)
SHARE = 0.5
"""More than this share of the texts must look like numbers."""


class NumericText(Probe):
    """ORDER BY, MIN or MAX goes by text that looks like numbers: '10' comes before '9'."""

    name = "numeric_text"
    description = "the gold sorts numbers that are kept as text, in another order than that of numbers"
    needs = Needs.RESULT

    async def obstacle(self, subject: Subject) -> str:
        """It takes something that sorts."""
        obstacle = await super().obstacle(subject)
        if obstacle:
            return obstacle
        tree = subject.tree
        if tree is None:
            return "sqlglot cannot read the gold as one query"
        sorts = any(part.ordered for part in parts(subject.gold, tree, subject.dialect))
        return "" if sorts or any(_extremes(tree)) else "it has no ORDER BY, MIN or MAX"

    async def examine(self, subject: Subject) -> Finding:
        """Ask for the keys, and sort them as numbers."""
        assert subject.tree is not None  # noqa: S101 - `obstacle` has seen to it
        unknown, seen = "", False
        for part in parts(subject.gold, subject.tree, subject.dialect):
            if not part.ordered:
                continue
            ordering = await ordering_of(subject, part)
            if isinstance(ordering, str):
                unknown = ordering
                continue
            seen = True
            for key in range(len(ordering.keys[0]) if ordering.keys else 0):
                rows = _misplaced(ordering.keys, key)
                if rows is not None:
                    return fired(
                        "an ORDER BY key is numbers kept as text, and text sorts otherwise", ordering.sql, rows
                    )
        for function in _extremes(subject.tree):
            asked = _values_of(function, subject.dialect)
            values = None if asked is None else await subject.run(asked)
            if asked is None or not isinstance(values, ResultTable) or values.truncated:
                unknown = f"the values of {function.sql(dialect=subject.dialect)[:80]} cannot be asked for"
                continue
            seen = True
            extreme = _other_extreme(values.rows, largest=isinstance(function, exp.Max))
            if extreme is not None:
                what = function.sql(dialect=subject.dialect)[:80]
                return fired(f"{what} goes by text that looks like numbers", asked, [extreme])
        return not_applicable(unknown) if not seen else quiet("what it sorts by is no text, or text in numeric order")


def _extremes(tree: exp.Query) -> Iterator[exp.Func]:
    """Aggregates MIN and MAX of one value."""
    for function in tree.find_all(exp.Min, exp.Max):
        if not function.expressions:
            yield function


def _values_of(function: exp.Func, dialect: str) -> str | None:
    """The query for what an aggregate chooses from, beside its groups; `None` when it cannot be written."""
    select = function.find_ancestor(exp.Select)
    if select is None or function.find_ancestor(exp.Window):
        return None
    group = select.args.get("group")
    keys = [_resolved(key, select) for key in (group.expressions if group is not None else [])]
    asked = select.copy()
    for part in ("order", "limit", "offset", "fetch", "group", "having", "distinct", "qualify"):
        asked.set(part, None)
    asked.set("expressions", [*(key.copy() for key in keys), function.this.copy()])
    return alone(select, dialect, instead=asked)


def _resolved(key: exp.Expr, select: exp.Select) -> exp.Expr:
    """A GROUP BY key that is the place or the name of an output is that output."""
    outputs: list[exp.Expr] = select.expressions
    if isinstance(key, exp.Literal) and key.is_int and 0 < int(key.name) <= len(outputs):
        return outputs[int(key.name) - 1].unalias()
    if isinstance(key, exp.Column) and not key.table:
        for output in outputs:
            if isinstance(output, exp.Alias) and output.alias.casefold() == key.name.casefold():
                return output.unalias()
    return key


def _misplaced(keys: Sequence[tuple[object, ...]], place: int) -> list[tuple[object, ...]] | None:
    """Two neighbours in the order of a key that are the other way round as numbers."""
    if not _looks_numeric([key[place] for key in keys]):
        return None
    for one, other in pairwise(keys):
        if one[:place] != other[:place]:
            continue
        left, right = one[place], other[place]
        if isinstance(left, str) and isinstance(right, str) and left != right:
            numbers = _number(left), _number(right)
            if None not in numbers and numbers[0] != numbers[1] and (left < right) != (numbers[0] < numbers[1]):  # type: ignore[operator]
                return [one, other]
    return None


def _other_extreme(rows: Sequence[tuple[object, ...]], *, largest: bool) -> tuple[object, ...] | None:
    """Group, extreme as text and extreme as number, of the first group in which these differ."""
    if not _looks_numeric([row[-1] for row in rows]):
        return None
    groups: dict[tuple[object, ...], list[str]] = {}
    for row in rows:
        if isinstance(row[-1], str):
            groups.setdefault(tuple(map(repr, row[:-1])), []).append(row[-1])
    choose = max if largest else min
    for group, texts in groups.items():
        numbers = {text: number for text in texts if (number := _number(text)) is not None}
        if numbers:
            by_text, by_number = choose(texts), choose(numbers, key=lambda text: numbers[text])
            if numbers.get(by_text) != numbers[by_number]:
                return (*group, by_text, by_number)
    return None


def _looks_numeric(values: Sequence[object]) -> bool:
    """Whether most of the values that are there are texts that look like numbers."""
    there = [value for value in values if value is not None]
    numeric = sum(isinstance(value, str) and _number(value) is not None for value in there)
    return numeric > SHARE * len(there)


def _number(text: str) -> float | None:
    return float(text) if len(text) <= 40 and _NUMBER.fullmatch(text) else None
