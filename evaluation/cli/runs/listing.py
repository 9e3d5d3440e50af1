"""`sqlassay runs list`."""

from __future__ import annotations

from pathlib import Path

from evaluation.cli import output
from evaluation.cli.options import Json, Runs


def list_runs(runs: Runs = Path("runs"), json: Json = False) -> None:
    """List the runs, the oldest first."""
    from evaluation.runs import all_runs

    keys = ("run_id", "title", "status", "questions", "started")
    rows = [
        (
            r.run_id,
            r.manifest["title"],
            r.manifest["status"],
            r.manifest["identity"]["dataset"]["questions"],
            r.manifest["started"],
        )
        for r in all_runs(runs)
    ]
    if json:
        output.print_json([dict(zip(keys, row, strict=True)) for row in rows])
    elif rows:
        output.data().print(output.table(("run", "what", "status", "questions", "started"), rows))
    else:
        output.talk().print(f"no runs in {runs}; start with `sqlassay demo` or `sqlassay run`")
