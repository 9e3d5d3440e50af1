"""The numbers that others published, reproduced from the same predictions. Needs the real benchmark data."""

from __future__ import annotations

import asyncio
import csv
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from database_backends.result import Limits
from database_backends.runner import Runner, default_workers
from evaluation.databases import Databases
from evaluation.datasets.opening import open_dataset
from evaluation.predictions.reading import read_predictions
from evaluation.records import ItemRecord
from evaluation.scoring import score
from evaluation.strategies.making import make_strategy

pytestmark = [pytest.mark.data, pytest.mark.timeout(600)]

SPIDER_SYSTEMS = (
    "c3sql_chatgpt",
    "codes-15b_sft",
    "codes-1b_sft",
    "codes-3b_sft",
    "dail-sql_gpt4",
    "dail-sql_gpt4_sc",
    "din-repo_CodeX_CodeX_few-shot",
    "din-repo_CodeX_DIN-SQL",
    "din-repo_GPT4_results_GPT4_few_shot",
    "dts-sql_deepseek7b",
    "graphix-t5_dail-repo",
    "spider-official-example",
)
BIRD_FILES = (
    ("dev.json", "dev274__predict_dev-codes-15b-bird-with-evidence"),
    ("dev.json", "dev274__predict_dev-codes-1b-bird"),
    *(
        ("mini_dev_sqlite.v2025.json", f"mini_v202592__predict_mini_dev_{system}_sqlite")
        for system in (
            "gpt-35-turbo-instruct",
            "gpt-35-turbo",
            "gpt-4-32k",
            "gpt-4-turbo",
            "meta-llama-3-8b-instruct-2",
            "phi-3-medium-128k-instruct-1",
        )
    ),
)
LIMITS = Limits(seconds=8)  # two predictions take 15 s, and are wrong in any case


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with Runner(default_workers(), megabytes=LIMITS.megabytes) as runner:
        yield runner


def scored(runner: Runner, spec: str, predictions: Path, *, databases: Path | None = None) -> list[ItemRecord]:
    dataset = open_dataset(spec, databases=databases)
    questions = list(dataset.questions())
    given = read_predictions(predictions, questions)
    records: list[ItemRecord] = []
    strategies = [make_strategy("execution_match:bird")]
    finder = Databases(dataset, "sqlite")
    asyncio.run(
        score(
            questions, given.sql_by_id, finder, strategies, runner, records.append, limits=LIMITS, gold_limits=LIMITS
        )
    )
    return sorted(records, key=lambda record: record.position)


@pytest.fixture(scope="module")
def published(data: Path) -> dict[str, dict[int, bool]]:
    verdicts: dict[str, dict[int, bool]] = defaultdict(dict)
    with (data / "spider" / "convention_verdicts.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            verdicts[row["system"]][int(row["idx"])] = row["bird"] == "1"
    return verdicts


@pytest.mark.parametrize("system", SPIDER_SYSTEMS)
def test_spider(system: str, data: Path, runner: Runner, published: dict[str, dict[int, bool]]) -> None:
    records = scored(runner, f"spider:{data / 'spider'}", data / "spider" / "predictions" / f"{system}.txt")

    counts = Counter((record.verdicts[0].status.value, record.db_id == "wta_1") for record in records)
    assert len(records) == 1034
    assert counts["unscored", True] == 62
    assert counts["unscored", False] == 0
    assert {r.verdicts[0].reason.value for r in records if r.db_id == "wta_1"} == {"database_missing"}
    if system in published:
        ours = {r.position: r.verdicts[0].status.value == "correct" for r in records if r.db_id != "wta_1"}
        assert ours == published[system]


def test_every_published_row_is_compared(published: dict[str, dict[int, bool]]) -> None:
    assert sum(map(len, published.values())) == 7776
    assert set(published) <= set(SPIDER_SYSTEMS)


@pytest.mark.parametrize(("questions", "name"), BIRD_FILES)
def test_bird(questions: str, name: str, data: Path, runner: Runner) -> None:
    bird = data / "bird"
    predictions = bird / "predictions" / f"{name.partition('__')[2]}.json"
    records = scored(runner, f"bird:{bird / 'questions' / questions}", predictions, databases=bird / "databases")

    lines = (bird / "official_verdicts" / f"{name}.jsonl").read_text().splitlines()
    official = [json.loads(line) for line in lines]
    ours = {record.position: record for record in records}
    assert all(ours[row["idx"]].id == str(row["question_id"]) for row in official)
    differing = [row for row in official if (ours[row["idx"]].verdicts[0].score == 1) != bool(row["res"])]
    assert differing == []
