"""`make bench`: everything that is measured, as one table.

    python -m benchmarks.run [--items N] [--records N] [--times N]

The first table needs the real benchmark data that SQLASSAY_DATA points at; without it, it is left out, aloud.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import backends, comparing, generation, html, long_log, long_run, scoring, tracing
from benchmarks.measure import median_seconds, printed, run


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000, help="of the long run")
    parser.add_argument("--records", type=int, default=1_000_000, help="of the long log")
    parser.add_argument("--times", type=int, default=5, help="how often the short ones are measured; the median counts")
    chosen = parser.parse_args()
    table = Table("what", "measured", "against", box=None, header_style="bold", pad_edge=False)
    for row in printed(lambda folder: _rows(chosen.items, chosen.records, chosen.times, folder)):
        table.add_row(*row)
    Console().print(table)


def _rows(items: int, records: int, times: int, scratch: Path) -> Iterator[tuple[str, str, str]]:
    shown = median_seconds(lambda: run(["--help"], scratch / "help"), times)
    yield "sqlassay --help, whole process", f"{shown:.3f} s", "target < 0.2 s"
    data = os.environ.get("SQLASSAY_DATA")
    if data:
        yield from scoring.rows(Path(data), scratch, times)
    else:
        yield "scoring", "not measured", "SQLASSAY_DATA is not set"
    yield from comparing.rows(times)
    yield from backends.rows(times)
    yield from generation.rows(2_000, times, scratch)
    yield from tracing.rows(3_000, min(times, 3), scratch / "tracing")
    yield from html.rows(10_000, times, scratch / "html")
    yield from long_run.rows(items, scratch)
    yield from long_log.rows(records, scratch)


if __name__ == "__main__":
    main()
