"""Markdown: a comment on a pull request, or the summary of a job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from heapq import nsmallest
from itertools import count
from pathlib import Path

from evaluation.compare import screen
from evaluation.compare.answers import Pair, Told
from evaluation.compare.comparison import Comparison, compare
from evaluation.compare.notes import notes_of_all
from evaluation.compare.sentence import sentence
from evaluation.records import ItemRecord
from evaluation.reports import console
from evaluation.reports.base import Report
from evaluation.reports.markdown_text import clipped, code, fenced, plain
from evaluation.reports.summary import RunSummary
from evaluation.run_log import RunFolder
from evaluation.runs import Analysis, analyse
from evaluation.verdicts import Status

LIMIT = 65_536
"""Characters of a comment at GitHub; a job's summary may have more, 1 MiB."""
MARKER = "<!-- sqlassay report -->"
"""The first line, by which a job finds the comment that it wrote before."""
_FOR_MARK = 1_500
"""Characters that are kept for saying what was left out."""
_SMALLEST_ITEM = 60
_SQL = 3_000
_EVIDENCE = 500


class MarkdownReport(Report):
    """The verdict of comparisons first, then the results, why, and in folded parts the questions.

    Never longer than a comment at GitHub may be; what has no room is counted at the end, with where all of it is.
    """

    name = "markdown"
    suffixes = (".md",)

    def write(self, runs: Sequence[RunFolder], path: Path) -> None:
        """See `Report.write`."""
        page = _Page(LIMIT - _FOR_MARK)
        compared = compare(runs)
        analyses = [analyse(run) for run in runs]
        summaries = [one.summary for one in analyses]
        page.add(f"{MARKER}\n\n## sqlassay")
        for one in compared:
            page.add(f"**{plain(sentence(one))}**", "verdicts of comparisons")
        page.table(("run", "strategy", *console.HEADINGS), _results(summaries), "rows of results")
        for summary in summaries:
            if told := console.unfinished(summary):
                page.add(f"⚠️ {plain(told)}", "warnings")
        _add_comparisons(page, compared)
        for analysis in analyses:
            _add_reasons(page, analysis)
        flipped = [one for one in compared if one.won or one.lost]
        for index, one in enumerate(flipped):
            page.folded(_flips_heading(one), _flips(one), "flips", share=len(flipped) - index + len(runs))
        for index, run in enumerate(runs):
            heading = f"{_titled(run)}: questions that are not right"
            records, more = _failing(run)
            page.folded(heading, map(_item, records), "questions", share=len(runs) - index, more=more)
        path.write_text(page.text(_where(runs)), "utf-8")


