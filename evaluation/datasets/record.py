"""One entry of a question or prediction file, read with errors that name file, place and key."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlassay.errors import UnknownName, UserError


@dataclass(frozen=True)
class Record:
    """One object of a file: a line of JSON Lines, an entry of a JSON array, a row of a table.

    A value that is `null` or empty text counts as not there.

    Attributes:
        file: The file it is from.
        unit: What the file is counted in.
        number: Which line or entry, from 1.
        fields: Keys and values.
        part: Which part of the entry it is, in words; empty for all of it.
    """

    file: Path
    unit: Literal["line", "entry"]
    number: int
    fields: Mapping[str, object]
    part: str = ""

    @property
    def place(self) -> str:
        """File and line or entry, for messages."""
        return f"{self.file}, {self.unit} {self.number}{self.part and f', {self.part}'}"

    def has(self, key: str) -> bool:
        """Whether the key is there with a value."""
        return self.fields.get(key) not in (None, "")

    def text(self, key: str) -> str:
        """The text under a key that must be there.

        Raises:
            UserError: It is not, or is no text.
        """
        text = self.optional_text(key)
        if text is None or not text.strip():
            raise UserError(
                f"has no {key!r}", place=self.place, remedy=f"is it a question file? every question needs {key!r}"
            )
        return text

    def optional_text(self, key: str) -> str | None:
        """The text under a key, `None` when it is not there.

        Raises:
            UserError: It is no text.
        """
        value = self.fields.get(key)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise self.wrong_kind(key, value, "text")
        return value

    def identifier(self, key: str) -> str | None:
        """The text or whole number under a key as text, `None` when it is not there.

        Raises:
            UserError: It is neither.
        """
        value = self.fields.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        return self.optional_text(key)

    def texts(self, key: str) -> tuple[str, ...]:
        """The text or list of texts under a key; empty when it is not there.

        Raises:
            UserError: It is neither.
        """
        if not self.has(key):
            return ()
        return self.as_texts(key, self.fields[key])

    def as_texts(self, key: str, value: object) -> tuple[str, ...]:
        """A text or list of texts found under a key, as a tuple.

        Raises:
            UserError: It is neither.
        """
        texts = []
        for text in value if isinstance(value, list) else [value]:
            if not isinstance(text, str):
                raise self.wrong_kind(key, text, "text or a list of texts")
            if text.strip():
                texts.append(text)
        return tuple(texts)

    def optional_count(self, key: str) -> int | None:
        """The whole number from 0 under a key, `None` when it is not there.

        Raises:
            UserError: It is none.
        """
        if not self.has(key):
            return None
        value = self.fields[key]
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.wrong_kind(key, value, "a whole number from 0")
        return value

    def only(self, known: Collection[str]) -> None:
        """Refuse keys that are not known; a typing error would go unnoticed otherwise.

        Raises:
            UnknownName: There is one.
        """
        for key in self.fields:
            if key not in known:
                raise UnknownName("key", key, known, place=self.place)

    def wrong_kind(self, key: str, value: object, wanted: str) -> UserError:
        """The error for a value of the wrong type."""
        return UserError(f"{key!r} is {kind(value)}, not {wanted}", place=self.place)


def kind(value: object) -> str:
    """What a JSON value is, in words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, dict) else "text"
