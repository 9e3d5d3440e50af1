"""Fenced code blocks, as models write them: CommonMark, and its usual misspellings."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass

# Anything with "sql" in it is SQL as well: sqlite3, postgresql, T-SQL, SparkSQL.
_SQL_LABELS = frozenset(
    {"bigquery", "clickhouse", "databricks", "duckdb", "hive", "mariadb", "oracle"}
    | {"postgres", "presto", "redshift", "snowflake", "spark", "trino"}
)

_OPEN = re.compile(r"^[ \t]*~{3,}|(?:^|(?<=[\s:>]))`{3,}", re.MULTILINE)
_LABEL = re.compile(r"[ \t]*\{?\.?([A-Za-z][\w.+#-]*)\}?")
_SQL_WORD = re.compile(r"\s*(?:\(*\s*(?:SELECT|WITH|VALUES|INSERT|UPDATE|DELETE|EXPLAIN)\b|--|/\*)", re.IGNORECASE)
_LABEL_LINE = re.compile(r"\s*([A-Za-z0-9-]+)[ \t\r]*\n")


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        label: The language after the fence, in lower case; may be empty.
        content: Everything between the fences, untouched.
        start: Where the opening fence starts in the text.
        end: Where the closing fence ends.
        closed: Whether there is a closing fence.
    """

    label: str
    content: str
    start: int
    end: int
    closed: bool

    @property
    def is_sql(self) -> bool:
        """Whether the label names SQL or one of its dialects."""
        return _names_sql(self.label)


def blocks(text: str) -> tuple[Block, ...]:
    """The fenced blocks of a text, in order.

    Beyond CommonMark: a fence may open after prose on the same line and close after the last line of code; SQL may
    begin on the line of the opening fence; the label may stand on a line of its own; a new labelled fence ends a
    block whose closing fence was forgotten.
    """
    found = []
    at = 0
    while opening := _OPEN.search(text, at):
        block = _block(text, opening)
        found.append(block)
        at = block.end
    return tuple(found)


class Fenced:
    """The places of a text that are in closed blocks, fences and all.

    Args:
        found: The blocks of the text, in order.
    """

    def __init__(self, found: Sequence[Block]) -> None:
        closed = [block for block in found if block.closed]
        self._starts = [block.start for block in closed]
        self._ends = [block.end for block in closed]

    def __contains__(self, at: int) -> bool:
        before = bisect(self._starts, at)
        return before > 0 and at < self._ends[before - 1]


def outside(text: str, found: Sequence[Block]) -> tuple[str, ...]:
    """The pieces of a text before, between and after its blocks: one more than there are blocks."""
    ends = [0, *(block.end for block in found)]
    starts = [*(block.start for block in found), len(text)]
    return tuple(text[end:start] for end, start in zip(ends, starts, strict=True))


def _names_sql(label: str) -> bool:
    return "sql" in label or label in _SQL_LABELS


def _block(text: str, opening: re.Match[str]) -> Block:
    mark = opening[0].strip()
    line_end = text.find("\n", opening.end())
    line_end = len(text) if line_end < 0 else line_end
    label, start = _label(text, opening.end(), line_end)
    one_line = text.find(mark, opening.end(), line_end) if mark[0] == "`" else -1
    if one_line >= 0:
        return Block(label, text[min(start, one_line) : one_line], opening.start(), one_line + len(mark), closed=True)
    stop, end, closed = _close(text, start, mark)
    if not label and (line := _LABEL_LINE.match(text, start, stop)) and _names_sql(line[1].lower()):
        label, start = line[1].lower(), line.end()
    return Block(label, text[start:stop], opening.start(), end, closed)


def _label(text: str, start: int, line_end: int) -> tuple[str, int]:
    """The label after an opening fence, and where the content starts."""
    if _SQL_WORD.match(text, start, line_end):
        return "", start
    match = _LABEL.match(text, start, line_end)
    label, after = (match[1].lower(), match.end()) if match else ("", start)
    return label, after if _SQL_WORD.match(text, after, line_end) else min(line_end + 1, len(text))


def _close(text: str, start: int, mark: str) -> tuple[int, int, bool]:
    """Where the content stops, where the block ends, and whether a fence closes it."""
    if mark[0] == "~":
        match = re.compile(rf"^[ \t]*~{{{len(mark)},}}[ \t\r]*$", re.MULTILINE).search(text, start)
        return (match.start(), match.end(), True) if match else (len(text), len(text), False)
    fence = rf"`{{{len(mark)},}}"
    pattern = re.compile(
        rf"^[ \t]*(?P<bare>{fence})[ \t\r]*$"
        rf"|^[ \t]*(?P<next>{fence})[ \t]*(?=[A-Za-z{{])"
        rf"|(?<!`)(?P<tail>{fence})[ \t\r]*$",
        re.MULTILINE,
    )
    tail: re.Match[str] | None = None
    for match in pattern.finditer(text, start):
        if match["bare"]:
            return match.start(), match.end(), True
        if tail is not None:
            break
        if match["next"]:
            return match.start(), match.start(), False
        tail = match
    return (tail.start(), tail.end(), True) if tail else (len(text), len(text), False)
