"""The first wall: is this exactly one statement, and is it a query?"""

from __future__ import annotations


def check(sql: str, dialect: str) -> None:
    """Refuse what is not one query."""
