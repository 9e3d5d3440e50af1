"""The dialect of a run's statements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def dialect_of(manifest: Mapping[str, Any]) -> str:
    """As sqlglot names it; empty, which is sqlglot's own, where the engine's package is not here: reports travel."""
    from database_backends.base import BACKENDS

    name = str(manifest["identity"].get("backend", {}).get("name", ""))
    return BACKENDS.get(name).dialect if name in BACKENDS.names() else ""
