"""The tokens of Spider's grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator

from evaluation.spider_sql.errors import NotParsed

_GLUED = "\0"
"""Stands for a quoted text that touches a word: the two are one token, which means nothing."""
_ALONE = re.compile(
    r'("[^"]*")|'  # a quoted text
    r"(--|\.{2,}|`+|[;@#$%&?!*()\[\]{}<>«»“”‘’„\u2012-\u2015])|"  # signs that always stand alone
    r"([:,])(?!\d)"  # `1,2` is one token, `1, 2` are three
)
_LAST_FULL_STOP = re.compile(r"(?<![.\s])\.(?=[\])}>\"'»”’\s]*\Z)")
_DIGRAPHS = {("!", "="), (">", "="), ("<", "=")}
_TAIL = 1_000
"""Only so much of the end is searched for a full stop."""


def tokenize(sql: str) -> list[str]:
    """Cut a statement as Spider's reference parser does, which leans on a tokenizer for English.

    Single quotes count as double quotes. Words are in lower case; quoted text keeps its quotes and its case. `=`, `+`
    and `/` do not part words: `a=1` is one token, and so not SQL to the parser. Only `!`, `<` and `>` are joined with
    an `=` that follows: `<>` is not an operator.

    Sources: taoyds/test-suite-sql-eval, `process_sql.py`; NLTK's `NLTKWordTokenizer`.

    Raises:
        NotParsed: A quote is left open.
    """
    sql = sql.replace("'", '"').replace(_GLUED, "\ufffd")
    if sql.count('"') % 2:
        raise NotParsed("a quote is left open")
    return list(_joined(_words(_without_last_full_stop(sql))))


def _words(sql: str) -> Iterator[str]:
    """The tokens before operators of two signs are joined."""
    spaced, quoted = [], []
    at = 0
    for found in _ALONE.finditer(sql):
        spaced.append(sql[at : found.start()])
        if found.group(1) is None:
            spaced.append(f" {found.group()} ")
        else:
            quoted.append(found.group(1))
            spaced.append(_GLUED)
        at = found.end()
    spaced.append(sql[at:])
    texts = iter(quoted)
    for word in "".join(spaced).split():
        inside = [next(texts) for _ in range(word.count(_GLUED))]
        yield inside[0] if word == _GLUED else word.lower()


def _joined(words: Iterator[str]) -> Iterator[str]:
    before = ""
    for word in words:
        if (before, word) in _DIGRAPHS:
            before += word
            continue
        if before:
            yield before
        before = word
    if before:
        yield before


def _without_last_full_stop(sql: str) -> str:
    """A full stop at the end is a token of its own."""
    head, tail = sql[:-_TAIL], sql[-_TAIL:]
    return head + _LAST_FULL_STOP.sub(" . ", tail)
