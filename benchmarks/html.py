"""An HTML report of two runs: how long it takes to make, how large it is, and how long a reader waits.

    python -m benchmarks.html [--questions N] [--times N]

The waits are those of the Chromium of this machine: from opening the file until the table can be used, and from a key
pressed in the text filter until the table is as it must be.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import printed
from evaluation.reports.html import HtmlReport
from evaluation.run_log import RunFolder
from tests.browser import ARGUMENTS, program

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TYPED = ("customers", "select count", "region 17", "no such words")
FILTER = """(typed) => {
    const field = document.querySelector("input[type=search]"), began = performance.now();
    field.value = typed;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    document.body.offsetHeight;
    return performance.now() - began;
}"""


def rows(questions: int, times: int, scratch: Path) -> Iterator[tuple[str, str, str]]:
    """What was measured, the figure, and what it is held against."""
    runs = [_run(scratch / name, questions, every) for name, every in (("one", 5), ("two", 7))]
    path = scratch / "report.html"
    began = time.perf_counter()
    HtmlReport().write(runs, path)
    about = f"HTML report, {questions:,} questions of two runs"
    yield f"{about}: made in", f"{time.perf_counter() - began:.1f} s", ""
    yield f"{about}: size", f"{path.stat().st_size / 1e6:.1f} MB", "target < 15 MB"
    browser = program()
    if browser is None:
        yield f"{about}: in a browser", "not measured", "there is no Chromium"
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=ARGUMENTS)
        found = [_read(chromium, path) for _ in range(times)]
        chromium.close()
    yield f"{about}: usable after", f"{statistics.median(loaded for loaded, _ in found):.2f} s", "target < 3 s"
    yield (
        f"{about}: filtered in",
        f"{statistics.median(slowest for _, slowest in found):.0f} ms",
        "target < 300 ms, slowest of 4",
    )


def _read(browser: Browser, path: Path) -> tuple[float, float]:
    page = browser.new_page()
    began = time.perf_counter()
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready]")
    loaded = time.perf_counter() - began
    slowest = max(float(page.evaluate(FILTER, typed)) for typed in TYPED)
    page.close()
    return loaded, slowest


def _run(folder: Path, questions: int, every: int) -> RunFolder:
    """A run of which one in so many answers is wrong."""
    folder.mkdir(parents=True)
    manifest = {
        "run_id": folder.name,
        "group": "bench",
        "cells": 1,
        "title": folder.name,
        "status": "finished",
        "started": "2026-01-01T00:00:00+00:00",
        "experiment": {"name": "bench"},
        "max_instrument_failures": 1,
        "identity": {
            "dataset": {"format": "jsonl", "sha256": "d", "questions": questions},
            "selection": {},
            "backend": {"name": "sqlite", "engine": "3"},
            "repeat": 0,
            "strategies": [{"label": "execution_match", "version": "1"}],
        },
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with (folder / "items.jsonl").open("w") as file:
        for number in range(questions):
            file.write(json.dumps(_item(number, number % every != 0)) + "\n")
    return RunFolder(folder)


def _item(number: int, right: bool) -> dict[str, object]:
    region, year = number * 7919 % 1000, 1990 + number % 30
    where = f"FROM orders AS o JOIN customers AS c ON o.customer_id = c.id WHERE c.region = {region}"
    gold = f"SELECT count(DISTINCT o.id), max(o.total) {where} AND o.year >= {year}"
    wrong = {"missing": [[number * k % 997, f"value {k}"] for k in range(5)], "missing_rows": 5, "gold_rows": 5}
    return {
        "id": f"q{number:05}",
        "position": number,
        "db_id": f"database_{number % 40}",
        "question": f"How many different orders did customers of region {region} place since {year}?",
        "difficulty": ("easy", "medium", "hard", "extra")[number % 4],
        "sql": gold if right else f"SELECT count(o.id) {where}",
        "golds": [{"sql": gold, "rows": 5, "seconds": 0.001 * (number % 13)}],
        "predicted": {"sql": "", "rows": 5, "seconds": 0.001 * (number % 17)},
        "answer": {
            "prompt_sha256": "",
            "finish_reason": "stop",
            "input_tokens": 900 + number % 90,
            "output_tokens": 40,
            "cost": 0.001,
        },
        "verdicts": [
            {
                "strategy": "execution_match",
                "status": "correct" if right else "incorrect",
                "score": float(right),
                "reason": "match" if right else "wrong_rows",
                "evidence": {} if right else wrong,
            }
        ],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=5)
    chosen = parser.parse_args()
    printed(lambda folder: rows(chosen.questions, chosen.times, folder))


if __name__ == "__main__":
    main()
