"""What is not in the numbers of a comparison."""

from __future__ import annotations

from collections.abc import Sequence

from evaluation.compare.answers import Asked
from evaluation.compare.comparison import Comparison

NAMED = 5
"""Ids in a note."""


def notes(one: Comparison) -> list[str]:
    """What is not in the numbers."""
    a, b = one.baseline, one.candidate
    where = f"{a.where}: " if a.where else ""
    of_a, of_b = one.unscored
    common = set(of_a) & set(of_b)
    lines = [
        f"left out: {len(unscored):,} unscored of {names} ({_some(unscored)})"
        for names, unscored in (
            (f"{a.name} and {b.name}", [asked for asked in of_a if asked in common]),
            (a.name, [asked for asked in of_a if asked not in common]),
            (b.name, [asked for asked in of_b if asked not in common]),
        )
        if unscored
    ]
    lines += [
        f"left out: {missing:,} that {arm.name} has and {other.name} has not"
        for arm, other, missing in ((a, b, one.missing[0]), (b, a, one.missing[1]))
        if missing
    ]
    prompts = [arm.manifest["identity"].get("prompt", {}) for arm in (a, b)]
    if prompts[0].get("ref") == prompts[1].get("ref") and prompts[0].get("sha256") != prompts[1].get("sha256"):
        digests = " and ".join(f"{one['sha256'][:12]}" for one in prompts)
        lines.append(f"{prompts[0]['ref']} was not the same prompt in {a.name} and {b.name}: sha256 {digests}")
    lines += [
        f"{arm.name}: {run.run_id} is {run.manifest['status']}; compared is what both have"
        for arm in (a, b)
        for run in arm.runs
        if run.manifest["status"] != "finished"
    ]
    return [where + line for line in lines]


def _some(asked: Sequence[Asked]) -> str:
    names = ", ".join(one.words for one in asked[:NAMED])
    return names + (f" and {len(asked) - NAMED:,} more" if len(asked) > NAMED else "")
