"""Many questions to a provider, 64 at once: `sqlassay run` against a bare loop over the official SDK, in turns.

    python -m benchmarks.generation [--questions N] [--times N]

Both are whole processes. The run renders prompts, keeps answers in the cache, executes and judges the statements and
writes the run log; the bare loop does nothing with what it gets. The rate is what the provider sees, from the first
request to the last answer; what a process needs to start and to end is told beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measure import printed, run
from evaluation.examples import lay_out_demo

IN_FLIGHT = 64
LATENCY = 0.2
"""Seconds until an answer."""
TARGET = 0.95


def rows(questions: int, times: int, scratch: Path) -> Iterator[tuple[str, str, str]]:
    """What was measured, the figure, and what it is held against."""
    with provider() as url:
        experiment, messages = write(questions, url, scratch)
        ours, bare = [], []
        for number in range(times):
            seconds = _bare(url, messages, questions)
            bare.append((_span(url), seconds))
            arguments = ["run", str(experiment), "--runs", str(scratch / f"runs-{number}"), "--quiet", "--json"]
            used = run(arguments, scratch / f"cache-{number}")
            summary = json.loads(used.output[used.output.index("{") :])["runs"][0]
            assert summary["strategies"][0]["correct"] == summary["tokens"]["asked"] == questions, summary
            ours.append((_span(url), used.seconds))
    ideal = f"ideal {IN_FLIGHT / LATENCY:.0f}/s"
    yield f"bare loop, {questions:,} questions, {IN_FLIGHT} at once", *_told(bare, questions, ideal)
    share = statistics.median(one / other for (one, _), (other, _) in zip(bare, ours, strict=True))
    yield "sqlassay run, the same", *_told(ours, questions, f"{100 * share:.1f} % of it, target {100 * TARGET:.0f} %")


def _told(taken: Sequence[tuple[float, float]], questions: int, beside: str) -> tuple[str, str]:
    """The rate; what it is held against, and the seconds of the whole process."""
    span, whole = (statistics.median(seconds) for seconds in zip(*taken, strict=True))
    return (
        f"{questions / span:.0f}/s",
        f"{beside}; {whole:.1f} s as a process, {whole - span:.1f} s of them start and end",
    )


def _span(url: str) -> float:
    """Seconds from the first request to the last answer, as the provider saw it."""
    with urllib.request.urlopen(url) as reply:
        return float(reply.read())


@contextmanager
def provider(latency: float = LATENCY) -> Iterator[str]:
    """A provider on the loopback interface that takes so many seconds for an answer; gives its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.provider", str(latency)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
    finally:
        process.terminate()
        process.communicate()


def write(questions: int, url: str, scratch: Path) -> tuple[Path, Path]:
    """The experiment, and a prompt as long as its prompts for the bare loop."""
    folder = scratch / "generation"
    lay_out_demo(folder)
    with (folder / "many.jsonl").open("w") as lines:
        for number in range(questions):
            gold = {"gold": "SELECT count(*) FROM products", "db_id": "shop"}
            lines.write(json.dumps({"id": f"q{number}", "question": f"How many products, {number}?", **gold}) + "\n")
    path = folder / "many.yaml"
    path.write_text(
        "name: many\n"
        "dataset: {format: jsonl, path: many.jsonl, databases: databases}\n"
        f"models: [{{adapter: openai, model: bench, settings: {{base_url: '{url}'}}, concurrency: {IN_FLIGHT}}}]\n"
    )
    messages = folder / "messages.json"
    messages.write_text(json.dumps([{"role": "system", "content": "x" * 700}, {"role": "user", "content": "y" * 2000}]))
    return path, messages


def _bare(url: str, messages: Path, questions: int) -> float:
    """Wall-clock seconds of the bare loop."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.generation", "--bare", url, str(messages), str(questions)]
    subprocess.run(command, check=True)
    return time.perf_counter() - began


async def _loop(url: str, messages: Path, questions: int) -> None:
    import openai

    prompt = json.loads(messages.read_text())
    places = asyncio.Semaphore(IN_FLIGHT)
    async with openai.AsyncOpenAI(base_url=url, api_key="bench", max_retries=0) as client:

        async def one() -> None:
            async with places:
                await client.chat.completions.create(model="bench", messages=prompt)

        await asyncio.gather(*(one() for _ in range(questions)))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=2_000)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--bare", nargs=3, metavar=("URL", "MESSAGES", "QUESTIONS"), help="run the bare loop alone")
    chosen = parser.parse_args()
    if chosen.bare:
        url, messages, questions = chosen.bare
        asyncio.run(_loop(url, Path(messages), int(questions)))
        return
    printed(lambda folder: rows(chosen.questions, chosen.times, folder))


if __name__ == "__main__":
    main()
