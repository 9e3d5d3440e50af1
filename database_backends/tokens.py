"""SQL text taken apart where the engine itself takes it apart: what is a word, what is quoted, what is a comment.

Only so can nothing hide: where two readers disagree on where a string ends, one of them sees a comment in what the
other executes. The rules are those of the engines' own scanners (PostgreSQL `scan.l`, SQLite `tokenize.c`, MySQL
`sql_lex.cc`, Trino `SqlBase.g4`). Reading is linear in the length of the text, whatever the text is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import NamedTuple

from sqlassay.errors import UserError


class Kind(Enum):
    """What a token is."""

    WORD = "word"
    NAME = "name"
    """A name in quotes."""
    TEXT = "text"
    """A string; or what the text ends with, where a quote or a comment is not closed."""
    SIGN = "sign"
    """A character of its own; or several, of those with which nothing begins, and of digits or semicolons."""
    HIDDEN = "hidden"
    """A form of writing of which only the engine knows what it says."""


class Token(NamedTuple):
    """A token.

    Attributes:
        kind: What it is.
        text: As it is written.
        end: The place in the text after it.
    """

    kind: Kind
    text: str
    end: int

    @property
    def word(self) -> str:
        """A word in upper case; empty for all else."""
        return self.text.upper() if self.kind is Kind.WORD else ""

    @property
    def name(self) -> str:
        """A name without its quotes; empty for what is no name."""
        if self.kind is Kind.NAME:
            quote = self.text[-1]
            return self.text[1:-1].replace(quote * 2, quote)
        return self.text if self.kind is Kind.WORD else ""


_LETTER = r"A-Za-z_\x80-\U0010ffff"
_PLAIN = r"'[^']*+(?:''[^']*+)*+'"
_ESCAPED = r"'[^'\\]*+(?:(?:''|\\.)[^'\\]*+)*+'"
_DOUBLE = r'"[^"]*+(?:""[^"]*+)*+"'
_BACKTICK = r"`[^`]*+(?:``[^`]*+)*+`"
_DOLLARS = rf"[$](?:[{_LETTER}][0-9{_LETTER}]*+)?[$]"
_SIGNS = r"[0-9]++|;++|(?:[\x00-\x08!%&*+,<>?\\\]^{|}~]|[.](?![0-9]))++"
_NEVER = r"(?!)"


@dataclass(frozen=True)
class Lexicon:
    """How an engine takes text apart: patterns without groups of their own.

    Attributes:
        blank: What parts tokens.
        line_comment: A comment that its line ends.
        number: A number that a word may follow at once, where a word may begin with digits.
        word: A name without quotes, or a key word.
        text: A string.
        dollars: What begins and ends a string that has no other escapes.
        name: A name in quotes.
        quotes: The characters that begin a string or a name in quotes.
        hidden: The beginning of what only the engine reads.
        nested: Whether comments nest.
        open_comment: Whether the end of the text may end a comment.
    """

    blank: str = r"[ \t\n\r\f\v]++"
    line_comment: str = r"--[^\n\r]*+"
    number: str = _NEVER
    word: str = rf"[{_LETTER}][0-9${_LETTER}]*+"
    text: str = _PLAIN
    dollars: str = _NEVER
    name: str = _DOUBLE
    quotes: str = "'\""
    hidden: str = _NEVER
    nested: bool = False
    open_comment: bool = False

    @cached_property
    def next(self) -> re.Pattern[str]:
        """What comes next, in the group of its name."""
        return re.compile(
            rf"(?P<hidden>{self.hidden})|(?P<blank>{self.blank}|{self.line_comment})|(?P<comment>/\*)"
            rf"|(?P<text>{self.text})|(?P<dollars>{self.dollars})|(?P<name>{self.name})"
            rf"|(?P<number>{self.number})|(?P<word>{self.word})"
            rf"|(?P<open>[{re.escape(self.quotes)}])|(?P<sign>{_SIGNS}|.)",
            re.DOTALL,
        )

    def tokens(self, sql: str) -> list[Token]:
        """The tokens of a text, comments left out."""
        found = []
        place, size, match = 0, len(sql), self.next.match
        while place < size:
            step = match(sql, place)
            assert step is not None and step.lastgroup is not None  # noqa: S101, PT018 - any character is a sign
            group, start, place = step.lastgroup, place, step.end()
            if group == "blank":
                continue
            if group == "comment":
                place = self._end_of_comment(sql, place)
                if place <= size or self.open_comment:
                    continue
                group = "open"
            if group == "dollars":
                end = sql.find(step.group(), place)
                group, place = ("open", size) if end < 0 else ("text", end + len(step.group()))
            if group == "open":
                place = size
            found.append(Token(_KINDS[group], sql[start:place], place))
        return found

    def _end_of_comment(self, sql: str, place: int) -> int:
        """Where the text goes on after a comment, of which the beginning is read; beyond its end where it is open."""
        if not self.nested:
            end = sql.find("*/", place)
            return end + 2 if end >= 0 else len(sql) + 1
        depth = 1
        for mark in _COMMENT_MARK.finditer(sql, place):
            depth += 1 if mark.group() == "/*" else -1
            if not depth:
                return mark.end()
        return len(sql) + 1


_KINDS = {
    "hidden": Kind.HIDDEN,
    "text": Kind.TEXT,
    "open": Kind.TEXT,
    "name": Kind.NAME,
    "number": Kind.SIGN,
    "word": Kind.WORD,
    "sign": Kind.SIGN,
}
_COMMENT_MARK = re.compile(r"/\*|\*/")

# PostgreSQL goes on with a string after a line break, and such a part has the escapes of the first.
_LINE_BREAK = r"(?:[ \t\f\v]|--[^\n\r]*+)*+[\n\r](?:[ \t\n\r\f\v]|--[^\n\r]*+[\n\r])*+"
# DuckDB has blanks that are none to PostgreSQL; before a dollar sign, they are part of a name to it, or not.
_WIDE = r"\xa0\u2000-\u200b\u202f\u205f\u2060\u3000\ufeff"

# SQLite has parameters with a suffix, in which a quote begins no string: `$a(')`.
_PARAMETER = rf"[$@:#](?=:*+[0-9$_{_LETTER}])(?:[0-9$_{_LETTER}]++|::)++\([^ \t\n\r\f\v)]*+\)"

LEXICONS = {
    "duckdb": Lexicon(
        blank=rf"[ \t\n\r\f\v]++|[{_WIDE}]",
        word=rf"(?![{_WIDE}])[{_LETTER}](?:(?![{_WIDE}])[0-9${_LETTER}])*+",
        text=rf"[eE]{_ESCAPED}|{_PLAIN}",
        dollars=_DOLLARS,
        name=f"{_DOUBLE}|{_BACKTICK}",
        quotes="'\"`",
        hidden=rf"[{_WIDE}](?=[$])",
        nested=True,
    ),
    "mysql": Lexicon(
        line_comment=r"#[^\n]*+|--(?=[\x00-\x20\x7f]|\Z)[^\n]*+",
        number=r"(?:[0-9]++[.][0-9]*+|[.][0-9]++)(?:[eE][+-]?[0-9]++)?+|[0-9]++[eE][+-]?[0-9]++",
        word=rf"(?![0-9]++(?![0-9${_LETTER}]))[0-9${_LETTER}]++",
        text=_ESCAPED + "|" + _ESCAPED.replace("'", '"'),
        name=_BACKTICK,
        quotes="'\"`",
        hidden=r"/\*M?!|/\*\+(?=(?:(?!\*/).)*(?i:SET_VAR))",  # a comment that is executed, or that changes settings
    ),
    "postgres": Lexicon(
        text=rf"[eE]{_ESCAPED}(?:{_LINE_BREAK}{_ESCAPED})*+|{_PLAIN}",
        dollars=_DOLLARS,
        hidden=r'[uU]&"',  # a name in escapes
        nested=True,
    ),
    "sqlite": Lexicon(
        blank=r"[ \t\n\r\f\v\ufeff]++",
        line_comment=r"--[^\n]*+",
        text=rf"{_PLAIN}|{_PARAMETER}",
        name=rf"{_DOUBLE}|{_BACKTICK}|\[[^\]]*+\]",
        quotes="'\"`[",
        open_comment=True,
    ),
    "trino": Lexicon(
        name=f"{_DOUBLE}|{_BACKTICK}",
        quotes="'\"`",
        hidden=r"[$][$]",  # the text of a function in another language
    ),
}
"""By sqlglot dialect."""


def tokens_of(sql: str, dialect: str) -> list[Token]:
    """The tokens of a text, comments left out; in a dialect that is not ours, those that sqlglot sees.

    Raises:
        UserError: Nor is it one of sqlglot's: nothing could be read.
    """
    lexicon = LEXICONS.get(dialect)
    return _by_sqlglot(sql, dialect) if lexicon is None else lexicon.tokens(sql)


def _by_sqlglot(sql: str, dialect: str) -> list[Token]:
    from sqlglot import Dialect
    from sqlglot.errors import SqlglotError
    from sqlglot.tokenizer_core import TokenType

    try:
        reader = Dialect.get_or_raise(dialect)
    except ValueError as error:
        raise UserError(
            f"the engine says that its dialect is {dialect!r}, which sqlglot does not know",
            remedy="declare the one that is most like it, as `dialect` of the backend",
        ) from error

    def token(kind: TokenType, start: int, end: int) -> Token:
        text = sql[start:end]
        if kind is TokenType.IDENTIFIER:
            return Token(Kind.NAME, text, end)
        if kind.name.endswith("STRING"):
            return Token(Kind.TEXT, text, end)
        return Token(Kind.WORD if text[:1].isalpha() or text[:1] == "_" else Kind.SIGN, text, end)

    try:
        return [token(found.token_type, found.start, found.end + 1) for found in reader.tokenize(sql)]
    except (SqlglotError, ValueError, RecursionError):  # such as a quote that is not closed
        return [Token(Kind.TEXT, sql, len(sql))]
