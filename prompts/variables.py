"""The variables that a prompt may mention, each with a value as a run could give it."""

from __future__ import annotations

from collections.abc import Mapping

EXAMPLE: Mapping[str, str] = {"question": "How many?", "sql": "SELECT 1", "db_id": "concert", "evidence": ""}
"""One of those that a prompt may show."""
QUESTION: Mapping[str, object] = {
    "question": "How many singers are there?",
    "evidence": "a singer is a person",
    "schema": "CREATE TABLE singer (\n  id INTEGER PRIMARY KEY\n);",
    "dialect": "SQLite",
    "dialect_rules": "- Identifiers are quoted with double quotes.",
    "examples": [EXAMPLE],
    "history": [{"question": "How many?", "sql": "SELECT 1"}],
}
"""Given to every prompt; examples, where its file says which."""
ROUTER: Mapping[str, object] = {"routes": [{"name": "easy", "description": "one table"}]}
"""Given besides to the prompt of a router's classifier."""
CORRECTION: Mapping[str, object] = {"sql": "SELECT", "error": "incomplete input"}
"""Given besides to the prompt of a correction, which follows the conversation so far."""
JUDGE: Mapping[str, object] = {
    **{name: [{"name": "good", "description": "as it should be"}] for name in ("grades", "categories", "criteria")},
    "ordered": True,
    **{
        f"{whose}_{what}": "SELECT 1"
        for whose in ("candidate", "gold", "first", "second")
        for what in ("sql", "result")
    },
}
"""Given besides to the prompt of a judge, as far as it is shown them."""
ELSEWHERE = {"a router's classifier": ROUTER, "a correction": CORRECTION, "a judge": JUDGE}
"""By whose prompt it is that is given them besides."""
EVERY: Mapping[str, object] = {**QUESTION, **ROUTER, **CORRECTION, **JUDGE}
TEXTS = frozenset(name for name, value in EVERY.items() if isinstance(value, str))
"""Of which there is nothing but the text itself: no attribute, no key."""
