"""The notation in which defog's sql-eval writes several acceptable queries as one text.

`;` outside quotes and comments separates alternatives. `{a, b}` stands for any non-empty choice of those columns,
in that order, and a later `{}` repeats the choice: `SELECT {u.id, u.name} FROM u GROUP BY {}` is three queries.
Source: `get_all_minimal_queries` in `eval/eval.py` of https://github.com/defog-ai/sql-eval, which splits inside
quotes as well and knows one choice per query. Here a query may have several, each free of the others, and `{}`
belongs to the latest choice in its own parentheses, else in those around it. Other braces are left as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, combinations, product
from math import prod

from sqlassay.errors import UserError

MOST_ALTERNATIVES = 4096
"""How many queries one text may stand for."""

_NAME = r'(?:[^\W\d]\w*|"[^"]+"|`[^`]+`)'
_COLUMN = rf"\s*{_NAME}(?:\.{_NAME})*\s*"
_TOKENS = rf"""(?P<choice>(?<!\{{)\{{{_COLUMN}(?:,{_COLUMN})*\}}(?!\}}))
    |(?P<repeat>(?<!\{{)\{{\s*\}}(?!\}}))
    |(?P<comment>--[^\n]*|/\*.*?\*/)
    |(?P<quoted>%s|"[^"]*"|`[^`]*`|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
    |(?P<mark>[();])
    |(?P<space>\s+)
    |(?P<open>')
    |(?P<other>.)"""
_FLAGS = re.VERBOSE | re.DOTALL
_STANDARD = re.compile(_TOKENS % r"'[^']*'", _FLAGS)
_BACKSLASHED = re.compile(_TOKENS % r"'(?:[^'\\]|\\.)*'", _FLAGS)

_Token = tuple[str | None, str]


def expand(text: str, place: str = "") -> tuple[str, ...]:
    """Every query that a text stands for, in order, each once, without the `;`.

    Args:
        text: The text in the notation.
        place: Where the text is, for the message.

    Raises:
        UserError: It stands for more than `MOST_ALTERNATIVES` queries.
    """
    queries = [_Query(tokens) for tokens in _statements(_tokens(text))]
    if sum(query.size for query in queries) > MOST_ALTERNATIVES:
        raise UserError(
            f"stands for more than {MOST_ALTERNATIVES:,} queries",
            place=place,
            remedy="put fewer columns in braces: n of them stand for 2^n - 1 queries",
        )
    return tuple(dict.fromkeys(chain.from_iterable(queries)))


class _Query:
    """One query with its choices: iterating it gives each query that it stands for."""

    def __init__(self, tokens: Sequence[_Token]) -> None:
        self._choices: list[list[str]] = []
        self._pieces: list[str | int] = []
        latest: list[int | None] = [None]  # the latest choice in every parenthesis that is open
        for kind, text in tokens:
            piece: str | int | None = text
            if kind == "choice":
                piece = latest[-1] = len(self._choices)
                self._choices.append([column.strip() for column in text[1:-1].split(",")])
            elif kind == "repeat":
                piece = next((choice for choice in reversed(latest) if choice is not None), None)
            elif text == "(":
                latest.append(None)
            elif text == ")" and len(latest) > 1:
                latest.pop()
            self._pieces.append(text if piece is None else piece)

    @property
    def size(self) -> int:
        """How many queries it stands for."""
        return prod(2 ** len(columns) - 1 for columns in self._choices)

    def __iter__(self) -> Iterator[str]:
        for chosen in product(*map(_subsets, self._choices)):
            yield "".join(
                piece if isinstance(piece, str) else ", ".join(chosen[piece]) for piece in self._pieces
            ).strip()


def _subsets(columns: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Every non-empty choice of columns, small ones first."""
    return chain.from_iterable(combinations(columns, size) for size in range(1, len(columns) + 1))


def _tokens(text: str) -> list[_Token]:
    tokens = [(token.lastgroup, token.group()) for token in _STANDARD.finditer(text)]
    if any(kind == "open" for kind, _ in tokens):
        # A quote that never closes: this dialect must escape quotes by backslash, as BigQuery and MySQL do.
        tokens = [(token.lastgroup, token.group()) for token in _BACKSLASHED.finditer(text)]
    return tokens


def _statements(tokens: Sequence[_Token]) -> Iterator[list[_Token]]:
    """The tokens between semicolons, where there is more than space and comments."""
    statement: list[_Token] = []
    for token in [*tokens, ("mark", ";")]:
        if token == ("mark", ";"):
            if any(kind not in ("space", "comment") for kind, _ in statement):
                yield statement
            statement = []
        else:
            statement.append(token)
