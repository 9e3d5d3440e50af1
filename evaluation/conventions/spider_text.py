"""What Spider's script does to the text of a statement before it executes it."""

from __future__ import annotations

import re
from typing import Literal

_TOKEN = re.compile(
    r"""
      (?:--|\#\ ).*?(?:\r\n|\r|\n|$)  |  /\*[\s\S]*?\*/                 # comments
    | '(?:''|\\'|[^'])*'  |  "(?:""|\\"|[^"])*"  |  `(?:``|[^`])*`      # literals and quoted names
    | (?<![\w\])])\[[^\]\[]+\]
    | (?:(?<!\w)[$:?]|[@\\]|\#\#?)\w+                                   # parameters
    | \w[$\#\w]*
    | [();]
    """,
    re.VERBOSE,
)
_CURRENT_YEAR = re.compile(r"YEAR\s*\(\s*CURDATE\s*\(\s*\)\s*\)\s*", re.IGNORECASE)
_SPLIT_OPERATORS = (("> =", ">="), ("< =", "<="), ("! =", "!="))


def executed_text(sql: str, side: Literal["gold", "predicted"], *, keep_distinct: bool) -> str:
    """The text that Spider's script executes, its steps in its order.

    `value` becomes `1` in predictions, also inside names and literals (`evaluate` in `evaluation.py`); operators that
    were split are joined (`postprocess`); DISTINCT goes (`remove_distinct`); the current year is 2020
    (`replace_cur_year`, all in taoyds/test-suite-sql-eval).

    Args:
        sql: The statement.
        side: Whose it is.
        keep_distinct: The script's `--keep_distinct`.
    """
    if side == "predicted":
        sql = sql.replace("value", "1")
    for split, joined in _SPLIT_OPERATORS:
        sql = sql.replace(split, joined)
    if not keep_distinct:
        sql = remove_distinct(sql)
    return _CURRENT_YEAR.sub("2020", sql)


def remove_distinct(sql: str) -> str:
    """The first statement of a text without the word DISTINCT, wherever it is outside literals and comments.

    `COUNT(DISTINCT x)` becomes `COUNT( x)`, and `IS NOT DISTINCT FROM` loses its meaning. The spaces around stay.
    """
    if ";" not in sql and "distinct" not in sql.lower():
        return sql
    pieces: list[str] = []
    start = depth = 0
    for match in _TOKEN.finditer(sql):
        word = match[0]
        if word == "(":
            depth += 1
        elif word == ")":
            depth -= 1
        elif word == ";" and depth <= 0 and sql[match.end() :].strip():
            return "".join([*pieces, sql[start : match.end()]])
        elif word.lower() == "distinct":
            pieces.append(sql[start : match.start()])
            start = match.end()
    return "".join([*pieces, sql[start:]])
