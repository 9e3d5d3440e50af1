"""What of an answer is the answer: without the reasoning before it and without what was said after its turn."""

from __future__ import annotations

import re

from prompts.fences import blocks

_NAMES = "think|thinking|thought|reasoning"
_LEADING = re.compile(rf"\s*(?:<(?:{_NAMES})>|\[THINK\]|◁think▷)", re.IGNORECASE)
_END = re.compile(rf"</(?:{_NAMES})>|\[/THINK\]|◁/think▷", re.IGNORECASE)
# The channels of gpt-oss: what it thinks is in `analysis`, what it says or calls in another one.
_CHANNEL = re.compile(r"<\|channel\|>\s*(?P<name>\w+)[^\n<]*(?:<\|constrain\|>[^\n<]*)?<\|message\|>")
_OVER = re.compile(
    r"(?:<\|(?:im_end|eot_id|eom_id|end|endoftext|end_of_text|return|call)\|>|</s>|<end_of_turn>"
    r"|<｜end▁of▁sentence｜>|\[/(?:SQL|INST)\])(?=\s*(?:\n|\Z|<|\[INST\]))"
)


def without_reasoning(text: str) -> tuple[str, bool]:
    """The text after the reasoning, and whether there was any; reasoning that was cut off leaves nothing."""
    channels = list(_CHANNEL.finditer(text))
    if channels:
        last = channels[-1]
        return (text[last.end() :] if last["name"] != "analysis" else ""), len(channels) > 1 or last[
            "name"
        ] == "analysis"
    opening = _LEADING.match(text)
    if opening:
        closing = _END.search(text, opening.end())
        return (text[closing.end() :] if closing else ""), True
    # Some chat templates open the tag in the prompt, so that the answer holds only its end.
    closing = _outside_blocks(_END, text)
    return (text, False) if closing is None else (text[closing.end() :], True)


def first_turn(text: str) -> tuple[str, bool]:
    """The text up to the token that ends a turn, and whether there was one."""
    over = _outside_blocks(_OVER, text)
    return (text, False) if over is None else (text[: over.start()], True)


def _outside_blocks(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """The first match that is not in a fenced block, where SQL may hold such words."""
    match = pattern.search(text)
    if match is None:
        return None
    for block in blocks(text):
        if block.closed and block.start < match.start() < block.end:
            match = pattern.search(text, block.end)
            if match is None:
                return None
    return match
