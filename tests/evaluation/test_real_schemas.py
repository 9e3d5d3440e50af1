"""Schemas of real databases as text: every format, its size, and what pruning keeps of what golds need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from evaluation.databases import Databases
from evaluation.datasets.opening import open_dataset
from prompts.schema_text.style import FORMATS, SchemaStyle
from sqlassay.tokens import count

pytestmark = [pytest.mark.data, pytest.mark.timeout(300)]

DATASETS = {
    "spider": ("spider:spider", None, "spider/database/*/*.sqlite", 19),
    "bird": ("bird:bird/questions/dev.json", "bird/databases", "bird/databases/*/*.sqlite", 2),
    "defog": ("defog:defog/questions/questions_gen_sqlite.csv", None, "defog/sqlite_derived/*.db", 11),
}


def databases(name: str, data: Path) -> Iterator[tuple[Databases, str, str]]:
    """Each database of a dataset: with its name, and where it is."""
    spec, folder, pattern, number = DATASETS[name]
    format_name, path = spec.split(":")
    dataset = open_dataset(f"{format_name}:{data / path}", databases=folder and data / folder)
    found = Databases(dataset, "sqlite")
    names = sorted(file.stem for file in data.glob(pattern))
    assert len(names) == number
    for db_id in names:
        target = found.target(db_id)
        assert target is not None
        yield found, db_id, target


@pytest.mark.parametrize("name", DATASETS)
def test_every_format_of_every_database(name: str, data: Path) -> None:
    for found, db_id, target in databases(name, data):
        schema = found.schema_text(target, db_id, SchemaStyle()).schema
        tokens = {}
        for style in (SchemaStyle(one) for one in FORMATS):
            text = found.schema_text(target, db_id, style).whole
            tokens[style.format] = count(text).tokens
            for table in schema.tables:
                assert table.name in text
                assert all(column.name in text for column in table.columns)
        assert tokens["compact"] == min(tokens.values()), db_id
        rich = found.schema_text(target, db_id, SchemaStyle(rows=3)).whole
        richest = found.schema_text(target, db_id, SchemaStyle(rows=3, values=3, descriptions=True)).whole
        assert tokens["ddl"] < count(rich).tokens < count(richest).tokens, db_id
        ours = [
            statement for statement in sqlglot.parse(richest, dialect="sqlite") if isinstance(statement, exp.Create)
        ]
        assert len(ours) == len(schema.tables), db_id


@pytest.mark.parametrize(
    ("name", "described"), [("bird", {"superhero": 31}), ("defog", {"academic": 42, "ewallet": 27})]
)
def test_descriptions_find_their_columns(name: str, described: dict[str, int], data: Path) -> None:
    counts = {}
    for found, db_id, target in databases(name, data):
        schema = found.schema_text(target, db_id, SchemaStyle(descriptions=True)).schema
        counts[db_id] = sum(bool(column.description) for table in schema.tables for column in table.columns)
    assert {db_id: counts[db_id] for db_id in described} == described
    assert counts.get("toxicology", 0) == 0, "BIRD describes it, but not here"


@pytest.mark.parametrize(("tokens", "share"), [(200, 0.94), (500, 0.99)])
def test_pruning_keeps_what_the_golds_of_spider_need(tokens: int, share: float, data: Path) -> None:
    """The share of questions whose tables are all shown: 95.4 % within 200 tokens, 99.6 % within 500."""
    dataset = open_dataset(f"spider:{data / 'spider'}")
    found = Databases(dataset, "sqlite")
    outcomes: Counter[str] = Counter()
    for question in dataset.questions():
        target = found.target(question.db_id)
        if target is None:
            continue
        shown = found.schema_text(target, question.db_id, SchemaStyle(max_tokens=tokens)).about(question.text)
        assert count(shown.text).tokens <= tokens
        needed = {
            table.name.lower() for table in sqlglot.parse_one(question.gold[0], dialect="sqlite").find_all(exp.Table)
        }
        outcomes["pruned"] += bool(shown.left_out)
        outcomes["kept"] += not needed & {name.lower() for name in shown.left_out}
        outcomes["all"] += 1
    assert outcomes["all"] == 972
    assert outcomes["pruned"] > 150
    assert outcomes["kept"] / outcomes["all"] > share
