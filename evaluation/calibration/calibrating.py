"""From finished runs to a calibration; no model is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from evaluation.calibration.calibration import Against, Calibration, LeftOut, Spent
from evaluation.calibration.judge import identity_of, is_judge
from evaluation.calibration.truth import LabelledTruth, Truth, verdict_of
from evaluation.records import VerdictRecord
from evaluation.run_log import RunFolder
from evaluation.statistics.agreement import Confusion
from evaluation.statistics.flips import Flips
from evaluation.verdicts import NO_RESULT, Status
from sqlassay.errors import UnknownName, UserError

POSITIONS = "positions"
"""The key of a pairwise judge's evidence: what it said of the pair in either order."""


def judge_in(folder: RunFolder, label: str | None) -> dict[str, Any]:
    """The judge of a run, as the run describes it.

    Args:
        folder: The run.
        label: The label of a strategy; `None` for the run's only judge.

    Raises:
        UserError: The run has no judge, or several.
        UnknownName: It has no strategy of this label.
    """
    if label is not None:
        return strategy_in(folder, label)
    found = [entry for entry in _strategies(folder) if is_judge(entry)]
    if len(found) == 1:
        return found[0]
    labels = ", ".join(str(entry["label"]) for entry in found or _strategies(folder))
    problem = f"has {len(found)} judges" if found else "has no strategy that asks a model"
    raise UserError(problem, place=str(folder.path), remedy=f"name one with --judge: {labels}")


def truth_in(folder: RunFolder, label: str | None, judge: Mapping[str, Any]) -> dict[str, Any]:
    """The strategy of a run that a judge is held against, as the run describes it.

    Args:
        folder: The run.
        label: The label of a strategy; `None` for the first execution match.
        judge: The judge.

    Raises:
        UserError: The run has none, or it is the judge itself.
        UnknownName: It has no strategy of this label.
    """
    if label is None:
        found = [entry for entry in _strategies(folder) if entry["name"] == "execution_match" and entry != judge]
        if not found:
            raise UserError(
                "has no other strategy that executes the statements",
                place=str(folder.path),
                remedy="give labels with --labels, or run again with execution_match beside the judge",
            )
        return found[0]
    entry = strategy_in(folder, label)
    if entry == judge:
        raise UserError(f"{label!r} is the judge itself", place="--truth", remedy="name another strategy")
    return entry


def strategy_in(folder: RunFolder, label: str) -> dict[str, Any]:
    """A strategy of a run by its label, as the run describes it.

    Raises:
        UnknownName: It has none of this label.
    """
    for entry in _strategies(folder):
        if entry["label"] == label:
            return entry
    raise UnknownName("strategy", label, (str(entry["label"]) for entry in _strategies(folder)), place=str(folder.path))


def _strategies(folder: RunFolder) -> list[dict[str, Any]]:
    return list(folder.manifest["identity"].get("strategies", ()))


@dataclass
class _Statement:
    """One statement for one question, and every verdict on it."""

    truth: bool | None
    said: list[bool] = field(default_factory=list)
    asked_anew: list[bool] = field(default_factory=list)
    unscored: bool = False


class _Expense:
    """Adds up what verdicts took, of which each may say more or less."""

    def __init__(self) -> None:
        self._spent = Spent()

    def add(self, evidence: Mapping[str, Any]) -> None:
        cost, tokens = _number(evidence, "cost"), [_number(evidence, f"{way}_tokens") for way in ("input", "output")]
        before = self._spent
        self._spent = Spent(
            before.verdicts + 1,
            before.cost + (cost or 0.0),
            before.input_tokens + int(tokens[0] or 0),
            before.output_tokens + int(tokens[1] or 0),
            before.unknown_cost + (cost is None),
            before.unknown_tokens + (None in tokens),
        )

    @property
    def spent(self) -> Spent:
        return self._spent


def _number(evidence: Mapping[str, Any], key: str) -> float | None:
    value = evidence.get(key)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def calibrate(folders: Sequence[RunFolder], judge: Mapping[str, Any], truth: Truth) -> Calibration:
    """Hold a judge against the truth.

    A statement counts once, by the first verdict on it, however many runs have it; the others are repeats.

    Args:
        folders: Runs of one dataset that have this judge; at least one.
        judge: As the runs describe it.
        truth: What it is held against.

    Raises:
        UserError: A run has no such judge or another dataset, a label does not fit, or no item has both a verdict and
            a truth.
    """
    label = str(judge["label"])
    dataset = folders[0].manifest["identity"]["dataset"]
    statements: dict[tuple[str, str, str | None], _Statement] = {}
    swaps: list[tuple[bool, ...]] = []
    expense = _Expense()
    for folder in folders:
        identity = folder.manifest["identity"]
        if identity_of(strategy_in(folder, label)) != identity_of(judge) or identity["dataset"] != dataset:
            raise UserError(
                f"has another judge {label!r} or another dataset than {folders[0].run_id}",
                place=str(folder.path),
                remedy="name one run",
            )
        for record in folder.items():
            verdict = verdict_of(record, label)
            if verdict is None:
                continue
            key = (str(identity["backend"]["name"]), record.id, record.sql)
            if key not in statements:
                statements[key] = _Statement(truth.of(record))
            if verdict.reason not in NO_RESULT:
                _add(statements[key], verdict)
                swaps += _either_way(verdict)
                expense.add(verdict.evidence)
    if isinstance(truth, LabelledTruth):
        truth.require_used({id_ for _, id_, _ in statements})
    confusion, left_out = _compare(statements.values())
    if not confusion.total:
        raise UserError(
            f"no item has both a verdict of {label!r} and a known truth",
            place=str(folders[0].path),
            remedy=left_out.words or "the run holds no verdict",
        )
    return Calibration(
        label,
        identity_of(judge),
        datetime.now(UTC).isoformat(timespec="seconds"),
        Against(
            truth.name,
            truth.identity,
            dataset,
            tuple(folder.run_id for folder in folders),
            tuple(dict.fromkeys(str(f.manifest["model_label"]) for f in folders if "model_label" in f.manifest)),
        ),
        confusion,
        left_out,
        Flips.of(statement.asked_anew for statement in statements.values()),
        Flips.of(swaps),
        expense.spent,
    )


def _add(statement: _Statement, verdict: VerdictRecord) -> None:
    if verdict.status is Status.UNSCORED:
        statement.unscored = True
        return
    correct = verdict.status is Status.CORRECT
    statement.said.append(correct)
    if not verdict.evidence.get("cached"):  # an answer that is read again is no second opinion
        statement.asked_anew.append(correct)


def _either_way(verdict: VerdictRecord) -> list[tuple[bool, ...]]:
    """What a pairwise judge said in either order; nothing where it was asked once."""
    told = verdict.evidence.get(POSITIONS)
    if not isinstance(told, list | tuple) or len(told) < 2:
        return []
    return [tuple(one == told[0] for one in told)]


def _compare(statements: Iterable[_Statement]) -> tuple[Confusion, LeftOut]:
    pairs = []
    unscored = without = settled = 0
    for statement in statements:
        if not statement.said:
            unscored += statement.unscored
            settled += not statement.unscored
        elif statement.truth is None:
            without += 1
        else:
            pairs.append((statement.said[0], statement.truth))
    return Confusion.of(pairs), LeftOut(unscored, without, settled)
