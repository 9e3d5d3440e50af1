"""Answer -> SQL: finds the query in what a model said, and says how.

What is thought around the answer (`<think>…</think>`) and what comes after the token that ends its turn is taken off.
Then, in this order, the first that finds something wins:

1. The last tool call with SQL among its arguments.
2. An answer that is one JSON object gives its `sql`.
3. The last `<sql>…</sql>` or `<answer>…</answer>`: what is in it is searched as an answer of its own.
4. The last fenced block labelled as SQL: a model that corrects itself does so further down, so its last word counts.
   Without such a label, the last block that begins like SQL.
   Without any, those within a block, as a longer fence or one of another kind may hold.
5. A JSON object with the key `sql` in a block or in prose.
6. Unfenced, the first statement that starts a line or follows a colon: what comes after an unfenced query is its
   explanation, which quotes pieces of it. It ends at a `;` or an empty line with prose behind it.
7. The first query in `inline code`, then the first in the middle of a sentence.

The SQL itself is never changed: only the white space around it is taken off, what JSON escapes is read as JSON, and a
fence around all of a JSON value is none of it.
Two statements in one block stay two. What else was in the answer is told in `removed`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice

from prompts import statements
from prompts.fences import Block, Fenced, blocks, outside
from prompts.tool_calls import calls, sql_in, without_marks
from prompts.turns import first_turn, without_reasoning


class Method(StrEnum):
    """Where the SQL was."""

    FENCED_SQL = "fenced_sql"
    """In a fenced block labelled as SQL."""
    FENCED = "fenced"
    """In a fenced block with no label or another one."""
    UNCLOSED_FENCE = "unclosed_fence"
    """In a fenced block that was never closed."""
    TOOL_CALL = "tool_call"
    """In the arguments of a tool call."""
    JSON = "json"
    """The value of `sql` in a JSON object."""
    TAGGED = "tagged"
    """Between tags such as `<sql>`, unfenced."""
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
    OTHER_CALLS = "other_calls"
    """Tool calls before or after the one that counts."""
    OTHER_FIELDS = "other_fields"
    """Of the JSON object that holds the SQL."""
    FENCE = "fence"
    """Around the SQL within JSON or a tool call."""
    AFTER_END = "after_end"
    """The token that ends a turn, and what follows it."""


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


_INLINE = re.compile(r"(?<!`)(?:``(?!`)(?P<double>.+?)(?<!`)``|`(?!`)(?P<single>[^`]+)`)(?!`)", re.DOTALL)
_DECODER = json.JSONDecoder(strict=False)  # models break the lines of SQL within JSON
_TAG = re.compile(
    r"<(?P<end>/?)(?P<name>sql|sql_query|query|final_sql|answer|final_answer|output)>", re.IGNORECASE | re.ASCII
)
_BEGUN_OBJECT = re.compile(r'\{\s*"')
_SQL_KEY = re.compile(r'"(?:sql|sql[_ ](?:query|statement)|final[_ ]sql|query)"\s*:', re.IGNORECASE)
_MOST_OBJECTS = 100
"""That are looked into: objects may stand within each other, and each is read to its end."""


def extract(answer: str) -> Extraction:
    """Find the SQL in an answer. Never raises."""
    return _within_turn(answer, _find)


def extract_json(answer: str) -> Extraction:
    """Find the SQL in an answer that is a JSON object or a tool call, and nowhere else. Never raises."""
    return _within_turn(answer, lambda text: _in_calls(text) or _in_object(text) or Extraction(None, Method.NONE))


def find_object(answer: str) -> Mapping[str, object] | None:
    """The JSON object of an answer: the whole of it, the last fenced block that is one, or the first in its prose.

    Never raises; `None` when there is none.
    """
    pieces, _ = without_reasoning(answer)
    found = (_object(first_turn(piece)[0]) for piece in reversed(pieces))
    return next((one.value for one in found if one is not None), None)


def only_object(answer: str) -> Mapping[str, object] | None:
    """The one JSON object of an answer; `None` when there is none, several that differ, or one that says a key twice.

    For answers that decide something: text that is only repeated in them must not be taken for what they say.
    """
    text = "\n".join(without_reasoning(answer)[0])
    found: list[dict[str, object]] = []
    at = text.find("{")
    while at >= 0:
        try:
            value, end = _STRICT_DECODER.raw_decode(text, at)
        except _SaidTwice:
            return None
        except (ValueError, RecursionError):
            if _BEGUN_OBJECT.match(text, at):  # what is within a broken one is not what it says
                return None
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


def _within_turn(answer: str, find: Callable[[str], Extraction]) -> Extraction:
    pieces, reasoned = without_reasoning(answer)
    turns = [first_turn(piece) for piece in pieces]
    readings = [find(text) for text, _ in turns]
    having = [number for number, reading in enumerate(readings) if reading.sql is not None]
    number = having[-1] if having else len(pieces) - 1
    around = _removed("".join(pieces[:number]), "".join(pieces[number + 1 :]), other_blocks=False) if having else ()
    removed = [*readings[number].removed, *around]
    removed += [Removed.REASONING] if reasoned else []
    removed += [Removed.AFTER_END] if turns[number][1] else []
    return replace(readings[number], removed=_in_order(removed))


def _find(text: str) -> Extraction:
    found = blocks(text)
    pieces = outside(text, found)
    prose = "\n\n".join(pieces)
    return (
        _in_calls(text)
        or _in_whole_json(text.strip())
        or _in_tags(text, found)
        or _in_blocks(found, pieces)
        or _in_nested_blocks(found, pieces)
        or _in_json(found, pieces, prose)
        or _in_prose(found, prose)
        or Extraction(None, Method.NONE)
    )


def _in_calls(text: str) -> Extraction | None:
    made = calls(text)
    chosen = next((call for call in reversed(made) if call.sql is not None), None)
    if chosen is None:
        return None
    before, after = without_marks(text[: made[0].start]), without_marks(text[made[-1].end :])
    removed = _removed(before, after, other_blocks=False)
    others = (Removed.OTHER_CALLS,) if len(made) > 1 else ()
    return _unfenced(Extraction(chosen.sql, Method.TOOL_CALL, (*removed, *others)))


def _in_tags(text: str, found: Sequence[Block]) -> Extraction | None:
    fenced = Fenced(found)
    tags = list(_TAG.finditer(text))
    ends = [tag for tag in tags if tag["end"] and tag.start() not in fenced]
    for end in ends[:-3:-1]:
        name = end["name"].lower()
        begun = (tag for tag in reversed(tags) if tag.end() <= end.start())
        start = next((tag for tag in begun if not tag["end"] and tag["name"].lower() == name), None)
        # No tag of the same name opens within, so that this ends.
        inner = None if start is None else _find(text[start.end() : end.start()])
        if start is None or inner is None or inner.sql is None:
            continue
        removed = (*_removed(text[: start.start()], text[end.end() :], other_blocks=False), *inner.removed)
        method = Method.TAGGED if inner.method is Method.BARE else inner.method
        return Extraction(inner.sql, method, _in_order(removed))
    return None


def _in_blocks(found: Sequence[Block], pieces: Sequence[str]) -> Extraction | None:
    filled = [i for i, block in enumerate(found) if block.content.strip()]
    labelled = [i for i in filled if found[i].is_sql]
    labelled = [i for i in labelled if not statements.only_comments(found[i].content)] or labelled
    chosen = labelled or [i for i in filled if statements.starts(found[i].content)]
    if not chosen:
        return None
    block = found[chosen[-1]]
    method = Method.FENCED_SQL if block.is_sql else Method.FENCED
    return Extraction(
        block.content.strip(),
        method if block.closed else Method.UNCLOSED_FENCE,
        _removed(*_sides(pieces, chosen[-1]), other_blocks=len(filled) > 1),
    )


def _in_nested_blocks(found: Sequence[Block], pieces: Sequence[str]) -> Extraction | None:
    for number, block in reversed(list(enumerate(found))):
        inner = blocks(block.content)
        nested = _in_blocks(inner, outside(block.content, inner))
        if nested is not None:
            return replace(nested, removed=_in_order((*nested.removed, *_around(found, pieces, number))))
    return None


def _in_whole_json(text: str) -> Extraction | None:
    if text.startswith('"') and text.endswith('"'):
        value, end = _decoded(text, 0)
        if end == len(text) and isinstance(value, str) and statements.starts(value):
            return Extraction(value.strip(), Method.JSON)
    if not (text.startswith("{") and text.endswith("}")):
        return None
    value, end = _decoded(text, 0)
    return _in_value(value, "", "", other_blocks=False) if end == len(text) else None


def _in_json(found: Sequence[Block], pieces: Sequence[str], prose: str) -> Extraction | None:
    for number, block in reversed(list(enumerate(found))):
        whole = _in_whole_json(block.content.strip())
        if whole:
            return replace(whole, removed=_in_order((*_around(found, pieces, number), *whole.removed)))
    begun = _BEGUN_OBJECT.search(prose)
    if begun is None or _is_in_statement(prose, begun.start()):
        return None
    named = _in_any_object(prose, other_blocks=bool(found), named=True)
    return named or (None if _states_besides(prose) else _in_any_object(prose, other_blocks=bool(found)))


def _is_in_statement(prose: str, at: int) -> bool:
    """Whether a place is within a statement, where JSON is a value of its own; what begins a line stands apart."""
    begins_line = not prose[prose.rfind("\n", 0, at) + 1 : at].strip()
    return not begins_line and any(span.start < at < span.end for span, _ in _stated(prose))


def _states_besides(prose: str) -> bool:
    """Whether there is a statement besides the JSON objects of a prose: these may be examples, or what was tried."""
    pieces, at = [], 0
    for _, start, end in _objects(prose):
        if start >= at:  # not within another
            pieces.append(prose[at:start])
            at = end
    return any(_stated("\n".join([*pieces, prose[at:]])))


def _stated(prose: str) -> Iterator[tuple[statements.Span, Method]]:
    """Where statements are that stand out of a prose, or are marked as code in it."""
    span = statements.standing_out(prose)
    if span:
        yield span, Method.AFTER_PROSE if prose[: span.start].strip().strip("*") else Method.BARE
    for code in _INLINE.finditer(prose):
        group = code.lastgroup or ""
        if statements.starts(code[group]):
            yield statements.Span(*code.span(group)), Method.INLINE_CODE


def _in_any_object(text: str, *, other_blocks: bool, named: bool = False) -> Extraction | None:
    """The SQL of the first JSON object in prose that has some, or of the first that says that it is SQL."""
    found = (
        _in_value(value, text[:start], text[end:], other_blocks=other_blocks)
        for value, start, end in _objects(text)
        if not named or _SQL_KEY.search(text, start, end)
    )
    return next((one for one in found if one is not None), None)


def _objects(text: str) -> Iterator[tuple[Mapping[str, object], int, int]]:
    """The JSON objects in a text, those within others after them, each with its start and end."""
    for begun in islice(_BEGUN_OBJECT.finditer(text), _MOST_OBJECTS):
        value, end = _decoded(text, begun.start())
        if isinstance(value, dict):
            yield value, begun.start(), end


def _in_object(text: str) -> Extraction | None:
    found = _object(text)
    told = None if found is None else _in_value(found.value, found.before, found.after, other_blocks=found.other_blocks)
    return told or _in_any_object(text, other_blocks=False)


def _in_value(value: object, before: str, after: str, *, other_blocks: bool) -> Extraction | None:
    """The SQL of a JSON object, and what there is besides."""
    if not isinstance(value, dict):
        return None
    sql = sql_in(value)
    if sql is None:
        return None
    removed = _removed(before, after, other_blocks=other_blocks)
    return _unfenced(Extraction(sql, Method.JSON, (*removed, *((Removed.OTHER_FIELDS,) if len(value) > 1 else ()))))


def _unfenced(found: Extraction) -> Extraction:
    """Without the fence that stands around all of the SQL, as models write it out of habit."""
    sql = found.sql or ""
    block = next(iter(blocks(sql)), None)
    if block is None or not (block.closed and block.content.strip()) or (block.start, block.end) != (0, len(sql)):
        return found
    return Extraction(block.content.strip(), found.method, (*found.removed, Removed.FENCE))


def _decoded(text: str, start: int) -> tuple[object, int]:
    """The JSON value at `start`, and where it ends; `None` where there is none."""
    try:
        return _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None, start


@dataclass(frozen=True)
class _Found:
    """A JSON object in a text, and what is around it."""

    value: Mapping[str, object]
    before: str
    after: str
    other_blocks: bool


def _object(text: str) -> _Found | None:
    whole = text.strip()
    value, end = _decoded(whole, 0)
    if isinstance(value, dict):
        return _Found(value, "", whole[end:], other_blocks=False)
    found = blocks(text)
    for number, block in reversed(list(enumerate(found))):
        content = block.content.strip()
        value, end = _decoded(content, 0)
        if isinstance(value, dict):
            before, after = _sides(outside(text, found), number)
            return _Found(value, before, content[end:] + after, other_blocks=len(found) > 1)
    inside = ((value, text[:start], text[end:]) for value, start, end in _objects(text))
    return next((_Found(*one, other_blocks=False) for one in inside), None)


def _in_prose(found: Sequence[Block], prose: str) -> Extraction | None:
    prose = _without_empty_object(prose)
    stated = next(_stated(prose), None)
    if stated is not None:
        return _cut(prose, *stated, found)
    within = statements.within_sentence(prose)
    return _cut(prose, within, Method.IN_SENTENCE, found) if within else None


def _without_empty_object(prose: str) -> str:
    """Prose without a JSON object that has a place for SQL and none there: what else it says is not the answer.

    One that was cut off goes to the end.
    """
    key = _SQL_KEY.search(prose)
    begun = _BEGUN_OBJECT.search(prose, 0, key.end()) if key else None
    if begun is None or _is_in_statement(prose, begun.start()):
        return prose
    value, end = _decoded(prose, begun.start())
    return prose[: begun.start()] + (prose[end:] if value is not None else "")


def _cut(prose: str, span: statements.Span, method: Method, found: Sequence[Block]) -> Extraction:
    before, after = prose[: span.start], prose[span.end :]
    if method is Method.INLINE_CODE:
        before, after = before.rstrip("`"), after.lstrip("`")
    elif before.endswith("**") and after.startswith("**"):
        before, after = before.removesuffix("**"), after.removeprefix("**")
    return Extraction(prose[span.start : span.end].strip(), method, _removed(before, after, other_blocks=bool(found)))


def _around(found: Sequence[Block], pieces: Sequence[str], number: int) -> tuple[Removed, ...]:
    return _removed(*_sides(pieces, number), other_blocks=len(found) > 1)


def _sides(pieces: Sequence[str], number: int) -> tuple[str, str]:
    """The prose before and after a block, from the pieces around all of them."""
    return "".join(pieces[: number + 1]), "".join(pieces[number + 1 :])


def _in_order(removed: Collection[Removed]) -> tuple[Removed, ...]:
    return tuple(part for part in Removed if part in removed)


def _removed(before: str, after: str, *, other_blocks: bool) -> tuple[Removed, ...]:
    parts = {
        Removed.PROSE_BEFORE: bool(before.strip()),
        Removed.PROSE_AFTER: bool(after.strip()),
        Removed.OTHER_BLOCKS: other_blocks,
    }
    return tuple(part for part, was_there in parts.items() if was_there)
