from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def data() -> Path:
    """The folder of real benchmark data."""
    folder = os.environ.get("SQLASSAY_DATA")
    if not folder:
        pytest.skip("SQLASSAY_DATA is not set: no real benchmark data")
    return Path(folder)
