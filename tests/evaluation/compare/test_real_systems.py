"""Twelve published systems on Spider, all against each other: what the command counts is what can be counted by hand.

From the files of predictions, by the path that the command takes; the hand counts from the verdicts that the authors of
the convention's script gave. Needs the real benchmark data.
"""

from __future__ import annotations

import asyncio
import csv
import json
from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations
from math import comb
from pathlib import Path

import pytest

from database_backends.result import Limits
from database_backends.runner import Runner, default_workers
from evaluation.compare.answers import Pair
from evaluation.compare.comparison import compare
from evaluation.compare.detail import details
from evaluation.compare.scored_file import ScoredFile, Scorer
from evaluation.databases import Databases
from evaluation.datasets.opening import open_dataset
from evaluation.datasets.selection import Selection
from evaluation.strategies.making import make_execution_matches
from tests.evaluation.spider_systems import SPIDER_SYSTEMS
from tests.evaluation.world import World

pytestmark = [pytest.mark.data, pytest.mark.timeout(600)]

LIMITS = Limits(seconds=8)
Right = frozenset[int]
"""The positions of the questions that a system has right."""


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with Runner(default_workers(), megabytes=LIMITS.megabytes) as runner:
        yield runner


@pytest.fixture(scope="module")
def scored(data: Path, runner: Runner) -> dict[str, ScoredFile]:
    """Every file, scored once."""
    dataset = open_dataset(f"spider:{data / 'spider'}")
    strategies = make_execution_matches(["spider"])
    scorer = Scorer(dataset, Selection(), Databases.of(dataset, "sqlite"), strategies, LIMITS, LIMITS)

    async def score(name: str) -> ScoredFile:
        given = scorer.read(data / "spider" / "predictions" / f"{name}.txt")
        return await scorer.score(given, name, runner, lambda _: None)

    return {name: asyncio.run(score(name)) for name in SPIDER_SYSTEMS}


@pytest.fixture(scope="module")
def published(data: Path) -> dict[str, Right]:
    """By the script of Spider's authors: of eight systems in one table, of the others in files of their own."""
    verdicts: dict[str, dict[int, bool]] = defaultdict(dict)
    with (data / "spider" / "convention_verdicts.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            verdicts[row["system"]][int(row["idx"])] = row["spider"] == "1"
    for name in set(SPIDER_SYSTEMS) - set(verdicts):
        lines = (data / "spider" / "official_verdicts" / f"{name}.jsonl").read_text().splitlines()
        verdicts[name] = {row["idx"]: bool(row["exec"]) for row in map(json.loads, lines)}
    assert {len(rows) for rows in verdicts.values()} == {972}
    return {name: frozenset(idx for idx, right in rows.items() if right) for name, rows in verdicts.items()}


def mcnemar(only_a: int, only_b: int) -> float:
    """As many coins as there are disagreements, counted one by one."""
    coins = only_a + only_b
    tail = sum(comb(coins, heads) for heads in range(min(only_a, only_b) + 1))
    return float(min(Fraction(1), Fraction(2 * tail, 2**coins)))


def positions(flips: tuple[Pair, ...]) -> Right:
    return frozenset(int(flip.asked.id) for flip in flips)


@pytest.mark.parametrize(("one", "other"), list(combinations(SPIDER_SYSTEMS, 2)))
def test_all_against_each_other(
    one: str, other: str, scored: dict[str, ScoredFile], published: dict[str, Right]
) -> None:
    (found,) = compare([scored[one], scored[other]])
    a, b = published[one], published[other]
    assert positions(found.lost) == a - b
    assert positions(found.won) == b - a
    assert (found.pairs, found.both_right, found.both_wrong) == (972, len(a & b), 972 - len(a | b))
    assert found.accuracies is not None
    assert [accuracy.share for accuracy in found.accuracies] == [len(a) / 972, len(b) / 972]
    assert found.paired is not None
    assert found.paired.p == pytest.approx(mcnemar(len(a - b), len(b - a)), rel=1e-9)
    assert found.paired.difference == (len(b) - len(a)) / 972
    assert sum(found.partings.values()) == len(a ^ b)


def test_the_command_says_the_same(data: Path, published: dict[str, Right], capsys: pytest.CaptureFixture[str]) -> None:
    """From the command line to its JSON, of three."""
    spider = data / "spider"
    names = ["dail-sql_gpt4", "c3sql_chatgpt", "codes-1b_sft"]
    files = [spider / "predictions" / f"{name}.txt" for name in names]
    world = World(spider)
    options = ("--dataset", f"spider:{spider}", "--convention", "spider", "--timeout", "8", "-q", "--json")
    assert world.run("compare", *files, *options) == 0
    told = json.loads(capsys.readouterr().out)["comparisons"]
    a = published[names[0]]
    for one, name in zip(told, names[1:], strict=True):
        b = published[name]
        assert one["p_mcnemar"] == pytest.approx(mcnemar(len(a - b), len(b - a)), rel=1e-9)
        assert {int(flip["id"]) for flip in one["flips"]["only_baseline"]} == a - b
        assert {int(flip["id"]) for flip in one["flips"]["only_candidate"]} == b - a
        assert sum(part["questions"] for part in one["slices"]) == 972


def test_tables_of_what_was_published(scored: dict[str, ScoredFile], runner: Runner) -> None:
    """Every gold can be read; a statement that is right reads the gold's tables nearly always, not by definition."""
    found = compare([scored["codes-15b_sft"], scored["spider-official-example"]])
    (detail,) = asyncio.run(details(found, runner))
    good, bad = detail.tables
    assert (good.without_gold, bad.without_gold) == (0, 0)
    assert good.answers + good.unread + good.without_sql == bad.answers + bad.unread + bad.without_sql == 972
    assert good.micro is not None
    assert bad.micro is not None
    assert good.micro.recall > 0.97 > 0.9 > bad.micro.recall > 0.8
