"""Everything about comparisons for a terminal: the verdicts first, then the numbers, then the questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from evaluation.compare.answers import Pair, Told
from evaluation.compare.comparison import Comparison
from evaluation.compare.detail import Detail
from evaluation.compare.notes import notes_of_all
from evaluation.compare.screen import basis, kinds
from evaluation.compare.sentence import sentence
from evaluation.compare.spending import Latency, Spending
from evaluation.compare.tables import Share, TableUse
from evaluation.reports.console import plain_table
from evaluation.reports.measures import CLUSTERS, between, chance, percent, points, signed
from evaluation.statistics.clustered import DATABASE
from evaluation.statistics.repeats import Passed, Repeats
from sqlassay.counted import counted
from sqlassay.printable import printable

UNKNOWN = "unknown"
NARROWEST = 12
"""Columns that a name, or a text beside a heading, has, however narrow the terminal is."""
Cells = tuple[str, ...]


def shown(found: Sequence[Detail], flips: int | None, *, sliced: bool, listed: bool) -> Iterator[RenderableType]:
    """What to print of comparisons.

    Args:
        found: At least one.
        flips: How many questions to list each way; `None` for all.
        sliced: Whether slices were asked for: of several comparisons, they are not shown otherwise.
        listed: Whether flips were asked for, which are not either.
    """
    compared = [one.comparison for one in found]
    for comparison in compared:
        yield _text(sentence(comparison))
    paired = [one for one in found if one.comparison.pairs]
    if paired:
        yield Text()
        yield _accuracies(paired)
        yield Text()
        yield _differences([one.comparison for one in paired])
        yield _text(basis([one.comparison for one in paired]))
        for one in paired:
            comparison = one.comparison
            name = " · ".join(filter(None, (comparison.baseline.where, comparison.candidate.name)))
            yield _text((f"{name}: " if len(paired) > 1 else "") + _power(comparison))
    if paired:
        yield Text()
        yield _right([one.comparison for one in paired])
    for note in notes_of_all(compared):
        yield _text(note)
    if paired:
        yield Text()
        yield _spendings(paired)
    if any(one.repeats for one in paired):
        yield Text()
        yield _repeats(paired)
    if paired and (sliced or len(paired) == 1):
        yield Text()
        yield from _slices(paired)
    if paired:
        yield Text()
        yield from _tables(paired)
    for one in paired if listed or len(paired) == 1 else ():
        yield from _partings(one.comparison)
        yield from _flips(one.comparison, flips)
    if len(paired) > 1 and not (sliced and listed):
        left = " and ".join(filter(None, ("" if sliced else "--by KEY", "" if listed else "--flips N")))
        yield Text()
        yield _text(f"where the differences come from: {left}")


def _text(line: str) -> Text:
    return Text(printable(line))


def _table(names: Sequence[str], numbers: Sequence[str], rows: Sequence[Cells]) -> Table:
    """Names to the left, numbers to the right; no row twice in a row, as of a baseline with several candidates.

    Names are folded where the terminal is narrow, but not to less than `NARROWEST`; a number never is.
    """
    table = plain_table()
    for place, heading in enumerate((*names, *numbers)):
        widest = max(len(word) for cell in (heading, *(row[place] for row in rows)) for word in cell.split() or [""])
        if place < len(names):
            table.add_column(heading, overflow="fold", vertical="bottom", min_width=min(widest, NARROWEST))
        else:
            table.add_column(heading, justify="right", vertical="bottom", min_width=widest)
    for row in dict.fromkeys(rows):
        table.add_row(*map(_text, row))
    return table


def _where(found: Sequence[Comparison]) -> tuple[bool, list[str]]:
    """Whether comparisons are in different places, and the heading for these."""
    several = any(one.baseline.where for one in found)
    return several, ["in"] if several else []


def _both(one: Detail, several: bool) -> Iterator[tuple[Cells, int]]:
    """The names of both sides, and which they are."""
    for which, arm in enumerate((one.comparison.baseline, one.comparison.candidate)):
        yield ((arm.where, arm.name) if several else (arm.name,)), which


def _accuracies(found: Sequence[Detail]) -> Table:
    several, names = _where([one.comparison for one in found])
    rows: list[Cells] = []
    for one in found:
        for (name, _), accuracy in zip(_both(one, several), one.comparison.accuracies or (), strict=False):
            by = "no" if accuracy.clustered_by is None else f"by {CLUSTERS[accuracy.clustered_by]}"
            interval = between(accuracy.interval)
            rows.append((*name, percent(accuracy.share), interval, by, f"{accuracy.right:,}", f"{accuracy.answers:,}"))
    return _table([*names, ""], ("accuracy", "95 % interval\n(Wilson)", "clustered", "right", "answers"), rows)


def _spendings(found: Sequence[Detail]) -> Table:
    """Money, tokens and time beside accuracy."""
    several, names = _where([one.comparison for one in found])
    rows = [
        (*name, percent(accuracy.share), *_took(one.comparison.spending[which]))
        for one in found
        for (name, which), accuracy in zip(_both(one, several), one.comparison.accuracies or (), strict=False)
    ]
    took = ("cost", "per\ncorrect", "tokens\nin", "tokens\nout", "generation\np50 / p95", "execution\np50 / p95")
    return _table([*names, ""], ("accuracy", *took), rows)


def _took(spending: Spending) -> Cells:
    tokens = spending.tokens
    known = bool(tokens.asked) and not tokens.unknown_tokens
    return (
        UNKNOWN if spending.cost is None else f"{spending.cost:.4f}",
        UNKNOWN if spending.cost_per_correct is None else f"{spending.cost_per_correct:.5f}",
        f"{tokens.input:,}" if known else UNKNOWN,
        f"{tokens.output:,}" if known else UNKNOWN,
        _seconds(spending.generation),
        _seconds(spending.execution),
    )


def _seconds(latency: Latency | None) -> str:
    if latency is None:
        return UNKNOWN
    return " / ".join(map(_time, (latency.p50, latency.p95)))


def _time(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{1000 * seconds:.0f} ms" if seconds >= 0.01 else f"{1000 * seconds:.2f} ms"


def _differences(found: Sequence[Comparison]) -> Table:
    """The difference with its interval and tests."""
    several, names = _where(found)
    rows: list[Cells] = []
    for one in found:
        if one.paired is None or one.interval is None or one.clustered is None or one.adjusted_p is None:
            continue
        rows.append(
            (
                *([one.baseline.where] if several else []),
                one.baseline.name,
                one.candidate.name,
                signed(one.paired.difference),
                " to ".join(map(signed, one.interval)),
                chance(one.paired.p),
                *([chance(one.clustered.p)] if _clustered(found) else []),
                *([chance(one.adjusted_p)] if len(found) > 1 else []),
            )
        )
    numbers = [
        "difference",
        "95 % interval\n(bootstrap)",
        "p\n(McNemar)",
        *(["p\n(clustered)"] if _clustered(found) else []),
        *(["p\n(Holm)"] if len(found) > 1 else []),
    ]
    return _table([*names, "A", "B"], numbers, rows)


def _right(found: Sequence[Comparison]) -> Table:
    """Who is right."""
    several, names = _where(found)
    rows = [
        (
            *([one.baseline.where] if several else []),
            one.baseline.name,
            one.candidate.name,
            *(f"{n:,}" for n in (one.both_right, len(one.lost), len(one.won), one.both_wrong)),
        )
        for one in found
    ]
    return _table([*names, "A", "B"], ("both\nright", "only A\nright", "only B\nright", "both\nwrong"), rows)


def _clustered(found: Sequence[Comparison]) -> bool:
    return any(one.clustered is not None and one.clustered.clusters_matter for one in found)


def _power(one: Comparison) -> str:
    """What so many questions could show, and how many it takes to show what is seen."""
    could = "nothing" if one.detectable is None else f"{points(one.detectable)} points"
    paired = one.paired
    questions = 0 if paired is None else paired.questions
    if one.needed is None or paired is None:
        needed = "there is no difference that more could show"
    else:
        on = "" if one.needed_clusters is None else _on(one, one.needed_clusters)
        needed = f"to show {points(abs(paired.difference))} points takes {one.needed:,}{on}"
    return f"{counted(questions, 'question')} would show {could} in 4 of 5 cases; {needed}"


def _on(one: Comparison, clusters: int) -> str:
    """Where as many questions would be as it takes."""
    if one.clustered is None or one.clustered.by == DATABASE:
        return f" on {clusters:,} databases like these"
    return f" in {clusters:,} {CLUSTERS[one.clustered.by]}s like these"


def _repeats(found: Sequence[Detail]) -> Table:
    several, names = _where([one.comparison for one in found])
    most = max(side.most for one in found for side in one.repeats or ())
    rows = [
        (*name, *_repeated(one.repeats[which], most))
        for one in found
        if one.repeats is not None
        for name, which in _both(one, several)
    ]
    numbers = (f"pass@{most}", f"pass^{most}", "flip\nrate", "± from\nquestions", "± from\nsamples")
    return _table([*names, "repeats"], numbers, rows)


def _repeated(one: Repeats, most: int) -> Cells:
    rate, split = one.flips.rate, one.split
    return (
        _passed(one.pass_at(most)),
        _passed(one.pass_hat(most)),
        percent(rate),
        "–" if split is None else points(split.from_questions),
        "–" if split is None else points(split.from_samples),
    )


def _passed(found: Passed | None) -> str:
    if found is None:
        return "–"
    return percent(found.value) + (f" (of {found.questions:,})" if found.left_out else "")


def _slices(found: Sequence[Detail]) -> Iterator[RenderableType]:
    several, names = _where([one.comparison for one in found])
    many = len(found) > 1
    rows: list[Cells] = [
        (
            *([one.comparison.baseline.where] if several else []),
            *([one.comparison.candidate.name] if many else []),
            part.name,
            f"{part.paired.questions:,}",
            *(percent(right / part.paired.pairs) for right in part.right),
            signed(part.paired.difference),
            " to ".join(map(signed, part.interval)),
            chance(part.adjusted_p),
        )
        for one in found
        for part in one.slices
    ]
    by = found[0].comparison.by
    yield _table(
        [*names, *(["B"] if many else []), by],
        ("questions", "A", "B", "difference", "95 % interval", "p\n(Holm)"),
        rows,
    )
    of = " of all comparisons" if many else ""
    of_clusters = kinds(part.clustered for one in found for part in one.slices)
    by = f"; where its questions cluster, p and interval are of {of_clusters}" if of_clusters else ""
    corrected = f"p is corrected for {len(rows):,} slices{of} (Holm)" if len(rows) > 1 else "there is one"
    yield _text(f"each slice is compared as the whole is; {corrected}{by}")


def _tables(found: Sequence[Detail]) -> Iterator[RenderableType]:
    several, names = _where([one.comparison for one in found])
    rows = [
        (*name, *_shares(one.tables[which].micro), *_shares(one.tables[which].macro), *_left(one.tables[which]))
        for one in found
        for name, which in _both(one, several)
    ]
    numbers = (
        "precision",
        "recall",
        "precision\n(macro)",
        "recall\n(macro)",
        "answers",
        "no\nSQL",
        "not\nread",
        "no\ngold",
    )
    yield _table([*names, "tables used"], numbers, rows)
    if any(use.unread or use.without_sql or use.without_gold for one in found for use in one.tables):
        yield _text(
            "left out of these: answers without SQL, or that cannot be parsed, or with no gold that can be parsed"
        )


def _shares(share: Share | None) -> Cells:
    return ("–", "–") if share is None else tuple(map(percent, share))


def _left(use: TableUse) -> Cells:
    return tuple(f"{n:,}" for n in (use.answers, use.without_sql, use.unread, use.without_gold))


def _partings(one: Comparison) -> Iterator[RenderableType]:
    if not one.partings:
        return
    rows = [
        (before.words, after.words, f"{count:,}")
        for (before, after), count in sorted(one.partings.items(), key=lambda entry: (-entry[1], entry[0]))
    ]
    yield Text()
    yield _text("where only one is right, the verdicts on both")
    yield _table([one.baseline.name, one.candidate.name], ["answers"], rows)


def _flips(one: Comparison, most: int | None) -> Iterator[RenderableType]:
    for arm, flips in ((one.candidate, one.won), (one.baseline, one.lost)):
        if not flips:
            continue
        cut = "" if most is None or len(flips) <= most else f", {most:,} of them here; --flips all shows all"
        yield Text()
        yield _text(f"only {arm.name} is right: {len(flips):,}{cut}")
        for flip in flips[:most]:
            yield from _flip(one, flip)


@dataclass(frozen=True)
class _Line:
    """A heading, and a text beside it that is wrapped within its own column."""

    heading: str
    text: str
    width: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """One line, or several."""
        lines = _text(self.text).wrap(console, max(NARROWEST, options.max_width - self.width))
        for number, line in enumerate(lines):
            line.rstrip()
            yield Text.assemble(("" if number else printable(self.heading)).ljust(self.width), line)


def _flip(one: Comparison, flip: Pair) -> Iterator[RenderableType]:
    lines = [(f"  {flip.asked.words}", f"{_line(flip.baseline.question)}  [{flip.baseline.db_id}]")]
    for arm, told in ((one.baseline, flip.baseline), (one.candidate, flip.candidate)):
        sql = _line(told.sql) or "(no SQL)"
        lines.append((f"    {arm.name}", f"{told.reason.words}{_rows(told)}: {sql}"))
    if flip.baseline.golds:
        lines.append(("    gold", _line(flip.baseline.golds[0])))
    lines += [(f"    {heading}", text) for heading, text in _evidence(flip.wrong)]
    width = 2 + max(len(printable(heading)) for heading, _ in lines)
    yield from (_Line(heading, text, width) for heading, text in lines)


def _evidence(told: Told) -> Iterator[tuple[str, str]]:
    evidence = told.evidence or {}
    for heading, key in (("lacks rows", "missing"), ("extra rows", "extra")):
        if evidence.get(key):
            yield heading, f"{evidence[key]} of {evidence.get(f'{key}_rows')}"
    if evidence.get("message"):
        yield "message", str(evidence["message"])


def _rows(told: Told) -> str:
    if told.rows is None:
        return ""
    gold = "" if told.gold_rows is None else f" of {told.gold_rows:,} in the gold"
    return f", {told.rows:,} row{'' if told.rows == 1 else 's'}{gold}"


def _line(text: str | None) -> str:
    return " ".join((text or "").split())
