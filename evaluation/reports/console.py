"""Tables for a terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from evaluation.estimate import Estimate
from evaluation.records import ItemRecord, VerdictRecord
from evaluation.reports.disagreement import Parting
from evaluation.reports.interactions import Interactions
from evaluation.reports.measures import between, percent
from evaluation.reports.summary import RunSummary, Tokens, interval_of
from evaluation.reports.taxonomy import Row
from evaluation.verdicts import GOLDS_FOR, JUDGE_WHY, JUDGES, NOT_ASKED, NOT_CHECKED, ORDER, Reason, Status, Summary
from sqlassay.counted import some
from sqlassay.printable import printable

HEADINGS = (
    "score",
    "95 % interval",
    "scored",
    "correct",
    "(vacuous)",
    "system\nfailures",
    "(no result)",
    "instrument\nfailures",
)


NARROW = ("score", "95 %\ninterval", "scored", "correct", "(vacuous)", "system\nfailures", "(no\nresult)", HEADINGS[-1])
"""The same, where a line has 80 columns."""

FIRST = "first attempt"
"""Of a model that repairs its statements: the row above is what came of it in the end."""
INTERACTIONS = "interactions"
"""Of conversations: the row above counts questions, this one conversations whose every turn is right."""


@dataclass(frozen=True)
class Results:
    """The result table: one row per run and strategy, always with the three counts.

    Where it is too wide, each run and each strategy has a line of its own above its numbers.

    Attributes:
        summaries: What to show.
        heading: What they are.
    """

    summaries: Sequence[RunSummary]
    heading: str = "run"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The wide table where it fits."""
        wide = self._wide()
        if Measurement.get(console, options.update(max_width=10_000), wide).maximum <= options.max_width:
            yield wide
        else:
            yield from self._narrow()
        for summary in self.summaries:
            if told := unfinished(summary):
                yield Text(told, style="yellow")

    def _wide(self) -> Table:
        table = plain_table()
        table.add_column(self.heading if len(self.summaries) > 1 else "", overflow="fold")
        table.add_column("strategy", overflow="fold")
        for heading in HEADINGS:
            table.add_column(heading, justify="right", vertical="bottom")
        for summary in self.summaries:
            title = printable(summary.title)
            for label, counts in summary.strategies.items():
                table.add_row(title, label, *numbers(counts))
                title = ""
                for name, cells in beneath(summary, label, counts):
                    table.add_row("", f"  {name}", *cells, style="dim")
        return table

    def _narrow(self) -> Iterable[RenderableType]:
        rows = [
            cells
            for summary in self.summaries
            for label, counts in summary.strategies.items()
            for cells in (numbers(counts), *(cells for _, cells in beneath(summary, label, counts)))
        ]
        widths = [
            max(len(text) for text in (*heading.split("\n"), *column))
            for heading, *column in zip(NARROW, *rows, strict=True)
        ]

        def line(cells: Sequence[str], style: str = "") -> Table:
            table = Table.grid(padding=(0, 2, 0, 0))
            table.style = style
            for width in (0, *widths):
                table.add_column(justify="right", vertical="bottom", min_width=width)
            table.add_row("", *cells)
            return table

        yield line(NARROW, "bold")
        for summary in self.summaries:
            yield Text(printable(summary.title))
            for label, counts in summary.strategies.items():
                yield Text(f"  {label}")
                yield line(numbers(counts))
                for name, cells in beneath(summary, label, counts):
                    yield Text(f"    {name}", style="dim")
                    yield line(cells, "dim")


def plain_table() -> Table:
    """Without lines, as wide as it must be."""
    return Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))


def beneath(summary: RunSummary, label: str, counts: Summary) -> Iterable[tuple[str, tuple[str, ...]]]:
    """The rows that belong under a strategy's own: what they are, and their cells."""
    if label in summary.first_attempts:
        yield FIRST, numbers(summary.first_attempts[label])
    interactions = summary.interactions.get(label)
    if interactions is not None and interactions.scored + interactions.unscored:
        yield INTERACTIONS, _of_interactions(interactions)
    standing = summary.standings.get(label)
    if standing is not None:
        name, corrected = standing.corrected(counts)
        yield name, (*_share(corrected and corrected.value, corrected and corrected[1:]), *[""] * (len(HEADINGS) - 2))


