"""A table with every type, as each engine spells it: what goes in is what comes out, the same everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

ENGINES = ("sqlite", "duckdb", "postgres", "mysql", "trino")


@dataclass(frozen=True)
class Typed:
    """A column and its two values; a third row is NULL.

    Attributes:
        type: In most engines.
        values: As most engines spell them.
        types: Where an engine calls it otherwise. SQLite has no types; it gets whatever text says.
        spelled: Where an engine spells the values otherwise.
    """

    type: str
    values: tuple[str, str]
    types: Mapping[str, str] = field(default_factory=dict)
    spelled: Mapping[str, tuple[str, str]] = field(default_factory=dict)


COLUMNS: Mapping[str, Typed] = {
    "small": Typed("SMALLINT", ("32767", "-32768")),
    "whole": Typed("INTEGER", ("2147483647", "-2147483648")),
    "big": Typed("BIGINT", ("9007199254740993", "-9223372036854775808")),
    "exact": Typed("DECIMAL(20, 5)", ("12345.67890", "-0.00001")),
    "short_float": Typed("REAL", ("0.1", "-2.5"), {"mysql": "FLOAT"}),
    "long_float": Typed("DOUBLE PRECISION", ("0.30000000000000004", "1e300"), {"trino": "DOUBLE"}),
    "truth": Typed("BOOLEAN", ("true", "false")),
    "day": Typed("DATE", ("'2020-02-29'", "'1000-01-01'")),
    "clock": Typed("TIME", ("'10:20:30.5'", "'23:59:59.999999'"), {"mysql": "TIME(6)", "trino": "TIME(6)"}),
    "moment": Typed(
        "TIMESTAMP",
        ("'2020-02-29 10:20:30.123456'", "'1970-01-01 00:00:00'"),
        {"mysql": "DATETIME(6)", "trino": "TIMESTAMP(6)"},
    ),
    "zoned": Typed(
        "TIMESTAMP WITH TIME ZONE",
        ("'2020-02-29 10:20:30+02:00'", "'1969-12-31 20:00:00-04:00'"),
        {"mysql": "VARCHAR(40)", "trino": "TIMESTAMP(6) WITH TIME ZONE"},  # MySQL has no such type: text, as in SQLite
        {"trino": ("'2020-02-29 10:20:30 +02:00'", "'1969-12-31 20:00:00 -04:00'")},
    ),
    "bytes": Typed(
        "VARBINARY",
        ("x'00ff'", "x''"),
        {"duckdb": "BLOB", "postgres": "BYTEA", "mysql": "VARBINARY(9)"},
        {"duckdb": ("'\\x00\\xFF'", "''"), "postgres": ("'\\x00ff'", "'\\x'")},
    ),
    "words": Typed("VARCHAR(40)", ("'Zoë 😀 it''s  '", "''")),
    "wide": Typed("TEXT", ("'two\nlines'", "'007'"), {"trino": "VARCHAR"}),
    "uid": Typed(
        "UUID",
        ("'00000000-0000-0000-0000-00000000002a'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'"),
        {"mysql": "CHAR(36)"},
    ),
    "object": Typed(
        "JSON",
        ("""'{"b": [1, null, 2.5], "a": "x"}'""", "'{}'"),
        {"sqlite": "TEXT"},
        {"trino": ("""JSON '{"b": [1, null, 2.5], "a": "x"}'""", "JSON '{}'")},
    ),
    "list": Typed(
        "INTEGER[]",
        ("'[1, null, 3]'", "'[]'"),
        {"sqlite": "TEXT", "mysql": "JSON", "trino": "ARRAY(INTEGER)"},
        {
            "duckdb": ("[1, NULL, 3]", "[]"),
            "postgres": ("'{1, NULL, 3}'", "'{}'"),
            "trino": ("ARRAY[1, NULL, 3]", "ARRAY[]"),
        },
    ),
}


def statements(engine: str, name: str = "typed") -> Sequence[str]:
    """What makes the table."""
    types = {column: typed.types.get(engine, typed.type) for column, typed in COLUMNS.items()}
    rows = [
        [str(number), *(typed.spelled.get(engine, typed.values)[number] for typed in COLUMNS.values())]
        for number in range(2)
    ]
    rows.append(["2", *["NULL"] * len(COLUMNS)])
    if engine == "trino":
        # It does not read text as what it stands for by itself.
        of_rows = [
            "SELECT "
            + ", ".join(
                f"CAST({value} AS {kind})" for value, kind in zip(row, ("INTEGER", *types.values()), strict=True)
            )
            for row in rows
        ]
        return [f"CREATE TABLE {name} (id, {', '.join(COLUMNS)}) AS " + " UNION ALL ".join(of_rows)]
    return [
        f"CREATE TABLE {name} (id INTEGER, {', '.join(f'{column} {type_}' for column, type_ in types.items())})",
        *(f"INSERT INTO {name} VALUES ({', '.join(row)})" for row in rows),
    ]
