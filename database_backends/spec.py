"""`ENGINE:TARGET`: which engine, and where its database is."""

from __future__ import annotations

from database_backends.base import BACKENDS

_ENGINES = {"postgresql": "postgres"}
"""Engines by schemes of connection strings that are not their registered names."""


def engine_and_target(spec: str) -> tuple[str, str]:
    """The registered name of the engine, and the target; either may be empty.

    A connection string names its engine by its scheme, as other tools write it: `postgresql://…`,
    `mysql+pymysql://…`.
    """
    name, _, target = spec.partition(":")
    if name not in BACKENDS.names():
        scheme, _, _ = name.partition("+")  # what follows is a driver
        engine = _ENGINES.get(scheme, scheme)
        name = engine if engine in BACKENDS.names() else name
    return name, target
