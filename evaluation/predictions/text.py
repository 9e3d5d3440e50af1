r"""Predictions as text: one SQL per line, in the order of the dataset.

Files that are written like Spider's gold, `SQL\tdb_id`, are known by most of their lines ending in a tab and one
of the dataset's `db_id`s; only then is that ending cut off. Any other tab is part of the SQL.

Files that are written like SParC's and CoSQL's have a blank line between one conversation and the next; they are known
by having it exactly there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from evaluation.datasets.text_file import read_lines
from evaluation.predictions.prediction import Prediction


def read(path: Path, db_ids: Collection[str], turns: Sequence[int] = ()) -> Iterator[Prediction]:
    """The prediction of every line; a blank line is a prediction without SQL, unless it stands between conversations.

    Args:
        path: The file.
        db_ids: The databases of the dataset.
        turns: How many turns each of its conversations has; empty where not all questions are turns of one.
    """
    lines = [line.removesuffix("\n").removesuffix("\r") for line in read_lines(path)]
    marked = _is_marked(lines, db_ids)
    between = _between(lines, turns)
    for number, line in enumerate(lines, start=1):
        if number - 1 in between:
            continue
        place = f"{path}, line {number}"
        sql, _, db_id = line.rpartition("\t")
        yield Prediction(place, sql, db_id=db_id) if marked and db_id in db_ids else Prediction(place, line)


def _between(lines: Sequence[str], turns: Sequence[int]) -> frozenset[int]:
    """The places of the blank lines after each conversation; none where the file is not written so."""
    ends = [end + number for number, end in enumerate(accumulate(turns))]
    if not ends or len(lines) not in (ends[-1], ends[-1] + 1):
        return frozenset()
    found = frozenset(end for end in ends if end < len(lines))
    return found if not any(lines[end].strip() for end in found) else frozenset()


def _is_marked(lines: list[str], db_ids: Collection[str]) -> bool:
    filled = [line for line in lines if line.strip()]
    marked = sum("\t" in line and line.rpartition("\t")[2] in db_ids for line in filled)
    return 2 * marked > len(filled)
