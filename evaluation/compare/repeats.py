"""What repeats of the same questions say of one side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from evaluation.compare.answers import Asked, Told
from evaluation.compare.comparison import Comparison
from evaluation.statistics.repeats import Passed, Repeats


def repeats(one: Comparison) -> tuple[Repeats, Repeats] | None:
    """Of the baseline and of the candidate, over the answers that both have scored; `None` without repeats."""
    sides = (
        _repeats((pair.asked, pair.baseline) for pair in one.answers),
        _repeats((pair.asked, pair.candidate) for pair in one.answers),
    )
    return sides if sides[0].most > 1 else None


def repeats_json(found: Repeats) -> dict[str, Any]:
    """As JSON types: `pass_at` and `pass_hat` for every k that there are answers for."""
    ks = range(1, found.most + 1)
    split = found.split
    return {
        "pass_at": {str(k): _passed(found.pass_at(k)) for k in ks},
        "pass_hat": {str(k): _passed(found.pass_hat(k)) for k in ks},
        "flip_rate": found.flips.rate,
        "flip_rates": found.flip_rates,
        "variance": None if split is None else {**vars(split), "from_samples_share": split.from_samples_share},
    }


def _repeats(told: Iterable[tuple[Asked, Told]]) -> Repeats:
    answers: defaultdict[str, list[bool]] = defaultdict(list)
    for asked, one in told:
        answers[asked.id].append(one.right)
    return Repeats(answers)


def _passed(found: Passed | None) -> dict[str, Any] | None:
    return None if found is None else found._asdict()
