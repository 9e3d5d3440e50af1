"""The error for a question id that the dataset does not have."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from sqlassay.counted import counted
from sqlassay.errors import UnknownName


def unknown_id(question_id: str, known: Sequence[str], *, place: str = "") -> UnknownName:
    """The error, with the nearest id, else the first and the last: a dataset has too many to name them all.

    Args:
        question_id: The id that was given.
        known: The ids of the dataset, in order.
        place: Where it was given.
    """
    near = difflib.get_close_matches(question_id, known, n=1)
    if near:
        remedy = f"did you mean {near[0]!r}?"
    elif known:
        remedy = f"the dataset has {counted(len(known), 'question')}, from {known[0]!r} to {known[-1]!r}"
    else:
        remedy = "the dataset has no questions"
    return UnknownName("question id", question_id, known, place=place, remedy=remedy)
