"""`tables.json`: Spider's own description of its databases."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evaluation.datasets.json_file import array_records
from evaluation.datasets.record import Record
from sqlassay.errors import UserError
from sqlassay.schema import Column, ForeignKey, Schema, Table


def read_tables(path: Path) -> Mapping[str, Record]:
    """The entries of a `tables.json` by `db_id`, not yet understood; none when there is no such file.

    Raises:
        UserError: It is not a list of objects with a `db_id`.
    """
    if not path.is_file():
        return {}
    return {record.text("db_id"): record for record in array_records(path)}


def schema_of(record: Record) -> Schema:
    """The schema that an entry describes, with the names as they are in the database.

    Source of the form: https://github.com/taoyds/spider, README.

    Raises:
        UserError: It is not of this form; file and entry are named.
    """
    try:
        return _schema(record.fields)
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise UserError(
            f"does not describe a database as Spider does: {type(error).__name__}: {error}", place=record.place
        ) from None


def _schema(entry: Mapping[str, Any]) -> Schema:
    names: list[tuple[int, str]] = [(table, str(column)) for table, column in entry["column_names_original"]]
    tables: list[str] = [str(table) for table in entry["table_names_original"]]
    primary = set(entry["primary_keys"])
    columns: list[list[Column]] = [[] for _ in tables]
    for number, ((table, name), type_) in enumerate(zip(names, entry["column_types"], strict=True)):
        if table >= 0:
            columns[table].append(Column(name, str(type_), primary_key=number in primary))
    keys: list[list[ForeignKey]] = [[] for _ in tables]
    for ours, theirs in entry["foreign_keys"]:
        (table, name), (other, reference) = names[ours], names[theirs]
        keys[table].append(ForeignKey((name,), tables[other], (reference,)))
    return Schema(tuple(Table(name, tuple(columns[n]), tuple(keys[n])) for n, name in enumerate(tables)))
