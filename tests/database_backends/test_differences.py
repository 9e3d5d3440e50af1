"""What two schemas differ in, and what would mend it."""

from __future__ import annotations

import pytest

from database_backends.differences import differences
from database_backends.migration import Migration
from sqlassay.schema import Column, ForeignKey, Schema, Table

ID = Column("id", "integer", nullable=False, primary_key=True)


def schema(*tables: Table) -> Schema:
    return Schema(tables)


def table(name: str, *columns: Column, keys: tuple[ForeignKey, ...] = (), is_view: bool = False) -> Table:
    return Table(name, (ID, *columns), keys, is_view=is_view)


def said(found: Schema, expected: Schema) -> list[str]:
    return [str(difference) for difference in differences(found, expected)]


def test_names_are_compared_without_case() -> None:
    key = ForeignKey(("Other",), "Town", ("ID",))
    found = schema(table("Singer", Column("Other", "INTEGER"), keys=(key,)), table("TOWN"))
    key = ForeignKey(("other",), "town", ("id",))
    assert said(found, schema(table("singer", Column("other", "integer"), keys=(key,)), table("town"))) == []


def test_the_same_case_counts_first() -> None:
    found = schema(table("a", Column("x", "text")), table("A", Column("y", "text")))
    assert said(found, schema(table("A", Column("y", "text")), table("a", Column("x", "text")))) == []
    assert said(found, schema(table("A", Column("y", "text")))) == ["table a is not expected"]
    assert said(schema(table("A")), schema(table("a"), table("A"))) == ["table a is missing"]


@pytest.mark.parametrize(
    ("found", "expected", "words"),
    [
        (schema(), schema(table("t", is_view=True)), "view t is missing"),
        (schema(table("t", is_view=True)), schema(), "view t is not expected"),
        (schema(table("t", is_view=True)), schema(table("t")), "t is a view, and a table is expected"),
        (
            schema(table("t", Column("a", ""))),
            schema(table("t", Column("a", "text"))),
            "column t.a has no type, and text is expected",
        ),
        (
            schema(table("t", Column("a", "text", nullable=False))),
            schema(table("t", Column("a", "text"))),
            "column t.a is NOT NULL, and NULL is expected",
        ),
        (
            schema(table("t", Column("a", "text", primary_key=True))),
            schema(table("t", Column("a", "text"))),
            "primary key of t is (id, a), and (id) is expected",
        ),
        (
            schema(table("t", keys=(ForeignKey(("id",), "u", ("id",)),))),
            schema(table("t")),
            "foreign key t (id) to u (id) is not expected",
        ),
    ],
)
def test_each_difference_has_words(found: Schema, expected: Schema, words: str) -> None:
    assert said(found, expected) == [words]


def test_the_order_of_columns_in_a_foreign_key_does_not_matter() -> None:
    pair = (Column("a", "int"), Column("b", "int"))
    one = table("t", *pair, keys=(ForeignKey(("a", "b"), "u", ("x", "y")),))
    assert said(schema(one), schema(table("t", *pair, keys=(ForeignKey(("b", "a"), "u", ("y", "x")),)))) == []
    crossed = schema(table("t", *pair, keys=(ForeignKey(("a", "b"), "u", ("y", "x")),)))
    assert len(said(schema(one), crossed)) == 2


def test_views_have_no_constraints() -> None:
    found = schema(Table("v", (Column("a", "int", nullable=False),), is_view=True))
    assert said(found, schema(Table("v", (Column("a", "int"),), is_view=True))) == []


def test_a_foreign_key_of_a_new_table_waits_for_the_other() -> None:
    expected = schema(table("first", keys=(ForeignKey(("id",), "second", ("id",)),)), table("second"))
    migration = Migration("postgres", "postgres").statements(differences(schema(), expected))
    assert [text.split("(")[0].strip() for text in migration] == [
        'CREATE TABLE "first"',
        'CREATE TABLE "second"',
        'ALTER TABLE "first" ADD FOREIGN KEY',
    ]


def test_types_are_translated_and_names_folded_for_another_engine() -> None:
    expected = schema(
        table("Singer", Column("Photo", "BLOB"), Column("Age", "INTEGER"), Column("x", "any words, really"))
    )
    (create,) = Migration("postgres", "sqlite").statements(differences(schema(), expected, types=False))
    assert '"photo" BYTEA' in create
    assert '"age" BIGINT' in create
    assert '"x" TEXT' in create


@pytest.mark.parametrize("dialect", ["sqlite", "duckdb", "postgres", "mysql", "trino"])
def test_no_name_breaks_out_of_its_place(dialect: str) -> None:
    evil = 'a"`;\n-- \n; DROP TABLE b; --'
    extra = schema(table(evil, Column(evil, "text")), table("t", Column(evil, "text")))
    for found, expected in ((extra, schema(table("t"))), (schema(table("t")), extra)):
        for text in Migration(dialect, dialect).statements(differences(found, expected)):
            if text.startswith("--"):
                assert "\n" not in text
            else:
                mark = "`" if dialect == "mysql" else '"'
                assert f"{mark}{evil.replace(mark, 2 * mark)}{mark}" in text
