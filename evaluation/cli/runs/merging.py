"""`sqlassay runs merge`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evaluation.cli import output
from evaluation.cli.options import Json, Runs
from sqlassay.counted import counted
from sqlassay.errors import UserError

if TYPE_CHECKING:
    from evaluation.run_log import RunFolder


def merge(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN|FOLDER...",
            help="The shards: run ids, groups of runs, or a folder, which stands for all shards in it.",
        ),
    ],
    runs: Runs = Path("runs"),
    allow_missing: Annotated[
        bool,
        typer.Option("--allow-missing", help="Take what there is; the run is then not finished, and --resume goes on."),
    ] = False,
    json: Json = False,
) -> None:
    """Make ordinary runs of the shards of an experiment (`sqlassay run --shard`), as if it had run as one.

    Every shard must be there once, and finished. Shards belong together when experiment, data, models, prompts, engines
    and strategies are the same, on whichever machines and in whichever groups they ran. They stay as they are.

    Example: `sqlassay runs merge shards --runs runs`
    """
    from evaluation.merging import merge as merged

    shards = {run.path.resolve(): run for name in names for run in _shards(name, runs)}
    made = merged(list(shards.values()), runs, allow_missing=allow_missing)
    group = str(made[0].manifest["group"])
    if json:
        keys = ("run_id", "title", "status", "merged")
        output.print_json({"group": group, "runs": [{key: run.manifest[key] for key in keys} for run in made]})
        return
    rows = [
        (run.run_id, run.manifest["title"], run.manifest["status"], _items(run), _whole(run), _told(run))
        for run in made
    ]
    output.data().print(output.table(("run", "what", "status", "items", "questions", "shards"), rows))
    more = shlex.join([output.program(), "report", group, "--runs", str(runs)])
    output.talk().print(f"{counted(len(shards), 'shard')} merged; more: {more}", soft_wrap=True)


def _shards(name: str, runs: Path) -> list[RunFolder]:
    """The runs that a name stands for; of a folder of runs, those that are shards."""
    from evaluation.merging import shards_in
    from evaluation.run_log import MANIFEST
    from evaluation.runs import all_runs, find_runs

    folder = Path(name)
    if not folder.is_dir() or (folder / MANIFEST).exists():
        return find_runs(name, runs)
    found = shards_in(list(all_runs(folder)))
    if not found:
        remedy = "sqlassay run EXPERIMENT.yaml --shard 1/4 makes one"
        raise UserError("there is no shard in this folder", place=name, remedy=remedy)
    return found


def _items(run: RunFolder) -> int:
    return sum(shard["items"] for shard in run.manifest["merged"]["shards"])


def _whole(run: RunFolder) -> int:
    return int(run.manifest["identity"]["dataset"]["questions"])


def _told(run: RunFolder) -> str:
    return ", ".join(shard["shard"] for shard in run.manifest["merged"]["shards"])
