"""`sqlassay run`."""

from __future__ import annotations

import gc
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from evaluation.cli import output
from evaluation.cli.options import Filter, Ids, Json, Limit, MaxTokens, NoCache, Sample, Seed
from sqlassay.errors import ExitCode, UserError

if TYPE_CHECKING:
    from evaluation.budget import Budget
    from evaluation.experiment import ExperimentFile
    from evaluation.grid import Grid
    from evaluation.sharding import Shard
    from evaluation.tracing.live import LiveCopy

_ALLOCATIONS = 50_000
"""Objects that are made between two looks for garbage."""


def run(
    experiment: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Argument(metavar="[EXPERIMENT.yaml]", help="The experiment; with --resume it may be left out."),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on with the newest run that is not finished, doing only what is missing."),
    ] = False,
    retry_unscored: Annotated[
        bool,
        typer.Option(
            "--retry-unscored",
            help="With --resume: do items again that the instrument failed on, also those of a finished run.",
        ),
    ] = False,
    limit: Limit = None,
    sample: Sample = None,
    seed: Seed = None,
    filter_: Filter = None,
    ids: Ids = None,
    shard: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--shard",
            metavar="I/N",
            help="Only this part of the questions, such as 2/4: elsewhere run the others, and `sqlassay runs merge`"
            " makes one of them all.",
        ),
    ] = None,
    runs: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--runs", metavar="DIR", help="The folder of runs; the experiment's own unless given."),
    ] = None,
    max_cost: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(
            "--max-cost",
            metavar="AMOUNT",
            min=0,
            help="Stop before the request that would make the cost of this command higher; --resume goes on.",
        ),
    ] = None,
    max_tokens: MaxTokens = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Ask no model; say how many requests and tokens it takes, and the cost.")
    ] = False,
    no_cache: NoCache = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    json: Json = False,
) -> int:
    """Run an experiment: models × prompts × backends × repeats over a dataset.

    Every cell of the grid becomes a run in a folder of its own, written item by item, so that nothing is lost: after
    Ctrl-C or a crash, `sqlassay run --resume` does only what is missing and never asks a model twice for an answer
    that is on disk.

    Example: `sqlassay run nightly.yaml --limit 50`
    """
    from adapters.remote import never_asked
    from evaluation.grid import Grid
    from evaluation.groups import new_group
    from evaluation.sharding import Shard

    if resume:
        if dry_run or any(option is not None for option in (limit, sample, seed, filter_, ids, shard)):
            remedy = "leave out --limit, --sample, --seed, --filter, --ids, --shard, --dry-run"
            raise UserError("a resumed run keeps its selection", remedy=remedy)
        file, part, group, folder = _unfinished(experiment, runs, retry_unscored=retry_unscored)
    else:
        if experiment is None:
            raise UserError("no experiment", remedy="sqlassay run EXPERIMENT.yaml")
        if retry_unscored:
            raise UserError("--retry-unscored needs --resume")
        part = None if shard is None else Shard.parse(shard)
        file, folder = _new(experiment, runs, limit, sample, seed, filter_, ids)
        group = ""
    with never_asked() if dry_run else nullcontext():
        grid = Grid(file, part)
    budget = _budget(grid, max_cost, max_tokens)
    if dry_run:
        return _estimate(grid, no_cache=no_cache, json=json)
    return execute(
        grid,
        group or new_group(file.experiment.name, folder, part),  # now: what was refused has no folder
        folder,
        retry_unscored=retry_unscored,
        no_cache=no_cache,
        quiet=quiet,
        json=json,
        budget=budget,
    )


def _budget(grid: Grid, cost: float | None, tokens: int | None) -> Budget:
    """What may be spent.

    Raises:
        UserError: The cost is limited, and the price of a model is unknown.
    """
    from evaluation.budget import Budget

    for number in range(len(grid.file.experiment.models) if cost is not None else 0):
        for part, tariff in zip(grid.models.asked(number), grid.models.tariffs(number).values(), strict=True):
            if not (part.adapter.offline or tariff.prices.known):
                raise UserError(
                    f"--max-cost: the price of {part.section.name} is unknown",
                    place=grid.file.place(*part.at),
                    remedy="give its `prices`, or limit --max-tokens",
                )
    return Budget(cost, tokens)


