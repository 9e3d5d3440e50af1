"""Fixtures for the whole suite."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import hypothesis
import pytest

pytest_plugins = ["tests.browser", "tests.servers.plugin"]

DATA = os.environ.get("SQLASSAY_DATA")

# How long an example may take is the machine's concern: speed is measured in benchmarks.
hypothesis.settings.register_profile("sqlassay", deadline=None)
hypothesis.settings.load_profile("sqlassay")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Whoever starts the suite in the background makes it deaf to Ctrl-C, and so every program that it tests.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the real data skip, saying so, where there is none; in CI a skip would be a failure."""
    if DATA:
        return
    if os.environ.get("SQLASSAY_REQUIRE_DATA"):
        raise pytest.UsageError("SQLASSAY_REQUIRE_DATA is set, but SQLASSAY_DATA is not")
    skip = pytest.mark.skip(reason="needs the real benchmark data: set SQLASSAY_DATA")
    for item in items:
        if item.get_closest_marker("data"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of the real benchmark data."""
    assert DATA is not None
    return Path(DATA)


@pytest.fixture(autouse=True)
def _private_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's cache, calibrations, keys or runs, or waits for what the user has timed."""
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("SQLASSAY_CACHE", str(cache))
    monkeypatch.setenv("SQLASSAY_CALIBRATIONS", str(cache / "calibrations"))
    monkeypatch.setattr("database_backends.quiet._lock_file", lambda: cache / "timing.lock")
    for provider in ("ANTHROPIC", "GEMINI", "GOOGLE", "OPENAI"):
        monkeypatch.delenv(f"{provider}_API_KEY", raising=False)
    monkeypatch.setenv("SQLASSAY_SECRETS", str(cache / "secrets"))
    monkeypatch.setattr("sqlassay.secrets.DOTENV", cache / ".env")
    monkeypatch.delenv("COLUMNS", raising=False)  # tables would be as wide as where the suite is run
