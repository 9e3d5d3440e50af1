"""Whether a database is all right: reached, read, not written, with the schema and the rows that are expected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Self

from database_backends.base import DatabaseBackend
from database_backends.differences import Difference, differences, in_words, primary_key
from database_backends.dsn import shown
from database_backends.errors import BackendError
from database_backends.integrity import Integrity
from database_backends.migration import Migration
from sqlassay.counted import counted, some
from sqlassay.schema import Schema, Table
from sqlassay.validation import Check, ValidationResult

_NAMED = 5
"""Faults that a line names before it says how many more there are."""


@dataclass(frozen=True)
class Expectation:
    """What a database is expected to be like.

    Attributes:
        title: Where that is from.
        backend: The engine.
        version: Its version.
        schema: The schema.
        rows: How many each table has; empty where they were not counted.
        fingerprint: Of the content; empty where it was not read.
    """

    title: str
    backend: type[DatabaseBackend]
    version: str
    schema: Schema
    rows: Mapping[str, int] = field(default_factory=dict)
    fingerprint: str = ""

    @classmethod
    def of(cls, backend: type[DatabaseBackend], target: str, *, whole: bool) -> Self:
        """As another database is.

        Args:
            backend: Its engine.
            target: Where it is.
            whole: Whether its tables are read as well.

        Raises:
            BackendError: It cannot be read.
        """
        with closing(backend(target)) as database:
            schema = database.schema()
            asked = Integrity(database)
            return cls(
                title(backend, target),
                backend,
                database.engine_version(),
                schema,
                {table.name.casefold(): asked.rows(table) for table in _stored(schema)} if whole else {},
                database.fingerprint() if whole else "",
            )


@dataclass(frozen=True)
class Validation:
    """What was found about one database.

    Attributes:
        result: The checks.
        differences: Between its schema and the expected one.
        migration: Statements that would make it the expected one. None was executed.
    """

    result: ValidationResult
    differences: tuple[Difference, ...] = ()
    migration: tuple[str, ...] = ()


def title(backend: type[DatabaseBackend], target: str) -> str:
    """A database for people: `ENGINE:TARGET`, the password hidden."""
    _, slashes, rest = target.partition("//")
    return f"{backend.name}:{shown(target if backend.embedded or not slashes else slashes + rest)}"


def validate(
    backend: type[DatabaseBackend],
    target: str,
    *,
    expected: Expectation | None = None,
    fingerprint: str = "",
    whole: bool = True,
) -> Validation:
    """Check everything about a database that can be checked.

    Args:
        backend: The engine.
        target: Where the database is.
        expected: What it should be like.
        fingerprint: What its fingerprint should be.
        whole: Whether its tables are read as well, to count rows and to follow keys.
    """
    subject = title(backend, target)
    try:
        opened = backend(target)
    except BackendError as error:
        return Validation(ValidationResult(subject, (backend.not_opened(error),)))
    with closing(opened) as database:
        result = database.check()
        found: tuple[Difference, ...] = ()
        checks = list(result.checks)
        if result.ok:
            schema = database.schema()
            if expected is not None:
                found = _compared(schema, expected, backend)
                checks.append(_check_schema(found, expected, backend))
            if whole:
                checks += _Contents(database, schema, expected).checks()
            if whole or fingerprint:
                checks.append(_check_fingerprint(database, expected, fingerprint))
    dialect = expected.backend.dialect if expected else backend.dialect
    migration = Migration(backend.dialect, dialect).statements(found)
    return Validation(ValidationResult(subject, tuple(checks)), found, migration)


def _stored(schema: Schema) -> list[Table]:
    return [table for table in schema.tables if not table.is_view]


def _compared(found: Schema, expected: Expectation, backend: type[DatabaseBackend]) -> tuple[Difference, ...]:
    return differences(
        found,
        expected.schema,
        types=backend.name == expected.backend.name,
        constraints=backend.has_keys and expected.backend.has_keys,
    )


def _check_schema(found: tuple[Difference, ...], expected: Expectation, backend: type[DatabaseBackend]) -> Check:
    left_out = [] if backend.name == expected.backend.name else ["types"]
    left_out += [] if backend.has_keys and expected.backend.has_keys else ["keys"]
    detail = _listed([str(difference) for difference in found]) if found else f"as in {expected.title}"
    if left_out:
        detail += f"; {' and '.join(left_out)} are not compared between {backend.title} and {expected.backend.title}"
    remedy = "look at the statements that would mend it, or load it anew" if found else ""
    matters = any(difference.matters for difference in found)
    return Check("schema", not matters, detail, remedy, warning=bool(found) and not matters)


@dataclass(frozen=True)
class _Contents:
    """The checks that read whole tables."""

    database: DatabaseBackend
    schema: Schema
    expected: Expectation | None

    def checks(self) -> Iterator[Check]:
        """Rows, primary keys, foreign keys."""
        yield self._check_rows()
        yield self._check_primary_keys()
        yield self._check_foreign_keys()

    def _check_rows(self) -> Check:
        asked = Integrity(self.database)
        wanted = self.expected.rows if self.expected else {}
        faults, rows, empty = [], 0, []
        tables = _stored(self.schema)
        for table in tables:
            try:
                number = asked.rows(table)
            except BackendError as error:
                faults.append(f"{table.name}: {error.message}")
                continue
            rows += number
            if not number:
                empty.append(table.name)
            expected = wanted.get(table.name.casefold(), number)
            if number != expected:
                faults.append(f"{table.name} has {number:,}, and {expected:,} are expected")
        detail = f"{counted(rows, 'row')} in {counted(len(tables), 'table')}"
        if empty:
            detail += f"; empty: {_listed(empty)}"
        if faults:
            return Check("rows", False, _listed(faults), "load it anew")
        nothing = not rows
        return Check("rows", True, detail, "is this the right database?" if nothing else "", warning=nothing)

    def _check_primary_keys(self) -> Check:
        asked = Integrity(self.database)
        faults, checked = [], 0
        for table in self._with_keys():
            if not (key := primary_key(table)):
                continue
            checked += 1
            named = f"{table.name} ({', '.join(key)})"
            try:
                if number := asked.without_key(table, key):
                    faults.append(f"{named} is NULL in {counted(number, 'row')}")
                if number := asked.repeated(table, key):
                    faults.append(f"{named} repeats {counted(number, 'value')}")
            except BackendError as error:
                faults.append(f"{named}: {error.message}")
        if faults:
            return Check("primary keys", False, _listed(faults), "load it anew: a join repeats such rows")
        return Check("primary keys", True, f"{checked}, unique and not NULL" if checked else self._no_keys())

    def _check_foreign_keys(self) -> Check:
        asked = Integrity(self.database)
        there = {table.name.casefold() for table in self.schema.tables}
        faults, checked = [], 0
        for table in self._with_keys():
            for key in table.foreign_keys:
                checked += 1
                named = in_words(table, key)
                if key.table.casefold() not in there:
                    faults.append(f"{named}: there is no such table")
                    continue
                try:
                    if number := asked.orphans(table, key):
                        faults.append(f"{named}: {counted(number, 'row')} of {table.name} without a counterpart")
                except BackendError as error:
                    faults.append(f"{named}: {error.message}")
        if faults:
            remedy = "see whether the original has such rows: a join leaves them out"
            return Check("foreign keys", True, _listed(faults), remedy, warning=True)
        return Check("foreign keys", True, f"{checked}, all lead to a row" if checked else self._no_keys())

    def _no_keys(self) -> str:
        if self.database.has_keys or self.expected is not None:
            return "there are none"
        return f"{self.database.title} knows none; what --expect names may have some"

    def _with_keys(self) -> list[Table]:
        """The tables with the keys that are to be kept: the expected ones where the engine has none."""
        if self.database.has_keys or self.expected is None:
            return _stored(self.schema)
        names = {table.name.casefold() for table in self.schema.tables}
        return [table for table in _stored(self.expected.schema) if table.name.casefold() in names]


def _check_fingerprint(database: DatabaseBackend, expected: Expectation | None, wanted: str) -> Check:
    try:
        found = database.fingerprint()
    except BackendError as error:
        return Check("fingerprint", False, error.message, "grant SELECT to the account")
    if wanted:
        if found == wanted:
            return Check("fingerprint", True, f"{found}, as expected")
        return Check("fingerprint", False, f"{found}, and {wanted} is expected", "load it anew")
    if expected is None or not expected.fingerprint or expected.backend.name != database.name:
        return Check("fingerprint", True, found)
    if found == expected.fingerprint:
        return Check("fingerprint", True, f"{found}, as of {expected.title}")
    # Two files, or two versions of a server, may hold the same rows in other bytes.
    may_be_the_same = database.embedded or database.engine_version() != expected.version
    detail = f"{found}, and {expected.fingerprint} in {expected.title}"
    return Check("fingerprint", may_be_the_same, detail, "load it anew", warning=may_be_the_same)


def _listed(words: list[str]) -> str:
    return some(words, _NAMED, "; ")
