"""Running commands and looking at what they use."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

Row = tuple[str, str, str]
"""What was measured, the figure, and what it is held against."""
SQLASSAY = [sys.executable, "-c", "from evaluation.cli import main; main()"]


@dataclass(frozen=True)
class Use:
    """What one process used.

    Attributes:
        seconds: Wall-clock time from start to end.
        cpu_seconds: Of all cores, in the process and in the system on its behalf.
        megabytes: Largest resident memory of the process itself, in MiB.
        series: Its resident memory over time, in MiB, about ten samples a second.
        output: What it printed.
    """

    seconds: float
    cpu_seconds: float
    megabytes: float
    series: tuple[float, ...]
    output: str


def run(arguments: Sequence[str], cache: Path) -> Use:
    """Run `sqlassay` once with a cache folder of its own.

    Raises:
        RuntimeError: It ended with a code other than 0.
    """
    environment = {**os.environ, "SQLASSAY_CACHE": str(cache)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryFile("w+") as said:  # a pipe would be full, and nobody reads it until the end
        began, used = time.perf_counter(), _children_seconds()
        process = subprocess.Popen([*SQLASSAY, *arguments], stdout=said, stderr=subprocess.STDOUT, env=environment)
        watched = psutil.Process(process.pid)
        series: list[float] = []
        while process.poll() is None:
            try:
                series.append(watched.memory_info().rss / 2**20)
                process.wait(0.1 if len(series) > 20 else 0.01)
            except subprocess.TimeoutExpired:
                continue
            except psutil.NoSuchProcess:
                break
        process.wait()
        seconds = time.perf_counter() - began
        said.seek(0)
        output = said.read()
    if process.returncode:
        raise RuntimeError(f"sqlassay {' '.join(arguments)} ended with {process.returncode}:\n{output}")
    return Use(seconds, _children_seconds() - used, max(series, default=0.0), tuple(series), output)


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def median_seconds(action: Callable[[], object], times: int) -> float:
    """The median wall-clock time of an action."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        action()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def printed(rows: Callable[[Path], Iterable[Row]]) -> list[Row]:
    """Print each row as soon as it is measured.

    Args:
        rows: Measures, in a folder that is removed afterwards.
    """
    found = []
    with tempfile.TemporaryDirectory(prefix="sqlassay-bench-") as folder:
        for row in rows(Path(folder)):
            print(" | ".join(row), flush=True)
            found.append(row)
    return found
