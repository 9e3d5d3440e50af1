"""What is not in the numbers of a comparison."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from evaluation.compare.answers import Asked
from evaluation.compare.comparison import Comparison
from evaluation.reports.standing import told_of_judges
from evaluation.run_log import FINISHED
from evaluation.statistics.design_effect import too_few
from sqlassay.counted import some

NAMED = 5
"""Ids in a note."""


def notes_of_all(found: Sequence[Comparison]) -> list[str]:
    """As `notes` of each; what is of all, such as what no side could score, is said once."""
    same = {unscored for one in found for unscored in one.unscored}
    if len(found) < 2 or len(same) > 1:
        return list(dict.fromkeys(note for one in found for note in notes(one)))
    unscored = same.pop()
    told = [f"left out: {len(unscored):,} unscored of every side ({_some(unscored)})"] if unscored else []
    return list(dict.fromkeys([*told, *(note for one in found for note in _others(one))]))


def notes(one: Comparison) -> list[str]:
    """What is not in the numbers."""
    return [*_unscored(one), *_others(one)]


def _unscored(one: Comparison) -> list[str]:
    a, b = one.baseline, one.candidate
    of_a, of_b = one.unscored
    common = set(of_a) & set(of_b)
    return [
        f"{_where(one)}left out: {len(unscored):,} unscored of {names} ({_some(unscored)})"
        for names, unscored in (
            (f"{a.name} and {b.name}", [asked for asked in of_a if asked in common]),
            (a.name, [asked for asked in of_a if asked not in common]),
            (b.name, [asked for asked in of_b if asked not in common]),
        )
        if unscored
    ]


def _others(one: Comparison) -> list[str]:
    a, b = one.baseline, one.candidate
    lines = [
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
        if run.manifest["status"] != FINISHED
    ]
    arms = ((arm.name, arm.runs[0]) for arm in (a, b) if one.answers)
    lines += [*few_databases(one), *told_of_judges(arms, one.strategy, "the difference")]
    return [_where(one) + line for line in lines]


def few_databases(one: Comparison) -> list[str]:
    """That databases cannot be told apart, where there are several."""
    databases = Counter(pair.baseline.db_id for pair in one.answers)
    if not databases or not too_few(databases.values()):
        return []
    return [
        f"{len(databases):,} databases are too few, or one is too large, to tell how databases differ:"
        " what is said holds for further questions on these, not for other databases"
    ]


def _where(one: Comparison) -> str:
    return f"{one.baseline.where}: " if one.baseline.where else ""


def _some(asked: Sequence[Asked]) -> str:
    return some([one.words for one in asked], NAMED)
