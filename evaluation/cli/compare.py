"""`sqlassay compare`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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
    NoCache,
    PredictionTimeout,
    Runs,
    Sample,
    Seed,
    Workers,
)
from sqlassay.errors import ExitCode, UnknownName, UserError

if TYPE_CHECKING:
    from database_backends.result import Limits
    from database_backends.runner import Runner
    from evaluation.compare.arms import Recorded
    from evaluation.compare.comparison import Comparison
    from evaluation.compare.scored_file import Scorer
    from evaluation.compare.sides import Side
    from evaluation.datasets.selection import Selection
    from evaluation.predictions.reading import Predictions

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
    seconds: PredictionTimeout = 30.0,
    rows: MaxRows = 100_000,
    megabytes: MaxMemory = 1024,
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

    from database_backends.result import Limits
    from database_backends.runner import Runner, default_workers
    from evaluation.cli.selecting import selection_of
    from evaluation.compare.comparison import compare as compare_all
    from evaluation.compare.detail import details
    from evaluation.compare.sides import find_sides

    most = _most(flips)
    found = find_sides(sides, runs)
    files = [side for side in found if isinstance(side, Path)]
    recorded: list[Recorded] = [run for side in found if not isinstance(side, Path) for run in side]
    label: str | None
    scorer: Scorer | None = None
    given: dict[Path, Predictions] = {}
    if files and len(recorded) + len(files) < 2:
        raise _one_side(sides)
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
        labels = [one.label for one in scorer.strategies]
        label = _known(strategy, labels) if strategy and convention else labels[0]
        given = {path: scorer.read(path) for path in files}
    else:
        chosen = {"limit": limit, "sample": sample, "filter": filter_, "ids": ids}
        _refuse_scoring(dataset=dataset, convention=convention, databases=databases, **chosen)
        labels = [made["label"] for run in recorded for made in run.manifest["identity"]["strategies"]]
        label = strategy and _known(strategy, labels)
    with Runner(workers or default_workers(), megabytes=megabytes) as runner:
        if scorer is not None:
            recorded = _scored(found, given, scorer, runner, cached=not no_cache, quiet=quiet)
        compared = compare_all(recorded, strategy=label, by=by)
        _check(compared, recorded)
        if not any(one.pairs for one in compared):
            return _nothing(compared, json=json)
        told = asyncio.run(details(compared, runner))
    if json:
        output.print_json({"comparisons": [one.to_json() for one in told]})
        return ExitCode.OK
    from evaluation.compare.detail_screen import shown

    screen = output.data()
    for part in shown(told, most, sliced=by is not None, listed=flips is not None):
        screen.print(part, crop=False)  # a number that is cut off is another number
    return ExitCode.OK


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


def _refuse_scoring(**given: object) -> None:
    """Refuse what says how files are scored, where there are none."""
    for name in (name for name, value in given.items() if value):
        raise UserError(
            f"--{name} is for files of predictions, and there is none",
            remedy="leave it out; --strategy LABEL says whose verdicts of a run are compared",
        )


def _known(label: str, labels: Collection[str]) -> str:
    if label not in labels:
        raise UnknownName("strategy", label, dict.fromkeys(labels), place="--strategy")
    return label


def _scored(
    sides: Sequence[Side],
    given: Mapping[Path, Predictions],
    scorer: Scorer,
    runner: Runner,
    *,
    cached: bool,
    quiet: bool,
) -> list[Recorded]:
    """All sides in their order, files as they were scored."""
    import asyncio
    from contextlib import ExitStack

    from evaluation.cli.caching import shared_store
    from evaluation.cli.progress import ProgressDisplay
    from evaluation.compare.sides import names_of

    names = dict(zip(given, names_of(list(given)), strict=True))
    recorded: list[Recorded] = []
    with ExitStack() as stack:
        store = shared_store(wanted=cached)
        if store is not None:
            stack.callback(store.close)
        progress = stack.enter_context(ProgressDisplay(quiet=quiet))
        for side in sides:
            if isinstance(side, Path):
                progress.begin(names[side], len(scorer.selected))
                scoring = scorer.score(given[side], names[side], runner, progress.item, store)
                recorded.append(asyncio.run(scoring))
            else:
                recorded += side
    return recorded


def _check(compared: Sequence[Comparison], recorded: Sequence[Recorded]) -> None:
    """Refuse what is no comparison.

    Raises:
        UserError: There is one side only, or sides cannot be compared, or have no question in common.
    """
    if not compared:
        raise _one_side([run.run_id for run in recorded])
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


def _one_side(names: Sequence[str]) -> UserError:
    what = "is the only side" if len(names) == 1 else "are repeats of each other, and one side"
    remedy = "name another run, group or file of predictions to compare with"
    return UserError(f"{', '.join(names)} {what}", remedy=remedy)


def _nothing(compared: Sequence[Comparison], *, json: bool) -> int:
    """Say that nothing was scored by both, and why."""
    from evaluation.compare.notes import notes
    from evaluation.compare.sentence import sentence

    if json:
        output.print_json({"comparisons": [{"verdict": sentence(one), **one.to_json()} for one in compared]})
    for one in compared:
        for line in (sentence(one), *notes(one)):
            output.talk().print(line, style="red")
    return ExitCode.UNUSABLE
