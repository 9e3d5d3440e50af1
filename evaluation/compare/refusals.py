"""Why two sides cannot be compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evaluation.compare.arms import Arm


def refusals(baseline: Arm, candidate: Arm, strategy: str) -> tuple[str, ...]:
    """Every reason not to compare two arms by the verdicts of one strategy; none where they can be."""
    one, other = baseline.manifest, candidate.manifest
    found = ["another dataset"] if _dataset(one) != _dataset(other) else []
    found += ["another selection"] if one["identity"]["selection"] != other["identity"]["selection"] else []
    first, second = (
        [made for made in manifest["identity"]["strategies"] if made["label"] == strategy] for manifest in (one, other)
    )
    if not second:
        labels = ", ".join(str(made["label"]) for made in other["identity"]["strategies"])
        found.append(f"no verdicts of {strategy}" + (f", only of {labels}" if labels else ""))
    elif first != second:
        found.append(f"other settings of {strategy}")
    same_engine = one["identity"]["backend"]["name"] == other["identity"]["backend"]["name"]
    if same_engine and one.get("databases", {}) != other.get("databases", {}):
        found.append("other content of the databases")
    return tuple(found)


def _dataset(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What tells the dataset, but for how many of its questions were selected."""
    return {key: value for key, value in manifest["identity"]["dataset"].items() if key != "questions"}