def _of_interactions(counts: Interactions) -> tuple[str, ...]:
    return (
        *_share(counts.accuracy, counts.interval),
        f"{counts.scored:,}",
        f"{counts.correct:,}",
        "",
        f"{counts.incorrect:,}",
        "",
        f"{counts.unscored:,}",
    )


def _share(score: float | None, interval: Sequence[float] | None) -> tuple[str, str]:
    return percent(score), between(interval)


def numbers(counts: Summary) -> tuple[str, ...]:
    """The cells of a strategy's row, under `HEADINGS`."""
    return (
        *_share(counts.score, interval_of(counts)),
        f"{counts.scored:,}",
        f"{counts.correct:,}",
        f"({counts.vacuous:,})",
        f"{counts.system_failures:,}",
        f"({counts.no_result:,})",
        f"{counts.instrument_failures:,}",
    )


def unfinished(summary: RunSummary) -> str:
    """That something is left to do; empty where nothing is."""
    if not summary.unfinished:
        return ""
    return f"{summary.run_id or summary.title}: {summary.status}, {summary.items:,} of {summary.total:,} items"


def estimates(found: Sequence[Estimate]) -> Table:
    """What a run would take, a row per cell and model, and the sum."""
    table = plain_table()
    table.add_column("run", overflow="fold")
    table.add_column("model", overflow="fold")
    for heading in ("requests", "from the cache", "tokens in", "tokens out", "cost at most"):
        table.add_column(heading, justify="right")
    title = ""
    for one in found:
        table.add_row(printable(one.title) if one.title != title else "", printable(one.model), *_estimated([one]))
        title = one.title
    if len(found) > 1:
        table.add_row("in all", "", *_estimated(found), style="bold")
    return table


def _estimated(found: Sequence[Estimate]) -> tuple[str, ...]:
    costs = [one.cost for one in found]
    known = [cost for cost in costs if cost is not None]
    return (
        f"{sum(one.requests for one in found):,}",
        f"{sum(one.cached for one in found):,}",
        f"{sum(one.input_tokens for one in found):,}",
        f"{sum(one.output_tokens for one in found):,}",
        f"{sum(known):.4f}" if len(known) == len(costs) else "unknown",
    )


def reasons(summary: RunSummary) -> RenderableType:
    """Why: how often each reason was given, a column per strategy."""
    strategies = summary.strategies
    table = plain_table()
    table.add_column("status")
    table.add_column("reason")
    for label in strategies:
        # A column per convention: its own name is enough where there are several.
        table.add_column(label.removeprefix("execution_match:"), justify="right", overflow="fold")
    before = None
    for reason, cells in reason_rows(summary):
        table.add_row("" if reason.status is before else reason.status.value, reason.words, *cells)
        before = reason.status
    return table


def reason_rows(summary: RunSummary) -> Iterable[tuple[Reason, list[str]]]:
    """Every reason that was given, by status, and how often by each strategy."""
    for reason in sorted(Reason, key=lambda reason: list(Status).index(reason.status)):
        counts = [s.reasons.get(reason, 0) for s in summary.strategies.values()]
        if any(counts):
            yield reason, [f"{n:,}" if n else "·" for n in counts]


def taxonomy(rows: Sequence[Row]) -> RenderableType:
    """What execution found, and beside it what judges say of the same items."""
    table = plain_table()
    for heading in ("judges of", "execution says"):
        table.add_column(heading, overflow="fold")
    table.add_column("items", justify="right")
    table.add_column("the judges say", overflow="fold")
    before = ""
    for row in rows:
        said = _most_first(row.categories)
        said += [f"nothing {row.without:,}"] if row.without else []
        said += [f"no verdict {row.undecided:,}"] if row.undecided else []
        reason = "–" if row.reason is None else row.reason.words
        table.add_row(row.strategy if row.strategy != before else "", reason, f"{row.items:,}", ", ".join(said))
        before = row.strategy
    return table


