"""Defog's `exact_match`: the same table after some tidying."""

from __future__ import annotations

from typing import ClassVar

from evaluation.conventions.defog import Defog


class DefogExact(Defog):
    """As `defog`, but a prediction with more columns than the gold is incorrect.

    Source: `compare_df` in `eval/eval.py` of defog-ai/sql-eval.
    """

    name: ClassVar[str] = "defog_exact"
    version: ClassVar[str] = "1"
    subset: ClassVar[bool] = False
