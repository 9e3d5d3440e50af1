"""`sqlassay backends load`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from evaluation.cli import output
from evaluation.cli.options import Databases, Filter, Ids, IdsByPosition, Json, Limit, StatementTimeout
from sqlassay.errors import ExitCode, UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evaluation.datasets.base import Question
    from evaluation.porting.moving import Moved, Mover
    from evaluation.porting.verifying import Ported


def load(
    dataset: Annotated[str, typer.Argument(metavar="FORMAT:PATH", help="Such as spider:data/spider.")],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="ENGINE:TARGET",
            help="Where to, for an account that may create schemas: postgres://owner:…@host/bench?schema={db_id} or"
            " mysql://owner:…@host/{db_id}.",
        ),
    ],
    as_: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--as",
            metavar="ENGINE:TARGET",
            help="Where golds are verified, such as a reader's, or trino://host:8080/postgresql/{db_id}; --to unless"
            " given.",
        ),
    ] = None,
    grant: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--grant", metavar="ACCOUNT", help="Let this account read. May be given several times."),
    ] = None,
    golds: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--golds", metavar="FILE", help="Write the questions with the golds that count there, as JSON Lines."
        ),
    ] = None,
    databases: Databases = None,
    ids_by_position: IdsByPosition = False,
    limit: Limit = None,
    filter_: Filter = None,
    ids: Ids = None,
    seconds: StatementTimeout = 60.0,
    again: Annotated[bool, typer.Option("--again", help="Load also what the server has already.")] = False,
    verify: Annotated[bool, typer.Option("--verify/--no-verify", help="Verify the golds.")] = True,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="With every gold that does not count.")] = False,
    workers: Annotated[int, typer.Option("--workers", metavar="N", min=1, help="Statements executed at once.")] = 8,
    json: Json = False,
) -> int:
    """Copy the SQLite databases of a dataset to a server, and see which golds count there.

    A gold is translated, and repaired where SQLite does silently what other engines refuse. It counts on the other
    engine only if its result there equals the original's. What the server has already is not copied again.

    Example: `sqlassay backends load spider:data/spider --to 'postgres://owner@localhost/bench?schema={db_id}'`
    """
    import asyncio
    import logging

    from database_backends.spec import engine_and_target
    from evaluation.cli.selecting import selection_of
    from evaluation.datasets.opening import open_dataset
    from evaluation.porting.moving import Mover
    from evaluation.settle import find_database

    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # what it cannot translate is told gold by gold
    engine, template = engine_and_target(to)
    if golds is not None and not verify:
        raise UserError("--golds writes what has been verified", remedy="leave out --no-verify")
    if not template:
        raise UserError(f"--to {to!r} is not ENGINE:TARGET", remedy="such as mysql://owner:…@host/{db_id}")
    opened = open_dataset(dataset, databases=databases, ids="position" if ids_by_position else "field")
    questions = list(selection_of(limit, None, None, filter_, ids).apply(opened.questions()))
    mover = Mover(opened, engine, template, grant=grant or (), again=again)
    moved = _move(mover, questions, quiet=json)
    ported: list[Ported] = []
    if verify:
        usable = {move.db_id for move in moved if move.usable}
        asked = [question for question in questions if question.db_id in usable]
        reading, reading_template = find_database(as_ or to)
        ported = asyncio.run(_verify(mover, asked, reading.name, reading_template, seconds=seconds, workers=workers))
        if golds is not None:
            _write(golds, questions, ported, reading.dialect)
    _show(moved, ported, json=json, verbose=verbose)
    return ExitCode.OK if all(move.state != "failed" for move in moved) else ExitCode.UNUSABLE


def _move(mover: Mover, questions: Sequence[Question], *, quiet: bool) -> list[Moved]:
    from rich.progress import Progress, SpinnerColumn, TextColumn

    moved = []
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.completed:,} rows"))
    screen = output.talk()
    with Progress(*columns, console=screen, transient=True, disable=quiet or not screen.is_terminal) as bar:
        task = bar.add_task("copying", total=None)
        for move in mover.move(
            (question.db_id for question in questions), progress=lambda rows: bar.advance(task, rows)
        ):
            bar.update(task, description=f"copied {move.db_id}")
            moved.append(move)
    return moved


async def _verify(
    mover: Mover, questions: Sequence[Question], engine: str, template: str, *, seconds: float, workers: int
) -> list[Ported]:
    import asyncio

    from database_backends.base import BACKENDS
    from database_backends.result import Limits
    from database_backends.runner import Runner
    from evaluation.databases import Databases as DatabaseFinder
    from evaluation.databases import fill
    from evaluation.porting.rewriting import Rewriter
    from evaluation.porting.verifying import Verifier

    backend = BACKENDS.get(engine)
    db_ids = dict.fromkeys(question.db_id for question in questions)
    DatabaseFinder(mover.dataset, engine, template).engine(db_ids)  # says at once that a server is not there
    rewriters = {db_id: Rewriter(mover.tables(db_id), backend.dialect) for db_id in db_ids}
    gate = asyncio.Semaphore(2 * workers)
    with Runner(workers, megabytes=Limits().megabytes) as runner:
        verifier = Verifier(runner, engine, Limits(seconds=seconds))

        async def port(question: Question, gold: str) -> Ported:
            async with gate:
                db_id = question.db_id
                target = fill(template, db_id, backend)
                return await verifier.port(question, gold, rewriters[db_id], str(mover.source(db_id)), target)

        work = (port(question, gold) for question in questions for gold in question.golds("sqlite"))
        return list(await asyncio.gather(*work))


def _write(file: Path, questions: Sequence[Question], ported: Sequence[Ported], dialect: str) -> None:
    """All questions, in their order: those without a gold that counts stay, to be counted as unscored."""
    import json

    counting: dict[str, list[str]] = {}
    for gold in ported:
        if gold.sql is not None:
            counting.setdefault(gold.question.id, []).append(gold.sql)
    with file.open("w", encoding="utf-8") as lines:
        for question in questions:
            record = {
                "id": question.id,
                "question": question.text,
                "db_id": question.db_id,
                "gold": {dialect: counting[question.id]} if question.id in counting else None,
                "evidence": question.evidence,
                "difficulty": question.difficulty,
                "tags": list(question.tags),
                "conversation": question.conversation,
                "turn": question.turn,
            }
            kept = {key: value for key, value in record.items() if value not in (None, "", [])}
            lines.write(json.dumps(kept, ensure_ascii=False) + "\n")


def _show(moved: Sequence[Moved], ported: Sequence[Ported], *, json: bool, verbose: bool) -> None:
    from collections import Counter

    from evaluation.porting.verifying import Standing

    standings = Counter(gold.standing for gold in ported)
    vacuous = Counter(gold.standing for gold in ported if gold.vacuous)
    repaired = Counter(repair for gold in ported for repair in gold.repairs)
    excluded = [gold for gold in ported if gold.standing is Standing.EXCLUDED]
    reasons = Counter(gold.reason for gold in excluded)
    if json:
        from dataclasses import asdict

        output.print_json(
            {
                "databases": [asdict(move) for move in moved],
                "golds": {standing.value: standings[standing] for standing in Standing},
                "vacuous": {standing.value: vacuous[standing] for standing in Standing if standing.counts},
                "repairs": dict(repaired.most_common()),
                "excluded": [
                    {"id": g.question.id, "db_id": g.question.db_id, "gold": g.gold, "reason": g.reason}
                    for g in excluded
                ],
            }
        )
        return
    screen = output.data()
    screen.print(
        output.table(
            ("database", "state", "tables", "rows", "seconds", "keys left out"),
            [
                (
                    move.db_id,
                    f"{move.state}: {move.message}" if move.message else move.state,
                    f"{move.tables:,}" if move.state == "loaded" else "",
                    f"{move.rows:,}" if move.state == "loaded" else "",
                    f"{move.seconds:.1f}",
                    len(move.left_out) or "",
                )
                for move in moved
            ],
        )
    )
    if verbose:
        for move in moved:
            for words in move.left_out:
                screen.print(f"{move.db_id}: left out {words}")
    if not ported:
        return
    screen.print()
    screen.print(
        output.table(
            ("golds", "number", "of these vacuous"),
            [
                *(
                    (standing, f"{standings[standing]:,}", f"{vacuous[standing]:,}" if standing.counts else "")
                    for standing in Standing
                ),
                ("all", f"{len(ported):,}", f"{vacuous.total():,}"),
            ],
        )
    )
    if repaired:
        screen.print("repairs: " + ", ".join(f"{name} {count:,}" for name, count in repaired.most_common()))
    if reasons:
        screen.print()
        screen.print(
            output.table(
                ("excluded", "because of"), [(f"{count:,}", reason) for reason, count in reasons.most_common(20)]
            )
        )
    if verbose:
        for gold in excluded:
            screen.print(f"\n{gold.question.id} ({gold.question.db_id}): {gold.reason}\n  {gold.gold}")