def _estimate(grid: Grid, *, no_cache: bool, json: bool) -> int:
    """Say what a run would take."""
    from database_backends.runner import Runner
    from evaluation.budget import USUAL_OUTPUT
    from evaluation.cli.caching import shared_store
    from evaluation.grid_runner import GridRunner
    from evaluation.reports import console
    from sqlassay.counted import counted

    store = shared_store(wanted=not no_cache)
    try:
        with Runner(1, megabytes=grid.file.experiment.limits.megabytes) as runner:
            found = list(GridRunner(grid, "", Path(), runner, store).estimates())
    finally:
        if store is not None:
            store.close()
    if json:
        output.print_json({"estimates": [one.to_json() for one in found]})
        return ExitCode.OK
    output.data().print(console.estimates(found))
    output.talk().print(
        f"nothing was asked; answers are taken to be as long as `max_tokens` allows, {USUAL_OUTPUT} tokens where it is"
        " not set; what a fallback, a repair or a router asks besides depends on the answers, and so does how much less"
        " judges are asked"
    )
    unreadable = sum(one.unreadable for one in found)
    if unreadable:
        requests = counted(unreadable, "further request")
        output.talk().print(f"{requests} cannot be made: the database is missing or cannot be read", style="yellow")
    return ExitCode.OK


def execute(
    grid: Grid,
    group: str,
    folder: Path,
    *,
    retry_unscored: bool = False,
    no_cache: bool = False,
    quiet: bool = False,
    say_where: bool = True,
    json: bool = False,
    budget: Budget | None = None,
) -> int:
    """Run a grid, show its results, and say how it ended, and where it is recorded unless the caller does."""
    import asyncio

    from database_backends.runner import Runner, default_workers
    from evaluation.budget import Budget
    from evaluation.cli.caching import shared_store
    from evaluation.cli.progress import ProgressDisplay
    from evaluation.grid_runner import GridRunner
    from evaluation.tracing.live import LiveCopy

    experiment = grid.file.experiment
    # A shard is no experiment of its own there: what is copied is the run that shards are merged to.
    copied = experiment.langfuse if grid.shard is None else None
    copy = LiveCopy(folder, group, None if copied is None else copied.model_dump())
    store = shared_store(wanted=not no_cache)
    workers = experiment.workers or default_workers()
    try:
        with (
            Runner(workers, megabytes=experiment.limits.megabytes) as runner,
            ProgressDisplay(quiet=quiet) as progress,
            copy,
        ):
            work = GridRunner(grid, group, folder, runner, store, (progress,), retry_unscored, budget or Budget())
            try:
                with _seldom_collected():
                    asyncio.run(work.run())
                interrupted = False
            except KeyboardInterrupt:
                interrupted = True
                output.talk().print(
                    f"interrupted; what was done is kept in {folder}."
                    f" Go on with: {_resume_command(grid.file.path, folder)}"
                )
    finally:
        if store is not None:
            store.close()
    try:
        if interrupted:
            return ExitCode.INTERRUPTED
        code = _conclude(group, folder, json=json)
    finally:
        _say_copied(copy)  # last: it waits for what is still being sent
        if experiment.langfuse is not copied:
            output.talk().print(
                "Langfuse: shards are not copied; once they are merged: sqlassay langfuse publish latest"
            )
    if say_where and not json:
        more = shlex.join([output.program(), "report", group, "--runs", str(folder)])
        output.talk().print(f"recorded in {folder}/{group}-*; more: {more}")
    return code


