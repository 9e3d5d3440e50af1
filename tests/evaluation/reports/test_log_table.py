"""The log of a run in DuckDB: what it counts is what comes of adding the records up one by one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.comparison.mechanism import Mechanism
from evaluation.datasets.opening import open_dataset
from evaluation.jsonl import line_of
from evaluation.records import AnswerRecord, CallRecord, ExecutionRecord, FirstRecord, ItemRecord, RouteRecord
from evaluation.records import VerdictRecord as Told
from evaluation.reports.disagreement import Disagreements, disagree
from evaluation.reports.log_table import _LOOKED_AT, LogTable
from evaluation.reports.slices import KEYS, Slices
from evaluation.reports.summary import RunSummary
from evaluation.reports.taxonomy import Taxonomy
from evaluation.run_log import ITEMS, MANIFEST, RunFolder
from evaluation.runs import analyse
from evaluation.verdicts import Reason, Status
from sqlassay.errors import UserError
from tests.evaluation.calibration.judged import JUDGE, judged, write_run
from tests.evaluation.world import GOLD, World

IDENTITY = {"dataset": {"questions": 3}, "strategies": [], "backend": {"name": "sqlite"}}
FIELDS: dict[str, Any] = {
    "run_id": "trial-01",
    "group": "trial",
    "cells": 1,
    "title": "tape",
    "status": "finished",
    "started": "2026-01-31T12:00:00+00:00",
    "experiment": {"name": "trial"},
    "identity": IDENTITY,
    "max_instrument_failures": 0.05,
}


def run_of(folder: Path, content: bytes) -> RunFolder:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).write_text(json.dumps(FIELDS))
    (folder / ITEMS).write_bytes(content)
    return RunFolder(folder)


def lines(records: Sequence[ItemRecord]) -> bytes:
    return b"".join(map(line_of, records))


def one_by_one(folder: RunFolder, key: str) -> list[Any]:
    """The oracle: every record is read, and added up."""
    summary, slices = RunSummary("tape", "trial-01", total=3), Slices(key, "sqlite")
    disagreements, taxonomy = Disagreements(), Taxonomy()
    for record in folder.items():
        for counted in (summary, slices, disagreements, taxonomy):
            counted.add(record)
    return [
        summary.to_json(),
        [part.to_json() for part in slices.summaries],
        [vars(parting) for parting in disagreements.partings],
        [row.to_json() for row in taxonomy.rows],
        [list(one.reasons) for one in summary.strategies.values()],
        *([one.not_asked, one.annotations, one.judged, list(one.figures)] for one in summary.strategies.values()),
    ]


def at_once(folder: RunFolder, key: str) -> list[Any]:
    """The same from the table."""
    summary, slices = RunSummary("tape", "trial-01", total=3), Slices(key, "sqlite")
    disagreements, taxonomy = Disagreements(), Taxonomy()
    with LogTable(folder, slices) as table:
        table.summarise(summary)
        table.summarise_slices()
        for record, times in table.alike():
            disagreements.add(record, times)
            taxonomy.add(record, times)
    return [
        summary.to_json(),
        [part.to_json() for part in slices.summaries],
        [vars(parting) for parting in disagreements.partings],
        [row.to_json() for row in taxonomy.rows],
        [list(one.reasons) for one in summary.strategies.values()],
        *([one.not_asked, one.annotations, one.judged, list(one.figures)] for one in summary.strategies.values()),
    ]


def same(found: Any, expected: Any) -> bool:
    """Whether two values are equal, floats but for the order in which they were added."""
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(same(found[key], expected[key]) for key in expected)
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(same, found, expected))
    return bool(found == pytest.approx(expected, rel=1e-9)) if isinstance(expected, float) else found == expected


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
NAMES = st.sampled_from(["a", "b", "é", "'", '"', "{}", "a\0", ""])
SHARES = st.sampled_from([0.0, 1.0, 0.1, 1 / 3])
EVIDENCE = st.fixed_dictionaries(
    {},
    optional={
        "figures": st.dictionaries(NAMES, st.sampled_from([1, 0.1, 2.5, True, None, "5", -3]), max_size=2),
        "golds_for": st.lists(NAMES, max_size=2) | st.just("duckdb"),
        "order": st.sampled_from(["not checked", "free"]),
        "judges": st.dictionaries(st.sampled_from(["m", "asked"]), TEXT, max_size=2),
        "judge_categories": st.lists(NAMES, max_size=3) | st.none(),
        "not_asked": NAMES | st.just(3),
        "annotation": NAMES,
        "mechanism": st.sampled_from([*Mechanism, "of a later version", None]),
        "rows": st.lists(st.integers(), max_size=2),
    },
)
VERDICTS = st.lists(
    st.builds(
        lambda label, reason, score, evidence: Told(label, reason.status, score, reason, evidence),
        st.sampled_from(["execution_match", "llm_judge", "x"]),
        st.sampled_from(Reason),
        SHARES,
        EVIDENCE,
    ),
    max_size=3,
).map(tuple)
COUNTS = st.none() | st.integers(0, 2**40)
ANSWERS = st.none() | st.builds(
    AnswerRecord,
    st.just("0"),
    finish_reason=st.sampled_from([None, "stop"]),
    model=NAMES,
    input_tokens=COUNTS,
    output_tokens=COUNTS,
    cost=st.none() | SHARES,
    cached=st.booleans(),
)
CALLS = st.lists(st.builds(CallRecord, NAMES, NAMES, NAMES, ANSWERS), max_size=2).map(tuple)
RECORDS = st.builds(
    ItemRecord,
    NAMES | TEXT,
    st.integers(0, 9),
    NAMES,
    TEXT,
    difficulty=st.none() | st.sampled_from(["easy", "hard", "é"]),
    tags=st.lists(NAMES, max_size=2).map(tuple),
    conversation=st.none() | NAMES,
    turn=st.none() | st.integers(0, 3),
    turns=st.none() | st.integers(1, 3),
    answer=ANSWERS,
    golds=st.lists(
        st.builds(ExecutionRecord, st.sampled_from(["SELECT 1", "SELECT a FROM t, u", "no ("])), max_size=2
    ).map(tuple),
    verdicts=VERDICTS,
    calls=CALLS,
    answered_by=st.none() | NAMES,
    route=st.none() | st.builds(RouteRecord, NAMES, NAMES),
    first=st.none() | st.builds(FirstRecord, st.none(), st.none(), VERDICTS),
    judging=CALLS,
)


@settings(max_examples=60)
@given(
    records=st.lists(RECORDS, max_size=8), key=st.sampled_from(sorted(KEYS)), tail=st.sampled_from([b"", b'{"id":"'])
)
def test_as_one_by_one(
    records: list[ItemRecord], key: str, tail: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = run_of(tmp_path_factory.mktemp("run"), lines(records) + tail)
    found, expected = at_once(folder, key), one_by_one(folder, key)
    assert same(found, expected), (found, expected)
    with LogTable(folder) as table:
        for wanted in (disagree, has(Status.UNSCORED), has(None)):
            listed = list(folder.items_at(table.places(wanted)))
            assert listed == [record for record in folder.items() if wanted(record)]


def has(status: Status | None) -> Callable[[ItemRecord], bool]:
    return lambda record: status in (None, *(verdict.status for verdict in record.verdicts))


def test_every_key_of_slices_can_be_asked_for() -> None:
    assert set(_LOOKED_AT) == set(KEYS)


def record(number: int, reason: Reason = Reason.MATCH, **fields: Any) -> ItemRecord:
    verdict = Told("execution_match", reason.status, float(reason is Reason.MATCH), reason)
    return ItemRecord(f"q{number}", number, "show", "?", verdicts=(verdict,), **fields)


def counted(folder: RunFolder) -> dict[str, int]:
    summary = analyse(folder).summary
    return {reason.value: n for reason, n in summary.strategies["execution_match"].reasons.items()}


def test_the_last_record_of_an_id_counts_wherever_it_is(tmp_path: Path) -> None:
    """In a file of many pieces, which DuckDB reads side by side."""
    many = [record(n, Reason.PROVIDER_DOWN, note="x" * 2_000) for n in range(12_000)]
    later = [record(n, Reason.MATCH, note="x" * 2_000) for n in range(0, 12_000, 3)]
    folder = run_of(tmp_path, lines([*many, *later]))
    assert counted(folder) == {"provider_down": 8_000, "match": 4_000}
    places = analyse(folder, wanted=has(Status.CORRECT)).shown
    assert places == list(range(12_000, 16_000))
    assert [item.id for item in folder.items_at(places)] == [item.id for item in later]


@pytest.mark.parametrize(
    "tail",
    [b'{"id":"q9","verd', b'{"id":"\xc3', line_of(record(9, Reason.EMPTY))[:-1], b"\n", b"x" * 70_000],
    ids=["torn", "in a character", "whole but for its end", "empty line", "long"],
)
def test_a_last_line_that_is_torn_is_left_out(tail: bytes, tmp_path: Path) -> None:
    assert counted(run_of(tmp_path, lines([record(0), record(1)]) + tail)) == {"match": 2}


def test_a_line_longer_than_any_other(tmp_path: Path) -> None:
    folder = run_of(tmp_path, lines([record(0), record(1, note="x" * 20_000_000), record(2)]))
    assert counted(folder) == {"match": 3}


def test_a_run_without_items(tmp_path: Path) -> None:
    folder = run_of(tmp_path, b"")
    assert analyse(folder, "feature").summary.items == 0
    (tmp_path / ITEMS).unlink()
    analysis = analyse(folder, "tag", disagree)
    assert (analysis.summary.items, analysis.slices, analysis.shown) == (0, [], [])


def test_records_from_before_there_were_further_fields(tmp_path: Path) -> None:
    old = (
        b'{"id":"q0","position":0,"db_id":"show","question":"?","answer":{"prompt_sha256":"0","finish_reason":"stop"},'
        b'"verdicts":[{"strategy":"execution_match","status":"correct","score":1,"reason":"match"}]}\n'
    )
    folder = run_of(tmp_path, old)
    for key in KEYS:
        assert same(at_once(folder, key), one_by_one(folder, key))


@pytest.mark.parametrize("name", ["[a]*?", "day=5", "it's", "é ~", "id=7"])
def test_a_folder_of_any_name(name: str, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    assert counted(run_of(tmp_path / name, lines([record(0)]))) == {"match": 1}


GOOD = line_of(record(0))
BROKEN = {
    "no JSON": (b"garbage\n", "{items}:2: not JSON: "),
    "no object": (b"[]\n", "{items}:2: not a JSON object"),
    "nothing": (b"null\n", "{items}:2: not a JSON object"),
    "no UTF-8": (GOOD.replace(b"q0", b"\xff"), "{items}:2: not JSON: 'utf-8' codec can't decode"),
    "two on a line": (GOOD[:-1] + GOOD, "{items}:2: not JSON: Extra data"),
    "no id": (GOOD.replace(b'"id"', b'"ID"'), "{items}:2: not an item record"),
    "a number for an id": (GOOD.replace(b'"q0"', b"5"), "{items}:2: not an item record"),
    "no verdicts": (GOOD.replace(b'"verdicts"', b'"v"'), "{items}:2: not an item record"),
    "unknown reason": (GOOD.replace(b'"match"', b'"luck"'), "{items}: not an item record: "),
    "unknown status": (GOOD.replace(b'"correct"', b'"right"'), "{items}: not an item record: "),
    "no reason": (GOOD.replace(b'"reason"', b'"because"'), "{items}: not an item record: "),
    "no strategy": (GOOD.replace(b'"strategy"', b'"by"'), "{items}: not an item record: "),
    "score in words": (GOOD.replace(b"1.0", b'"all"'), "{items}: not an item record: "),
    "no question": (GOOD.replace(b'"question"', b'"q"'), "{items}: not an item record: "),
    "position in words": (GOOD.replace(b'"position":0', b'"position":"first"'), "{items}: not an item record: "),
}


@pytest.mark.parametrize(("line", "expected"), BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_said_in_one_line_with_its_place(line: bytes, expected: str, tmp_path: Path) -> None:
    folder = run_of(tmp_path, lines([record(1)]) + line + lines([record(2)]))
    with pytest.raises(UserError) as caught:
        analyse(folder)
    assert str(caught.value).startswith(expected.replace("{items}", str(tmp_path / ITEMS)))
    assert "\n" not in str(caught.value)


def test_what_only_duckdb_cannot_read_is_said_in_its_words(tmp_path: Path) -> None:
    content = lines([record(0, answer=AnswerRecord("0", finish_reason="stop", input_tokens=2**70))])
    with pytest.raises(UserError, match=r"items.jsonl: .*line 1.*1180591620717411303424") as caught:
        analyse(run_of(tmp_path, content))
    assert "\n" not in str(caught.value)


def test_a_run_that_goes_on_while_it_is_read(tmp_path: Path) -> None:
    """A writer adds piece by piece, torn lines among them; whatever is read is a part of it from the start."""
    folder = run_of(tmp_path, lines([record(0)]))
    script = (
        "import sys\n"
        "line = sys.stdin.buffer.read()\n"
        "with open(sys.argv[1], 'ab', buffering=0) as file:\n"
        "    for n in range(3000):\n"
        "        one = line.replace(b'q0', b'q%d' % (n + 1))\n"
        "        file.write(one[:50]); file.write(one[50:])\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path / ITEMS)], stdin=subprocess.PIPE) as writer:
        assert writer.stdin is not None
        writer.stdin.write(GOOD)
        writer.stdin.close()
        found = [counted(folder)["match"]]
        while writer.poll() is None:
            found.append(counted(folder)["match"])
    assert found == sorted(found)
    assert counted(folder)["match"] == 3_001


def test_runs_with_predictions_and_repeats(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(world.folder)
    world.questions([{"id": f"q{n}", "difficulty": "easy"} for n in range(4)] + [{"id": "q4", "gold": "SELECT nope"}])
    world.answers({"q0": GOLD, "q1": "SELECT 0", "q2": "I do not know.", "q3": GOLD, "q4": GOLD})
    path = world.experiment(
        repeats=2, strategies=["execution_match", "execution_match:bird"], max_instrument_failures=1
    )
    assert world.run("run", path, "-q") == 0
    for run in world.run_folders():
        for key in KEYS:
            assert same(at_once(RunFolder(run), key), one_by_one(RunFolder(run), key))


@pytest.mark.data
@pytest.mark.timeout(300)
@pytest.mark.parametrize("system", ["c3sql_chatgpt", "din-repo_CodeX_DIN-SQL"])
def test_a_run_over_spider(system: str, world: World, data: Path) -> None:
    spider = data / "spider"
    there = sorted(path.name for path in (spider / "database").iterdir() if path.is_dir())
    given = (spider / "predictions" / f"{system}.txt").read_text().splitlines()
    questions = open_dataset(f"spider:{spider}").questions()
    world.answers({question.id: sql for question, sql in zip(questions, given, strict=True)})
    experiment = world.experiment(
        dataset={"format": "spider", "path": str(spider), "filter": {"db_id": there}},
        strategies=["execution_match", "execution_match:bird", "execution_match:bird_soft_f1", "exact_set_match"],
        workers=None,
    )
    assert world.run("run", experiment, "--quiet") == 0
    (run,) = map(RunFolder, world.run_folders())
    for key in KEYS:
        assert same(at_once(run, key), one_by_one(run, key))
    assert analyse(run).summary.items == 972


def test_a_run_with_judges(tmp_path: Path) -> None:
    run = write_run(tmp_path, "judged", judged(300, 0.6, seed=7))
    for key in KEYS:
        assert same(at_once(run, key), one_by_one(run, key))
    assert {row.strategy for row in analyse(run).taxonomy} == {JUDGE}
