"""`sqlassay backends check`."""

from __future__ import annotations

from typing import Annotated

import typer

from evaluation.cli import output
from evaluation.cli.options import Json
from sqlassay.errors import ExitCode


def check(
    databases: Annotated[
        list[str], typer.Argument(metavar="ENGINE:TARGET", help="Such as postgres://user:password@host/database.")
    ],
    json: Json = False,
) -> int:
    """Look whether databases can be reached, read, and not written."""
    from evaluation.settle import find_database

    results = []
    for database in databases:
        backend, target = find_database(database)
        with backend(target) as opened:
            results.append(opened.check())
    if json:
        from dataclasses import asdict

        output.print_json([asdict(result) for result in results])
    else:
        rows = [(r.subject, c.name, "ok" if c.ok else "failed", c.detail) for r in results for c in r.checks]
        output.data().print(output.table(("database", "check", "result", "found"), rows))
    return ExitCode.OK if all(result.ok for result in results) else ExitCode.UNUSABLE
