"""The variables that hold the keys of providers."""

from __future__ import annotations

from adapters.base import ADAPTERS
from sqlassay.errors import UserError


def key_variables() -> dict[str, str]:
    """The variables of the providers that have one; those whose package is not installed are left out."""
    found = {}
    for name in ADAPTERS.names():
        try:
            variable = ADAPTERS.get(name).key_env
        except UserError:
            continue
        if variable is not None:
            found[name] = variable
    return found
