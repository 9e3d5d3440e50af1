"""`sqlassay verdict`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from evaluation.cli import output
from evaluation.cli.options import Conventions, Json, StatementTimeout, Strategies
from sqlassay.counted import counted
from sqlassay.errors import ExitCode, UserError

if TYPE_CHECKING:
    from database_backends.result import Outcome
    from database_backends.runner import Runner
    from evaluation.base.strategy import EvaluationStrategy
    from evaluation.settle import Settlement

SHOWN = 20
"""Rows of each result that are shown side by side."""


def verdict(
    database: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--database", metavar="ENGINE:TARGET", help="Such as sqlite:shop.sqlite."),
    ] = None,
    gold: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--gold", metavar="SQL", help="The right statement; may be given several times."),
    ] = None,
    predicted: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--predicted", metavar="SQL", help="The statement under test."),
    ] = None,
    question: Annotated[str, typer.Option("--question", metavar="TEXT", help="The question, where it is known.")] = "",
    cases: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--cases",
            metavar="FILE",
            help="A JSON list of {id, setup, engine, gold, pred, expected} instead of one pair; exits with 1 when a"
            " verdict is not the expected one.",
        ),
    ] = None,
    convention: Conventions = None,
    strategy: Strategies = None,
    seconds: StatementTimeout = 30.0,
    json: Json = False,
) -> int:
    """Settle a dispute about one pair of statements, or check a list of traps.

    Example: `sqlassay verdict --database sqlite:shop.sqlite --gold "SELECT 1" --predicted "SELECT 1.0"`
    """
    import asyncio

    from database_backends.result import Limits
    from database_backends.runner import Runner
    from evaluation.strategies.making import make_asked_for

    strategies = make_asked_for(convention, strategy)
    limits = Limits(seconds=seconds)
    with Runner(1, megabytes=limits.megabytes) as runner:
        if cases is not None:
            if database or gold or predicted:
                raise UserError("--cases brings its own databases and statements", remedy="leave out the other options")
            return _check(runner, cases, strategies, json=json)
        if not (database and gold and predicted is not None):
            raise UserError(
                "--database, --gold and --predicted are needed", remedy="or --cases FILE for a list of pairs"
            )
        from evaluation.settle import settle

        settled = asyncio.run(settle(runner, database, gold, predicted, strategies, question=question, limits=limits))
    if json:
        output.print_json(_settled_json(settled))
    else:
        _show(settled)
    if any(one.status.value != "unscored" for one in settled.verdicts.values()):
        return ExitCode.OK
    output.talk().print("nothing could be scored", style="red")
    return ExitCode.UNUSABLE


def _check(runner: Runner, cases: Path, strategies: list[EvaluationStrategy], *, json: bool) -> int:
    import asyncio

    from evaluation.cases import read_traps, settle_trap

    rows: list[dict[str, Any]] = []
    for trap in read_traps(cases):
        settled = asyncio.run(settle_trap(runner, trap, strategies))
        for label, verdict in settled.verdicts.items():
            rows.append(
                {
                    "id": trap.id,
                    "strategy": label,
                    "expected": trap.expected.value,
                    "status": verdict.status.value,
                    "reason": verdict.reason.value,
                    "as_expected": verdict.status is trap.expected,
                    "evidence": dict(verdict.evidence),
                }
            )
    wrong = [row for row in rows if not row["as_expected"]]
    if json:
        output.print_json(rows)
    else:
        keys = ("id", "strategy", "expected", "status", "reason")
        if wrong:
            output.data().print(output.table(keys, [[row[key] for key in keys] for row in wrong]))
        output.data().print(f"{len(rows) - len(wrong):,} of {len(rows):,} verdicts are as expected")
    return ExitCode.UNUSABLE if wrong else ExitCode.OK


def _settled_json(settled: Settlement) -> dict[str, Any]:
    from evaluation.conventions.base import show_cell
    from evaluation.records import ExecutionRecord, VerdictRecord

    def executed(sql: str, outcome: Outcome) -> dict[str, Any]:
        shown = vars(ExecutionRecord.of(sql, outcome))
        rows = getattr(outcome, "rows", [])[:SHOWN]
        columns = list(getattr(outcome, "columns", ()))
        return {**shown, "columns": columns, "first_rows": [[show_cell(cell) for cell in row] for row in rows]}

    return {
        "golds": [executed(gold.sql, gold.outcome) for gold in settled.golds],
        "predicted": executed(settled.predicted.sql, settled.predicted.outcome),
        "verdicts": [vars(VerdictRecord.of(label, verdict)) for label, verdict in settled.verdicts.items()],
    }


def _show(settled: Settlement) -> None:
    from rich.columns import Columns
    from rich.text import Text

    from evaluation.verdicts import NOT_CHECKED, ORDER
    from sqlassay.printable import printable

    screen = output.data()
    for label, verdict in settled.verdicts.items():
        colour = {"correct": "green", "incorrect": "red", "unscored": "yellow"}[verdict.status.value]
        line = Text(f"{label}: ")
        line.append(verdict.status.value, style=f"bold {colour}")
        line.append(f", {verdict.reason.words}")
        screen.print(line)
    sides = [("gold", gold.outcome) for gold in settled.golds] + [("predicted", settled.predicted.outcome)]
    screen.print(Columns([_result(title, outcome) for title, outcome in sides], padding=(0, 4)))
    for label, verdict in settled.verdicts.items():
        if verdict.evidence.get(ORDER) == NOT_CHECKED:
            why = printable(str(verdict.evidence["because"]))
            screen.print(Text(f"{label}, {ORDER}: {NOT_CHECKED} ({why})"))
        for key in ("missing", "extra"):
            rows = verdict.evidence.get(key)
            if isinstance(rows, list) and rows:
                heading = {"missing": "rows that the prediction lacks", "extra": "rows that it has too much"}[key]
                screen.print(f"{label}, {heading} ({verdict.evidence.get(f'{key}_rows')}):")
                for row in rows:
                    screen.print("  " + ", ".join("NULL" if cell is None else repr(cell) for cell in row))


def _result(title: str, outcome: Outcome) -> Any:
    from rich.table import Table
    from rich.text import Text

    from database_backends.result import ExecutionFailure
    from evaluation.conventions.base import show_cell
    from sqlassay.printable import printable

    if isinstance(outcome, ExecutionFailure):
        return Text(f"{title}: {outcome.kind.value.replace('_', ' ')}\n{printable(outcome.message)}")
    count = counted(len(outcome.rows), "row")
    heading = f"{title}: {count}{', cut' if outcome.truncated else ''}"
    table = Table(title=heading, title_justify="left", min_width=len(heading))
    for column in outcome.columns:
        table.add_column(Text(str(show_cell(column))), overflow="fold")
    for row in outcome.rows[:SHOWN]:
        table.add_row(*(Text("NULL", style="dim") if cell is None else Text(str(show_cell(cell))) for cell in row))
    if len(outcome.rows) > SHOWN:
        table.caption = f"{len(outcome.rows) - SHOWN:,} more"
    return table
