"""What of an answer is the answer: without the reasoning around it and without what was said after its turn."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from prompts.fences import Fenced, blocks

_NAMES = "think|thinking|thoughts?|reasoning|scratchpad"
_TAG = re.compile(rf"<(?P<angle>/?(?:{_NAMES}))>|\[(?P<square>/?THINK)\]|◁(?P<rhombus>/?think)▷", re.IGNORECASE)
# The channels of gpt-oss: what it thinks is in `analysis`, what it says or calls in another one.
_CHANNEL = re.compile(r"<\|channel\|>\s*(?P<name>\w+)[^\n<]*(?:<\|constrain\|>[^\n<]*)?<\|message\|>")
_OVER = re.compile(
    r"(?:<\|(?:im_end|eot_id|eom_id|end|endoftext|end_of_text|return|call)\|>|</s>|<end_of_turn>"
    r"|<｜end▁of▁sentence｜>|\[/(?:SQL|INST)\])(?=\s*(?:\n|\Z|<|\[INST\]))"
)


def without_reasoning(text: str) -> tuple[tuple[str, ...], bool]:
    """The pieces of an answer around its reasoning, at least one, and whether there was any.

    Reasoning that was cut off leaves nothing after its start, and the end of one that never began leaves nothing before
    it: some chat templates open the tag in the prompt, so that the answer holds only its end.
    """
    channels = list(_CHANNEL.finditer(text))
    if channels:
        last = channels[-1]
        thought = last["name"] == "analysis"
        return ("" if thought else text[last.end() :],), thought or len(channels) > 1
    first = _TAG.search(text)
    if first is None:
        return (text,), False
    if _opens(first) and not text[: first.start()].strip():
        # Thoughts are no Markdown: a fence that they leave open says nothing about what follows.
        tags = list(_TAG.finditer(text))
        end = _ends(tags)[0]
        return ("",) if end is None else _around(text[tags[end].end() :]), True
    pieces = _around(text)
    return pieces, pieces != (text,)


def _around(text: str) -> tuple[str, ...]:
    """The pieces around what stands between tags; a tag in a fenced block, where SQL may hold it, is none."""
    tags = list(_outside_blocks(_TAG, text))
    pieces: list[str] = []
    at = 0
    for tag, end in zip(tags, _ends(tags), strict=True):
        if tag.start() < at:
            continue
        if not _opens(tag):
            pieces, at = [], tag.end()
        elif end is not None:
            pieces.append(text[at : tag.start()])
            at = tags[end].end()
        elif not text[max(at, text.rfind("\n", 0, tag.start())) : tag.start()].strip():
            return (*pieces, text[at : tag.start()])
    return (*pieces, text[at:])


def _ends(tags: Sequence[re.Match[str]]) -> list[int | None]:
    """For each tag the number of the one that ends it: the next end of its name, else the next of any."""
    found: list[int | None] = []
    named: dict[str, int] = {}
    nearest: int | None = None
    for number, tag in reversed(list(enumerate(tags))):
        name = _name(tag)
        if not _opens(tag):
            named[name] = nearest = number
        found.append(named.get(name, nearest))
    return found[::-1]


def _opens(tag: re.Match[str]) -> bool:
    return not tag[tag.lastgroup or 0].startswith("/")


def _name(tag: re.Match[str]) -> str:
    return tag[tag.lastgroup or 0].removeprefix("/").lower()


def first_turn(text: str) -> tuple[str, bool]:
    """The text up to the token that ends a turn, and whether there was one."""
    over = next(_outside_blocks(_OVER, text), None)
    return (text, False) if over is None else (text[: over.start()], True)


def _outside_blocks(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """The matches that are not in a fenced block, where SQL may hold such words."""
    if pattern.search(text) is not None:
        fenced = Fenced(blocks(text))
        yield from (match for match in pattern.finditer(text) if match.start() not in fenced)
