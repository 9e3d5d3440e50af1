"""Answer -> SQL: finds the query in what a model said, and says how.

In this order, the first that finds something wins:

1. Reasoning (`<think>…</think>`) is taken off.
2. An answer that is one JSON object gives its `sql`.
3. The last fenced block labelled as SQL: a model that corrects itself does so further down, so its last word counts.
   Without such a label, the last block that begins like SQL.
4. A JSON object in a block or in prose that begins with the key `sql`.
5. Unfenced, the first statement that starts a line or follows a colon: what comes after an unfenced query is its
   explanation, which quotes pieces of it. It ends at a `;` or an empty line with prose behind it.
6. The first query in `inline code`, then the first in the middle of a sentence.

The SQL itself is never changed: only the white space around it is taken off. Two statements in one block stay two.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from prompts import statements
from prompts.fences import Block, blocks, outside


class Method(StrEnum):
    """Where the SQL was."""

    FENCED_SQL = "fenced_sql"
    """In a fenced block labelled as SQL."""
    FENCED = "fenced"
    """In a fenced block with no label or another one."""
    UNCLOSED_FENCE = "unclosed_fence"
    """In a fenced block that was never closed."""
    JSON = "json"
    """The value of `sql` in a JSON object."""
    BARE = "bare"
    """The answer starts with it, unfenced."""
    AFTER_PROSE = "after_prose"
    """On a line of its own or after a colon, unfenced."""
    INLINE_CODE = "inline_code"
    """Between single backticks in a sentence."""
    IN_SENTENCE = "in_sentence"
    """In the middle of a sentence, unmarked."""
    NONE = "none"
    """Nowhere: the answer holds no SQL."""


class Removed(StrEnum):
    """What was around the SQL and was taken off."""

    REASONING = "reasoning"
    PROSE_BEFORE = "prose_before"
    PROSE_AFTER = "prose_after"
    OTHER_BLOCKS = "other_blocks"


@dataclass(frozen=True)
class Extraction:
    """What was found in an answer.

    Attributes:
        sql: The SQL, exactly as the model wrote it; `None` when there is none.
        method: Where it was.
        removed: What else was in the answer.
    """

    sql: str | None
    method: Method
    removed: tuple[Removed, ...] = ()


_LEADING_REASONING = re.compile(r"\s*<(think|thinking|thought|reasoning)>", re.IGNORECASE)
_REASONING_END = re.compile(r"</(?:think|thinking|thought|reasoning)>", re.IGNORECASE)
_INLINE = re.compile(r"(?<!`)(?:``(?!`)(?P<double>.+?)(?<!`)``|`(?!`)(?P<single>[^`]+)`)(?!`)", re.DOTALL)
_JSON_KEYS = ("sql", "sql_query", "query")
_DECODER = json.JSONDecoder()
_JSON_IN_PROSE = re.compile(rf'\{{\s*"(?:{"|".join(_JSON_KEYS)})"\s*:', re.IGNORECASE)


def extract(answer: str) -> Extraction:
    """Find the SQL in an answer. Never raises."""
    text, reasoned = _without_reasoning(answer)
    found = _find(text)
    if not reasoned:
        return found
    return Extraction(found.sql, found.method, (Removed.REASONING, *found.removed))


def extract_json(answer: str) -> Extraction:
    """Find the SQL in an answer that is a JSON object, and nowhere else. Never raises."""
    found = find_object(answer) or {}
    fields = {str(key).lower(): field for key, field in found.items()}
    texts = (fields.get(key) for key in _JSON_KEYS)
    sql = next((sql.strip() for sql in texts if isinstance(sql, str) and sql.strip()), None)
    return Extraction(sql, Method.JSON if sql is not None else Method.NONE)


def find_object(answer: str) -> Mapping[str, object] | None:
    """The JSON object of an answer: the whole of it, the last fenced block that is one, or the first in its prose.

    Never raises; `None` when there is none.
    """
    text, _ = _without_reasoning(answer)
    fenced = [block.content for block in reversed(blocks(text))]
    for candidate in (text, *fenced, text[text.find("{") :] if "{" in text else ""):
        try:
            value, _ = _DECODER.raw_decode(candidate.strip())
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            return value
    return None


def only_object(answer: str) -> Mapping[str, object] | None:
    """The one JSON object of an answer; `None` when there is none, several that differ, or one that says a key twice.

    For answers that decide something: text that is only repeated in them must not be taken for what they say.
    """
    text, _ = _without_reasoning(answer)
    found: list[dict[str, object]] = []
    at = text.find("{")
    while at >= 0:
        try:
            value, end = _STRICT_DECODER.raw_decode(text, at)
        except _SaidTwice:
            return None
        except (ValueError, RecursionError):
            end = at + 1
        else:
            found.append(value)
        at = text.find("{", end)
    return found[0] if found and all(one == found[0] for one in found) else None


class _SaidTwice(Exception):
    """A JSON object has a key twice."""


def _with_each_key_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise _SaidTwice
    return dict(pairs)


_STRICT_DECODER = json.JSONDecoder(object_pairs_hook=_with_each_key_once)


EXTRACTORS: Mapping[str, Callable[[str], Extraction]] = {"sql_block": extract, "json": extract_json}
"""What a template's `output` may say."""


