from __future__ import annotations

from evaluation.spider_sql.names import Names
from sqlassay.schema import ForeignKey, Schema, Table
from tests.evaluation.spider_sql.world import NAMES, table


def test_names_are_in_lower_case() -> None:
    assert NAMES.columns["singer"] == {"id", "name", "age", "country"}


def test_the_first_column_stands_for_its_equals() -> None:
    assert NAMES.same == {
        "singer.id": "singer.id",
        "concert.singer_id": "singer.id",
        "concert.id": "concert.id",
        "ticket.concert_id": "concert.id",
    }


def test_the_first_is_the_first_of_the_schema_not_of_the_key() -> None:
    schema = Schema((table("a", "x", ("x", "c", "x")), table("b", "x"), table("c", "x", ("x", "b", "x"))))
    assert Names.of(schema).same == {"a.x": "a.x", "c.x": "a.x", "b.x": "a.x"}


def test_sets_that_a_later_key_connects_stay_apart() -> None:
    schema = Schema(
        (
            table("a", "x", ("x", "b", "x")),
            table("b", "x"),
            table("c", "x", ("x", "d", "x"), ("x", "b", "x")),
            table("d", "x"),
        )
    )
    assert Names.of(schema).same == {"a.x": "a.x", "b.x": "a.x", "c.x": "c.x", "d.x": "c.x"}


def test_a_key_to_what_is_not_there() -> None:
    schema = Schema((table("a", "x", ("x", "gone", "x")), Table("b", (), (ForeignKey(("y",), "a", ()),))))
    assert Names.of(schema).same == {"a.x": "a.x", "gone.x": "a.x"}
