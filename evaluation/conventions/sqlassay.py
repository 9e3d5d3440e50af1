"""The default convention: what a careful person would say when shown both result tables."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, Literal, get_args

from database_backends.result import ExecutionFailure, Outcome, ResultTable
from evaluation.comparison.causes import rounded
from evaluation.comparison.json_text import with_json
from evaluation.comparison.leniency import by_position, narrowed, with_numbers
from evaluation.comparison.numbers import Tolerance
from evaluation.comparison.order import Choice
from evaluation.comparison.tables import Comparison, compare_tables
from evaluation.conventions.base import Convention, Statements, show_rows
from evaluation.conventions.ranking import Ranking
from evaluation.verdicts import NOT_CHECKED, ORDER, Reason, Status, Verdict
from sqlassay.errors import UnknownName, UserError

Leniency = Literal["refuse", "accept"]


class SqlAssay(Convention):
    """Rows are a multiset, columns pair by name or content, NULL is only NULL, numbers are numbers.

    Order counts where the gold's output is ordered, and only on its keys: rows that tie come in any order, and where
    a LIMIT cuts through rows that tie, any choice of them is right. `docs/conventions.md` has the whole of it.

    A gold result in a file may say that its rows come in the order in which it has them; no two of them tie. A
    prediction may have more columns than it, whatever `extra_columns` says.

    Args:
        relative_tolerance: How far two numbers may be apart, as a share of the larger, when one is a float.
        absolute_tolerance: The same, whatever their magnitude.
        extra_columns: `accept` takes a prediction with more columns, if the gold's are among them.
        numeric_text: `accept` takes text for the number that it spells as that number is written: '7', not '007'.
        rounding: `accept` takes a number that is the gold's, rounded to the decimals that it shows.
        column_order: `strict` wants the gold's order of columns, whatever they are called.
        row_order: `ignore` takes any order, also where the gold has one, and leaves no choice at a LIMIT.

    Raises:
        UserError: A setting has another value.
    """

    name: ClassVar[str] = "sqlassay"
    version: ClassVar[str] = "3"

    def __init__(
        self,
        *,
        relative_tolerance: float = 1e-6,
        absolute_tolerance: float = 1e-9,
        extra_columns: Leniency = "refuse",
        numeric_text: Leniency = "refuse",
        rounding: Leniency = "refuse",
        column_order: Literal["free", "strict"] = "free",
        row_order: Literal["keys", "ignore"] = "keys",
    ) -> None:
        self.tolerance = Tolerance(
            _share("relative_tolerance", relative_tolerance), _share("absolute_tolerance", absolute_tolerance)
        )
        self.extra_columns = _one_of("extra_columns", extra_columns, get_args(Leniency))
        self.numeric_text = _one_of("numeric_text", numeric_text, get_args(Leniency))
        self.rounding = _one_of("rounding", rounding, get_args(Leniency))
        self.column_order = _one_of("column_order", column_order, ("free", "strict"))
        self.row_order = _one_of("row_order", row_order, ("keys", "ignore"))

    @property
    def settings(self) -> Mapping[str, object]:
        """Every knob."""
        return {
            "relative_tolerance": self.tolerance.relative,
            "absolute_tolerance": self.tolerance.absolute,
            "extra_columns": self.extra_columns,
            "numeric_text": self.numeric_text,
            "rounding": self.rounding,
            "column_order": self.column_order,
            "row_order": self.row_order,
        }

    def further_gold(self, gold: ResultTable, predicted: ResultTable, statements: Statements) -> str | None:
        """The rows that an ordered or limited gold chooses from, each with its rank."""
        if not self._could_be_met(gold, predicted):
            return None
        ranking = self._ranking(gold, statements)
        if not isinstance(ranking, Ranking):
            return None
        if not ranking.limited and (len(gold.rows) < 2 or _plainly_the_same(gold, predicted)):
            return None
        return ranking.sql

    def _could_be_met(self, gold: ResultTable, predicted: ResultTable) -> bool:
        """Whether there are rows, and as many of them and of columns as need be."""
        width, other = len(gold.columns), len(predicted.columns)
        return len(gold.rows) == len(predicted.rows) > 0 and (width == other or self.extra_columns == "accept")

    def compare(
        self, gold: ResultTable, predicted: ResultTable, statements: Statements, further: Outcome | None = None
    ) -> Verdict:
        """Compare two results as multisets of rows, in the gold's order where it has one."""
        choice, unchecked = self._choice(gold, predicted, statements, further)
        more = statements.result is not None
        found = self._compare(gold, predicted, choice, more=more)
        if choice is not None and not choice.whole and found.reason.status is not Status.CORRECT:
            unchecked = _too_many(choice)
            found = self._compare(gold, predicted, None, more=more)
        told: dict[str, object] = {}
        if unchecked and (found.reason.status is Status.CORRECT or self._is_limited(gold, statements)):
            told[ORDER] = NOT_CHECKED
            told["because"] = unchecked
        if found.mechanism is not None:
            told["mechanism"] = found.mechanism.value
        changing = statements.texts.volatile_part(statements.gold, statements.dialect)
        if changing is not None:
            told["nondeterministic"] = changing
        if found.reason.status is Status.CORRECT:
            return Verdict.of(Reason.MATCH_AMBIGUOUS if unchecked else found.reason, **told)
        reason = found.reason
        if reason is Reason.ROW_COUNT_FANOUT and statements.texts.says_distinct(statements.gold, statements.dialect):
            reason = Reason.MISSING_DISTINCT
        evidence: dict[str, object] = {
            **told,
            "gold_rows": len(gold.rows),
            "predicted_rows": len(predicted.rows),
            "gold_columns": list(gold.columns),
            "predicted_columns": list(predicted.columns),
        }
        if found.pairing is not None:
            evidence["missing"] = show_rows(found.missing)
            evidence["extra"] = show_rows(found.extra)
            evidence["missing_rows"] = found.missing.total()
            evidence["extra_rows"] = found.extra.total()
        return Verdict.of(reason, **evidence)

    def _compare(self, gold: ResultTable, predicted: ResultTable, choice: Choice | None, *, more: bool) -> Comparison:
        """Compare as the settings say, or with `more` columns in the prediction."""
        gold, predicted, *others = with_json((gold, predicted, *((choice.table,) if choice else ())))
        choice = choice and replace(choice, table=others[0])
        if self.numeric_text == "accept":
            gold, predicted = with_numbers(gold), with_numbers(predicted)
            choice = choice and replace(choice, table=with_numbers(choice.table))
        if self.column_order == "strict" and len(gold.columns) == len(predicted.columns):
            gold, predicted = by_position(gold), by_position(predicted)
        tables: list[ResultTable] = []
        if (more or self.extra_columns == "accept") and len(predicted.columns) > len(gold.columns):
            tables = list(narrowed(gold, predicted, self.tolerance))
        found = compare_tables(gold, predicted, self.tolerance, choice)
        for table in tables:
            if found.reason.status is Status.CORRECT:
                break
            found = compare_tables(gold, table, self.tolerance, choice)
        if self.rounding == "accept" and found.reason is Reason.ROUNDING and rounded(found.missing, found.extra):
            return replace(found, reason=Reason.MATCH)
        return found

    def _ranking(self, gold: ResultTable, statements: Statements) -> Ranking | str | None:
        # What changes by itself would be ranked anew: it is compared as it came.
        texts = statements.texts
        if self.row_order == "ignore" or texts.volatile_part(statements.gold, statements.dialect) is not None:
            return None
        return texts.ranking(statements.gold, statements.dialect, gold.columns, len(gold.rows))

    def _is_limited(self, gold: ResultTable, statements: Statements) -> bool:
        """Whether other rows than the gold's could be right; where it returns all rows, only their order is open."""
        ranking = self._ranking(gold, statements)
        return isinstance(ranking, Ranking) and ranking.limited

    def _choice(
        self, gold: ResultTable, predicted: ResultTable, statements: Statements, further: Outcome | None
    ) -> tuple[Choice | None, str]:
        """What the gold may return, when it has an order or limit that matters here; else why it is not known."""
        if statements.result is not None:
            in_order = self.row_order == "keys" and not statements.result.ignore_order
            return (Choice.of_sequence(gold) if in_order else None), ""
        ranking = self._ranking(gold, statements) if self._could_be_met(gold, predicted) else None
        if isinstance(ranking, str):
            return None, "" if _plainly_the_same(gold, predicted) else ranking
        if ranking is None or further is None:
            return None, ""
        if isinstance(further, ExecutionFailure):
            return None, f"the ranking query fails: {further.message[:200]}"
        choice = ranking.choice(gold, further, self.tolerance)
        if isinstance(choice, str):
            return None, choice
        # A gold that its own ranking does not allow is not deterministic: it is compared as it came.
        if not self._allows(choice, gold):
            return None, "its rows come in another order each time" if choice.whole else _too_many(choice)
        return choice, f"the key {ranking.unknown} cannot be computed" if ranking.unknown else ""

    def _allows(self, choice: Choice, gold: ResultTable) -> bool:
        return compare_tables(gold, gold, self.tolerance, choice).reason.status is Status.CORRECT


def _too_many(choice: Choice) -> str:
    return f"more than {len(choice.groups):,} rows tie where it is cut"


def _plainly_the_same(gold: ResultTable, predicted: ResultTable) -> bool:
    """The same rows in the same sequence, under the same names in the same order."""
    names = [[name.casefold() for name in table.columns] for table in (gold, predicted)]
    return gold.rows == predicted.rows and (names[0] == names[1] or sorted(names[0]) != sorted(names[1]))


def _share(name: str, value: object) -> float:
    """A number that may come from a file, as anything."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise UserError(f"{name} is {value!r}", remedy="a number from 0, such as 1e-6; YAML wants 1.0e-6")
    return value


def _one_of(name: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise UnknownName(f"value of {name}:", str(value), known)
    return value
