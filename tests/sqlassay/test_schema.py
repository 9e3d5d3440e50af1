"""A part of a schema: what stays, and what stays with it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sqlassay.schema import Column, ForeignKey, Schema, Table

SINGER = Table("Singer", (Column("Singer_ID", "INT", primary_key=True), Column("Name", "TEXT"), Column("Age", "INT")))
CONCERT = Table(
    "concert",
    (Column("id", "INT", primary_key=True), Column("year", "INT"), Column("singer", "INT"), Column("stadium", "INT")),
    (ForeignKey(("singer",), "singer", ("Singer_ID",)), ForeignKey(("stadium",), "stadium", ("code",))),
)
STADIUM = Table("stadium", (Column("code", "INT"), Column("town", "TEXT")))
NOTE = Table("note", (Column("text", "TEXT"), Column("day", "DATE")), is_view=True)
SCHEMA = Schema((SINGER, CONCERT, STADIUM, NOTE))


def columns(schema: Schema) -> dict[str, list[str]]:
    return {table.name: [column.name for column in table.columns] for table in schema.tables}


def test_keys_and_the_ends_of_joins_stay() -> None:
    part = SCHEMA.only({"STADIUM": ["Town"], "Concert": ["YEAR"]})
    assert columns(part) == {"concert": ["id", "year", "stadium"], "stadium": ["code", "town"]}
    assert part.tables[0].foreign_keys == (ForeignKey(("stadium",), "stadium", ("code",)),)


def test_one_table_in_two_spellings_is_one() -> None:
    assert columns(SCHEMA.only({"singer": ["age"], "SINGER": ["name"]})) == {"Singer": ["Singer_ID", "Name", "Age"]}


def test_names_that_there_are_not_mean_nothing() -> None:
    assert columns(SCHEMA.only({"singer": ["nope"], "nope": ["name"]})) == {"Singer": ["Singer_ID"]}
    assert SCHEMA.only({"nope": []}) == Schema(())


def test_a_table_of_which_nothing_would_be_left_stays_whole() -> None:
    assert SCHEMA.only({"note": []}) == Schema((NOTE,))


NAMES = {table.name: [column.name for column in table.columns] for table in SCHEMA.tables}
ASKED = st.dictionaries(
    st.sampled_from([*NAMES, "nope"]), st.lists(st.sampled_from(sorted({c for cs in NAMES.values() for c in cs})))
)


@given(asked=ASKED)
def test_what_is_left_is_part_of_the_schema_and_can_be_joined(asked: dict[str, list[str]]) -> None:
    part = SCHEMA.only(asked)
    left = {name.lower(): {column.lower() for column in found} for name, found in columns(part).items()}
    assert [table.name for table in part.tables] == [table.name for table in SCHEMA.tables if table.name in asked]
    for table in part.tables:
        whole = next(one for one in SCHEMA.tables if one.name == table.name)
        kept = set(table.columns)
        assert list(table.columns) == [column for column in whole.columns if column in kept]
        assert kept >= {one for one in whole.columns if one.primary_key or one.name in asked[table.name]}
        assert table.foreign_keys == tuple(one for one in whole.foreign_keys if one.table in left)
        for key in table.foreign_keys:
            assert {name.lower() for name in key.columns} <= left[table.name.lower()]
            assert {name.lower() for name in key.references} <= left[key.table.lower()]


@given(asked=ASKED)
def test_a_part_of_a_part_is_the_part(asked: dict[str, list[str]]) -> None:
    part = SCHEMA.only(asked)
    assert part.only(columns(part)) == part


def test_all_of_it_is_all_of_it() -> None:
    assert SCHEMA.only(NAMES) == SCHEMA