class _Page:
    """Markdown up to a length; whatever has no room is counted.

    Args:
        room: Characters, as GitHub counts them: those beyond the basic plane are two.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._blocks: list[str] = []
        self._left_out: Counter[str] = Counter()

    def add(self, block: str, what: str = "") -> None:
        """One block, or none of it."""
        size = _length(block) + 2
        if size > self._room:
            self._left_out[what] += 1
            return
        self._room -= size
        self._blocks.append(block)

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[str]], what: str) -> None:
        """As many rows as there is room for; numbers are right-aligned, the first two columns are names."""
        lines = [_row([heading.replace("\n", " ") for heading in headings])]
        lines.append(_row([":--", ":--", *["--:"] * (len(headings) - 2)]))
        self._fill(lines, (_row(row) for row in rows), "\n", "", self._room, what)

    def folded(self, heading: str, blocks: Iterable[str], what: str, *, share: int, more: int = 0) -> None:
        """A part that a click opens.

        Args:
            heading: HTML.
            blocks: What is in it.
            what: What the blocks are, in the plural.
            share: It may have one part in so many of the room that is left.
            more: Blocks that are not given: there would be no room for them.
        """
        if more:
            self._left_out[what] += more
        opening = f"<details>\n<summary>{heading}</summary>\n"
        self._fill([opening], blocks, "\n\n", "\n\n</details>", self._room // share, what)

    def _fill(self, begun: list[str], parts: Iterable[str], between: str, end: str, room: int, what: str) -> None:
        told = list(begun)
        size = _length(between.join(told) + end) + 2
        full = False
        for part in parts:
            more = _length(between + part)
            full = full or size + more > room  # the first ones are shown, not the shortest
            if full:
                self._left_out[what] += 1
            else:
                size += more
                told.append(part)
        if len(told) > len(begun):
            self._room -= size
            self._blocks.append(between.join(told) + end)

    def text(self, where: str) -> str:
        """The whole, and where to find what is not in it."""
        blocks = list(self._blocks)
        if self._left_out:
            told = ", ".join(f"{number:,} {what}" for what, number in self._left_out.items())
            blocks.append(f"**Left out, for want of room:** {told}. {where}")
        return "\n\n".join(blocks) + "\n"


def _length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _results(summaries: Sequence[RunSummary]) -> Iterator[Sequence[str]]:
    for summary in summaries:
        title = plain(summary.title, 200)
        for label, counts in summary.strategies.items():
            yield title, plain(label, 200), *console.numbers(counts)
            title = ""
            for name, cells in console.beneath(summary, label, counts):
                yield "", f"– {name}", *cells


def _add_comparisons(page: _Page, compared: Sequence[Comparison]) -> None:
    counted = [one for one in compared if one.pairs]
    if counted:
        rows = ((*_between(one), *screen.numbers(one)) for one in counted)
        headings = ("baseline", "candidate", *screen.headings(len(counted)))
        page.table(headings, rows, "rows of comparisons")
        page.add(plain(screen.basis(counted)), "notes")
    for note in notes_of_all(compared):
        page.add(f"- {plain(note)}", "notes")


def _between(one: Comparison) -> tuple[str, str]:
    where = f"{one.baseline.where}: " if one.baseline.where else ""
    return plain(where + one.baseline.name, 200), plain(one.candidate.name, 200)


def _add_reasons(page: _Page, analysis: Analysis) -> None:
    summary = analysis.summary
    page.add(f"### {plain(summary.title, 200)}\n\n{code(summary.run_id)}", "headings of runs")
    rows = ((reason.status.value, reason.words, *cells) for reason, cells in console.reason_rows(summary))
    labels = (plain(label, 200) for label in summary.strategies)
    page.table(("status", "reason", *labels), rows, "rows of reasons")
    for note in [*console.notes(summary), *console.partings(analysis.partings)]:
        page.add(f"- {plain(note)}", "notes")


def _flips_heading(one: Comparison) -> str:
    a, b = _between(one)
    return f"{a} and {b}: {len(one.won) + len(one.lost):,} questions that only one has right"


def _flips(one: Comparison) -> Iterator[str]:
    for arm, flips in ((one.candidate, one.won), (one.baseline, one.lost)):
        for flip in flips:
            yield _flip(flip, arm.name, one)


def _flip(flip: Pair, right: str, one: Comparison) -> str:
    sides = ((one.baseline.name, flip.baseline), (one.candidate.name, flip.candidate))
    return "\n\n".join(
        [
            f"**only {plain(right, 200)} is right:** {code(flip.asked.words)} · {code(flip.baseline.db_id)}"
            f" · {flip.wrong.reason.words}",
            f"> {plain(flip.baseline.question)}",
            fenced("\n".join(f"-- {' '.join(name.split())}\n{_sql(told)}" for name, told in sides), "sql"),
        ]
    )


def _sql(told: Told) -> str:
    return "-- (no SQL)" if told.sql is None else clipped(told.sql, _SQL)


def _failing(run: RunFolder) -> tuple[list[ItemRecord], int]:
    """The first questions that a strategy calls wrong or could not score, and how many more there are."""
    found = count()
    wanted = (
        record
        for record in run.items()
        if any(verdict.status is not Status.CORRECT for verdict in record.verdicts) and next(found) >= 0
    )
    kept = nsmallest(LIMIT // _SMALLEST_ITEM, wanted, key=lambda record: record.position)
    return kept, next(found) - len(kept)


def _item(record: ItemRecord) -> str:
    lines = [f"{code(record.id)} · {code(record.db_id)}", f"> {plain(record.question)}"]
    lines += [
        f"- {verdict.status.value}: {verdict.reason.words} ({plain(verdict.strategy, 200)})"
        for verdict in record.verdicts
    ]
    if record.predicted is not None and record.predicted.message:
        lines.append(f"- message: {code(record.predicted.message, _EVIDENCE)}")
    evidence = record.verdicts[0].evidence
    for heading, key in (("lacks rows", "missing"), ("extra rows", "extra")):
        if evidence.get(key):
            lines.append(f"- {heading}: {code(str(evidence[key]), _EVIDENCE)}")
    predicted = "-- (no SQL)" if record.sql is None else clipped(record.sql, _SQL)
    golds = [f"-- gold\n{clipped(gold.source or gold.sql, _SQL)}" for gold in record.golds[:1]]
    lines.append(fenced("\n".join([f"-- predicted\n{predicted}", *golds]), "sql"))
    return "\n\n".join(lines)


def _titled(run: RunFolder) -> str:
    return plain(str(run.manifest["title"]), 200)


def _where(runs: Sequence[RunFolder]) -> str:
    """What shows all that was left out."""
    names = " ".join(run.run_id[:100] for run in runs[:3])
    more = f" and {len(runs) - 3:,} more runs" if len(runs) > 3 else ""
    return f"All of it: {code(f'sqlassay report {names} --json --show incorrect')}{more}; or as HTML, CSV or Parquet."