def _without_reasoning(text: str) -> tuple[str, bool]:
    opening = _LEADING_REASONING.match(text)
    if opening:
        closing = _REASONING_END.search(text, opening.end())
        return (text[closing.end() :] if closing else ""), True
    # Some chat templates open the tag in the prompt, so that the answer holds only its end.
    closing = _REASONING_END.search(text)
    if closing and not any(block.closed and block.start < closing.start() < block.end for block in blocks(text)):
        return text[closing.end() :], True
    return text, False


def _find(text: str) -> Extraction:
    found = blocks(text)
    pieces = outside(text, found)
    prose = "\n\n".join(pieces)
    return (
        _in_whole_json(text.strip())
        or _in_blocks(found, pieces)
        or _in_json(found, prose)
        or _in_prose(found, prose)
        or Extraction(None, Method.NONE)
    )


def _in_blocks(found: Sequence[Block], pieces: Sequence[str]) -> Extraction | None:
    filled = [i for i, block in enumerate(found) if block.content.strip()]
    labelled = [i for i in filled if found[i].is_sql]
    chosen = labelled or [i for i in filled if statements.starts(found[i].content)]
    if not chosen:
        return None
    block = found[chosen[-1]]
    method = Method.FENCED_SQL if block.is_sql else Method.FENCED
    return Extraction(
        block.content.strip(),
        method if block.closed else Method.UNCLOSED_FENCE,
        _removed("".join(pieces[: chosen[-1] + 1]), "".join(pieces[chosen[-1] + 1 :]), len(filled) > 1),
    )


def _in_whole_json(text: str) -> Extraction | None:
    if not (text.startswith("{") and text.endswith("}")):
        return None
    sql, end = _sql_of_json(text, 0)
    return Extraction(sql, Method.JSON) if sql and end == len(text) else None


def _in_json(found: Sequence[Block], prose: str) -> Extraction | None:
    for block in reversed(found):
        whole = _in_whole_json(block.content.strip())
        if whole:
            return Extraction(whole.sql, Method.JSON, _removed(prose, "", len(found) > 1))
    match = _JSON_IN_PROSE.search(prose)
    if not match:
        return None
    sql, end = _sql_of_json(prose, match.start())
    if not sql:
        return None
    return Extraction(sql, Method.JSON, _removed(prose[: match.start()], prose[end:], bool(found)))


def _sql_of_json(text: str, start: int) -> tuple[str | None, int]:
    """The SQL in the JSON object at `start`, and where the object ends."""
    try:
        value, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None, start
    if not isinstance(value, dict):
        return None, end
    fields = {str(key).lower(): field for key, field in value.items()}
    texts = (fields.get(key) for key in _JSON_KEYS)
    return next((sql.strip() for sql in texts if isinstance(sql, str) and sql.strip()), None), end


def _in_prose(found: Sequence[Block], prose: str) -> Extraction | None:
    span = statements.standing_out(prose)
    if span:
        method = Method.AFTER_PROSE if prose[: span.start].strip() else Method.BARE
        return _cut(prose, span, method, found)
    for code in _INLINE.finditer(prose):
        group = code.lastgroup or ""
        if statements.starts(code[group]):
            return _cut(prose, statements.Span(*code.span(group)), Method.INLINE_CODE, found)
    span = statements.within_sentence(prose)
    return _cut(prose, span, Method.IN_SENTENCE, found) if span else None


def _cut(prose: str, span: statements.Span, method: Method, found: Sequence[Block]) -> Extraction:
    before, after = prose[: span.start], prose[span.end :]
    if method is Method.INLINE_CODE:
        before, after = before.rstrip("`"), after.lstrip("`")
    return Extraction(prose[span.start : span.end].strip(), method, _removed(before, after, bool(found)))


def _removed(before: str, after: str, other_blocks: bool) -> tuple[Removed, ...]:
    parts = {
        Removed.PROSE_BEFORE: bool(before.strip()),
        Removed.PROSE_AFTER: bool(after.strip()),
        Removed.OTHER_BLOCKS: other_blocks,
    }
    return tuple(part for part, was_there in parts.items() if was_there)
