"""What Spider's own scripts say, about the same statements. Needs the real benchmark data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from evaluation.datasets.spider import SpiderDataset
from evaluation.spider_sql.annotation import read_annotation
from evaluation.spider_sql.clauses import Column, Query
from evaluation.spider_sql.components import differing
from evaluation.spider_sql.errors import NotParsed
from evaluation.spider_sql.hardness import hardness_of
from evaluation.spider_sql.names import Names
from evaluation.spider_sql.parse import parse

pytestmark = pytest.mark.data

# The share that matches, and how many predictions are outside the grammar: test-suite-sql-eval (commit 893d0df) with
# NLTK 3.10.4, --etype match, on the 972 questions whose databases there are.
OFFICIAL = {
    "c3sql_chatgpt": (0.476, 198),
    "codes-15b_sft": (0.780, 3),
    "codes-1b_sft": (0.719, 22),
    "codes-3b_sft": (0.769, 1),
    "dail-sql_gpt4": (0.701, 66),
    "dail-sql_gpt4_sc": (0.689, 73),
    "din-repo_CodeX_CodeX_few-shot": (0.486, 141),
    "din-repo_CodeX_DIN-SQL": (0.569, 32),
    "din-repo_GPT4_results_GPT4_few_shot": (0.534, 89),
    "dts-sql_deepseek7b": (0.788, 15),
    "graphix-t5_dail-repo": (0.771, 11),
    "spider-official-example": (0.674, 7),
}


@pytest.fixture(scope="module")
def dev(data: Path) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((data / "spider" / "dev.json").read_text())
    return entries


@pytest.fixture(scope="module")
def names(data: Path, dev: list[dict[str, Any]]) -> dict[str, Names]:
    dataset = SpiderDataset(data / "spider")
    schemas = {db_id: dataset.schema(db_id) for db_id in {entry["db_id"] for entry in dev}}
    return {db_id: Names.of(schema) for db_id, schema in schemas.items() if schema is not None}


def numbered(part: Any, numbers: Mapping[str, str]) -> Any:
    """A part of a parsed statement with the numbers of `tables.json` for its names."""
    if isinstance(part, Column):
        return replace(part, name=numbers[part.name])
    if isinstance(part, tuple):
        return tuple(numbered(one, numbers) for one in part)
    if is_dataclass(part):
        parts = {field.name: numbered(getattr(part, field.name), numbers) for field in fields(part)}
        if isinstance(part, Query):
            parts["tables"] = tuple(
                numbers[f"{t}."] if isinstance(t, str) else numbered(t, numbers) for t in part.tables
            )
        return type(part)(**parts)
    return part


def test_parsed_as_the_authors_parsed_it(data: Path, dev: list[dict[str, Any]], names: dict[str, Names]) -> None:
    numbers: dict[str, dict[str, str]] = {}
    for entry in json.loads((data / "spider" / "tables.json").read_text()):
        tables = [name.lower() for name in entry["table_names_original"]]
        numbers[entry["db_id"]] = {"*": "*"} | {f"{name}.": str(number) for number, name in enumerate(tables)}
        for number, (table, column) in enumerate(entry["column_names_original"]):
            numbers[entry["db_id"]][f"{tables[table]}.{column.lower()}"] = str(number)
    assert len(dev) == 1034
    for entry in dev:
        query = parse(entry["query"], names[entry["db_id"]])
        assert numbered(query, numbers[entry["db_id"]]) == read_annotation(entry["sql"]), entry["query"]


def test_hardness(data: Path, dev: list[dict[str, Any]], names: dict[str, Names]) -> None:
    official = [row["hardness"] for row in json.loads((data / "spider" / "dev_hardness_official.json").read_text())]
    assert len(official) == 1034
    assert [hardness_of(parse(entry["query"], names[entry["db_id"]])) for entry in dev] == official
    assert [question.difficulty for question in SpiderDataset(data / "spider").questions()] == official


@pytest.mark.parametrize("system", OFFICIAL)
def test_exact_set_match(system: str, data: Path, dev: list[dict[str, Any]], names: dict[str, Names]) -> None:
    predictions = (data / "spider" / "predictions" / f"{system}.txt").read_text().split("\n")
    matches = outside = total = 0
    for entry, sql in zip(dev, predictions, strict=False):
        if entry["db_id"] == "wta_1":
            continue
        known = names[entry["db_id"]]
        total += 1
        try:
            predicted = parse(sql, known)
        except NotParsed:
            predicted = Query()
            outside += 1
        matches += not differing(parse(entry["query"], known), predicted, known)
    assert total == 972
    assert (round(matches / total, 3), outside) == OFFICIAL[system]
