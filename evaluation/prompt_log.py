r"""The prompts of a run: `prompts.jsonl`, in which every byte that a model was sent is found by its digest.

One line per prompt, before the first item that names it. A long text that many prompts hold, such as a schema, has a
line of its own, above the first that holds it:

```json
{"sha256": "5b0c…", "text": "CREATE TABLE …"}
{"sha256": "91aa…", "messages": [{"role": "user", "content": ["Schema:\n\n", {"sha256": "5b0c…"}, "\n\nHow many?"]}]}
```

A digest is always that of what was sent. Where something else is written, since a key or a value of the environment
stands in it, or characters that are no Unicode, the line says `"altered": true`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from evaluation.jsonl import line_of, read_lines
from sqlassay.chat_formats import FORMATS
from sqlassay.errors import UserError
from sqlassay.messages import Message

if TYPE_CHECKING:
    from prompts.template import RenderedPrompt

PROMPTS = "prompts.jsonl"
_REMEMBERED = 20_000
"""Digests of prompts that are known to be in a file."""


class PromptLines:
    """Turns prompts into the lines that are not in the file yet.

    Args:
        path: The file.
        conceal: Takes out of a text what is written nowhere.
    """

    def __init__(self, path: Path, conceal: Callable[[str], str]) -> None:
        self.path = path
        self._conceal = conceal
        self._seen = _Seen()
        self._lines: list[bytes] = []

    def begin(self) -> None:
        """Remember what there is."""
        for line in read_lines(self.path):
            self._seen.is_new(str(line.get("sha256")))

    def add(self, prompt: RenderedPrompt) -> None:
        """Add what is new of a prompt."""
        if not self._seen.is_new(prompt.sha256):
            return
        digests = {text: text_sha256(text) for text in sorted(prompt.texts, key=len, reverse=True)}
        messages = [(message.role, _parts(message.content, digests)) for message in prompt.messages]
        used = {part for _, parts in messages for part in parts if part in digests}
        for text in (text for text in digests if text in used and self._seen.is_new(digests[text])):
            self._add(digests[text], "text", text, self._conceal(text))

        def told(say: Callable[[str], str]) -> list[dict[str, Any]]:
            return [
                {"role": role, "content": _content([_reference(digests[p]) if p in digests else say(p) for p in parts])}
                for role, parts in messages
            ]

        self._add(prompt.sha256, "messages", told(str), told(self._conceal))

    def take(self) -> bytes:
        """The lines that are to be written now."""
        lines, self._lines = b"".join(self._lines), []
        return lines

    def _add(self, sha256: str, key: str, sent: object, told: object) -> None:
        line = line_of({"sha256": sha256, key: told})
        if json.loads(line)[key] != sent:
            line = line_of({"sha256": sha256, "altered": True, key: told})
        self._lines.append(line)


@dataclass(frozen=True)
class SentText:
    """Messages as the one text that a model was sent.

    Attributes:
        text: The text.
        broken_up: Whether the messages held tokens of the chat format, which are broken up in the text.
    """

    text: str
    broken_up: bool


@dataclass(frozen=True)
class RecordedPrompt:
    """A prompt of a run.

    Attributes:
        sha256: Of what was sent.
        messages: As they were recorded.
        altered: Whether something else was sent: what is written nowhere has been taken out.
    """

    sha256: str
    messages: tuple[Message, ...]
    altered: bool = False

    def as_text(self, chat_format: str | None, sent_sha256: str | None) -> SentText | None:
        """The one text that the messages were sent as; where they are altered, so is it.

        Args:
            chat_format: The name of the format, as an answer records it; `None` where there was none.
            sent_sha256: The digest of the text; `None` where nothing was sent.

        Returns:
            `None` where there was none, and where it cannot be made as it was any more.
        """
        found = FORMATS.get(chat_format or "")
        if found is None or sent_sha256 is None:
            return None
        try:
            text = found.prompt(self.messages)
        except UserError:
            return None
        if not self.altered and text_sha256(text) != sent_sha256:
            return None
        return SentText(text, found.breaks_up(self.messages))


class PromptIndex:
    """Finds prompts in a file that may be growing: only the places of the lines are kept in memory.

    Args:
        path: The file; while there is none, there are no prompts.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places: dict[str, int] = {}
        self._end = 0

    def find(self, sha256: str) -> RecordedPrompt | None:
        """The prompt of a digest; `None` when it is not in the file.

        Raises:
            UserError: A line is none of ours.
        """
        if sha256 not in self._places:
            self._read_on()
        if sha256 not in self._places:
            return None
        try:
            with self.path.open("rb") as file:
                line = self._line(file, sha256)
                needed = {part["sha256"] for m in line["messages"] for part in _references(m["content"])}
                return _assembled(line, {digest: self._line(file, digest) for digest in needed})
        except (KeyError, TypeError, ValueError) as error:
            problem = f"not a record of prompts: {error!r}"
            raise UserError(problem, place=str(self.path), remedy="restore the file") from error

    def _read_on(self) -> None:
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(self._end)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._places[str(json.loads(line).get("sha256"))] = self._end
                self._end += len(line)

    def _line(self, file: BinaryIO, sha256: str) -> Any:
        file.seek(self._places[sha256])
        return json.loads(file.readline())