def _say_copied(copy: LiveCopy) -> None:
    """Say how much of the runs arrived at Langfuse, and how the rest gets there."""
    if copy.settings is None:
        return
    said, complete = copy.said()
    host = copy.settings.get("host")
    where = [] if host is None or "@" in host else ["--host", str(host)]  # with a password it is refused, not shown
    rest = shlex.join([output.program(), "langfuse", "publish", copy.group, "--runs", str(copy.runs), *where])
    output.talk().print(
        f"Langfuse: {said}" + ("" if complete else f"; the rest is sent by: {rest}"),
        style=None if complete else "yellow",
    )


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Modules stay, and records leave no cycles: to look for garbage as often as usual takes a fifth of the time."""
    usual = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS)
    try:
        yield
    finally:
        gc.unfreeze()  # what is frozen at the end of the process would be taken for a leak
        gc.set_threshold(*usual)


def _resume_command(experiment: str | Path, folder: Path) -> str:
    return shlex.join([output.program(), "run", str(experiment), "--resume", "--runs", str(folder)])


def _conclude(group: str, folder: Path, *, json: bool) -> int:
    from evaluation.compare.comparison import compare
    from evaluation.compare.screen import comparisons, more
    from evaluation.reports import console
    from evaluation.run_log import STOPPED
    from evaluation.runs import find_runs, summarise

    found = find_runs(group, folder)
    summaries = [summarise(run) for run in found]
    compared = compare(found)
    if json:
        output.print_json(
            {
                "group": group,
                "runs": [summary.to_json() for summary in summaries],
                "comparisons": [one.to_json() for one in compared],
            }
        )
    else:
        screen = output.data()
        screen.print(console.Results(summaries))
        for summary in summaries:
            for note in console.notes(summary):
                screen.print(f"{summary.title if len(summaries) > 1 else ''}: {note}".removeprefix(": "))
        for part in comparisons(compared):
            screen.print(part)
        if where := more(compared, output.program()):
            output.talk().print(where)
    code = ExitCode.OK
    for run, summary in zip(found, summaries, strict=True):
        if run.manifest["status"] == STOPPED:
            output.talk().print(
                f"{summary.title}: stopped: {run.manifest['stopped_by']}"
                f" (once that is mended, go on with: {_resume_command(run.manifest['experiment']['path'], folder)})",
                style="red",
            )
            code = ExitCode.USER_ERROR
            continue
        allowed = run.manifest["max_instrument_failures"]
        if summary.instrument_failure_share > allowed:
            output.talk().print(
                f"{summary.title}: unusable: {100 * summary.instrument_failure_share:.1f} % of the items are unscored,"
                f" the experiment allows {100 * allowed:.1f} %",
                style="red",
            )
            code = max(code, ExitCode.UNUSABLE)
    return code


def _new(
    path: Path,
    runs: Path | None,
    limit: int | None,
    sample: int | None,
    seed: int | None,
    filters: list[str] | None,
    ids: str | None,
) -> tuple[ExperimentFile, Path]:
    from dataclasses import replace

    from evaluation.cli.selecting import selection_of
    from evaluation.experiment import read_experiment

    file = read_experiment(path)
    if sample is not None and seed is None:
        seed = file.experiment.dataset.seed
    chosen = selection_of(limit, sample, seed, filters, ids)
    narrowed = file.experiment.narrowed(chosen)
    return replace(file, experiment=narrowed), runs or Path(file.experiment.output.runs)


def _unfinished(
    path: Path | None, runs: Path | None, *, retry_unscored: bool
) -> tuple[ExperimentFile, Shard | None, str, Path]:
    """The newest group of runs that has something left to do, with the experiment and the shard as recorded."""
    from dataclasses import replace

    from evaluation.experiment import parse_experiment, read_experiment
    from evaluation.runs import unfinished_group
    from evaluation.sharding import Shard

    given = None if path is None else read_experiment(path)
    folder = runs or Path(given.experiment.output.runs if given else "runs")
    name = None if given is None else given.experiment.name
    found = unfinished_group(folder, name, retry_unscored=retry_unscored)
    manifest = found.manifest
    recorded = manifest["experiment"]
    if given is not None and given.sha256 != recorded["sha256"]:
        raise UserError(
            f"has changed since {manifest['group']} was started",
            place=str(path),
            remedy="undo the change, run `sqlassay run --resume` for the experiment as it was, or start anew",
        )
    # The same text may be at another place now: the run may have begun on another machine.
    file = given or parse_experiment(recorded["text"], Path(recorded["path"]))
    file = replace(file, pinned=manifest.get("pinned", {}))
    identity = manifest["identity"]
    return file.with_selection(identity["selection"]), Shard.of_identity(identity), str(manifest["group"]), folder
