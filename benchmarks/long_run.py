"""Many items through `sqlassay run` with the replay adapter: the rate, and memory that does not grow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import run
from evaluation.examples import lay_out_demo

DISTINCT = 1_000
"""Distinct golds: real benchmarks repeat theirs less, but the shop has no more questions than this."""


def rows(items: int, scratch: Path) -> Iterator[tuple[str, str, str]]:
    """What was measured, the figure, and what it is held against."""
    experiment = _write(items, scratch)
    used = run(["run", str(experiment), "--runs", str(scratch / "runs"), "--quiet", "--json"], scratch / "cache")
    summary = json.loads(used.output[used.output.index("{") :])["runs"][0]
    strategy = summary["strategies"][0]
    assert summary["items"] == strategy["correct"] == items, summary
    tenth = len(used.series) // 10
    early, late = max(used.series[: 3 * tenth]), max(used.series[-3 * tenth :])
    yield f"sqlassay run, {items:,} items, replay", f"{used.seconds:.1f} s", f"{items / used.seconds:,.0f} items/s"
    yield "  resident memory, largest", f"{used.megabytes:.0f} MiB", "target < 300 MB"
    yield "  in the last third against the first", f"{late:.0f} MiB", f"{late / early:.2f} × {early:.0f} MiB"


def _write(items: int, scratch: Path) -> Path:
    """A dataset of `items` questions on the demo's database, and the answer to each."""
    folder = scratch / "long"
    lay_out_demo(folder)
    with (folder / "many.jsonl").open("w") as questions, (folder / "answers.jsonl").open("w") as answers:
        for number in range(items):
            gold = f"SELECT name, {number % DISTINCT} AS n FROM products WHERE product_id <= {number % DISTINCT % 25}"
            questions.write(
                json.dumps({"id": f"q{number}", "question": f"Question {number}?", "db_id": "shop", "gold": gold})
                + "\n"
            )
            answers.write(json.dumps({"question_id": f"q{number}", "answer": f"```sql\n{gold}\n```"}) + "\n")
    path = folder / "long.yaml"
    path.write_text(
        "name: long\n"
        "dataset: {format: jsonl, path: many.jsonl, databases: databases}\n"
        "models: [{adapter: replay, model: sample, settings: {path: answers.jsonl}, concurrency: 32}]\n"
    )
    return path
