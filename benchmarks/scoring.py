"""One Spider prediction file of 972 runnable questions: cold, with known golds, and against bare sqlite3."""

from __future__ import annotations

import sqlite3
import statistics
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from benchmarks.measure import median_seconds, run
from evaluation.datasets.opening import open_dataset
from evaluation.predictions.reading import read_predictions

SYSTEM = "c3sql_chatgpt.txt"
PUBLISHED = ("spider", "spider_keep_distinct", "bird", "bird_soft_f1", "defog", "defog_exact", "spider2")


def rows(data: Path, scratch: Path, times: int) -> Iterator[tuple[str, str, str]]:
    """What was measured, the figure, and what it is held against."""
    spider = data / "spider"
    bare = median_seconds(lambda: _bare(spider), times)
    yield "bare sqlite3: 972 golds and 972 predictions, connections kept", f"{bare:.3f} s", ""

    command = ["score", str(spider / "predictions" / SYSTEM), "--dataset", f"spider:{spider}", "--quiet"]
    cold = statistics.median(
        run([*command, "--convention", "bird"], scratch / f"cold{k}").seconds for k in range(times)
    )
    yield "sqlassay score, whole process, nothing cached", f"{cold:.3f} s", f"{cold / bare:.1f} × bare; target ≤ 2 s"

    warm = scratch / "warm"
    run([*command, "--convention", "all"], warm)
    # In turns, so that a slow moment of the machine meets all of them.
    choices = (("bird",), ("sqlassay",), PUBLISHED, ("all",))
    taken = [
        [run([*command, *(f"--convention={name}" for name in names)], warm).seconds for names in choices]
        for _ in range(2 * times)
    ]
    known, default, published, every = map(statistics.median, zip(*taken, strict=True))
    yield "sqlassay score, whole process, golds cached", f"{known:.3f} s", f"{known / bare:.1f} × bare; target ≤ 0.5 s"
    yield "  the default convention instead of bird", f"{default:.3f} s", f"{default / known:.2f} × bird"
    for what, seconds, place in (
        ("the seven published conventions instead of bird", published, 2),
        ("every convention, the default too, instead of bird", every, 3),
    ):
        ratio, other = (statistics.median(row[place] / row[one] for row in taken) for one in (0, 1))
        yield f"  {what}", f"{seconds:.3f} s", f"{ratio:.2f} × bird, {other:.2f} × the default; target ≤ 1.5 ×"


def _bare(spider: Path) -> None:
    """What anybody would write: one connection per database, every statement executed and fetched."""
    dataset = open_dataset(f"spider:{spider}")
    questions = list(dataset.questions())
    given = read_predictions(spider / "predictions" / SYSTEM, questions).sql_by_id
    connections: dict[str, sqlite3.Connection] = {}
    for question in questions:
        path = dataset.database(question.db_id, (".sqlite",))
        if path is None:
            continue
        if question.db_id not in connections:
            connections[question.db_id] = sqlite3.connect(path)
            connections[question.db_id].text_factory = lambda text: text.decode(errors="ignore")
        connection = connections[question.db_id]
        for sql in (*question.gold, given[question.id]):
            with suppress(sqlite3.Error), closing(connection.execute(sql)) as cursor:
                cursor.fetchall()
    for connection in connections.values():
        connection.close()
