"""Reading JSON that a server sent, which may look like anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def mapping(value: object) -> Mapping[str, Any]:
    """The value where it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def array(value: object) -> list[Any]:
    """The value where it is an array, else an empty one."""
    return value if isinstance(value, list) else []


def count(value: object) -> int | None:
    """The value where it is a whole number that counts something, else `None`."""
    return value if type(value) is int and value >= 0 else None


def text(value: object) -> str:
    """The value where it is text, else none."""
    return value if isinstance(value, str) else ""