def item(record: ItemRecord) -> RenderableType:
    """One item: what was asked, what came, what was expected, and how they differ."""
    lines = Table.grid(padding=(0, 2, 0, 0))
    lines.add_column(style="bold")
    lines.add_column(overflow="fold")

    def line(heading: str, text: object) -> None:
        lines.add_row(printable(heading), Text(printable(str(text))))

    line(record.id, f"{record.question}  [{record.db_id}{_turn(record)}]")
    for status, words in _verdict_lines(record.verdicts):
        line(status, words)
    if record.route is not None:
        line("route", f"{record.route.route}, decided by {record.route.decided_by}")
    for call in record.calls:
        line(call.role, f"{call.model}: {call.why}")
    if record.note or record.answered_by:
        line("answered", ", ".join(filter(None, (record.answered_by, record.note))))
    if record.predicted is not None and record.predicted.message:
        line("message", record.predicted.message)
    line("predicted", record.sql if record.sql is not None else "(no SQL)")
    for gold in record.golds:
        line("gold", gold.source or gold.sql)
    evidence = record.verdicts[0].evidence if record.verdicts else {}
    if evidence.get(GOLDS_FOR):
        line("gold", f"none for {evidence.get('dialect')}; there are golds for {', '.join(evidence[GOLDS_FOR])}")
    for heading, key in (("lacks rows", "missing"), ("extra rows", "extra")):
        if evidence.get(key):
            line(heading, f"{evidence[key]} of {evidence.get(f'{key}_rows'):,}")
    if evidence.get(ORDER) == NOT_CHECKED:
        line("order", f"{NOT_CHECKED}: {evidence.get('because')}")
    return lines


def _turn(record: ItemRecord) -> str:
    """Which turn of which conversation, and what its prompt was given of those before; empty where it is none."""
    if record.conversation is None:
        return ""
    told = f", turn {record.turn} of conversation {record.conversation}"
    history = record.history
    if history is None:
        return told
    left_out = f", {history.left_out} left out" if history.left_out else ""
    without = f", {history.without_sql} without SQL" if history.without_sql else ""
    return f"{told}, {history.by} history: {history.shown} shown{left_out}{without}"


