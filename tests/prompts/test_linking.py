"""From an answer that links a question to a schema to the part that it names."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.linking import link
from sqlassay.schema import Column, Schema, Table

SCHEMA = Schema(
    (
        Table("singer", (Column("id", "INT", primary_key=True), Column("name", "TEXT"), Column("age", "INT"))),
        Table("song", (Column("title", "TEXT"), Column("year", "INT"))),
    )
)
UNREAD = 'the whole schema: the answer holds no JSON object of "tables" with lists of columns'


@pytest.mark.parametrize(
    ("answer", "left", "note"),
    [
        ('{"tables": {"song": ["title"]}}', {"song": ["title"]}, "columns: 1 of 5"),
        ('{"tables": {"SINGER": ["Name"]}}', {"singer": ["id", "name"]}, "tables: 1 of 2, columns: 2 of 5"),
        ('So:\n```json\n{"tables": {"song": []}}\n```', {"song": ["title", "year"]}, "tables: 1 of 2, columns: 2 of 5"),
        ('<think>{"tables": {}}</think>{"tables": {"song": ["year"]}}', {"song": ["year"]}, "columns: 1 of 5"),
        (
            '{"tables": {"song": ["year", "label"], "album": ["id"]}}',
            {"song": ["year"]},
            "columns: 1 of 5; ignored, since there are none: 'album', 'song.label'",
        ),
        ('{"tables": {}}', None, "the whole schema: the answer names no table of it"),
        ('{"tables": {"a": []}}', None, "names no table of it; ignored, since there are none: 'a'"),
        ('{"tables": ["song"]}', None, UNREAD),
        ('{"tables": {"song": "title"}}', None, UNREAD),
        ('{"tables": {"song": [1]}}', None, UNREAD),
        ('{"tables": {"song": ["ti', None, UNREAD),
        ("[1]", None, UNREAD),
        ("I do not know.", None, UNREAD),
        ("", None, UNREAD),
    ],
)
def test_link(answer: str, left: dict[str, list[str]] | None, note: str) -> None:
    linked = link(answer, SCHEMA)
    found = {table.name: [column.name for column in table.columns] for table in linked.schema.tables}
    assert found == ({"singer": ["id", "name", "age"], "song": ["title", "year"]} if left is None else left)
    assert note in linked.note


def test_a_note_stays_short() -> None:
    names = [f"c{number}" * 50 for number in range(1000)]
    assert len(link(json.dumps({"tables": {"song": names}}), SCHEMA).note) < 1500


JSON = st.recursive(st.none() | st.text() | st.integers(), lambda of: st.lists(of) | st.dictionaries(st.text(), of))


@given(answer=st.text() | JSON.map(lambda value: json.dumps({"tables": value})))
def test_no_answer_leaves_nothing(answer: str) -> None:
    assert link(answer, SCHEMA).schema.tables
