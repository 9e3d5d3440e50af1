"""The harness: datasets -> orchestrator -> strategies -> run log -> reports.

For scripts and notebooks: `from evaluation import verdict`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evaluation.settle import verdict
    from evaluation.verdicts import Reason, Status, Verdict

__all__ = ["Reason", "Status", "Verdict", "verdict"]

_HOMES = {
    "verdict": "evaluation.settle",
    "Reason": "evaluation.verdicts",
    "Status": "evaluation.verdicts",
    "Verdict": "evaluation.verdicts",
}


def __getattr__(name: str) -> object:
    """Load the public names when they are asked for: importing the package stays free."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
