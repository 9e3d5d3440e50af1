"""A calibration as a terminal shows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from evaluation.calibration.calibration import Calibration, decimal, percent
from evaluation.calibration.judge import models_of, prompt_of
from evaluation.cli import output
from evaluation.statistics.flips import Flips
from sqlassay.counted import counted

if TYPE_CHECKING:
    from rich.console import RenderableType


def calibration(one: Calibration) -> Iterator[RenderableType]:
    """All of it: the counts, what follows from them, and where they are from."""
    counts = one.confusion
    if one.against.truth:
        lenient, harsh = f"{counts.lenient:,} lenient", f"{counts.harsh:,} harsh"
        judged_incorrect = counts.total - counts.judged_correct
        yield output.table(
            (one.label, "correct in truth", "incorrect in truth", "in all"),
            [
                ("judged correct", f"{counts.both_correct:,}", lenient, f"{counts.judged_correct:,}"),
                ("judged incorrect", harsh, f"{counts.both_incorrect:,}", f"{judged_incorrect:,}"),
                ("in all", f"{counts.correct:,}", f"{counts.incorrect:,}", f"{counts.total:,}"),
            ],
        )
        yield ""
    yield output.table(("", ""), [row for row in _rows(one) if row[1]])


def _rows(one: Calibration) -> list[tuple[str, str]]:
    counts, against = one.confusion, one.against
    rates = [
        ("lenient", f"{percent(counts.lenient_rate)} of the incorrect items are let pass"),
        ("harsh", f"{percent(counts.harsh_rate)} of the correct items are refused"),
        ("agreement", percent(counts.agreement)),
        ("kappa", f"{decimal(counts.kappa)} at a base rate of {percent(counts.base_rate)}"),
        ("better than chance", _better(one)),
    ]
    return [
        *(rates if against.truth else [("errors", "never held against the truth")]),
        ("asked again", _flips(one.repeats) or _only_cached(one)),
        ("order swapped", _flips(one.swaps)),
        ("left out", one.left_out.words),
        ("took", one.spent.words),
        ("models", models_of(one.judge)),
        ("answered by", ", ".join(one.answered_by)),
        ("prompt", prompt_of(one.judge)),
        ("truth", against.truth),
        ("dataset", against.dataset_name),
        ("statements by", ", ".join(against.models)),
        ("runs", ", ".join(against.runs)),
        ("made", one.made),
    ]


def _better(one: Calibration) -> str:
    youden = one.confusion.youden
    if youden is None:
        return "not known: one kind of item is missing"
    told = f"sensitivity + specificity − 1 is {decimal(youden)}"
    return f"yes: {told}" if youden.low > 0 else f"not shown, so no accuracy is corrected: {told}"


def _only_cached(one: Calibration) -> str:
    known = one.spent.from_cache
    return "not measured: every repeat was answered from the cache (run them with --no-cache)" if known else ""


def _flips(flips: Flips) -> str:
    if flips.rate is None:
        return ""
    return (
        f"{100 * flips.rate:.1f} % of {counted(flips.pairs, 'pair')} of verdicts differ;"
        f" {flips.unstable:,} of {counted(flips.items, 'item')} flip: {percent(flips.unstable_share)}"
    )
