"""`sqlassay audit`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from evaluation.cli import output
from evaluation.cli.options import (
    Backend,
    Databases,
    Filter,
    Ids,
    Json,
    Limit,
    MaxMemory,
    MaxRows,
    Sample,
    Seed,
    StatementTimeout,
    Workers,
)
from sqlassay.counted import counted
from sqlassay.errors import ExitCode

if TYPE_CHECKING:
    from evaluation.audit.report import AuditLine, AuditReport


def audit(
    dataset: Annotated[str, typer.Argument(metavar="FORMAT:PATH", help="Such as spider:data/spider.")],
    backend: Backend = "sqlite",
    databases: Databases = None,
    limit: Limit = None,
    sample: Sample = None,
    seed: Seed = None,
    filter_: Filter = None,
    ids: Ids = None,
    probe: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--probe", metavar="NAME", help="Only this probe. May be given several times."),
    ] = None,
    fail_on: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--fail-on",
            metavar="NAME,NAME,…",
            help="Exit with 1 when one of these probes fired; `all` is every probe, `none` is no probe. Unless given:"
            " duplicate_id, not_parsing, failing, timing_out, randomness, unrepeatable.",
        ),
    ] = None,
    seconds: StatementTimeout = 30.0,
    rows: MaxRows = 100_000,
    megabytes: MaxMemory = 1024,
    max_copy: Annotated[
        int, typer.Option("--max-copy", metavar="MIB", min=0, help="Larger databases are not copied.")
    ] = 256,
    workers: Workers = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="With the statement and the rows that show each flaw.")
    ] = False,
    every: Annotated[
        bool, typer.Option("--all", help="Every answer: also what is quiet and what does not apply.")
    ] = False,
    json: Json = False,
) -> int:
    """Look for flaws in the golds of a dataset.

    Each probe looks for one flaw in each gold, and says that it fired, that it is quiet, or that it does not apply. The
    probes and what they mean are in docs/audit.md.

    Example: `sqlassay audit spider:data/spider --fail-on failing,clock`
    """
    import asyncio
    import logging
    from tempfile import TemporaryDirectory

    from database_backends.result import Limits
    from database_backends.runner import Runner, default_workers

    with Runner(workers or default_workers(), megabytes=megabytes) as runner, TemporaryDirectory("-audit") as folder:
        from evaluation.audit.auditor import Auditor, entries_of
        from evaluation.audit.base import Answer
        from evaluation.audit.copies import ShuffledCopies
        from evaluation.audit.probes import every_probe, probes_named
        from evaluation.audit.report import AuditReport, fired_among, in_order, probe_counts
        from evaluation.audit.subject import Bench
        from evaluation.cli.selecting import selection_of
        from evaluation.databases import Databases as DatabaseFinder
        from evaluation.datasets.opening import open_dataset

        logging.getLogger("sqlglot").setLevel(logging.ERROR)  # what it cannot read is in the report
        probes = [made() for made in (probes_named(probe) if probe else every_probe())]
        fatal = _fatal(fail_on)
        opened = open_dataset(dataset, databases=databases, ids="position")
        entries = entries_of(opened)
        of_question = {id(entry.question): entry for entry in entries}
        selected = selection_of(limit, sample, seed, filter_, ids).apply(entry.question for entry in entries)
        chosen = [of_question[id(question)] for question in selected]
        finder = DatabaseFinder.of(opened, backend)
        finder.require_any(entry.question.db_id for entry in chosen)
        copies = ShuffledCopies(finder.backend, Path(folder), megabytes=max_copy)
        bench = Bench(finder.backend, runner, Limits(seconds, rows, megabytes), copies)
        found: list[AuditLine] = []
        asyncio.run(Auditor(finder, bench, probes, 8 * runner.workers).run(entries, chosen, found.extend))
        lines = in_order(found, probes)
        report = AuditReport(
            dataset=dataset,
            file=str(opened.question_file),
            backend=finder.backend.name,
            engine=finder.engine(entry.question.db_id for entry in entries),
            questions=len(chosen),
            golds=sum(len(entry.question.golds(finder.backend.dialect)) for entry in chosen),
            without_database=sum(finder.target(entry.question.db_id) is None for entry in chosen),
            probes=probe_counts(probes, lines),
            failed_on=fired_among(lines, fatal),
            findings=[line for line in lines if every or line.answer is Answer.FIRED],
        )
        _show(report, json=json, verbose=verbose)
        return ExitCode.UNUSABLE if report.failed_on else ExitCode.OK


def _fatal(fail_on: str | None) -> list[str]:
    from evaluation.audit.probes import every_probe, probes_named

    if fail_on is None:
        return [probe.name for probe in every_probe() if probe.fatal]
    names = [name.strip() for name in fail_on.split(",") if name.strip()]
    if names == ["none"]:
        return []
    return [probe.name for probe in (every_probe() if names == ["all"] else probes_named(names))]


def _show(report: AuditReport, *, json: bool, verbose: bool) -> None:
    if json:
        from dataclasses import asdict

        output.print_json(asdict(report))
        return
    screen = output.data()
    missing = f", {report.without_database:,} without a database" if report.without_database else ""
    counts = f"{counted(report.questions, 'question')}, {counted(report.golds, 'gold')}"
    screen.print(f"{report.file}: {counts}{missing}")
    screen.print(
        output.table(
            ("probe", "fired", "quiet", "not applicable", "looks for"),
            [(p.name, f"{p.fired:,}", f"{p.quiet:,}", f"{p.not_applicable:,}", p.description) for p in report.probes],
        )
    )
    if report.findings:
        screen.print()
    if verbose:
        for line in report.findings:
            _show_line(line)
    elif report.findings:
        screen.print(
            output.table(
                ("id", "database", "probe", "answer", "reason"),
                [
                    (_named(line), line.db_id, line.probe, line.answer.replace("_", " "), _short(line.reason))
                    for line in report.findings
                ],
            )
        )
    if report.failed_on:
        output.talk().print(f"exit code 1, because of: {', '.join(report.failed_on)}")


def _show_line(line: AuditLine) -> None:
    from rich.text import Text

    screen = output.data()
    screen.print(Text(f"{_named(line)}  {line.db_id}  {line.probe}  {line.answer.replace('_', ' ')}", style="bold"))
    shown = [line.reason, " ".join((line.sql or "").split()), *(repr(tuple(row)) for row in line.rows)]
    for text in filter(None, shown):
        screen.print(Text(f"  {text}"), soft_wrap=True)


def _named(line: AuditLine) -> str:
    return line.id if line.gold == 1 else f"{line.id}, gold {line.gold}"


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:200]}…"
