"""The databases of an experiment."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.doctor.examination import Examination
from evaluation.doctor.finding import Finding, State, of_checks
from sqlassay.counted import some

if TYPE_CHECKING:
    from evaluation.named_databases import Named

_SHOWN = 5
"""Databases of one engine that have a line each, where they are not all right."""


def databases(path: Path) -> list[Examination]:
    """One examination for all databases of an engine: a dataset has hundreds of files.

    Args:
        path: The experiment file.

    Raises:
        UserError: The dataset or an engine cannot be opened.
    """
    from evaluation.named_databases import databases_named

    named = sorted(databases_named([str(path)], None, None), key=lambda one: one.backend.name)
    return [_of(engine, list(group)) for engine, group in groupby(named, key=lambda one: one.backend.name)]


def _of(engine: str, named: list[Named]) -> Examination:
    def look() -> Iterator[Finding]:
        bad = 0
        good = []
        for one in named:
            findings = list(_looked(one))
            if all(finding.state is State.OK for finding in findings):
                good.append(one.db_id)
            elif (bad := bad + 1) <= _SHOWN:
                yield from findings
        if bad > _SHOWN:
            remedy = "sqlassay backends check FILE --quick tells all"
            yield Finding(f"databases of {engine}", State.FAILED, f"{bad - _SHOWN:,} more are not all right", remedy)
        if good:
            yield Finding(f"databases of {engine}", State.OK, f"{len(good):,}: {some(good, _SHOWN)}")

    return Examination(f"databases of {engine}", look)


def _looked(named: Named) -> Iterator[Finding]:
    from database_backends.validation import validate

    thing = f"database {named.backend.name}:{named.db_id}"
    if named.target is None:
        remedy = "name the folder of the databases in the experiment, or the target of the engine"
        yield Finding(thing, State.FAILED, "there is no such file", remedy)
    else:
        yield from of_checks(thing, validate(named.backend, named.target, whole=False).result)
