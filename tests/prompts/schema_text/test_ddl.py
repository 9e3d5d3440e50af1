"""A schema as text: what a model reads."""

from __future__ import annotations

import pytest
import sqlglot

from prompts.schema_text.ddl import ddl
from sqlassay.schema import Column, ForeignKey, Schema, Table

SINGER = Table("singer", (Column("id", "INTEGER", False, True), Column("name", "TEXT", False), Column("age", "")))
CONCERT = Table(
    "Concert Hall",
    (Column("singer", "INT", primary_key=True), Column("order", "INT", primary_key=True), Column('a"b', "VARCHAR(10)")),
    (ForeignKey(("singer",), "singer", ("id",)), ForeignKey(("order", 'a"b'), "other", ())),
)
VIEW = Table("old_singer", (Column("name", "TEXT"),), is_view=True)
SCHEMA = Schema((SINGER, CONCERT, VIEW))


def test_text() -> None:
    assert ddl(SCHEMA) == (
        "CREATE TABLE singer (\n  id INTEGER PRIMARY KEY,\n  name TEXT NOT NULL,\n  age\n);\n\n"
        'CREATE TABLE "Concert Hall" (\n  singer INT,\n  "order" INT,\n  "a""b" VARCHAR(10),\n'
        '  PRIMARY KEY (singer, "order"),\n'
        "  FOREIGN KEY (singer) REFERENCES singer (id),\n"
        '  FOREIGN KEY ("order", "a""b") REFERENCES other\n);\n\n'
        "-- a view\nCREATE TABLE old_singer (\n  name TEXT\n);"
    )


@pytest.mark.parametrize("dialect", ["sqlite", "duckdb", "postgres", "mysql"])
def test_it_is_sql(dialect: str) -> None:
    statements = sqlglot.parse(ddl(SCHEMA, dialect), dialect=dialect)
    assert [type(statement).__name__ for statement in statements] == ["Create", "Create", "Create"]


@pytest.mark.parametrize(
    ("name", "dialect", "written"),
    [
        ("name", "", "name"),
        ("Name", "sqlite", "Name"),
        ("Name", "postgres", '"Name"'),
        ("Group", "", '"Group"'),
        ("group", "mysql", "`group`"),
        ("a`b", "mysql", "`a``b`"),
        ("2020", "", '"2020"'),
        ("ü", "", '"ü"'),
        ("", "", '""'),
    ],
)
def test_names_that_need_quotes_have_them(name: str, dialect: str, written: str) -> None:
    assert ddl(Schema((Table(name, (Column("a", "INT"),)),)), dialect) == f"CREATE TABLE {written} (\n  a INT\n);"


def test_no_tables() -> None:
    assert ddl(Schema(())) == ""
