"""Runs of one dataset that differ in one thing, compared question by question."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from evaluation.run_log import RunFolder
from evaluation.statistics.paired import Paired, holm
from evaluation.verdicts import Reason, Status

DIMENSIONS = ("prompt", "model", "backend", "history")
"""Of the first of these in which the runs of one experiment differ, the values are compared; the others stay as they
are."""
HISTORY = DIMENSIONS.index("history")
GROUP = len(DIMENSIONS)
"""Where a key has the group of a run, after the values of these."""
ALPHA = 0.05
"""A difference is shown when p is at most this."""

Key = tuple[str, ...]


class Asked(NamedTuple):
    """One question, asked once.

    Attributes:
        id: The question's id.
        repeat: From 0.
    """

    id: str
    repeat: int

    @property
    def words(self) -> str:
        """For people."""
        return f"{self.id} (repeat {self.repeat + 1})" if self.repeat else self.id


class Told(NamedTuple):
    """What one strategy said of one answer.

    Attributes:
        position: The question's place in the selection.
        question: The question in natural language.
        db_id: Its database.
        reason: Why the verdict is what it is.
        sql: The statement; `None` when there was none.
    """

    position: int
    question: str
    db_id: str
    reason: Reason
    sql: str | None


class Flip(NamedTuple):
    """A question that only one of two has right.

    Attributes:
        asked: Which.
        baseline: What was said of the baseline's answer.
        candidate: And of the candidate's.
    """

    asked: Asked
    baseline: Told
    candidate: Told

    @property
    def wrong(self) -> Told:
        """What was said of the answer that is wrong."""
        return self.candidate if self.baseline.reason.status is Status.CORRECT else self.baseline

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "id": self.asked.id,
            "repeat": self.asked.repeat,
            "db_id": self.baseline.db_id,
            "question": self.baseline.question,
            "baseline": {"reason": self.baseline.reason.value, "sql": self.baseline.sql},
            "candidate": {"reason": self.candidate.reason.value, "sql": self.candidate.sql},
        }


@dataclass(frozen=True)
class Arm:
    """One side of a comparison: the repeats of one cell.

    Attributes:
        name: What tells it from the other side.
        where: What both sides have in common and other comparisons do not.
        runs: Its runs.
    """

    name: str
    where: str
    runs: tuple[RunFolder, ...]

    def told(self, strategy: str) -> Iterator[tuple[Asked, Told]]:
        """What the strategy said of each answer.

        Raises:
            UserError: A record cannot be read.
        """
        for run in self.runs:
            for record in run.items():
                for verdict in record.verdicts:
                    if verdict.strategy == strategy:
                        asked = Asked(record.id, run.manifest["identity"]["repeat"])
                        reason = Reason(verdict.reason)
                        yield asked, Told(record.position, record.question, record.db_id, reason, record.sql)


@dataclass(frozen=True)
class Comparison:
    """Two arms, over the questions that both have scored.

    Attributes:
        baseline: The first of the two.
        candidate: The other.
        strategy: The label of the strategy whose verdicts are compared.
        both_right: Answers that both have right.
        both_wrong: Answers that both have wrong.
        lost: Answers that only the baseline has right, in the order of the questions.
        won: Answers that only the candidate has right.
        unscored: What could not be scored, of the baseline and of the candidate.
        missing: How many answers the baseline has that the candidate has not, and the other way round.
        differences: How many questions the candidate has right so many times more often.
        refused: Why the two cannot be compared; empty when they can.
        comparisons: How many there are in all.
        adjusted_p: Holm's, over all of these; `None` when there is nothing to compare.
    """

    baseline: Arm
    candidate: Arm
    strategy: str
    both_right: int = 0
    both_wrong: int = 0
    lost: tuple[Flip, ...] = ()
    won: tuple[Flip, ...] = ()
    unscored: tuple[tuple[Asked, ...], tuple[Asked, ...]] = ((), ())
    missing: tuple[int, int] = (0, 0)
    differences: Mapping[int, int] = field(default_factory=dict)
    refused: str = ""
    comparisons: int = 1
    adjusted_p: float | None = None

    @property
    def pairs(self) -> int:
        """Answers that both have scored."""
        return self.both_right + self.both_wrong + len(self.won) + len(self.lost)

    @property
    def paired(self) -> Paired | None:
        """For the statistics; `None` when there is nothing to compare."""
        return Paired(self.differences, self.pairs) if self.pairs else None

    @property
    def shown(self) -> bool:
        """Whether there is a difference beyond luck."""
        return self.adjusted_p is not None and self.adjusted_p <= ALPHA

    @property
    def detectable(self) -> float | None:
        """The smallest difference that would probably have been shown; of several comparisons, as the strictest."""
        return self.paired.detectable(ALPHA / self.comparisons) if self.paired is not None else None

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        paired = self.paired
        return {
            "strategy": self.strategy,
            "where": self.baseline.where,
            "baseline": _arm_json(self.baseline, self.unscored[0]),
            "candidate": _arm_json(self.candidate, self.unscored[1]),
            "not_compared": self.refused or None,
            "questions": paired.questions if paired else 0,
            "pairs": self.pairs,
            "both_right": self.both_right,
            "only_baseline": len(self.lost),
            "only_candidate": len(self.won),
            "both_wrong": self.both_wrong,
            "difference": paired.difference if paired else None,
            "interval_95": list(paired.interval()) if paired else None,
            "p": paired.p if paired else None,
            "comparisons": self.comparisons,
            "p_holm": self.adjusted_p,
            "difference_shown": self.shown,
            "detectable": self.detectable,
            "only_in_baseline": self.missing[0],
            "only_in_candidate": self.missing[1],
            "flips": {
                "only_baseline": [flip.to_json() for flip in self.lost],
                "only_candidate": [flip.to_json() for flip in self.won],
            },
        }


def compare(runs: Sequence[RunFolder]) -> list[Comparison]:
    """Compare runs, each with the first that it differs from in one thing.

    Runs of one experiment that differ in several things are compared in the first of `DIMENSIONS` that is among them,
    for each combination of the others. Runs of several experiments are compared with the first of all.

    Args:
        runs: In their order; runs that differ in nothing but the repeat are one arm.

    Returns:
        None where there is nothing to compare.

    Raises:
        UserError: A record cannot be read.
    """
    found: list[Comparison] = []
    for baseline, candidates in _blocks(_arms(runs)):
        strategy = str(baseline.runs[0].manifest["identity"]["strategies"][0]["label"])
        before = dict(baseline.told(strategy))
        found += [_compared(baseline, before, candidate, strategy) for candidate in candidates]
    told = [paired.p for one in found if (paired := one.paired) is not None]
    adjusted = iter(holm(told))
    return [replace(one, comparisons=len(told), adjusted_p=next(adjusted)) if one.pairs else one for one in found]


def _arms(runs: Sequence[RunFolder]) -> dict[Key, list[RunFolder]]:
    arms: dict[Key, list[RunFolder]] = defaultdict(list)
    keys = [(_key(run), run) for run in runs]
    histories = list(dict.fromkeys(key[HISTORY] for key, _ in keys if key[HISTORY]))
    several = len({key[GROUP] for key, _ in keys}) > 1
    for key, run in keys:
        # What shows no history is the same beside each: two prompts are compared although only one shows it.
        of_all = histories if histories and not key[HISTORY] and not several else [key[HISTORY]]
        for history in of_all:
            arms[(*key[:HISTORY], history, *key[HISTORY + 1 :])].append(run)
    return arms


def _key(run: RunFolder) -> Key:
    """The values of `DIMENSIONS`, and the group."""
    manifest, identity = run.manifest, run.manifest["identity"]
    model = manifest.get("model_label", manifest["title"])
    history = identity.get("history", {}).get("by", "")
    prompt, backend = identity.get("prompt", {}).get("ref", ""), identity.get("backend", {}).get("name", "")
    values = (prompt, model, backend, history, manifest["group"])
    return tuple(map(str, values))


def _blocks(arms: Mapping[Key, Sequence[RunFolder]]) -> Iterator[tuple[Arm, list[Arm]]]:
    """Each baseline with what is compared with it."""
    varying = [index for index, values in enumerate(zip(*arms, strict=True)) if len(set(values)) > 1]
    compared = varying
    if GROUP not in varying:
        compared = next(([index] for index in varying if _together(arms, [index])), varying)
    elif len({tuple(key[index] for index in varying if index != GROUP) for key in arms}) == len(arms):
        compared = [index for index in varying if index != GROUP]
    common = [index for index in varying if index not in (*compared, GROUP)]
    for keys in _together(arms, [*compared, GROUP]):
        baseline, *candidates = (
            Arm(_joined(key[i] for i in compared), _joined(key[i] for i in common), tuple(arms[key])) for key in keys
        )
        yield baseline, candidates


def _joined(values: Iterable[str]) -> str:
    return " · ".join(filter(None, values))


def _together(keys: Iterable[Key], free: Collection[int]) -> list[list[Key]]:
    """The keys that differ in nothing but what is free, where there are several."""
    blocks: dict[Key, list[Key]] = defaultdict(list)
    for key in keys:
        blocks[tuple(value for index, value in enumerate(key) if index not in free)].append(key)
    return [block for block in blocks.values() if len(block) > 1]


def _compared(baseline: Arm, before: Mapping[Asked, Told], candidate: Arm, strategy: str) -> Comparison:
    refused = _refusal(baseline, candidate, strategy)
    if refused:
        return Comparison(baseline, candidate, strategy, refused=refused)
    after = dict(candidate.told(strategy))
    alike: Counter[bool] = Counter()
    lost: list[Flip] = []
    won: list[Flip] = []
    differences: Counter[str] = Counter()
    for asked in sorted(before.keys() & after.keys(), key=lambda asked: (before[asked].position, asked.repeat)):
        one, other = before[asked], after[asked]
        if Status.UNSCORED in (one.reason.status, other.reason.status):
            continue
        was, now = (told.reason.status is Status.CORRECT for told in (one, other))
        differences[asked.id] += now - was
        if was is now:
            alike[now] += 1
        else:
            (won if now else lost).append(Flip(asked, one, other))
    return Comparison(
        baseline,
        candidate,
        strategy,
        both_right=alike[True],
        both_wrong=alike[False],
        lost=tuple(lost),
        won=tuple(won),
        unscored=(_unscored(before), _unscored(after)),
        missing=(len(before.keys() - after.keys()), len(after.keys() - before.keys())),
        differences=Counter(differences.values()),
    )


def _unscored(told: Mapping[Asked, Told]) -> tuple[Asked, ...]:
    """In the order of the questions."""
    found = [asked for asked, one in told.items() if one.reason.status is Status.UNSCORED]
    return tuple(sorted(found, key=lambda asked: (told[asked].position, asked.repeat)))


def _refusal(baseline: Arm, candidate: Arm, strategy: str) -> str:
    """Why two arms cannot be compared."""
    one, other = baseline.runs[0].manifest, candidate.runs[0].manifest
    for key in ("dataset", "selection"):
        if one["identity"][key] != other["identity"][key]:
            return f"another {key}"
    described = [
        [made for made in manifest["identity"]["strategies"] if made["label"] == strategy] for manifest in (one, other)
    ]
    if not described[1]:
        return f"no verdicts of {strategy}"
    if described[0] != described[1]:
        return f"other settings of {strategy}"
    same_engine = one["identity"]["backend"]["name"] == other["identity"]["backend"]["name"]
    if same_engine and one.get("databases", {}) != other.get("databases", {}):
        return "other content of the databases"
    return ""


def _arm_json(arm: Arm, unscored: Sequence[Asked]) -> dict[str, Any]:
    return {
        "name": arm.name,
        "runs": [run.run_id for run in arm.runs],
        "unscored": [asked._asdict() for asked in unscored],
    }