def _most_first(counts: Mapping[str, int]) -> list[str]:
    """Each name with how often it was said."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [f"{name.replace('_', ' ')} {count:,}" for name, count in ordered]


def _verdict_lines(verdicts: Sequence[VerdictRecord]) -> Iterable[tuple[str, str]]:
    """Each verdict with its status, and below it what judges said, or why they were not asked."""
    for verdict in verdicts:
        yield verdict.status.value, f"{verdict.reason.words}  ({verdict.strategy})"
        told = verdict.evidence
        said = told.get(JUDGES)
        for name, words in said.items() if isinstance(said, Mapping) else ():
            yield "", f"{name}: {words}"
        if JUDGE_WHY in told:
            yield "", str(told[JUDGE_WHY])
        if NOT_ASKED in told:
            yield "", f"not asked: {told[NOT_ASKED]}"


def partings(found: Iterable[Parting]) -> list[str]:
    """In words: what one strategy credits and the other refuses, and what it hangs on."""
    lines = []
    for parting in found:
        for counts, lenient, strict in (
            (parting.credited, parting.other, parting.reference),
            (parting.refused, parting.reference, parting.other),
        ):
            if counts:
                which = ", ".join(f"{mechanism} {count:,}" for mechanism, count in counts.most_common())
                lines.append(f"credited by {lenient}, refused by {strict}: {counts.total():,} ({which})")
    return lines


def notes(summary: RunSummary) -> list[str]:
    """What a reader must know beside the table: why items are unscored, what was not checked, what the answers cost."""
    told = []
    for label, counts in summary.strategies.items():
        for reason, count in counts.reasons.items():
            if reason.status is Status.UNSCORED:
                told.append((label, f"{count:,} unscored: {reason.words}{_which(summary, reason)}"))
        if counts.order_not_checked:
            told.append((label, f"{counts.order_not_checked:,} scored, order: not checked"))
    lines = [text if len(labels) == len(summary.strategies) else f"{text} ({', '.join(labels)})"
             for text, labels in _merged(told).items()]  # fmt: skip
    return [*_judges(summary), *_figures(summary), *lines, *_cut(summary), *spent(summary)]


def _cut(summary: RunSummary) -> list[str]:
    """Conversations that cannot be counted, where others can."""
    most = max((counts.incomplete for counts in summary.interactions.values()), default=0)
    if not most:
        return []
    are = "conversation is not there with all its turns" if most == 1 else "conversations are not there with all turns"
    return [f"{most:,} {are}, and not among the interactions"]


def _judges(summary: RunSummary) -> list[str]:
    """What goes with the verdicts of judges: how far to believe them, their kin, where they were not asked, remarks."""
    lines = []
    for label, counts in summary.strategies.items():
        standing = summary.standings.get(label)
        told = [standing.note.words(counts), *standing.kin] if standing is not None else []
        told += [f"{count:,} not asked: {why}" for why, count in counts.not_asked.items()]
        if counts.annotations:
            remarks = ", ".join(_most_first(counts.annotations))
            told.append(f"the verdicts of execution, with remarks: {remarks}")
        lines += [printable(f"{label}: {words}") for words in told]
    return lines


def _figures(summary: RunSummary) -> list[str]:
    """The further numbers of each strategy, and over how many items each is a mean."""
    return [
        f"{label}: "
        + ", ".join(f"{name} {figure.mean:.1f} ({figure.items:,})" for name, figure in counts.figures.items())
        for label, counts in summary.strategies.items()
        if counts.figures
    ]


def _which(summary: RunSummary, reason: Reason) -> str:
    """What a reason is about, where that is known."""
    if reason is Reason.DATABASE_MISSING:
        return f" ({_shown(summary.missing_databases)})"
    if reason is Reason.GOLD_MISSING and summary.gold_dialects:
        return f" (there are golds for {_shown(summary.gold_dialects)})"
    return ""


def _shown(names: Collection[str]) -> str:
    return some(sorted(names), 5)


def spent(summary: RunSummary) -> list[str]:
    """What the answers took, in one line, and what judging them took; none where no model was asked."""
    lines = []
    if summary.tokens.asked or summary.tokens.from_cache:
        lines.append(_took(summary.tokens, _cost(summary.tokens, summary.strategies)))
    if summary.judging.asked or summary.judging.from_cache:
        lines.append(f"judging: {_took(summary.judging, _cost(summary.judging, {}))}")
    return lines


def _took(tokens: Tokens, cost: str) -> str:
    parts = [f"{tokens.asked + tokens.from_cache:,} answers"]
    if tokens.from_cache:
        parts.append(f"{tokens.from_cache:,} of them from the cache")
    if tokens.asked and tokens.unknown_tokens == tokens.asked:
        parts.append("tokens unknown")
    elif tokens.asked:
        unknown = f" (and unknown for {tokens.unknown_tokens:,} answers)" if tokens.unknown_tokens else ""
        parts.append(f"{tokens.input:,} tokens in, {tokens.output:,} out{unknown}")
    if tokens.asked:
        parts.append(cost)
    return ", ".join(parts)


def _cost(tokens: Tokens, strategies: Mapping[str, Summary]) -> str:
    if tokens.unknown_cost:
        return "cost unknown"
    label = next(iter(strategies), "")
    counts = strategies.get(label)
    if not tokens.cost or counts is None or not counts.correct or tokens.from_cache:  # what was paid before is unknown
        return f"cost {tokens.cost:.4f}"
    return f"cost {tokens.cost:.4f}, {tokens.cost / counts.correct:.4f} per correct answer ({label})"


def _merged(told: list[tuple[str, str]]) -> dict[str, list[str]]:
    """The strategies that each line is about."""
    labels: dict[str, list[str]] = {}
    for label, text in told:
        labels.setdefault(text, []).append(label)
    return labels