def read_prompts(path: Path, wanted: Collection[str] | None = None) -> dict[str, RecordedPrompt]:
    """The prompts of a run by their digests, each held against its own.

    Args:
        path: The file; without it there are none.
        wanted: Digests; all unless given.

    Raises:
        UserError: A line is none of ours, or a prompt is not what was sent.
    """
    if not path.exists():
        return {}
    lines = [
        line for line in read_lines(path) if "messages" in line and (wanted is None or line.get("sha256") in wanted)
    ]
    try:
        needed = {part["sha256"] for line in lines for m in line["messages"] for part in _references(m["content"])}
        texts = {
            str(line["sha256"]): line for line in read_lines(path) if "text" in line and line.get("sha256") in needed
        }
        found = [_assembled(line, texts) for line in lines]
    except (KeyError, TypeError) as error:
        raise UserError(f"not a record of prompts: {error!r}", place=str(path), remedy="restore the file") from error
    from prompts.template import RenderedPrompt

    for one in found:
        if not one.altered and RenderedPrompt.of(one.messages).sha256 != one.sha256:
            raise UserError(
                f"the prompt {one.sha256[:12]}… is not what was sent: it has another digest",
                place=str(path),
                remedy="restore the file",
            )
    return {one.sha256: one for one in found}


def joined_prompts(paths: Iterable[Path]) -> Iterator[bytes]:
    """The lines of several files as those of one, in which hardly anything stands twice.

    Raises:
        UserError: A file is missing, or a line is none of ours.
    """
    seen = _Seen()
    for path in paths:
        if not path.exists():
            raise UserError("is missing", place=str(path), remedy="restore the file")
        for line in read_lines(path):
            if seen.is_new(str(line.get("sha256"))):
                yield line_of(line)


class _Seen:
    """What was written last: memory stays flat, and a prompt that comes back later is written again."""

    def __init__(self) -> None:
        self._digests: dict[str, None] = {}

    def is_new(self, sha256: str) -> bool:
        """Whether a digest is none of those; from now on it is."""
        if sha256 in self._digests:
            return False
        self._digests[sha256] = None
        if len(self._digests) > _REMEMBERED:
            del self._digests[next(iter(self._digests))]
        return True


def _assembled(line: Mapping[str, Any], texts: Mapping[str, Mapping[str, Any]]) -> RecordedPrompt:
    altered = bool(line.get("altered"))
    messages = []
    for message in line["messages"]:
        content = message["content"]
        parts = [content] if isinstance(content, str) else content
        altered = altered or any(texts[part["sha256"]].get("altered") for part in _references(content))
        whole = "".join(part if isinstance(part, str) else texts[part["sha256"]]["text"] for part in parts)
        messages.append(Message(message["role"], whole))
    return RecordedPrompt(line["sha256"], tuple(messages), altered)


def _references(content: str | list[Any]) -> Iterator[Mapping[str, str]]:
    return (part for part in content if not isinstance(part, str))


def _reference(sha256: str) -> dict[str, str]:
    return {"sha256": sha256}


def _content(parts: list[Any]) -> Any:
    """Text where it is nothing but text."""
    return parts[0] if len(parts) == 1 and isinstance(parts[0], str) else parts


def _parts(content: str, texts: Collection[str]) -> list[str]:
    """The content in pieces, of which those among `texts` are kept by themselves."""
    parts = [content]
    for text in texts:
        parts = [piece for part in parts for piece in ([part] if part in texts else _cut(part, text))]
    return parts


def _cut(content: str, text: str) -> list[str]:
    pieces = [piece for gap in content.split(text) for piece in (text, gap)][1:]
    return [piece for piece in pieces if piece] or [content]


def text_sha256(text: str) -> str:
    """The hex digest of a text, in UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
