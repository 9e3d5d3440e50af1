"""Every probe, in the order of reports."""

from __future__ import annotations

from collections.abc import Sequence

from evaluation.audit.base import Probe
from evaluation.audit.numeric_text import NumericText
from evaluation.audit.outcomes import AllNull, Empty, Failing, NotParsing, TimingOut
from evaluation.audit.questions import DuplicateId, DuplicateQuestion, DuplicateRows
from evaluation.audit.repeats import FloatSum, OtherPlan, RowShuffle, Unrepeatable
from evaluation.audit.ties import LimitWithoutOrder, TieAtLimit, TieInOrder
from evaluation.audit.volatile import Clock, Randomness
from sqlassay.errors import UnknownName

PROBES: tuple[type[Probe], ...] = (
    DuplicateId,
    DuplicateQuestion,
    NotParsing,
    Failing,
    TimingOut,
    Empty,
    AllNull,
    DuplicateRows,
    TieAtLimit,
    TieInOrder,
    LimitWithoutOrder,
    NumericText,
    Clock,
    Randomness,
    Unrepeatable,
    RowShuffle,
    OtherPlan,
    FloatSum,
)
FATAL = ("duplicate_id", "not_parsing", "failing", "timing_out", "randomness", "unrepeatable")
"""The flaws that no dataset may have: with them a question cannot be scored, or not twice alike."""


def probes_named(names: Sequence[str]) -> tuple[type[Probe], ...]:
    """The probes of these names, in the order of reports.

    Raises:
        UnknownName: There is none of a name.
    """
    known = [probe.name for probe in PROBES]
    for name in names:
        if name not in known:
            raise UnknownName("probe", name, known)
    return tuple(probe for probe in PROBES if probe.name in names)
