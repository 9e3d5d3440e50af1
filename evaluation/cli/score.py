"""`sqlassay score`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from evaluation.cli import output
from evaluation.cli.options import (
    Backend,
    Conventions,
    Databases,
    Filter,
    Ids,
    IdsByPosition,
    Json,
    Limit,
    MaxMemory,
    MaxRows,
    MaxTokens,
    NoCache,
    PredictionTimeout,
    Sample,
    Seed,
    Strategies,
    Workers,
)
from sqlassay.counted import counted
from sqlassay.errors import ExitCode, UserError

if TYPE_CHECKING:
    from evaluation.judging.bench import Bench
    from evaluation.judging.named import NamedJudges
    from evaluation.records import ItemRecord
    from evaluation.reports.disagreement import Disagreements
    from evaluation.reports.slices import Slices
    from evaluation.reports.summary import RunSummary


def score(
    predictions: Annotated[
        Path, typer.Argument(metavar="PREDICTIONS", help="One SQL per line, JSON (BIRD's form too), JSON Lines or CSV.")
    ],
    dataset: Annotated[
        str, typer.Option("--dataset", metavar="FORMAT:PATH", help="The questions, such as spider:data/spider.")
    ],
    convention: Conventions = None,
    strategy: Strategies = None,
    backend: Backend = "sqlite",
    databases: Databases = None,
    ids_by_position: IdsByPosition = False,
    limit: Limit = None,
    sample: Sample = None,
    seed: Seed = None,
    filter_: Filter = None,
    ids: Ids = None,
    by: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--by", metavar="KEY", help="Slice the results by difficulty, db_id, tag, turn or feature of the gold."
        ),
    ] = None,
    output_file: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--output", "-o", metavar="FILE.jsonl", help="Write one line per question and convention."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace FILE.jsonl if it is there.")] = False,
    seconds: PredictionTimeout = 30.0,
    rows: MaxRows = 100_000,
    megabytes: MaxMemory = 1024,
    max_instrument_failures: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(
            metavar="SHARE",
            min=0,
            max=1,
            help="Exit with 1 when a larger share of questions is unscored; when all are, unless given.",
        ),
    ] = None,
    max_cost: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(
            "--max-cost",
            metavar="AMOUNT",
            min=0,
            help="Stop before the request to a judge that would make the cost of this command higher.",
        ),
    ] = None,
    max_tokens: MaxTokens = None,
    workers: Workers = None,
    no_cache: NoCache = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    json: Json = False,
) -> int:
    """Score a file of predictions under one or several conventions, from one execution.

    Gold results are kept between calls, for as long as the database and the gold stay as they are.

    Example: `sqlassay score predictions.sql --dataset spider:data/spider --convention bird`
    """
    import asyncio
    from contextlib import ExitStack

    from database_backends.result import Limits
    from database_backends.runner import Runner, default_workers

    with Runner(workers or default_workers(), megabytes=megabytes) as runner:
        from evaluation.answers import RunStopped
        from evaluation.calibration.note import calibration_notes
        from evaluation.cli.caching import shared_store
        from evaluation.cli.progress import ProgressDisplay
        from evaluation.cli.selecting import selection_of
        from evaluation.databases import Databases as DatabaseFinder
        from evaluation.datasets.digest import dataset_digest
        from evaluation.datasets.opening import open_dataset
        from evaluation.predictions.reading import read_predictions
        from evaluation.reports.disagreement import Disagreements
        from evaluation.reports.slices import Slices
        from evaluation.reports.standing import standings
        from evaluation.reports.summary import RunSummary
        from evaluation.scoring import score as score_all
        from evaluation.strategies.making import describe_strategies, make_asked_for
        from evaluation.verdict_file import VerdictFile

        verdicts = None if output_file is None else VerdictFile(output_file, overwrite=overwrite)
        opened = open_dataset(dataset, databases=databases, ids="position" if ids_by_position else "field")
        questions = list(opened.questions())
        given = read_predictions(predictions, questions)
        selected = list(selection_of(limit, sample, seed, filter_, ids).apply(questions))
        finder = DatabaseFinder.of(opened, backend)
        db_ids = {question.db_id: None for question in selected}
        finder.require_any(db_ids)
        finder.engine(db_ids)
        if verdicts is not None:
            found = filter(None, map(finder.target, db_ids)) if finder.backend.embedded else ()
            verdicts.spare((predictions, *opened.files, *map(Path, found)))
        limits = Limits(seconds, rows, megabytes)
        with ExitStack() as stack:
            store = shared_store(wanted=not no_cache)
            if store is not None:
                stack.callback(store.close)
            judges: list[NamedJudges] = []

            def bench(names: Sequence[str]) -> Bench:
                from evaluation.budget import Budget  # what asks models, others need not wait for
                from evaluation.judging.named import NamedJudges

                budget = Budget(max_cost, max_tokens)
                judges.extend([] if judges else [NamedJudges(finder, opened.questions, store, budget)])
                return judges[0].bench(names)

            strategies = make_asked_for(convention, strategy, bench)
            if not judges and (max_cost, max_tokens) != (None, None):
                raise UserError(
                    "--max-cost and --max-tokens limit what judges spend, and there is none", remedy="leave them out"
                )
            described = describe_strategies(strategies)
            told = calibration_notes(described, dataset={"sha256": dataset_digest(opened)})
            known = standings(described, told, None)
            summary = RunSummary(predictions.name, total=len(selected), standings=known)
            disagreements = Disagreements()
            sliced = None if by is None else Slices(by, finder.backend.dialect, known)
            if verdicts is not None:
                stack.enter_context(verdicts)
            progress = stack.enter_context(ProgressDisplay(quiet=quiet))
            progress.begin(predictions.name, len(selected))

            def on_item(record: ItemRecord) -> None:
                summary.add(record)
                disagreements.add(record)
                if sliced is not None:
                    sliced.add(record)
                if verdicts is not None:
                    verdicts.add(record)
                progress.item(record)

            async def work() -> None:
                try:
                    await score_all(
                        selected,
                        given.sql_by_id,
                        finder,
                        strategies,
                        runner,
                        on_item,
                        limits=limits,
                        gold_limits=Limits(max(seconds, 300.0), rows, megabytes),
                        cache=store,
                    )
                except RunStopped as stopped:
                    kept = "" if store is None else "; what judges have said is known the next time"
                    raise UserError(f"stopped: {stopped.cause}; nothing is scored{kept}") from stopped
                finally:
                    for one in judges:
                        await one.close()

            asyncio.run(work())
        _show(summary, disagreements, sliced, json=json)
        return _usable(summary, max_instrument_failures)


def _usable(summary: RunSummary, allowed: float | None) -> ExitCode:
    """Whether the numbers are to be used; says so when they are not."""
    share = summary.instrument_failure_share
    if allowed is None:
        if any(counts.scored for counts in summary.strategies.values()):
            return ExitCode.OK
        problem = "no question could be scored"
    elif share <= allowed:
        return ExitCode.OK
    else:
        problem = f"{100 * share:.1f} % of the questions are unscored, --max-instrument-failures is {allowed:g}"
    output.talk().print(f"{summary.title}: unusable: {problem}", style="red")
    return ExitCode.UNUSABLE


def _show(summary: RunSummary, disagreements: Disagreements, sliced: Slices | None, *, json: bool) -> None:
    if json:
        parts = {} if sliced is None else {"slices": [part.to_json() for part in sliced.summaries]}
        shown = [vars(parting) for parting in disagreements.partings]
        output.print_json({**summary.to_json(), "disagreements": shown, **parts})
        return
    from evaluation.reports import console

    screen = output.data()
    screen.print(f"{summary.title}: {counted(summary.items, 'question')}")
    screen.print(console.Results([summary]))
    screen.print()
    screen.print(console.reasons(summary))
    for note in [*console.notes(summary), *console.partings(disagreements.partings)]:
        screen.print(note)
    if sliced is not None:
        screen.print()
        screen.print(console.Results(sliced.summaries, heading=sliced.key))
