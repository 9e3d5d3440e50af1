"""CSV and Parquet: what they hold is what the records say."""

from __future__ import annotations

import csv
import json
import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.records import AnswerRecord, CallRecord, ItemRecord, VerdictRecord
from evaluation.reports.csv import CsvReport
from evaluation.reports.parquet import ParquetReport
from evaluation.reports.rows import COLUMNS
from evaluation.reports.summary import Tokens
from evaluation.run_log import RunFolder
from evaluation.verdicts import Reason, Status
from sqlassay.errors import UserError
from tests.evaluation.reports.folders import RECORDS, run_folder

RUN = ("run_id", "group", "title", "model", "prompt", "backend", "repeat")
_LEADING = re.compile("^'*[=+\\-@\t\r\n＝＋－＠]")


def parquet(runs: Sequence[RunFolder], path: Path) -> list[dict[str, Any]]:
    ParquetReport().write(runs, path)
    with duckdb.connect() as database:
        found = database.execute("SELECT * FROM read_parquet(?)", [str(path)])
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def spreadsheet(runs: Sequence[RunFolder], path: Path) -> list[dict[str, str]]:
    CsvReport().write(runs, path)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def expected(run: RunFolder, record: ItemRecord, verdict: VerdictRecord) -> dict[str, Any]:
    """From the record, without DuckDB."""
    answers = [record.answer, *(call.answer for call in record.calls)]
    told = [answer for answer in answers if answer is not None and answer.finish_reason is not None]
    paid = [answer for answer in told if not answer.cached]

    def total(name: str) -> float | None:
        values = [getattr(answer, name) for answer in paid]
        return None if not told or None in values else sum(values)

    gold = record.golds[0] if record.golds else None
    return {
        "run_id": run.run_id,
        "group": "g",
        "title": run.manifest["title"],
        "model": run.manifest["model_label"],
        "prompt": "a@1",
        "backend": "sqlite",
        "repeat": 0,
        "id": record.id,
        "position": record.position,
        "db_id": record.db_id,
        "question": record.question,
        "difficulty": record.difficulty,
        "tags": list(record.tags),
        "conversation": record.conversation,
        "turn": record.turn,
        "strategy": verdict.strategy,
        "status": verdict.status.value,
        "score": verdict.score,
        "reason": verdict.reason.value,
        "sql": record.sql,
        "rows": record.predicted and record.predicted.rows,
        "failure": record.predicted and record.predicted.failure,
        "message": record.predicted and record.predicted.message,
        "execution_seconds": record.predicted and record.predicted.seconds,
        "golds": len(record.golds),
        "gold_sql": gold and (gold.sql if gold.source is None else gold.source),
        "gold_rows": gold and gold.rows,
        "answered_by": record.answered_by,
        "finish_reason": record.answer and record.answer.finish_reason,
        "requests": len(paid),
        "from_cache": len(told) - len(paid),
        "input_tokens": total("input_tokens"),
        "output_tokens": total("output_tokens"),
        "cost": total("cost"),
        "answer_seconds": record.answer and record.answer.seconds,
        "started": record.started,
        "seconds": record.seconds,
    }


def all_expected(runs: Iterable[RunFolder]) -> list[dict[str, Any]]:
    return [
        expected(run, record, verdict)
        for run in runs
        for record in sorted(run.items(), key=lambda record: record.position)
        for verdict in record.verdicts
    ]


def same(found: Any, wanted: Any) -> bool:
    return bool(found == pytest.approx(wanted)) if isinstance(wanted, float) else found == wanted


def in_csv(value: Any) -> str:
    """As a cell has it."""
    text = "" if value is None else str(value)
    return f"'{text}" if isinstance(value, str) and _LEADING.search(text) else text


