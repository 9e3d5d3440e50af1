"""`sqlassay run` with its copy in Langfuse and without, in turns: a copy may cost 5 %.

    python -m benchmarks.tracing [--questions N] [--times N]

Both are whole processes against a provider on the loopback interface, 64 questions at once, each answered after a
second, which is faster than providers are. The time with a copy holds the wait at the end for what is still on its way.

Then a run that is bound by the processor, on one core with its copy: what the copy takes of it until the last item is
written. It is counted in processor time, which other programs on the machine do not change.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from benchmarks.generation import provider, write
from benchmarks.measure import SQLASSAY, printed, run

LATENCY = 1.0
"""Seconds until an answer."""
TARGET = 1.05


def rows(questions: int, times: int, scratch: Path) -> Iterator[tuple[str, str, str]]:
    """What was measured, the figure, and what it is held against."""
    yield _beside(questions, times, scratch)
    yield _bound(questions, scratch / "bound")


def _beside(questions: int, times: int, scratch: Path) -> tuple[str, str, str]:
    os.environ.update(LANGFUSE_PUBLIC_KEY="pk-lf-benchmark", LANGFUSE_SECRET_KEY="sk-lf-benchmark")
    with provider(LATENCY) as url, _langfuse() as host:
        alone, _ = write(questions, url, scratch)
        copied = _copied(alone, host)
        ratios, arrived = [], 1.0
        for number in range(times):
            seconds = []
            for experiment in (alone, copied):
                runs = scratch / f"{experiment.stem}-{number}"
                arguments = ["run", str(experiment), "--runs", str(runs), "--quiet", "--json"]
                seconds.append(run(arguments, scratch / f"cache-{experiment.stem}-{number}").seconds)
            ratios.append(seconds[1] / seconds[0])
            arrived = min(arrived, _traces(runs) / questions)
    return (
        f"sqlassay run with its copy in Langfuse, {questions:,} questions",
        f"{statistics.median(ratios):.3f} × without",
        f"target < {TARGET}; {100 * arrived:.0f} % of the traces there when it ended",
    )


def _bound(questions: int, scratch: Path) -> tuple[str, str, str]:
    scratch.mkdir()
    runs = scratch / "runs"
    with provider(0.0) as url, _langfuse() as host:
        copied = _copied(write(questions, url, scratch)[0], host)
        process = subprocess.Popen(
            ["taskset", "--cpu-list", "0", *SQLASSAY, "run", str(copied), "--runs", str(runs), "--quiet"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "SQLASSAY_CACHE": str(scratch / "cache")},
        )
        written, used = 0, (0.0, 1.0)
        while process.poll() is None:
            size = sum(path.stat().st_size for path in runs.glob("*/items.jsonl"))
            if size > written or not size:
                written, used = size, _used(process.pid)
            time.sleep(0.05)
    copy, rest = used
    there = 100 * _traces(runs) / questions
    return (
        f"the same, bound by the processor and on one core: the copy's part of {rest:.1f} s",
        f"{100 * copy / rest:.1f} %",
        f"target < {100 * (TARGET - 1):.0f} %; {there:.0f} % of the traces there when it ended",
    )


def _used(pid: int) -> tuple[float, float]:
    """Processor seconds of the process that copies, and of the run with everything else that it has started."""
    copy = rest = 0.0
    with suppress(psutil.NoSuchProcess):
        run = psutil.Process(pid)
        for one in (run, *run.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                seconds = sum(one.cpu_times()[:2])
                if "evaluation.tracing.follow" in one.cmdline():
                    copy += seconds
                else:
                    rest += seconds
    return copy, rest


def _copied(alone: Path, host: str) -> Path:
    copied = alone.with_name("copied.yaml")
    copied.write_text(f"{alone.read_text()}langfuse: {{host: '{host}'}}\n")
    return copied


def _traces(runs: Path) -> int:
    lines = (line for path in runs.glob("*/langfuse.jsonl") for line in path.read_text().splitlines())
    return sum(json.loads(line)["kind"] == "trace" for line in lines)


@contextmanager
def _langfuse() -> Iterator[str]:
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.langfuse"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.terminate()
        process.communicate()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=3_000)
    parser.add_argument("--times", type=int, default=5)
    chosen = parser.parse_args()
    printed(lambda folder: rows(chosen.questions, chosen.times, folder))


if __name__ == "__main__":
    main()
