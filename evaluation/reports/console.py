"""Tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from evaluation.reports.summary import RunSummary, interval_of
from evaluation.verdicts import Reason, Status, Summary


def results(summaries: Sequence[RunSummary]) -> RenderableType:
    """The result table: one row per run and strategy, always with the three counts."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("run" if len(summaries) > 1 else "", overflow="fold")
    table.add_column("strategy", overflow="fold")
    for heading in ("score", "95 % interval", "scored", "correct", "system\nfailures", "instrument\nfailures"):
        table.add_column(heading, justify="right", vertical="bottom")
    for summary in summaries:
        title = summary.title
        for label, counts in summary.strategies.items():
            table.add_row(title, label, *_numbers(counts))
            title = ""
    lines = [_unfinished(s) for s in summaries if s.items < s.total or s.status != "finished"]
    return Group(table, *lines)


def _numbers(counts: Summary) -> tuple[str, ...]:
    interval = interval_of(counts)
    return (
        "–" if counts.score is None else f"{100 * counts.score:.1f} %",
        "–" if interval is None else f"{100 * interval[0]:.1f} – {100 * interval[1]:.1f}",
        f"{counts.scored:,}",
        f"{counts.correct:,}",
        f"{counts.system_failures:,}",
        f"{counts.instrument_failures:,}",
    )


def _unfinished(summary: RunSummary) -> Text:
    text = f"{summary.run_id or summary.title}: {summary.status}, {summary.items:,} of {summary.total:,} items"
    return Text(text, style="yellow")


def reasons(summary: RunSummary) -> RenderableType:
    """Why: how often each reason was given, a column per strategy."""
    strategies = summary.strategies
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("status")
    table.add_column("reason")
    for label in strategies:
        table.add_column(label, justify="right", overflow="fold")
    for status in Status:
        shown = status.value
        for reason in Reason:
            counts = [s.reasons.get(reason, 0) for s in strategies.values()]
            if reason.status is status and any(counts):
                table.add_row(shown, reason.words, *(f"{n:,}" if n else "·" for n in counts))
                shown = ""
    return table


def notes(summary: RunSummary) -> list[str]:
    """What a reader must know beside the numbers: unscored items by reason, vacuous matches, tokens, cost."""
    told = []
    for label, counts in summary.strategies.items():
        unscored = [f"{n:,} unscored: {reason.words}" for reason, n in counts.reasons.items()
                    if reason.status is Status.UNSCORED]  # fmt: skip
        if unscored:
            told.append((label, ", ".join(unscored)))
        if counts.vacuous:
            told.append(
                (label, f"{counts.vacuous:,} of {counts.correct:,} matches are vacuous: both results are empty")
            )
    lines = [text if len(summary.strategies) == 1 else f"{label}: {text}" for label, text in _merged(told)]
    tokens = summary.tokens
    if tokens.asked or tokens.from_cache:
        known = f"{tokens.input:,} tokens in, {tokens.output:,} out"
        unknown = f" (unknown for {tokens.unknown_tokens:,})" if tokens.unknown_tokens else ""
        cost = "cost unknown" if tokens.unknown_cost else f"cost {tokens.cost:.4f}"
        lines.append(f"{tokens.asked:,} answers asked for, {tokens.from_cache:,} from cache; {known}{unknown}; {cost}")
    return lines


def _merged(told: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Lines that are the same for several strategies, once."""
    labels: dict[str, list[str]] = {}
    for label, text in told:
        labels.setdefault(text, []).append(label)
    return [(", ".join(names), text) for text, names in labels.items()]
