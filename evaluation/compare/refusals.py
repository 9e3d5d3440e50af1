"""Why two sides cannot be compared."""

from __future__ import annotations

from evaluation.compare.arms import Arm


def refusals(baseline: Arm, candidate: Arm, strategy: str) -> tuple[str, ...]:
    """Every reason not to compare two arms by the verdicts of one strategy; none where they can be."""
    one, other = baseline.manifest, candidate.manifest
    found = [f"another {key}" for key in ("dataset", "selection") if one["identity"][key] != other["identity"][key]]
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
