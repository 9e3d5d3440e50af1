"""Defog's `correct`: the same table after some tidying, or a table that holds it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from database_backends.result import Outcome, ResultTable
from evaluation.conventions.base import Convention, Statements
from evaluation.conventions.difference import PLAIN, SCRIPT_ERRORS, differing, plainly_equal, script_error
from evaluation.conventions.frame import Column, Frame, FrameError, frames_of
from evaluation.conventions.frame_equality import columns_equal, frames_equal, values_equal
from evaluation.conventions.remembered import remembered
from evaluation.verdicts import Reason, Verdict

_ORDER_WORDS = re.compile(r"\b(?:order|sort|arrange)\b", re.IGNORECASE)
_ORDER_CLAUSE = re.compile(r"ORDER BY[\s\S]*", re.IGNORECASE)
_FIRST_KEY = re.compile(r"(?<=ORDER BY)(.*?)(?=;|,|\)|$)", re.IGNORECASE)
_NO_COLUMN = frozenset({"desc", "asc", "nulls", "last", "first", "limit"})
_PLAIN = PLAIN - {type(None)}
_MISSING = -99999
"""What stands for NULL when tidied tables are compared."""


class Defog(Convention):
    """Equal as `defog_exact` has it, or: each column of the gold is one of the prediction's, and so are the rows.

    *Exact*: first the cells as they came, where numpy broadcasts (one row equals any number of rows like it, and none;
    one column any number of columns like it). Then both tables tidied: repeated rows dropped, columns by name, rows
    sorted; NULL is -99999; names do not count any more. Where the question says `order`, `sort` or `arrange` (or its
    category is `order_by`), rows are sorted by the first key of each statement's own ORDER BY, then by the rest,
    descending unless the key says ASC: the order of the result is not looked at. A statement without ORDER BY is then
    not sorted at all.

    *Subset*: every column of a gold that is not empty pairs with the first column of the prediction that has, sorted,
    the same values (numbers within 1e-5; whole numbers exactly); the paired columns are tidied and compared again, as
    they came where the question asks for an order.

    Numbers are as pandas has them: whole numbers beside a NULL, and decimals, are floats. Where the script ends in an
    error (names that repeat, mixed types in one column, lists) it counts the question as failed, and so does this. It
    differs in two places: rows of nothing but one list have to come in the same order, and of several golds each has
    its own verdict, while an error of the script at one of them ends the question.

    Source: `compare_query_results`, `compare_df`, `subset_df` and `normalize_table` in `eval/eval.py` of
    defog-ai/sql-eval, under pandas 2.3 and numpy 2.

    Args:
        decimal_points: Round floats to so many decimals before anything else: the script's `-dp`; 0 does not round.
    """

    name: ClassVar[str] = "defog"
    version: ClassVar[str] = "1"
    subset: ClassVar[bool] = True
    """Whether a prediction may have more columns than the gold."""

    def __init__(self, *, decimal_points: int = 0) -> None:
        self.decimal_points = decimal_points

    @property
    def settings(self) -> Mapping[str, object]:
        """The rounding."""
        return {"decimal_points": self.decimal_points}

    def compare(
        self, gold: ResultTable, predicted: ResultTable, statements: Statements, further: Outcome | None = None
    ) -> Verdict:
        """Compare two results as data frames."""
        if plainly_equal(gold, predicted, _PLAIN):
            return Verdict.of(Reason.MATCH if gold.rows else Reason.MATCH_VACUOUS)
        ordered = "order_by" in statements.tags or _ORDER_WORDS.search(statements.question) is not None
        try:
            expected, found = map(self._rounded, frames_of(gold, predicted))
            equal = _exact(expected, found, statements.gold, statements.predicted, ordered) or (
                self.subset and _held(expected, found, ordered=ordered)
            )
        except (*SCRIPT_ERRORS, FrameError) as error:
            return script_error(error)
        if equal:
            return Verdict.of(Reason.MATCH if gold.rows or predicted.rows else Reason.MATCH_VACUOUS)
        return differing(gold, predicted, Reason.WRONG_ORDER)

    def _rounded(self, frame: Frame) -> Frame:
        if not self.decimal_points:
            return frame
        return Frame(tuple(column.rounded(self.decimal_points) for column in frame.columns), frame.height)


@remembered
def _exact(gold: Frame, predicted: Frame, gold_sql: str, predicted_sql: str, ordered: bool) -> bool:
    if values_equal(gold, predicted):
        return True
    left = _tidied(gold, gold_sql, ordered=ordered)
    right = _tidied(predicted, predicted_sql, ordered=ordered)
    if left.shape != right.shape:
        return False
    return values_equal(left.with_missing_as(_MISSING), right.with_missing_as(_MISSING))


def _held(gold: Frame, predicted: Frame, *, ordered: bool) -> bool:
    """Whether the prediction holds the gold's columns, whatever else it has."""
    if 0 in gold.shape:
        return False
    gold = gold.with_unique_names()
    candidates = predicted.with_unique_names()
    left = candidates.names
    in_order: dict[str, Column] = {}
    matched = []
    for column in gold.columns:
        expected = column.sorted()
        for name in left:
            if name not in in_order:
                in_order[name] = candidates.named(name).sorted()
            if columns_equal(expected, in_order[name]):
                matched.append(predicted.named(name).renamed(column.name))
                left.remove(name)
                break
        else:
            return False
    return frames_equal(
        _tidied(gold, "", ordered=ordered), _tidied(Frame(tuple(matched), predicted.height), "", ordered=ordered)
    )


def _tidied(frame: Frame, sql: str, *, ordered: bool) -> Frame:
    frame = frame.without_repeated_rows().with_columns_by_name()
    if not ordered:
        frame = frame.sorted_by(frame.names)
    elif clause := _ORDER_CLAUSE.search(sql):
        words, ascending = _first_key(clause[0])
        rest = [name for name in frame.names if name not in words]
        keys = [word for word in words if word in frame.names]
        frame = frame.sorted_by([*keys, *rest], ascending=ascending)
        frame = Frame(tuple(frame.named(name) for name in [*rest, *keys]), frame.height)
    return frame.with_unique_names()


def _first_key(clause: str) -> tuple[list[str], bool]:
    """The words of the first ORDER BY key that may be column names, and whether it says ASC.

    What stands between `ORDER BY` and the first `;`, `,` or `)` of its line; qualifiers and parentheses are cut off.
    """
    found = _FIRST_KEY.findall(clause)
    words = [word.rsplit(".", 1)[-1] for word in found[0].split()] if found else []
    upper = {word.upper() for word in words}
    names = [word.replace(",", "").replace("(", "") for word in words]
    return [name for name in names if name.lower() not in _NO_COLUMN], "ASC" in upper and "DESC" not in upper
