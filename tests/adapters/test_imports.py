"""Asking for help must not pay for vendor SDKs: they load with the adapter that needs them."""

from __future__ import annotations

import subprocess
import sys

import pytest

VENDORS = {"openai", "google", "ollama", "anthropic", "huggingface_hub", "httpx", "httpx2"}
HEAVY = {"pydantic", "tenacity", "sqlglot"}


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("adapters", VENDORS | HEAVY),
        ("adapters.base", VENDORS | HEAVY),
        ("adapters.errors", VENDORS | HEAVY),
        ("adapters.remote", VENDORS | HEAVY),
        ("adapters.replay", VENDORS | HEAVY),
        ("adapters.stainless", VENDORS | HEAVY),
        ("prompts", VENDORS | HEAVY | {"jinja2", "yaml"}),
        ("prompts.extraction", VENDORS | HEAVY | {"jinja2", "yaml"}),
        ("prompts.library", VENDORS | HEAVY),
        ("sqlassay.resilience", VENDORS | HEAVY),
    ],
)
def test_import(module: str, unwanted: set[str]) -> None:
    script = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert unwanted.isdisjoint(done.stdout.split())
