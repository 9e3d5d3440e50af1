"""The verdicts that others published, reproduced from the same predictions. Needs the real benchmark data."""

from __future__ import annotations

import asyncio
import csv
import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pytest

from database_backends.result import Limits, ResultTable
from database_backends.runner import Runner, Statement, default_workers
from evaluation.databases import Databases
from evaluation.datasets.opening import open_dataset
from evaluation.predictions.reading import read_predictions
from evaluation.records import ItemRecord
from evaluation.scoring import score
from evaluation.strategies.making import make_strategy
from evaluation.verdicts import Reason, Status
from tests.evaluation.spider_systems import SPIDER_SYSTEMS
from tests.servers.plugin import Server
from tests.servers.postgres import PostgresWorld

pytestmark = [pytest.mark.data, pytest.mark.timeout(600)]

MINI_DEV_SYSTEMS = (
    "gpt-35-turbo-instruct",
    "gpt-35-turbo",
    "gpt-4-32k",
    "gpt-4-turbo",
    "meta-llama-3-8b-instruct-2",
    "phi-3-medium-128k-instruct-1",
)
TIED = "212"
"""The question of BIRD mini-dev whose gold for PostgreSQL has a tie at its LIMIT."""
LEFT_TO_THE_TIE = frozenset({"gpt-35-turbo-instruct", "gpt-35-turbo", "phi-3-medium-128k-instruct-1"})
"""Who predicts one of the rows that tie; the others return more columns, or fail."""
BIRD_FILES = (
    ("dev.json", "dev274__predict_dev-codes-15b-bird-with-evidence"),
    ("dev.json", "dev274__predict_dev-codes-1b-bird"),
    *(("mini_dev_sqlite.v2025.json", f"mini_v202592__predict_mini_dev_{system}_sqlite") for system in MINI_DEV_SYSTEMS),
)
LIMITS = Limits(seconds=8)  # two predictions take 15 s, and are wrong in any case
CONVENTIONS = ("spider", "spider_keep_distinct", "bird", "bird_soft_f1", "defog_exact", "defog", "spider2")
"""The columns of `convention_verdicts.csv`."""
OFFICIAL = {"spider": "exec", "spider_keep_distinct": "exec_keep_distinct"}
"""The fields of Spider's own verdicts."""
Scores = dict[int, float]
"""The score of each position."""


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with Runner(default_workers(), megabytes=LIMITS.megabytes) as runner:
        yield runner


def scored(
    runner: Runner,
    spec: str,
    predictions: Path,
    conventions: Sequence[str],
    *,
    databases: Path | None = None,
    backend: str = "sqlite",
    target: str | None = None,
    db_ids: Collection[str] = (),
    limits: Limits = LIMITS,
) -> list[ItemRecord]:
    dataset = open_dataset(spec, databases=databases)
    questions = list(dataset.questions())
    given = read_predictions(predictions, questions)
    records: list[ItemRecord] = []
    strategies = [make_strategy(f"execution_match:{convention}") for convention in conventions]
    finder = Databases(dataset, backend, target)
    wanted = [question for question in questions if not db_ids or question.db_id in db_ids]
    asyncio.run(
        score(wanted, given.sql_by_id, finder, strategies, runner, records.append, limits=limits, gold_limits=limits)
    )
    return sorted(records, key=lambda record: record.position)


def scores(records: list[ItemRecord], place: int) -> Scores:
    """The scores under the convention at this place, rounded as they were published."""
    return {record.position: round(record.verdicts[place].score, 6) for record in records}


