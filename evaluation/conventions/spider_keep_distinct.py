"""Spider's execution accuracy under its script's `--keep_distinct`."""

from __future__ import annotations

from typing import ClassVar

from evaluation.conventions.spider import Spider


class SpiderKeepDistinct(Spider):
    """As `spider`, but DISTINCT stays in both statements. Source: as `spider`, with `--keep_distinct`."""

    name: ClassVar[str] = "spider_keep_distinct"
    version: ClassVar[str] = "1"
    keep_distinct: ClassVar[bool] = True
