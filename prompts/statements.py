"""Where a SQL statement starts and ends in a text that is not all SQL.

English shares its words with SQL ("Select the oldest singer", "With this in mind"), so a keyword alone says little:
what follows it has to read like SQL and not like a sentence. Nothing is parsed here, because an answer that does not
parse is still the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_WORD = r"[^\W\d][\w$]*"
_COMMENTS = r"(?:\s|--[^\n]*(?:\n|\Z)|/\*(?:[^*]|\*(?!/))*(?:\*/|\Z))*+"

_PROSE_WORDS = (
    "a|all|an|and|any|both|clause|clauses|each|every|for|from|its|keyword|list|most|of|one|only|or|our|query|some"
    "|statement|statements|that|the|their|these|this|those|to|what|which|with|your"
)
_AFTER_TABLE = (
    "as|cross|except|full|group|having|inner|intersect|join|left|limit|natural|offset|on|order|right|union|where"
)

_KEYWORD = re.compile(
    r"(?<![\w$.`'\"])"
    r"(?:SELECT|WITH|VALUES|INSERT|REPLACE|UPDATE|DELETE|MERGE|CREATE|ALTER|DROP|TRUNCATE|ATTACH"
    r"|PRAGMA|EXPLAIN|SUMMARIZE|DESCRIBE|SHOW|CALL|COPY|FROM)\b",
    re.IGNORECASE,
)
_SELECT = re.compile(r"SELECT\s+(?:(?:DISTINCT|ALL)\s+)?(?:TOP\s*\(?\s*\d+\s*\)?\s+)?", re.IGNORECASE)
_PROSE_ITEM = re.compile(rf"(?:{_PROSE_WORDS})\b(?!\s*(?:,|\.\w)|\s+(?:FROM|AS)\b)", re.IGNORECASE)
_CERTAIN_ITEM = re.compile(
    rf"\*|--|/\*|'|[-+]?\d+(?:\.\d+)?\s*(?:[,;+*/%)=<>-]|\Z|(?:AS|FROM|UNION|WHERE)\b)|{_WORD}\s*\(|CASE\s+(?:[\w.\"]+\s+)?WHEN\b",
    re.IGNORECASE,
)
_LIKELY_ITEM = re.compile(
    rf"[\"`\[({{@$?~]|:\w|-\s*\w|{_WORD}(?:\s*(?:[,;+*/%=<>\[]|--|\|\||::|\.[\w*\"`\[]|\Z)|\s+-\s|\s+FROM\b"
    rf"|\s+AS\s+(?:{_WORD}|[\"`'\[])|\s+{_WORD}(?:\s*,|\s+FROM\b))",
    re.IGNORECASE,
)
_FROM = re.compile(
    r"(?:'[^']*'|--[^\n]*|[^';\n\-F]++|-|\n(?![ \t\r]*\n)|(?<=\w)F|F(?!ROM\b))*+(FROM)\b",
    re.IGNORECASE,
)
_PROSE_SOURCE = re.compile(rf"\s+(?:(?:to|clauses?)\b|(?:{_PROSE_WORDS})\s+(?!(?:{_AFTER_TABLE})\b)\w)", re.IGNORECASE)
_FROM_WITHIN = 1000

_OTHER = re.compile(
    rf"""
    WITH\s+(?:RECURSIVE\s+)?(?:{_WORD}|"[^"\n]+"|`[^`\n]+`)\s*(?:\([^()]*\)\s*)?AS\s+(?:NOT\s+)?(?:MATERIALIZED\s+)?
        \({_COMMENTS}(?:SELECT|WITH|VALUES|INSERT|UPDATE|DELETE|\()
    |VALUES\s*\(
    |(?:INSERT|REPLACE)\s+(?:OR\s+\w+\s+)?INTO\s+(?!(?:{_PROSE_WORDS})\b)
    |UPDATE\s+(?!(?:{_PROSE_WORDS})\b)[\w."`]+\s+SET\s
    |DELETE\s+FROM\s+(?!(?:{_PROSE_WORDS})\b)
    |MERGE\s+INTO\s+(?!(?:{_PROSE_WORDS})\b)
    |(?:CREATE|ALTER|DROP)\s+(?:OR\s+REPLACE\s+)?(?:TEMP(?:ORARY)?\s+|UNIQUE\s+|MATERIALIZED\s+)?
        (?:TABLE|VIEW|INDEX|TRIGGER|SCHEMA|DATABASE)\s+(?!(?:{_PROSE_WORDS}|in|is)\b)
    |TRUNCATE\s+TABLE\s
    |ATTACH\s+(?:DATABASE\s+)?'
    |PRAGMA\s+\w+[ \t]*(?:[;=(\n]|\Z)
    |(?:SUMMARIZE|DESCRIBE|SHOW)\s+[\w."]+[ \t]*(?:[;\n]|\Z)
    |CALL\s+\w+\(
    |COPY\s+(?:\(|[\w."]+\s*(?:\([^()]*\)\s*)?(?:FROM|TO)\s+')
    |EXPLAIN\s+(?:(?:(?:ANALYZE|VERBOSE|EXTENDED|QUERY\s+PLAN)\b|FORMAT\s*=\s*\w+|\([^()]*\))\s*){{0,3}}(?=SELECT\b|WITH\b)
    """,
    re.IGNORECASE | re.VERBOSE,
)

_FROM_FIRST = re.compile(
    rf"""FROM\s+(?!(?i:{_PROSE_WORDS})\b)(?:[\w."]+|'[^'\n]+')(?:\s+(?i:AS)\s+{_WORD})?"""
    rf"\s+SELECT\s+(?:DISTINCT\s+)?(?!(?i:{_PROSE_WORDS})\b(?!\s*(?:[,;]|\.\w|\Z)|\s+AS\b|[ \t]*\n))\S"
)
"""As DuckDB has it; English has the words too, though not in capitals with nothing but a table between them."""

_ONLY_COMMENTS = re.compile(_COMMENTS)
_BEFORE_KEYWORD = re.compile(rf"{_COMMENTS}(?:\(\s*)*+")
_PARENTHESES = re.compile(r"\([\s(]*\Z")
_LINE_START = re.compile(r"(?:\A|\n)[ \t]*\Z")
_STANDS_OUT = re.compile(r"(?:\n|:[*_]*[ \t]|\A(?=[ \t]*\*\*))[ \t]*(?:\*\*)?(?:\([ \t]*)*\Z")

_TOKEN = re.compile(
    r"'(?:[^']|'')*+(?:'|\Z)|\"[^\"]*(?:\"|\Z)"
    r"|(?P<fence>`{3,}[ \t\r]*(?:\n|\Z))|(?P<tag></[A-Za-z]\w*>)"
    r"|`[^`]*(?:`|\Z)|--[^\n]*|/\*(?:[^*]|\*(?!/))*+(?:\*/|\Z)"
    r"|(?P<bold>(?<=\S)\*\*(?=[\s.,:!?)]|\Z))|(?P<open>[({])|(?P<close>[)}])|(?P<semicolon>;)"
    r"|(?P<blank>\n[ \t\r]*\n\s*)|(?P<line>\n[ \t]*)|(?P<period>\.(?=\s|\Z))"
)
_CONTINUES = re.compile(
    r"(?:AND|AS|CROSS|ELSE|END|EXCEPT|FETCH|FROM|FULL|GROUP|HAVING|INNER|INTERSECT|JOIN|LEFT|LIMIT|NATURAL|OFFSET|ON|OR"
    r"|ORDER|QUALIFY|RIGHT|SELECT|SET|THEN|UNION|USING|VALUES|WHEN|WHERE|WINDOW|WITH)\b"
    r"|[(),;]|--(?!-)|/\*",
    re.IGNORECASE,
)
_UNFINISHED = re.compile(
    r"(?:[,(=<>+/|]|\b(?:AND|AS|BETWEEN|BY|DISTINCT|EXCEPT|FROM|IN|INTERSECT|JOIN|ON|OR|SELECT|UNION|WHERE))\s*\Z",
    re.IGNORECASE,
)
_PROSE_LINE = re.compile(
    r"(?:Also|Because|Feel|Here|Hope|However|I|If|In|It|Let|Note|Please|Since|Thanks|That|The|These|This|We|Would|You)\s+[a-z]"
    r"|\d+\.\s+[A-Za-z]|---[ \t]*(?:\n|\Z)"
    r"|[A-Z][A-Za-z]*(?: [A-Za-z]+){0,3}:(?!:)(?:\s|\Z)|\*\*|\#{2,6} |```|</"
)
_NEXT_SENTENCE = re.compile(r"\s+[A-Z][a-z]+\s")


@dataclass(frozen=True)
class Span:
    """Where a statement is: `text[start:end]`."""

    start: int
    end: int


def starts(text: str) -> bool:
    """Whether the text begins with a SQL statement, comments and parentheses before it allowed."""
    return _starts_at(text, 0)


def only_comments(text: str) -> bool:
    """Whether the text holds nothing that an engine would run."""
    return _ONLY_COMMENTS.fullmatch(text) is not None


def standing_out(text: str) -> Span | None:
    """The first statement that starts the text or a line, or follows a colon."""
    if starts(text):
        start = len(text) - len(text.lstrip())
        return Span(start, _end(text, start, in_sentence=False))
    return next((_span(text, at) for at in _candidates(text) if _stands_out(text, at)), None)


def within_sentence(text: str) -> Span | None:
    """The first query in the middle of a sentence; only one in capitals can be told from English."""
    capitals = (at for at in _candidates(text) if text.startswith(("SELECT", "WITH"), at))
    return next((_span(text, at, in_sentence=True) for at in capitals), None)


def _candidates(text: str) -> Iterator[int]:
    return (match.start() for match in _KEYWORD.finditer(text) if _reads_like_sql(text, match.start()))


def _starts_at(text: str, at: int) -> bool:
    opening = _BEFORE_KEYWORD.match(text, at)
    return opening is not None and _reads_like_sql(text, opening.end())


def _reads_like_sql(text: str, at: int) -> bool:
    select = _SELECT.match(text, at)
    if select is None:
        return any(form.match(text, at) for form in (_OTHER, _FROM_FIRST))
    item = select.end()
    certain = _CERTAIN_ITEM.match(text, item) is not None
    likely = certain or _LIKELY_ITEM.match(text, item) is not None
    in_capitals = text.startswith("SELECT", at)
    if _PROSE_ITEM.match(text, item) or not (likely or in_capitals):
        return False
    source = _FROM.match(text, item, item + _FROM_WITHIN)
    if source is None:
        return certain or (likely and in_capitals)
    return (likely or source[1].isupper()) and not _PROSE_SOURCE.match(text, source.end())


def _stands_out(text: str, at: int) -> bool:
    before = text[max(0, text.rfind("\n", 0, at), at - 200) : at]
    return _STANDS_OUT.search(before) is not None


def _span(text: str, keyword: int, *, in_sentence: bool = False) -> Span:
    start = keyword if in_sentence else _start(text, keyword)
    return Span(start, _end(text, start, in_sentence=in_sentence or not _LINE_START.search(text[:start])))


def _start(text: str, keyword: int) -> int:
    """Where the parentheses and the comment lines right before a keyword start."""
    opened = _PARENTHESES.search(text[max(0, keyword - 200) : keyword])
    start = keyword - len(opened[0]) if opened else keyword
    while _LINE_START.search(text[:start]):
        before = text[:start].rstrip()
        line = before[before.rfind("\n") + 1 :].lstrip()
        if line.startswith("--"):
            start = len(before) - len(line)
        elif line.endswith("*/") and (block := before.rfind("/*")) >= 0:
            start = block
        else:
            break
    return start


def _end(text: str, start: int, *, in_sentence: bool) -> int:
    """Where the statement that starts at `start` ends: before prose, or at the end of the text."""
    depth = 0
    bold = text.endswith("**", 0, start)
    for token in _TOKEN.finditer(text, start):
        kind, after = token.lastgroup, token.end()
        if kind == "bold":
            if bold:
                return token.start()
            continue
        if kind in ("fence", "tag"):
            return token.start()
        if kind == "open":
            depth += 1
        elif kind == "close":
            if depth == 0 and in_sentence:
                return token.start()
            depth = max(0, depth - 1)
        elif kind == "semicolon":
            if not _only_sql_follows(text, after):
                return after
        elif kind is not None and depth == 0 and _prose_follows(text, token, in_sentence=in_sentence):
            return token.start()
    return len(text)


def _only_sql_follows(text: str, at: int) -> bool:
    rest = _BEFORE_KEYWORD.match(text, at)
    at = rest.end() if rest else at
    return at == len(text) or _reads_like_sql(text, at) or _continues(text, at)


def _prose_follows(text: str, token: re.Match[str], *, in_sentence: bool) -> bool:
    at = token.end()
    if token.lastgroup == "blank":
        unfinished = _UNFINISHED.search(text[max(0, token.start() - 30) : token.start()])
        return at < len(text) and not unfinished and not _continues(text, at)
    if token.lastgroup == "line":
        return _PROSE_LINE.match(text, at) is not None
    return _NEXT_SENTENCE.match(text, at) is not None or (in_sentence and not text[at:].strip())


def _continues(text: str, at: int) -> bool:
    match = _CONTINUES.match(text, at)
    return match is not None and not match[0].istitle()