@pytest.fixture(scope="module")
def published(data: Path) -> dict[str, dict[str, Scores]]:
    """By system and convention."""
    verdicts: dict[str, dict[str, Scores]] = defaultdict(lambda: defaultdict(dict))
    with (data / "spider" / "convention_verdicts.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            for convention in CONVENTIONS:
                verdicts[row["system"]][convention][int(row["idx"])] = float(row[convention])
    return verdicts


def official(folder: Path, name: str, field: str) -> Scores:
    lines = (folder / "official_verdicts" / f"{name}.jsonl").read_text().splitlines()
    return {row["idx"]: row[field] for row in map(json.loads, lines)}


@pytest.mark.parametrize("system", SPIDER_SYSTEMS)
def test_spider(system: str, data: Path, runner: Runner, published: dict[str, dict[str, Scores]]) -> None:
    spider = data / "spider"
    records = scored(runner, f"spider:{spider}", spider / "predictions" / f"{system}.txt", CONVENTIONS)

    assert len(records) == 1034
    reasons = {record.verdicts[0].reason.value for record in records if record.db_id == "wta_1"}
    assert reasons == {"database_missing"}
    there = [record for record in records if record.db_id != "wta_1"]
    assert Counter(verdict.status is Status.UNSCORED for record in there for verdict in record.verdicts) == {
        False: 6804
    }
    for place, convention in enumerate(CONVENTIONS):
        ours = scores(there, place)
        if convention in OFFICIAL:
            assert ours == official(spider, system, OFFICIAL[convention]), convention
        if system in published:
            assert ours == published[system][convention], convention


def test_every_published_row_is_compared(published: dict[str, dict[str, Scores]], data: Path) -> None:
    assert set(published) <= set(SPIDER_SYSTEMS)
    assert {len(rows) for system in published.values() for rows in system.values()} == {972}
    assert sum(len(rows) for system in published.values() for rows in system.values()) == 7 * 7776
    assert {path.stem for path in (data / "spider" / "official_verdicts").iterdir()} == set(SPIDER_SYSTEMS)
    assert all(len(official(data / "spider", system, "exec")) == 972 for system in SPIDER_SYSTEMS)


@pytest.mark.parametrize(("questions", "name"), BIRD_FILES)
def test_bird(questions: str, name: str, data: Path, runner: Runner) -> None:
    bird = data / "bird"
    predictions = bird / "predictions" / f"{name.partition('__')[2]}.json"
    spec = f"bird:{bird / 'questions' / questions}"
    records = scored(runner, spec, predictions, ["bird"], databases=bird / "databases")

    ids = official(bird, name, "question_id")
    ours = {record.position: record for record in records if record.position in ids}
    assert {position: record.id for position, record in ours.items()} == {key: str(id_) for key, id_ in ids.items()}
    assert scores(list(ours.values()), 0) == official(bird, name, "res")


@pytest.fixture(scope="module")
def bird_in_postgres(postgres_server: Server, data: Path) -> Iterator[str]:
    """The target of BIRD's databases, made from its dumps."""
    world = PostgresWorld(postgres_server.owner, postgres_server.reader)
    try:
        yield world.make_from_dumps(sorted((data / "bird" / "databases_postgres").glob("*.sql")))
    finally:
        world.close()


@pytest.mark.parametrize("system", MINI_DEV_SYSTEMS)
def test_bird_on_postgres(system: str, data: Path, runner: Runner, bird_in_postgres: str) -> None:
    bird = data / "bird"
    records = scored(
        runner,
        f"bird:{bird / 'questions' / 'ibm_bird_mini_dev_postgres.json'}",
        bird / "predictions" / f"predict_mini_dev_{system}_postgresql.json",
        ["bird", "sqlassay"],
        backend="postgres",
        target=bird_in_postgres,
        db_ids=("superhero", "toxicology"),
        limits=Limits(rows=2_000_000),  # one prediction repeats its 13 rows that often
    )
    name = f"mini_pg92__predict_mini_dev_{system}_postgresql"
    ids, res = official(bird, name, "question_id"), official(bird, name, "res")
    published = {str(ids[position]): res[position] for position in ids if str(ids[position]) != TIED}
    ours = {record.id: record.verdicts[0].score for record in records if record.id != TIED}
    assert len(published) == 91
    assert ours == published
    (tied,) = (record.verdicts[1] for record in records if record.id == TIED)
    assert (tied.reason is Reason.MATCH_AMBIGUOUS) == (system in LEFT_TO_THE_TIE)


def test_defog_on_postgres(postgres_server: Server, data: Path, runner: Runner) -> None:
    defog = data / "defog"
    world = PostgresWorld(postgres_server.owner, postgres_server.reader)
    asked = [
        (question.db_id, gold)
        for file in sorted((defog / "questions").glob("*_postgres.csv"))
        for question in open_dataset(f"defog:{file}").questions()
        for gold in question.golds("postgres")
    ]
    try:
        target = world.make_from_dumps(sorted((defog / "postgres").glob("*.sql")))
        outcomes = [
            runner.submit(Statement("postgres", target.replace("{db_id}", db_id), gold, LIMITS))
            for db_id, gold in asked
        ]
        failed = {
            gold: outcome.result()
            for (_, gold), outcome in zip(asked, outcomes, strict=True)
            if not isinstance(outcome.result(), ResultTable)
        }
    finally:
        world.close()
    assert len(asked) == 484  # of 314 questions
    assert failed == {}


def test_duckdb_nsql(data: Path, runner: Runner) -> None:
    """Of its 75 golds, 46 are queries of what is in the database; the others write, set, show, or reach for files."""
    folder = data / "duckdb_nsql"
    dataset = open_dataset(f"spider:{folder / 'dev.json'}", databases=folder / "databases")
    outcomes = [
        runner.submit(
            Statement("duckdb", str(dataset.database(question.db_id, (".duckdb",))), question.gold[0], LIMITS)
        )
        for question in dataset.questions()
    ]
    ran = [outcome.result() for outcome in outcomes]
    kinds = Counter("ran" if isinstance(outcome, ResultTable) else outcome.kind.value for outcome in ran)
    assert kinds == {"ran": 46, "write_attempt": 18, "not_a_query": 8, "permission": 3}
