"""SQL in the arguments of a tool call, as models write calls into their answers.

Hermes and Qwen write `<tool_call>{"name": …, "arguments": {…}}</tool_call>`, and so do the adapters where a provider
gives the calls apart from the text; Qwen Coder `<function=…><parameter=sql>…`; Mistral `[TOOL_CALLS][{…}]`, later
`[TOOL_CALLS]name[ARGS]{…}`; Llama `<|python_tag|>{"name": …, "parameters": {…}}`, or `<|python_tag|>name.call(…)`;
DeepSeek `<｜tool▁sep｜>name{…}`; Anthropic's models `<invoke name="…"><parameter name="sql">…`; and many the JSON of
OpenAI, whose `arguments` are JSON within a string.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from prompts import statements

_CERTAIN_KEYS = ("sql", "sql_query")
"""Whatever stands there is meant to be SQL."""
_LIKELY_KEYS = ("query", "sql_statement", "final_sql", "statement", "code", "input", "answer", "final_answer", "output")
_ARGUMENTS = ("arguments", "parameters", "input", "args")
_WRAPPERS = ("tool_calls", "function", "function_call", "functionCall")

_CALL = re.compile(
    r"(?P<marker><tool_call>|<\|python_tag\|>|\[TOOL_CALLS\])\s*(?=[\[{])"
    r"|(?P<named>\[TOOL_CALLS\]\s*[\w.-]+\s*(?:\[ARGS\])?|<function=[\w.-]+>"
    r"|<｜tool▁sep｜>(?:\s*[\w.-]+)?\s*(?:```json)?)\s*(?=\{)"
    r"|(?P<tagged><(?:\w+:)?invoke\s+name=|<function=[\w.-]+>\s*<parameter=)"
    r"|(?P<python><\|python_tag\|>\s*[\w.]+\()"
    r"|(?P<json>(?:\[\s*)?\{\s*\"(?:name|id|type|index|tool_calls|function|function_call|functionCall)\"\s*:)"
)
_PARAMETER = re.compile(
    r"<(?P<tag>(?:\w+:)?parameter)(?:\s+name=\"(?P<name>\w+)\"|=(?P<key>\w+))[^>]*>(?P<value>.*?)</(?P=tag)>", re.DOTALL
)
_KEYWORD = re.compile(
    r"\s*(?P<key>\w+)\s*=\s*"
    r"(?:(?P<quote>\"{3}|'{3}|\"|')(?P<text>(?:\\.|(?!(?P=quote))[^\\])*+)(?P=quote)|[^\s,()\"']+)\s*(?:,|(?=\)))",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\([nt\"'\\])")
_ESCAPED = {"n": "\n", "t": "\t"}
_CALL_END = re.compile(r"\s*\)")
_TAGGED_END = re.compile(r"</(?:\w+:)?(?:invoke|function)>")
_MARKS = re.compile(
    r"</?(?:\w+:)?(?:tool_calls?|function_calls?|function)>|<｜tool▁[^｜>]*｜>(?:function\b)?|```(?:json|xml)?"
)
_BETWEEN = re.compile(r"[\s;,]*(?=\{)")
_DECODER = json.JSONDecoder(strict=False)  # models break the lines of SQL within JSON
_MOST_BROKEN = 20


@dataclass(frozen=True)
class Call:
    """One call.

    Attributes:
        sql: The SQL in its arguments; `None` when there is none.
        start: Where the call starts in the text.
        end: Where it ends.
    """

    sql: str | None
    start: int
    end: int


def calls(text: str) -> tuple[Call, ...]:
    """The calls in a text, in order; one that is cut off or broken is none."""
    found: list[Call] = []
    at = broken = 0
    while broken < _MOST_BROKEN and (match := _CALL.search(text, at)):
        form = _tagged if match["tagged"] else _as_python if match["python"] else _written
        here = tuple(form(text, match))
        found += here
        broken += not here
        at = here[-1].end if here else match.end()
    return tuple(found)


def without_marks(text: str) -> str:
    """What is around calls, without the tags and fences that only say that there are calls."""
    return _MARKS.sub("", text)


def sql_in(arguments: object) -> str | None:
    """The SQL in the arguments of a call: an object, or a text that holds one or is the SQL itself."""
    if isinstance(arguments, str):
        try:
            value = _DECODER.decode(arguments)
        except (ValueError, RecursionError):
            return arguments.strip() if statements.starts(arguments) else None
        return sql_in(value) if isinstance(value, dict) else None
    if not isinstance(arguments, dict):
        return None
    told = ((str(key).lower().replace(" ", "_"), value) for key, value in arguments.items())
    fields = {key: value for key, value in told if isinstance(value, str) and value.strip()}
    certain = next((fields[key] for key in _CERTAIN_KEYS if key in fields), None)
    likely = (fields[key] for key in _LIKELY_KEYS if key in fields and statements.starts(fields[key]))
    found = certain or next(likely, None)
    return None if found is None else found.strip()


def _written(text: str, match: re.Match[str]) -> Iterator[Call]:
    """Calls in JSON, several of them where they stand in a row."""
    start, at = match.start(), match.start("json") if match["json"] else match.end()
    while True:
        try:
            value, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            return
        given = [value] if match["named"] else list(_arguments(value))
        yield from (Call(sql_in(one), start, end) for one in given)
        following = _BETWEEN.match(text, end)
        if not given or following is None or match["named"]:
            return
        start = at = following.end()


def _arguments(value: object) -> Iterator[object]:
    """The arguments of what has the shape of a call, or of several."""
    if isinstance(value, list):
        for one in value:
            yield from _arguments(one)
    elif isinstance(value, dict):
        wrapped = [value[key] for key in _WRAPPERS if isinstance(value.get(key), dict | list)]
        if wrapped:
            yield from _arguments(wrapped[0])
        elif isinstance(value.get("name"), str):
            yield from (value[key] for key in _ARGUMENTS if key in value)


def _tagged(text: str, match: re.Match[str]) -> Iterator[Call]:
    """A call whose arguments stand between tags as they are."""
    end = _TAGGED_END.search(text, match.end())
    if end is None:
        return
    found = _PARAMETER.finditer(text, match.start(), end.start())
    yield Call(sql_in({one["name"] or one["key"]: one["value"] for one in found}), match.start(), end.end())


def _as_python(text: str, match: re.Match[str]) -> Iterator[Call]:
    """A call as Python has it, with keywords."""
    found: dict[str, str] = {}
    at = match.end()
    while keyword := _KEYWORD.match(text, at):
        at = keyword.end()
        if keyword["text"] is not None:
            found[keyword["key"]] = _ESCAPE.sub(lambda one: _ESCAPED.get(one[1], one[1]), keyword["text"])
    end = _CALL_END.match(text, at)
    if end is not None:
        yield Call(sql_in(found), match.start(), end.end())
