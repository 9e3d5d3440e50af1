r"""Predictions as text: one SQL per line, in the order of the dataset.

Files that are written like Spider's gold, `SQL\tdb_id`, are known by most of their lines ending in a tab and one
of the dataset's `db_id`s; only then is that ending cut off. Any other tab is part of the SQL.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from evaluation.datasets.text_file import read_lines
from evaluation.predictions.prediction import Prediction


def read(path: Path, db_ids: Collection[str]) -> Iterator[Prediction]:
    """The prediction of every line; a blank line is a prediction without SQL."""
    lines = [line.removesuffix("\n").removesuffix("\r") for line in read_lines(path)]
    marked = _is_marked(lines, db_ids)
    for number, line in enumerate(lines, start=1):
        place = f"{path}, line {number}"
        sql, _, db_id = line.rpartition("\t")
        yield Prediction(place, sql, db_id=db_id) if marked and db_id in db_ids else Prediction(place, line)


def _is_marked(lines: list[str], db_ids: Collection[str]) -> bool:
    filled = [line for line in lines if line.strip()]
    marked = sum("\t" in line and line.rpartition("\t")[2] in db_ids for line in filled)
    return 2 * marked > len(filled)
