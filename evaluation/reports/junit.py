"""JUnit XML: what CI servers show as tests."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import IO, Any
from xml.sax.saxutils import escape, quoteattr

from evaluation.records import ItemRecord, VerdictRecord
from evaluation.reports.base import Report
from evaluation.reports.summary import RunSummary, interval_of
from evaluation.reports.xml_text import legal
from evaluation.run_log import RunFolder
from evaluation.runs import blank_summary
from evaluation.verdicts import JUDGE_WHY, Status

_ELEMENTS = {Status.INCORRECT: "failure", Status.UNSCORED: "error"}


class JUnitReport(Report):
    """One test suite per run and strategy, one test case per question.

    Incorrect is a failure, unscored is an error: it is the instrument that failed. Test cases are written as they are
    read and kept nowhere, whatever their number.
    """

    name = "junit"
    suffixes = (".xml",)

    def write(self, runs: Sequence[RunFolder], path: Path) -> None:
        """See `Report.write`."""
        numbers = count()
        titles = Counter(str(run.manifest["title"]) for run in runs)
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.write('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n')
            for run in runs:
                title = str(run.manifest["title"])
                _write_run(run, title if titles[title] == 1 else f"{title} · {run.run_id}", file, numbers)
            file.write("</testsuites>\n")


@dataclass
class _Cases:
    """The test cases of one suite, in a file of their own until their counts are known."""

    file: IO[str]
    package: str
    seconds: float = 0.0
    counts: dict[Status, int] = field(default_factory=lambda: dict.fromkeys(Status, 0))

    def add(self, record: ItemRecord, verdict: VerdictRecord) -> None:
        self.counts[verdict.status] += 1
        self.seconds += record.seconds
        self.file.writelines(_case(record, verdict, self.package))


def _write_run(run: RunFolder, title: str, file: IO[str], numbers: Iterator[int]) -> None:
    suites: dict[str, _Cases] = {}
    summary = blank_summary(run)
    with ExitStack() as stack:
        for record in run.items():
            summary.add(record)
            for verdict in record.verdicts:
                if verdict.strategy not in suites:
                    spool = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n"))
                    suites[verdict.strategy] = _Cases(spool, f"{title} · {verdict.strategy}")
                suites[verdict.strategy].add(record, verdict)
        for label, cases in suites.items():
            file.writelines(_head(run, label, cases, summary, next(numbers)))
            cases.file.seek(0)
            shutil.copyfileobj(cases.file, file)
            file.write("    <system-out/>\n    <system-err/>\n  </testsuite>\n")


def _head(run: RunFolder, label: str, cases: _Cases, summary: RunSummary, number: int) -> Iterator[str]:
    attributes = {
        "name": cases.package,
        "package": run.manifest["experiment"]["name"],
        "id": number,
        "timestamp": str(run.manifest["started"])[:19],  # UTC; the schema has no place for it
        "hostname": "localhost",
        "tests": sum(cases.counts.values()),
        "failures": cases.counts[Status.INCORRECT],
        "errors": cases.counts[Status.UNSCORED],
        "time": f"{cases.seconds:.6f}",
    }
    yield f"  <testsuite{_attributes(attributes)}>\n    <properties>\n"
    for name, value in _properties(run, label, summary):
        yield f"      <property{_attributes({'name': name, 'value': value})}/>\n"
    yield "    </properties>\n"


def _properties(run: RunFolder, label: str, summary: RunSummary) -> Iterator[tuple[str, object]]:
    counts = summary.strategies[label]
    yield "run_id", run.run_id
    yield "status", summary.status
    yield "strategy", label
    yield "items", summary.items
    yield "total", summary.total
    yield "scored", counts.scored
    yield "correct", counts.correct
    yield "system_failures", counts.system_failures
    yield "instrument_failures", counts.instrument_failures
    if counts.score is not None:
        yield "score", f"{counts.score:.6f}"
    interval = interval_of(counts)
    if interval is not None:
        yield "interval_95", f"{interval[0]:.6f} {interval[1]:.6f}"
    standing = summary.standings.get(label)
    if standing is not None:
        yield "judge", "; ".join((standing.note.words(counts), *standing.kin))


def _case(record: ItemRecord, verdict: VerdictRecord, package: str) -> Iterator[str]:
    # Of two test cases of one class and name GitLab ignores the second.
    attributes = {"name": record.id, "classname": f"{package}.{record.db_id}", "time": f"{record.seconds:.6f}"}
    element = _ELEMENTS.get(verdict.status)
    if element is None:
        yield f"    <testcase{_attributes(attributes)}/>\n"
        return
    yield f"    <testcase{_attributes(attributes)}>\n"
    told = _attributes({"message": verdict.reason.words, "type": verdict.reason.value})
    account = escape(legal("\n".join(_account(record, verdict))))
    yield f"      <{element}{told}>{account}</{element}>\n"
    yield "    </testcase>\n"


def _account(record: ItemRecord, verdict: VerdictRecord) -> Iterator[str]:
    """What was asked, what came, what was expected, and how they differ."""
    yield verdict.reason.words  # GitLab shows this text, and no attribute
    yield f"question: {record.question}"
    yield f"predicted: {record.sql if record.sql is not None else '(no SQL)'}"
    if record.predicted is not None and record.predicted.message:
        yield f"message: {record.predicted.message}"
    for gold in record.golds:
        yield f"gold: {gold.source or gold.sql}"
        if gold.message:
            yield f"gold failed: {gold.message}"
    for heading, key in (("lacks rows", "missing"), ("extra rows", "extra")):
        if verdict.evidence.get(key):
            yield f"{heading}: {verdict.evidence[key]}"
    if JUDGE_WHY in verdict.evidence:
        yield f"judge: {verdict.evidence[JUDGE_WHY]}"


def _attributes(values: Mapping[str, Any]) -> str:
    entities = {"\n": "&#10;", "\t": "&#9;"}  # as they are, a reader would take them for spaces
    return "".join(f" {name}={quoteattr(legal(str(value)), entities)}" for name, value in values.items())
