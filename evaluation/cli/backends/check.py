"""`sqlassay backends check`."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import indent
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from evaluation.cli import checks as shown
from evaluation.cli import output
from evaluation.cli.options import Databases, Json
from sqlassay.counted import counted
from sqlassay.errors import ExitCode, UserError

if TYPE_CHECKING:
    from database_backends.validation import Expectation, Validation
    from evaluation.named_databases import Named
    from sqlassay.validation import Check

_NAMED = 3
"""Databases that a line names before it says how many more there are."""


def check(
    databases: Annotated[
        list[str],
        typer.Argument(
            metavar="DATABASE...",
            help="ENGINE:TARGET, such as sqlite:shop.sqlite or postgres://user:password@host/database; with --dataset,"
            " {db_id} in it stands for each database; or an experiment file, for all its backends.",
        ),
    ],
    dataset: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--dataset", metavar="FORMAT:PATH", help="Check every database of a dataset."),
    ] = None,
    folder: Databases = None,
    expect: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--expect",
            metavar="DATABASE",
            help="Another database, whose schema and numbers of rows are expected; an engine alone, such as sqlite,"
            " stands for the dataset's own files.",
        ),
    ] = None,
    fingerprint: Annotated[
        str, typer.Option("--expect-fingerprint", metavar="DIGEST", help="As an earlier check has shown it.")
    ] = "",
    quick: Annotated[
        bool, typer.Option("--quick", help="Leave out what reads whole tables: rows, keys, fingerprint.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Every check of every database, and every difference.")
    ] = False,
    json: Json = False,
) -> int:
    """Check databases: can they be reached, read and not written, and do they hold what they should?

    Nothing is changed. Where the schema is not the expected one, the statements that would mend it are shown.

    Exits with 1 when a check has failed; a warning is no failure.

    Example: `sqlassay backends check "postgres://reader@localhost/spider?schema={db_id}" --dataset spider:data/spider
    --expect sqlite`
    """
    from database_backends.validation import validate
    from evaluation.named_databases import databases_named

    named = databases_named(databases, dataset, folder)
    if fingerprint and len(named) > 1:
        raise UserError(f"--expect-fingerprint is of one database, and these are {len(named):,}", remedy="name one")
    found = []
    for one in named:
        if one.target is None:
            found.append(_missing(one, "there is no such file", "name the folder with --databases, or the target"))
            continue
        try:
            expected = None if expect is None else _expected(one, expect, whole=not quick)
        except UserError as error:
            if not one.db_id:
                raise
            found.append(_missing(one, f"what is expected: {error.problem}", "check that one first"))
            continue
        found.append(validate(one.backend, one.target, expected=expected, fingerprint=fingerprint, whole=not quick))
    if json:
        output.print_json([_as_json(validation) for validation in found])
    elif verbose or len(found) == 1:
        for validation in found:
            _show(validation, verbose=verbose)
    else:
        _show_together(named, found)
    return ExitCode.OK if all(validation.result.ok for validation in found) else ExitCode.UNUSABLE


def _expected(named: Named, spec: str, *, whole: bool) -> Expectation:
    from database_backends.errors import BackendError
    from database_backends.validation import Expectation

    other = named.counterpart(spec)
    if other.target is None:
        raise UserError(f"{other.backend.title} has no database {other.db_id!r}")
    try:
        return Expectation.of(other.backend, other.target, whole=whole)
    except BackendError as error:
        raise UserError(error.message, place="--expect", remedy="check it first") from error


def _missing(named: Named, problem: str, remedy: str) -> Validation:
    from database_backends.validation import Validation
    from sqlassay.validation import Check, ValidationResult

    check = Check("opens", False, problem, remedy)
    return Validation(ValidationResult(f"{named.backend.name}:{named.db_id}", (check,)))


def _as_json(validation: Validation) -> dict[str, Any]:
    return {
        "database": validation.result.subject,
        "ok": validation.result.ok,
        "checks": shown.as_json(validation.result.checks),
        "differences": [
            {"what": str(difference), "matters": difference.matters} for difference in validation.differences
        ],
        "migration": list(validation.migration),
    }


def _show(validation: Validation, *, verbose: bool) -> None:
    """One database: all that was found."""
    from rich.text import Text

    screen = output.data()
    checks = validation.result.checks
    screen.print(Text(validation.result.subject, style="bold"))
    screen.print(shown.table(checks))
    if verbose and validation.differences:
        screen.print("\nDifferences from the expected schema:")
        for difference in validation.differences:
            screen.print(f"  {difference}", soft_wrap=True)
    if validation.migration:
        screen.print("\nWhat would mend it (nothing was executed):")
        for statement in validation.migration:
            screen.print(indent(statement, "  "), soft_wrap=True)
    screen.print(f"\n{shown.verdict(checks)}")


def _show_together(named: Sequence[Named], found: Sequence[Validation]) -> None:
    """Several databases: what is not all right, and where."""
    screen = output.data()
    where: dict[Check, list[str]] = {}
    for one, validation in zip(named, found, strict=True):
        for check in validation.result.checks:
            if check.warning or not check.ok:
                label = f"{one.backend.name}:{one.db_id}" if one.db_id else validation.result.subject
                where.setdefault(check, []).append(label)
    everywhere = f"all {len(found):,}"
    rows = [
        (shown.word(one), one.name, shown.found(one), everywhere if len(names) == len(found) else _listed(names))
        for one, names in sorted(where.items(), key=lambda item: item[0].ok)
    ]
    if rows:
        screen.print(output.table(("result", "check", "found", "in"), rows))
        screen.print()
    good = sum(all(one.ok and not one.warning for one in validation.result.checks) for validation in found)
    failed = sum(not validation.result.ok for validation in found)
    screen.print(
        f"{counted(len(found), 'database')}: {good:,} all right, {len(found) - good - failed:,} with warnings,"
        f" {failed:,} failed"
    )
    if rows:
        output.talk().print("--verbose shows every check, and the statements that would mend a schema")


def _listed(names: Sequence[str]) -> str:
    more = f"\nand {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return "\n".join(names[:_NAMED]) + more
