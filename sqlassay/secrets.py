"""Keys: looked up when needed, never stored in an object that is dumped, never printed.

A key is looked for in the environment, in `.env` in the current folder, and in the user's secrets file, in this order.
What the files say never goes into the environment, which the worker processes would inherit.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from sqlassay.errors import UserError
from sqlassay.secrets_file import assignments, read_secrets, secrets_path

DOTENV = Path(".env")
"""Read in the current folder and nowhere else: a folder above may be somebody else's."""
ENVIRONMENT = "environment"
HIDDEN = "***"
"""Stands where a key stood."""
_SHORTEST = 4
"""Characters of a key from which it is taken out of messages; a shorter one is a placeholder, and in every text."""
_SHORTEST_IN_DATA = 16
"""The same for data, such as an answer, in which a placeholder such as `EMPTY` may be meant."""
_given: set[str] = set()
"""The keys that this process has looked up, so that they can be taken out of what it writes."""


class Found(NamedTuple):
    """Where a key is; never what it is.

    Attributes:
        source: `environment`, or the path of a file.
        shadowed: Further places that have one, which is not used.
    """

    source: str
    shadowed: tuple[str, ...] = ()


def look_up(variable: str) -> str | None:
    """The key that a variable holds: in the environment, in `.env`, in the secrets file; `None` when it is in none.

    Raises:
        UserError: The secrets file can be read by others, or a file cannot be read at all.
    """
    key = setting(variable)
    if key is not None:
        _given.add(key)
    return key


def setting(variable: str) -> str | None:
    """As `look_up`, for what is no secret, such as an address: it is not taken out of messages.

    Raises:
        UserError: As `look_up`.
    """
    found = (values().get(variable, "").strip() for _, values in _sources())
    return next((value for value in found if value), None)


def variables() -> set[str]:
    """The names of all variables that are set, in the environment or in a file.

    Raises:
        UserError: As `look_up`.
    """
    return {name for _, values in _sources() for name in values()}


def find_key(provider: str, variable: str, *, usual: bool = False) -> str:
    """As `look_up`, for a key that must be there.

    Args:
        provider: Who the key is for, such as "openai"; only for the message.
        variable: The variable that holds it.
        usual: Whether that is where the provider's key usually is, so that `sqlassay keys set` knows it by the
            provider's name.

    Raises:
        UserError: It is nowhere, or a file cannot be used.
    """
    key = look_up(variable)
    if key is None:
        remedy = f"set the environment variable {variable} or run `sqlassay keys set {provider if usual else variable}`"
        raise UserError(f"no key for {provider}", remedy=remedy)
    return key


def whereabouts(variable: str) -> Found | None:
    """Where the key of a variable is; `None` when it is nowhere.

    Raises:
        UserError: A file cannot be used.
    """
    places = [place for place, values in _sources() if values().get(variable, "").strip()]
    return Found(places[0], tuple(places[1:])) if places else None


def without(text: str, *, data: bool = False) -> str:
    """A text without the keys that were looked up: a server may have repeated them in it.

    Args:
        text: A message.
        data: Whether it is no message but data, in which something short may only look like a key.
    """
    shortest = _SHORTEST_IN_DATA if data else _SHORTEST
    for key in sorted(_given, key=len, reverse=True):
        if len(key) >= shortest:
            text = text.replace(key, HIDDEN)
    return text


def conceal(key: str) -> str:
    """A key that was found elsewhere, such as in the settings of a server; `without` takes it out as well."""
    _given.add(key)
    return key


def _sources() -> tuple[tuple[str, Callable[[], Mapping[str, str]]], ...]:
    """Where keys are looked for, and how each place is read; the first that has one is taken."""
    return (
        (ENVIRONMENT, lambda: os.environ),
        (str(DOTENV), lambda: assignments(_read_dotenv())),
        (str(secrets_path()), read_secrets),
    )


def _read_dotenv() -> str:
    if not DOTENV.is_file():
        return ""
    try:
        return DOTENV.read_text("utf-8-sig", errors="replace")
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", place=str(DOTENV)) from error
