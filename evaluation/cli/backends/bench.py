"""`sqlassay backends bench`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from evaluation.cli import output
from evaluation.cli.options import Databases, Json, Limit
from sqlassay.counted import counted
from sqlassay.errors import ExitCode, UserError

if TYPE_CHECKING:
    from database_backends.result import Limits
    from database_backends.runner import Statement
    from database_backends.throughput import Throughput
    from evaluation.named_databases import Named

_PERCENTILES = {"p50": 50, "p90": 90, "p99": 99, "max": 100}
_TRIVIAL = "SELECT 1"
_SHOWN = 200
"""Characters of a statement."""


@dataclass(frozen=True)
class _Pool:
    """What one size of the pool has done; times in milliseconds."""

    pool: int
    statements: int
    failed: int
    per_second: float
    p50: float
    p90: float
    p99: float
    max: float


@dataclass(frozen=True)
class _Slow:
    """One of the slowest statements."""

    milliseconds: float
    database: str
    sql: str
    plan: str


@dataclass(frozen=True)
class _Report:
    """What was measured of one database, or of all of a dataset."""

    database: str
    statements: int
    left_out: dict[str, int]
    pools: list[_Pool]
    slowest: list[_Slow]


def bench(
    databases: Annotated[
        list[str],
        typer.Argument(
            metavar="ENGINE:TARGET...",
            help="Such as sqlite:shop.sqlite or postgres://user:password@host/database; with --dataset, {db_id} in it"
            " stands for each database.",
        ),
    ],
    queries: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--queries", metavar="FILE", help="Queries, one a line; `SELECT 1` unless given."),
    ] = None,
    dataset: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--dataset", metavar="FORMAT:PATH", help="The golds of a dataset instead, on its databases."),
    ] = None,
    folder: Databases = None,
    limit: Limit = None,
    pool: Annotated[
        str, typer.Option("--pool", metavar="N,N,…", help="How many statements are under way at once.")
    ] = "1,2,4,8",
    seconds: Annotated[
        float, typer.Option("--seconds", metavar="SECONDS", min=0.01, help="For each size of the pool.")
    ] = 5.0,
    timeout: Annotated[float, typer.Option("--timeout", metavar="SECONDS", min=0.001, help="For one query.")] = 30.0,
    slowest: Annotated[
        int, typer.Option("--slowest", metavar="N", min=0, help="Show the slowest queries and their plans.")
    ] = 3,
    json: Json = False,
) -> int:
    """Measure databases: how long queries take, and how many a pool gets through.

    A query is timed here, at the client, from handing it to the pool until all its rows are here, as in a run: guard,
    checks of the session, transport and worker processes included.

    Example: `sqlassay backends bench sqlite:shop.sqlite duckdb:shop.duckdb --queries queries.sql --pool 1,4`
    """
    from database_backends.result import Limits
    from evaluation.named_databases import databases_named

    sizes = _sizes(pool)
    if queries is not None and dataset is not None:
        raise UserError("--queries and --dataset both say what is asked", remedy="leave one out")
    texts = None if dataset is not None else _read(queries)
    reports = []
    for argument in databases:
        named = databases_named([argument], dataset, folder)
        statements = _statements(named, texts, Limits(seconds=timeout), limit)
        if not json:
            _announce(argument, statements, seconds)
        report = _measured(argument, statements, sizes, seconds, slowest)
        reports.append(report)
        if not json:
            _show(report)
    if json:
        output.print_json([asdict(report) for report in reports])
    return ExitCode.OK


def _sizes(text: str) -> list[int]:
    try:
        sizes = [int(part) for part in text.split(",")]
    except ValueError:
        sizes = []
    if not sizes or min(sizes) < 1:
        raise UserError(f"--pool {text!r} is not a list of sizes", remedy="such as --pool 1,2,4")
    return sizes


def _read(queries: Path | None) -> list[str]:
    from evaluation.datasets.text_file import read_lines

    if queries is None:
        return [_TRIVIAL]
    texts = [line.strip() for line in read_lines(queries) if line.strip()]
    if not texts:
        raise UserError("holds no queries", place=str(queries), remedy="write one a line")
    return texts


def _statements(
    named: Sequence[Named], texts: Sequence[str] | None, limits: Limits, limit: int | None
) -> list[Statement]:
    """The given texts on every database, or the first gold of each question on its own."""
    from itertools import islice

    from database_backends.runner import Statement

    if texts is not None:
        return [Statement(one.backend.name, one.target, sql, limits) for one in named if one.target for sql in texts]
    found = []
    by_db_id = {one.db_id: one for one in named}
    (dataset,) = {one.dataset for one in named}
    for question in islice(dataset.questions() if dataset else (), limit):
        one = by_db_id[question.db_id]
        golds = question.golds(one.backend.dialect)
        if one.target and golds:
            found.append(Statement(one.backend.name, one.target, golds[0], limits))
    return found


def _measured(
    argument: str, statements: Sequence[Statement], sizes: Sequence[int], seconds: float, slowest: int
) -> _Report:
    from database_backends.result import ExecutionFailure
    from database_backends.runner import Runner
    from database_backends.throughput import measure

    title = _titled(argument)
    if not statements:
        raise UserError("there is nothing to ask", place=title, remedy="are its databases there, and have they golds?")
    megabytes = statements[0].limits.megabytes
    with Runner(max(sizes), megabytes=megabytes) as runner:
        outcomes = [future.result() for future in [runner.submit(one) for one in statements]]
    failures = [outcome for outcome in outcomes if isinstance(outcome, ExecutionFailure)]
    runs = [one for one, outcome in zip(statements, outcomes, strict=True) if not isinstance(outcome, ExecutionFailure)]
    if not runs:
        raise UserError(f"no query runs: {failures[0].message}", place=title, remedy="sqlassay backends check")
    measured = []
    for size in sizes:
        with Runner(size, megabytes=megabytes) as runner:
            measured.append(measure(runner, runs, seconds))
    return _Report(
        title,
        len(runs),
        dict(Counter(failure.kind.value for failure in failures)),
        [_pool(one) for one in measured],
        [_slow(runs[number], taken) for number, taken in min(measured, key=lambda one: one.pool).slowest(slowest)],
    )


def _pool(measured: Throughput) -> _Pool:
    times = {name: 1000 * measured.percentile(percent) for name, percent in _PERCENTILES.items()}
    return _Pool(measured.pool, len(measured.latencies), measured.failures.total(), measured.rate, **times)


def _slow(statement: Statement, seconds: float) -> _Slow:
    from database_backends.base import BACKENDS
    from database_backends.throughput import plan
    from database_backends.validation import title

    database = title(BACKENDS.get(statement.backend), statement.target)
    return _Slow(1000 * seconds, database, " ".join(statement.sql.split()), plan(statement))


def _announce(argument: str, statements: Sequence[Statement], seconds: float) -> None:
    from rich.text import Text

    heading = Text(_titled(argument), style="bold")
    heading.append(f": {counted(len(statements), 'statement')}, {seconds:g} s for each size of the pool", "none")
    output.data().print(heading)
    output.data().print("each timed here, from handing it to the pool until its last row is here")


def _titled(argument: str) -> str:
    from database_backends.base import BACKENDS
    from database_backends.dsn import shown
    from database_backends.spec import engine_and_target
    from database_backends.validation import title

    name, target = engine_and_target(argument)
    return title(BACKENDS.get(name), target) if target and name in BACKENDS.names() else shown(argument)


def _show(report: _Report) -> None:
    screen = output.data()
    rows = []
    for one in report.pools:
        times = (f"{milliseconds:,.2f}" for milliseconds in (one.p50, one.p90, one.p99, one.max))
        rows.append((one.pool, f"{one.statements:,}", f"{one.failed:,}", f"{one.per_second:,.0f}", *times))
    screen.print(
        output.table(("at once", "done", "failed", "per second", *(f"{name} ms" for name in _PERCENTILES)), rows)
    )
    if report.left_out:
        kinds = ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in report.left_out.items())
        screen.print(f"left out, since they fail: {kinds}")
    if report.slowest:
        screen.print(
            f"\nSlowest, {min(one.pool for one in report.pools)} at once (median time, database, query, plan):"
        )
    for slow in report.slowest:
        screen.print(f"{slow.milliseconds:,.2f} ms  {slow.database}\n  {_short(slow.sql)}", soft_wrap=True)
        screen.print(indent(slow.plan, "    "), soft_wrap=True)
    screen.print()


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
