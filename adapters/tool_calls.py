"""Tool calls as text: a provider gives them apart from what the model says, where they would be lost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from adapters.untrusted import array, mapping, text


def with_calls(said: str, calls: Iterable[tuple[object, object]]) -> str:
    """What a model said, then its calls as Hermes writes them, each between `<tool_call>` tags on a line of its own.

    Args:
        said: The text of the answer, often none.
        calls: The name and the arguments of each, as the provider gives them: an object, or JSON within a text.
    """
    written = (
        json.dumps({"name": text(name), "arguments": arguments}, ensure_ascii=False, default=str)
        for name, arguments in calls
    )
    return "\n".join([*([said] if said else []), *(f"<tool_call>{one}</tool_call>" for one in written)])


def of_message(message: Mapping[str, Any]) -> list[tuple[object, object]]:
    """Name and arguments of each call in a message of chat completions; a tool of one's own is given plain text."""
    found = []
    for call in map(mapping, array(message.get("tool_calls"))):
        function, custom = mapping(call.get("function")), mapping(call.get("custom"))
        if function:
            found.append((function.get("name"), function.get("arguments")))
        elif custom:
            found.append((custom.get("name"), custom.get("input")))
    return found


class Gathered:
    """Calls that come in pieces, by their numbers."""

    def __init__(self) -> None:
        self._calls: dict[object, tuple[list[str], list[str]]] = {}

    def add(self, number: object, name: str, arguments: str) -> None:
        """A piece of one call: of its name, of the text of its arguments, or of both."""
        names, pieces = self._calls.setdefault(number, ([], []))
        names.append(name)
        pieces.append(arguments)

    def calls(self) -> list[tuple[object, object]]:
        """Name and arguments of each."""
        return [("".join(names), "".join(pieces)) for names, pieces in self._calls.values()]