@settings(max_examples=15)
@given(st.lists(RECORDS, max_size=10))
def test_both_hold_what_the_records_say(records: list[ItemRecord]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        runs = [run_folder(Path(folder) / name, records, model=name) for name in ("one", "[two*]")]
        wanted = all_expected(runs)
        rows = parquet(runs, Path(folder) / "o.parquet")
        assert len(rows) == len(wanted)
        for found, row in zip(rows, wanted, strict=True):
            assert list(found) == list(COLUMNS)
            found["tags"] = json.loads(found["tags"])
            assert {key: found[key] for key in row if not same(found[key], row[key])} == {}
        cells = spreadsheet(runs, Path(folder) / "o.csv")
        for line, row in zip(cells, wanted, strict=True):
            texts = {key: value for key, value in row.items() if COLUMNS[key][0] == "VARCHAR" and key != "tags"}
            assert {key: line[key] for key in texts} == {key: in_csv(value) for key, value in texts.items()}
            assert not any(line[key].startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for key in texts)
            numbers = {key: value for key, value in row.items() if COLUMNS[key][0] != "VARCHAR"}
            assert {key for key, value in numbers.items() if (line[key] == "") != (value is None)} == set()
            assert all(float(line[key]) == pytest.approx(value) for key, value in numbers.items() if value is not None)


def record(id_: str, position: int, reason: Reason = Reason.MATCH, **fields: Any) -> ItemRecord:
    verdict = VerdictRecord("execution_match", reason.status, float(reason.status is Status.CORRECT), reason)
    return ItemRecord(id_, position, "shop", "How many?", verdicts=(verdict,), **fields)


def test_the_types_stay(tmp_path: Path) -> None:
    path = tmp_path / "o.parquet"
    ParquetReport().write([run_folder(tmp_path / "run", [])], path)
    with duckdb.connect() as database:
        found = database.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
    assert [(row[0], row[1]) for row in found] == [(name, type_) for name, (type_, _) in COLUMNS.items()]


def test_nothing_and_an_empty_text_are_two_things_in_csv(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "run", [record("a", 0, sql=""), record("b", 1, sql=None)])
    CsvReport().write([run], path := tmp_path / "o.csv")
    with duckdb.connect() as database:
        found = database.execute("SELECT id, sql FROM read_csv(?, allow_quoted_nulls = false)", [str(path)]).fetchall()
    assert found == [("a", ""), ("b", None)]


def test_the_last_record_of_an_id_counts_and_a_torn_line_does_not(tmp_path: Path) -> None:
    whole = b'{"id":"t","position":9,"db_id":"d","question":"q","verdicts":[]}'
    for number, (status, tail) in enumerate([("running", whole), ("finished", whole[:20]), ("finished", b"")]):
        again = [record("a", 0, Reason.PROVIDER_DOWN), record("b", 1), record("a", 0)]
        run = run_folder(tmp_path / f"run{number}", again, status=status, tail=tail)
        before = (run.path / "items.jsonl").read_bytes()
        rows = parquet([run], tmp_path / "o.parquet")
        assert [(row["id"], row["reason"]) for row in rows] == [("a", "match"), ("b", "match")]
        assert (run.path / "items.jsonl").read_bytes() == before


def test_a_run_without_items(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "run", [])
    (run.path / "items.jsonl").unlink()
    assert parquet([run], tmp_path / "o.parquet") == []
    assert spreadsheet([run], tmp_path / "o.csv") == []


def test_columns_add_up_to_what_the_report_says(tmp_path: Path) -> None:
    answers = [AnswerRecord("p", finish_reason="stop", input_tokens=n, output_tokens=1, cost=n / 4) for n in range(4)]
    call = CallRecord(
        "sample 1", "m", "", AnswerRecord("p", finish_reason="stop", input_tokens=50, output_tokens=5, cost=2)
    )
    known = AnswerRecord("p", finish_reason="stop", input_tokens=70, output_tokens=7, cost=3.0, cached=True)
    records = [record(f"q{n}", n, answer=answer, calls=(call,)) for n, answer in enumerate([*answers, known])]
    run = run_folder(tmp_path / "run", records)
    tokens = Tokens()
    for one in records:
        tokens.add([one.answer, *(call.answer for call in one.calls)])
    rows = parquet([run], tmp_path / "o.parquet")
    sums = [
        sum(row[name] for row in rows) for name in ("requests", "from_cache", "input_tokens", "output_tokens", "cost")
    ]
    assert sums == [tokens.asked, tokens.from_cache, tokens.input, tokens.output, tokens.cost]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b'{"id": "a"\n', "items.jsonl:2: not JSON"),
        (b"[1]\n", "items.jsonl:2: not a JSON object"),
        (b'{"id":"x"}\n', "items.jsonl:2: not an item record"),
        (b'{"id":"x","position":0,"db_id":"d","question":"q","verdicts":[5]}\n', "items.jsonl: not an item record"),
    ],
)
def test_a_line_that_is_no_record_is_named(line: bytes, told: str, tmp_path: Path) -> None:
    run = run_folder(tmp_path / "run", [record("a", 0)], tail=line + b'{"id":"z","verdicts":[]}\n')
    with pytest.raises(UserError, match=re.escape(told)):
        ParquetReport().write([run], tmp_path / "o.parquet")


@pytest.mark.parametrize("report", [CsvReport(), ParquetReport()], ids=["csv", "parquet"])
def test_a_full_disk_is_an_error_of_the_system(report: CsvReport | ParquetReport, tmp_path: Path) -> None:
    run = run_folder(tmp_path / "run", [record("a", 0)])
    with pytest.raises(OSError, match="No space left on device"):
        report.write([run], Path("/dev/full"))
