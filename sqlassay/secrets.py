"""Keys: looked up when needed, never stored in an object that is dumped, never printed."""

from __future__ import annotations

import os

from sqlassay.errors import UserError


def find_key(provider: str, variable: str) -> str:
    """The key of a provider, from the environment.

    Args:
        provider: Who the key is for, such as "openai"; only for the message.
        variable: The environment variable that holds it.

    Raises:
        UserError: It is not set.
    """
    key = os.environ.get(variable, "").strip()
    if not key:
        raise UserError(f"no key for {provider}", remedy=f"set the environment variable {variable}")
    return key
