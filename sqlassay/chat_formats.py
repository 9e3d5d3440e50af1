"""How models read a conversation as one text: what stands around each message, and where an answer stops.

A format is what the maker of a model published as its chat template. The first token of a text (`<s>`,
`<|begin_of_text|>`) is left out: servers put it there. Tokens of the format within a message are broken up by a space,
so that no message can end its turn and begin another.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlassay.errors import UserError
from sqlassay.messages import Message

_BARS = re.compile(r"<(?=\|\w+\|>)")
_BRACKETS = re.compile(
    r"\[(?=/?(?:INST|AVAILABLE_TOOLS|TOOL_RESULTS|SYSTEM_PROMPT)\]|TOOL_CALLS\])|<(?=/?(?:s|unk|pad)>|</?SYS>>)"
)
_OF_SERVERS = re.compile(r"<(?=\uff5c[^<>\n]{1,40}\uff5c>|(?:start|end)_of_turn>)")
"""Tokens of formats that only servers make: DeepSeek's and Gemma's."""


@dataclass(frozen=True)
class ChatFormat:
    """One format.

    Attributes:
        name: As settings name it.
        stop: The tokens after which the model has said all.
        tokens: Finds the first character of each token of the format.
        layout: What the messages, without such tokens, become.
    """

    name: str
    stop: tuple[str, ...]
    tokens: re.Pattern[str]
    layout: Callable[[Sequence[Message]], str]

    def prompt(self, messages: Sequence[Message]) -> str:
        """The text up to where the model is to go on.

        Raises:
            UserError: The format has no place for messages in this order.
        """
        return self.layout([Message(message.role, self.plain(message.content)) for message in messages])

    def breaks_up(self, messages: Sequence[Message]) -> bool:
        """Whether a message holds a token of the format, which the text then does not."""
        return any(self.tokens.search(message.content) for message in messages)

    def plain(self, text: str) -> str:
        """The text with every token of the format broken up by a space."""
        return self.tokens.sub(lambda found: f"{found[0]} ", text)


def without_tokens(text: str) -> str:
    """The text with the tokens of every format broken up: a server may read them in a message, too."""
    for tokens in (_BARS, _BRACKETS, _OF_SERVERS):
        text = tokens.sub(lambda found: f"{found[0]} ", text)
    return text


def _phi3(messages: Sequence[Message]) -> str:
    return "".join(f"<|{message.role}|>\n{message.content}<|end|>\n" for message in messages) + "<|assistant|>\n"


def _llama3(messages: Sequence[Message]) -> str:
    turns = [(message.role, f"{message.content.strip()}<|eot_id|>") for message in messages]
    return "".join(
        f"<|start_header_id|>{role}<|end_header_id|>\n\n{text}" for role, text in [*turns, ("assistant", "")]
    )


def _chatml(messages: Sequence[Message]) -> str:
    turns = "".join(f"<|im_start|>{message.role}\n{message.content}<|im_end|>\n" for message in messages)
    return f"{turns}<|im_start|>assistant\n"


def _llama2(messages: Sequence[Message]) -> str:
    system, turns = _alternating("llama2", messages)
    if system is not None:
        turns[0] = Message("user", f"<<SYS>>\n{system}\n<</SYS>>\n\n{turns[0].content}")
    return "</s><s>".join(
        "".join(
            f"[INST] {turn.content.strip()} [/INST]" if turn.role == "user" else f" {turn.content.strip()} "
            for turn in turns[start : start + 2]
        )
        for start in range(0, len(turns), 2)
    )


def _mistral(messages: Sequence[Message]) -> str:
    system, turns = _alternating("mistral", messages)
    if system is not None:
        turns[-1] = Message("user", f"{system}\n\n{turns[-1].content}")
    return "".join(
        f"[INST] {turn.content}[/INST]" if turn.role == "user" else f" {turn.content.strip()}</s>" for turn in turns
    )


def _alternating(name: str, messages: Sequence[Message]) -> tuple[str | None, list[Message]]:
    """The system's text, where there is one, and the turns of user and assistant."""
    first = messages[0].content if messages and messages[0].role == "system" else None
    turns = list(messages[1:] if first is not None else messages)
    expected = [("user", "assistant")[number % 2] for number in range(len(turns))]
    if [turn.role for turn in turns] != expected or len(turns) % 2 == 0:
        remedy = "a system message may come first; then user and assistant take turns, and the user is last"
        raise UserError(f"the chat format {name} has no place for these messages", remedy=remedy)
    return first, turns


FORMATS: Mapping[str, ChatFormat] = {
    found.name: found
    for found in (
        ChatFormat("phi3", ("<|end|>", "<|endoftext|>", "<|user|>"), _BARS, _phi3),
        ChatFormat("llama2", ("</s>", "[INST]"), _BRACKETS, _llama2),
        ChatFormat("llama3", ("<|eot_id|>", "<|end_of_text|>"), _BARS, _llama3),
        ChatFormat("chatml", ("<|im_end|>", "<|endoftext|>"), _BARS, _chatml),
        ChatFormat("mistral", ("</s>", "[INST]"), _BRACKETS, _mistral),
    )
}
"""By name."""


def chat_format(name: str) -> ChatFormat:
    """The format of that name.

    Raises:
        UserError: There is none.
    """
    if name not in FORMATS:
        raise UserError(f"there is no chat format {name!r}", remedy=f"write one of {', '.join(FORMATS)}")
    return FORMATS[name]
