"""Prompts as text: templates for comparing, messages for reading."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from sqlassay.messages import Message
from sqlassay.printable import printable

if TYPE_CHECKING:
    from prompts.template import PromptTemplate

_IDENTITY = frozenset({"name", "version", "description", "messages", "sha256", "path", "released"})


def settings(template: PromptTemplate) -> dict[str, Any]:
    """The settings of a template, as JSON types."""
    found = {one.name: _plain(getattr(template, one.name)) for one in fields(template) if one.name not in _IDENTITY}
    return {**found, "linker": None if template.linker is None else template.linker.identity}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


def of_template(template: PromptTemplate) -> str:
    """All of a template by which it differs from another: its settings, and its messages."""
    told = "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in settings(template).items())
    return told + of_messages(template.messages)


def of_messages(messages: Sequence[Message], headings: Iterable[str] = ()) -> str:
    """Messages one below the other, each under its role.

    Args:
        messages: The messages.
        headings: What stands in the place of the roles.
    """
    told = list(headings) or [message.role for message in messages]
    return "".join(
        f"{f'──── {heading} ────':─<72}\n{message.content.removesuffix(chr(10))}\n"
        for heading, message in zip(told, messages, strict=True)
    )


def write(text: str) -> None:
    """Print a text, its control characters spelled out."""
    sys.stdout.write(printable(text))


def write_raw(text: str) -> None:
    """Print a text byte for byte, in UTF-8, with nothing after it."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "surrogatepass"))
    sys.stdout.buffer.flush()
