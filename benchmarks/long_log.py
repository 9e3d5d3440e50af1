"""`sqlassay report` over the log of a very long run: time, memory, and what it takes to go through the file at all.

    python -m benchmarks.long_log [--items N] [--folder FOLDER]

The log is made of records as a run writes them, three strategies each; one item in fifty has an earlier record that a
later one replaces. With `--folder` it is kept there, and used again.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.measure import median_seconds, printed, run
from evaluation.jsonl import line_of
from evaluation.records import AnswerRecord, ExecutionRecord, ItemRecord, VerdictRecord
from evaluation.run_log import ITEMS, MANIFEST
from evaluation.verdicts import Reason, Verdict

STRATEGIES = ("execution_match", "execution_match:bird", "execution_match:spider")
RUN_ID = "long-log-01"
_TURNED = (  # how often, what execution finds, and what the two laxer conventions say of the same answer
    (62, Reason.MATCH, None, Reason.MATCH, Reason.MATCH),
    (2, Reason.MATCH_VACUOUS, "empty", Reason.MATCH_VACUOUS, Reason.MATCH_VACUOUS),
    (9, Reason.WRONG_ROWS, "rows", Reason.WRONG_ROWS, Reason.WRONG_ROWS),
    (5, Reason.WRONG_ORDER, "order", Reason.MATCH, Reason.WRONG_ORDER),
    (6, Reason.MISSING_COLUMNS, "columns", Reason.MISSING_COLUMNS, Reason.MISSING_COLUMNS),
    (4, Reason.MISSING_DISTINCT, "multiplicity", Reason.MATCH, Reason.MATCH),
    (6, Reason.UNKNOWN_COLUMN, None, Reason.UNKNOWN_COLUMN, Reason.UNKNOWN_COLUMN),
    (4, Reason.SYNTAX, None, Reason.SYNTAX, Reason.SYNTAX),
    (1, Reason.GOLD_TIMEOUT, None, Reason.GOLD_TIMEOUT, Reason.GOLD_TIMEOUT),
    (1, Reason.PROVIDER_DOWN, None, Reason.PROVIDER_DOWN, Reason.PROVIDER_DOWN),
)


def rows(items: int, folder: Path) -> Iterator[tuple[str, str, str]]:
    """What was measured, the figure, and what it is held against."""
    path = folder / RUN_ID
    if not (path / MANIFEST).exists():
        _write(items, path)
    used_before = time.process_time()
    plain = median_seconds(lambda: _read(path / ITEMS), 1)
    spent = f"{plain:.1f} s, {time.process_time() - used_before:.1f} s of CPU"
    size = (path / ITEMS).stat().st_size / 2**20
    yield f"a log of {items:,} items, {size:,.0f} MiB, read line by line", spent, ""
    for options, target in (
        ([], "target < 10 s, < 1 GB"),
        (["--json"], ""),
        (["--by", "difficulty"], ""),
        (["--show", "unscored"], ""),
    ):
        used = run(["report", str(path), *options], folder / "cache")
        what = f"{used.seconds:.1f} s, {used.cpu_seconds:.1f} s of CPU, {used.megabytes:.0f} MiB"
        yield " ".join(["  sqlassay report", *options]), what, target


def _read(path: Path) -> None:
    """The least that has to be done: a pass over the bytes."""
    with path.open("rb") as file:
        for _ in file:
            pass


def _write(items: int, path: Path) -> None:
    """A finished run of `items` items."""
    path.mkdir(parents=True, exist_ok=True)
    source = random.Random(1)
    with (path / ITEMS).open("wb") as file:
        for number in range(items):
            if number % 50 == 0:
                file.write(line_of(_record(number, source, _TURNED[-1])))
            file.write(line_of(_record(number, source, *source.choices(_TURNED, [one[0] for one in _TURNED]))))
    identity = {
        "dataset": {"format": "jsonl", "sha256": "0" * 64, "questions": items},
        "selection": {},
        "repeat": 0,
        "backend": {"name": "sqlite", "engine": "3"},
        "strategies": [{"label": label, "name": "execution_match"} for label in STRATEGIES],
    }
    manifest = {
        "run_id": RUN_ID,
        "group": "long-log",
        "cells": 1,
        "title": "long",
        "status": "finished",
        "started": "2026-01-31T12:00:00+00:00",
        "experiment": {"name": "long-log"},
        "identity": identity,
        "max_instrument_failures": 0.05,
    }
    (path / MANIFEST).write_text(json.dumps(manifest))


def _record(number: int, source: random.Random, turned: Sequence[object]) -> ItemRecord:
    _, reason, mechanism, *others = turned
    gold = f"SELECT name, price FROM products WHERE product_id <= {number % 1000} ORDER BY price DESC, name LIMIT 5"
    sql = gold.replace("ORDER BY", f"AND stock > {number % 77} ORDER BY")
    tokens, written = source.randrange(300, 3000), source.randrange(20, 200)
    found = {"mechanism": mechanism, "gold_rows": 5, "predicted_rows": 4} if mechanism else {}
    if reason is Reason.WRONG_ROWS:
        found |= {"missing": [["Kettle", number]], "extra": [], "missing_rows": 1, "extra_rows": 0}
    return ItemRecord(
        f"q{number:07d}",
        number,
        f"shop_{number % 150}",
        f"Which products does customer {number} ask for, and what do they cost?",
        difficulty=("easy", "medium", "hard", "extra")[number % 4],
        tags=("order_by", "limit")[: number % 3],
        answer=AnswerRecord(
            prompt_sha256=f"{source.getrandbits(256):064x}",
            prompt="zero_shot@1",
            prompt_template_sha256="9" * 64,
            text=f"```sql\n{sql}\n```",
            finish_reason="stop",
            model="sample/long",
            input_tokens=tokens,
            output_tokens=written,
            cost=(tokens * 3 + written * 15) / 1e6,
            seconds=round(source.random(), 6),
        ),
        extraction="fenced_sql",
        sql=sql,
        golds=(ExecutionRecord(gold, 5, seconds=0.0001, cached=True),),
        predicted=ExecutionRecord(sql, 5, seconds=0.0001),
        verdicts=tuple(
            VerdictRecord.of(label, Verdict.of(one, **found))
            for label, one in zip(STRATEGIES, (reason, *others), strict=True)
        ),
        started="2026-01-31T12:00:00.000+00:00",
        seconds=round(source.random(), 6),
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where the log is made, or is already")
    chosen = parser.parse_args()
    printed(lambda folder: rows(chosen.items, chosen.folder or folder))


if __name__ == "__main__":
    main()
