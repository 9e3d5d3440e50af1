"""`sqlassay compare`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
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
    NoCache,
    Runs,
    Sample,
    Seed,
    Workers,
)
from sqlassay.errors import ExitCode, UnknownName, UserError

if TYPE_CHECKING:
    from database_backends.result import Limits
    from database_backends.runner import Runner
    from evaluation.cli.progress import ProgressDisplay
    from evaluation.compare.arms import Recorded
    from evaluation.compare.comparison import Comparison
    from evaluation.compare.scored_file import Scorer
    from evaluation.compare.sides import Side
    from evaluation.datasets.selection import Selection
    from evaluation.store import Store

ALL = "all"
"""In the place of a number of flips."""
LISTED = 5
"""Flips each way, unless another number is given."""
GOLD_SECONDS = 300.0
"""For a gold, unless predictions have longer."""


def compare(
    sides: Annotated[
        list[str],
        typer.Argument(
            metavar="A B...",
            help="Run ids, groups of runs, `latest`, folders of runs, or files of predictions. The first is what the"
            " others are compared with; of one group, its first run.",
        ),
    ],
    runs: Runs = Path("runs"),
    dataset: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--dataset", metavar="FORMAT:PATH", help="The questions that files of predictions answer."),
    ] = None,
    convention: Conventions = None,
    strategy: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--strategy", metavar="LABEL", help="Whose verdicts are compared; the first unless given."),
    ] = None,
    by: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--by",
            metavar="KEY",
            help="Slice the difference by difficulty, db_id, tag, turn or feature of the gold; by difficulty, where"
            " questions have one, or else by db_id, unless given.",
        ),
    ] = None,
    flips: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--flips", metavar="N|all", help="How many questions to list each way that only one has right."),
    ] = None,
    backend: Backend = "sqlite",
    databases: Databases = None,
    ids_by_position: IdsByPosition = False,
    limit: Limit = None,
    sample: Sample = None,
    seed: Seed = None,
    filter_: Filter = None,
    ids: Ids = None,
    seconds: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=0.001, help="For one predicted statement.")
    ] = 30.0,
    rows: Annotated[int, typer.Option("--max-rows", metavar="N", min=1, help="Of one result.")] = 100_000,
    megabytes: Annotated[int, typer.Option("--max-memory", metavar="MIB", min=1, help="Of one statement.")] = 1024,
    workers: Workers = None,
    no_cache: NoCache = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    json: Json = False,
) -> int:
    """Say whether B is better than A, by how much, whether that is luck, and where they part.

    Every question that both have answered is a pair. Files of predictions are scored first, as by `sqlassay score`;
    beside a run on the questions and with the strategy of that run, unless said otherwise.

    Example: `sqlassay compare a.sql b.sql --dataset spider:data/spider`
    """
    import asyncio
    from contextlib import ExitStack

    from database_backends.result import Limits
    from database_backends.runner import Runner, default_workers

    most = _most(flips)
    with Runner(workers or default_workers(), megabytes=megabytes) as runner, ExitStack() as stack:
        from evaluation.cli.caching import shared_store
        from evaluation.cli.progress import ProgressDisplay
        from evaluation.cli.selecting import selection_of
        from evaluation.compare.comparison import compare as compare_all
        from evaluation.compare.detail import details
        from evaluation.compare.sides import find_sides

        found = find_sides(sides, runs)
        files = [side for side in found if isinstance(side, Path)]
        if not files and (dataset or convention):
            raise UserError(
                f"{'--dataset' if dataset else '--convention'} is for files of predictions, and there is none",
                remedy="leave it out; --strategy LABEL says whose verdicts of a run are compared",
            )
        recorded: list[Recorded] = [run for side in found if not isinstance(side, Path) for run in side]
        label = strategy
        if files:
            if dataset is None:
                raise UserError(
                    "a file of predictions needs --dataset", place=str(files[0]), remedy="such as spider:data/spider"
                )
            scorer = _scorer(
                dataset,
                databases,
                backend,
                ids_by_position=ids_by_position,
                chosen=selection_of(limit, sample, seed, filter_, ids),
                convention=convention,
                strategy=strategy,
                beside=recorded[0] if recorded else None,
                limits=Limits(seconds, rows, megabytes),
            )
            label = _label(scorer, strategy, convention)
            store = shared_store(wanted=not no_cache)
            if store is not None:
                stack.callback(store.close)
            with ProgressDisplay(quiet=quiet) as progress:
                recorded = asyncio.run(_scored(found, scorer, runner, progress, store))
        elif label is not None:
            _known(label, [made["label"] for run in recorded for made in run.manifest["identity"]["strategies"]])
        compared = compare_all(recorded, strategy=label, by=by)
        _check(compared, recorded)
        told = asyncio.run(details(compared, runner))
    if json:
        output.print_json({"comparisons": [one.to_json() for one in told]})
    else:
        from evaluation.compare.detail_screen import shown

        screen = output.data()
        for part in shown(told, most, sliced=by is not None, listed=flips is not None):
            screen.print(part)
    if any(one.pairs for one in compared):
        return ExitCode.OK
    output.talk().print("unusable: no question has a verdict in both", style="red")
    return ExitCode.UNUSABLE


def _most(flips: str | None) -> int | None:
    """How many flips to list each way; `None` for all."""
    if flips is None:
        return LISTED
    if flips == ALL:
        return None
    if not (flips.isascii() and flips.isdigit()):
        raise UserError(f"--flips is {flips!r}", remedy=f"a number, or {ALL}")
    return int(flips)


def _scorer(
    dataset: str,
    databases: Path | None,
    backend: str,
    *,
    ids_by_position: bool,
    chosen: Selection,
    convention: list[str] | None,
    strategy: str | None,
    beside: Recorded | None,
    limits: Limits,
) -> Scorer:
    """What scores files of predictions: beside a run as that was, unless said otherwise."""
    from dataclasses import replace

    from evaluation.compare.scored_file import Scorer, strategy_of
    from evaluation.databases import Databases as DatabaseFinder
    from evaluation.datasets.opening import open_dataset
    from evaluation.datasets.selection import Selection
    from evaluation.strategies.making import make_asked_for

    if beside is not None and chosen == Selection():
        chosen = Selection.recorded(beside.manifest["identity"]["selection"])
    if beside is not None and convention is None:
        described = {made["label"]: made for made in beside.manifest["identity"]["strategies"]}
        strategies = [strategy_of(described[_known(strategy or next(iter(described)), described)])]
    else:
        strategies = make_asked_for(convention, None if convention or strategy is None else [strategy])
    opened = open_dataset(dataset, databases=databases, ids="position" if ids_by_position else "field")
    return Scorer(
        opened,
        chosen,
        DatabaseFinder.of(opened, backend),
        strategies,
        limits,
        replace(limits, seconds=max(limits.seconds, GOLD_SECONDS)),
    )


def _label(scorer: Scorer, strategy: str | None, convention: list[str] | None) -> str:
    labels = [one.label for one in scorer.strategies]
    return _known(strategy, labels) if strategy and convention else labels[0]


def _known(label: str, labels: Collection[str]) -> str:
    if label not in labels:
        raise UnknownName("strategy", label, labels, place="--strategy")
    return label


async def _scored(
    sides: Sequence[Side], scorer: Scorer, runner: Runner, progress: ProgressDisplay, cache: Store | None
) -> list[Recorded]:
    """All sides in their order, files as they were scored. All are read before the first is scored."""
    from evaluation.compare.sides import names_of

    files = [side for side in sides if isinstance(side, Path)]
    given = {path: (scorer.read(path), name) for path, name in zip(files, names_of(files), strict=True)}
    recorded: list[Recorded] = []
    for side in sides:
        if isinstance(side, Path):
            predictions, name = given[side]
            progress.begin(name, len(scorer.selected))
            recorded.append(await scorer.score(predictions, name, runner, progress.item, cache))
        else:
            recorded += side
    return recorded


def _check(compared: Sequence[Comparison], recorded: Sequence[Recorded]) -> None:
    """Refuse what is no comparison.

    Raises:
        UserError: There is one side only, or sides cannot be compared, or have no question in common.
    """
    if not compared:
        names = ", ".join(run.run_id for run in recorded)
        what = "is the only side" if len(recorded) == 1 else "are repeats of each other, and one side"
        raise UserError(f"{names} {what}", remedy="name another run, group or file of predictions to compare with")
    refused = [
        f"{one.candidate.name} is not compared with {one.baseline.name}: {one.refused}"
        for one in compared
        if one.refused
    ]
    if refused:
        raise UserError("; ".join(refused), remedy="compare what was measured in the same way")
    apart = [one for one in compared if not one.common]
    if apart:
        names = ", ".join(f"{one.baseline.name} and {one.candidate.name}" for one in apart)
        raise UserError(f"{names} have no question in common", remedy="resume what is not finished")
