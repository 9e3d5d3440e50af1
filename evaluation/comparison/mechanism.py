"""The one thing about two results on which conventions may part."""

from __future__ import annotations

from enum import StrEnum

from evaluation.verdicts import Reason


class Mechanism(StrEnum):
    """What two results differ in, whether or not a convention minds. One per pair: the first of these that holds."""

    TIE = "tie"
    """A choice that the gold leaves: rows that tie at its LIMIT."""
    EMPTY = "empty"
    """Both are empty."""
    COLUMNS = "columns"
    """Another number or another order of columns."""
    MULTIPLICITY = "multiplicity"
    """The same rows, another number of times."""
    NUMBER = "number"
    """Numbers that are near each other, rounded or scaled."""
    NULL = "null"
    """NULL against a value that stands for nothing."""
    TYPE = "type"
    """The same value in another type: text, dates, numbers."""
    ORDER = "order"
    """The same rows in another order."""
    ROWS = "rows"
    """Other rows."""
    TEXT = "text"
    """Nothing: one convention executes another text, or reads values as text."""


OF_REASON = {
    Reason.MATCH_AMBIGUOUS: Mechanism.TIE,
    Reason.MATCH_VACUOUS: Mechanism.EMPTY,
    Reason.EXTRA_COLUMNS: Mechanism.COLUMNS,
    Reason.MISSING_COLUMNS: Mechanism.COLUMNS,
    Reason.SWAPPED_COLUMNS: Mechanism.COLUMNS,
    Reason.ROW_COUNT_FANOUT: Mechanism.MULTIPLICITY,
    Reason.ROUNDING: Mechanism.NUMBER,
    Reason.SCALE: Mechanism.NUMBER,
    Reason.NULL_HANDLING: Mechanism.NULL,
    Reason.TYPE: Mechanism.TYPE,
    Reason.WRONG_ORDER: Mechanism.ORDER,
    Reason.EMPTY: Mechanism.ROWS,
}
"""The mechanism of every reason that has only one."""
