"""From finished runs to a calibration; no model is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from evaluation.calibration.calibration import Against, Calibration, LeftOut, Spent
from evaluation.calibration.judge import is_judge, is_pairwise, judge_digest
from evaluation.calibration.truth import LabelledTruth, StrategyTruth, Truth, verdict_of
from evaluation.records import AnswerRecord, VerdictRecord, names_of
from evaluation.run_log import RunFolder
from evaluation.statistics.agreement import Confusion
from evaluation.statistics.flips import Flips
from evaluation.verdicts import ANNOTATION, FIGURES, NO_RESULT, Status
from sqlassay.errors import UnknownName, UserError

POSITION_FLIPS = "position flips in %"
"""The figure of a pairwise judge: above 0 where it says something else when the two change places."""


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


def truth_in(folder: RunFolder, label: str | None, judge: Mapping[str, Any]) -> Truth | None:
    """The strategy of a run that a judge is held against; `None` where it is pairwise.

    Execution says whether an answer is correct, not which of two is better.

    Args:
        folder: The run.
        label: The label of a strategy; `None` for the first execution match.
        judge: The judge.

    Raises:
        UserError: The run has none, or it is the judge itself, or it cannot be held against the judge.
        UnknownName: It has no strategy of this label.
    """
    if is_pairwise(judge):
        if label is not None:
            problem = f"{judge['label']!r} compares two systems, {label!r} judges one"
            raise UserError(problem, place="--truth", remedy="give labels with --labels")
        return None
    if label is None:
        found = [entry for entry in _strategies(folder) if entry["name"] == "execution_match" and entry != judge]
        if not found:
            raise UserError(
                "has no other strategy that executes the statements",
                place=str(folder.path),
                remedy="give labels with --labels, or run again with execution_match beside the judge",
            )
        return StrategyTruth(found[0])
    entry = strategy_in(folder, label)
    if entry == judge:
        raise UserError(f"{label!r} is the judge itself", place="--truth", remedy="name another strategy")
    return StrategyTruth(entry)


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

    truth: bool | None = None
    said: list[bool] = field(default_factory=list)
    asked_anew: list[bool] = field(default_factory=list)
    unscored: bool = False
    unjudged: bool = False


class _Expense:
    """Adds up what verdicts took; what a provider did not say is unknown, not nothing."""

    def __init__(self) -> None:
        self.spent = Spent()

    def add(self, answers: Sequence[AnswerRecord]) -> None:
        """Count one verdict, and the answers that it took; of those, an answer from the cache took nothing now."""
        before, asked = self.spent, [one for one in answers if not one.cached]
        if answers and not asked:
            self.spent = replace(before, from_cache=before.from_cache + 1)
            return
        costs = [one.cost for one in asked if one.cost is not None]
        tokens = [(one.input_tokens, one.output_tokens) for one in asked]
        known = len(costs) == len(asked) > 0
        self.spent = replace(
            before,
            verdicts=before.verdicts + 1,
            cost=before.cost + (sum(costs) if known else 0.0),
            input_tokens=before.input_tokens + sum(given or 0 for given, _ in tokens),
            output_tokens=before.output_tokens + sum(got or 0 for _, got in tokens),
            unknown_cost=before.unknown_cost + (not known),
            unknown_tokens=before.unknown_tokens + (not tokens or any(None in pair for pair in tokens)),
        )


def calibrate(folders: Sequence[RunFolder], judge: Mapping[str, Any], truth: Truth | None) -> Calibration:
    """Hold a judge against the truth.

    A statement counts once, by the first verdict on it, however many runs have it; the others are repeats.

    Args:
        folders: Runs of one dataset that have this judge; at least one.
        judge: As the runs describe it.
        truth: What it is held against; `None` asks only how often it says something else when asked again.

    Raises:
        UserError: A run has another judge of this name or another dataset, a label does not fit, the judge only makes
            remarks, or there is nothing to learn from.
    """
    label = str(judge["label"])
    dataset = folders[0].manifest["identity"]["dataset"]
    statements: dict[tuple[str, str, str | None], _Statement] = {}
    swaps: list[tuple[bool, ...]] = []
    expense = _Expense()
    answered_by: dict[str, None] = {}
    remarks = 0
    for folder in folders:
        identity = folder.manifest["identity"]
        if judge_digest(strategy_in(folder, label)) != judge_digest(judge) or identity["dataset"] != dataset:
            raise UserError(
                f"has another judge {label!r} or another dataset than {folders[0].run_id}",
                place=str(folder.path),
                remedy="name one run",
            )
        for record in folder.items():
            verdict = verdict_of(record, label)
            if verdict is None:
                continue
            remarks += ANNOTATION in verdict.evidence
            key = (str(identity["backend"]["name"]), record.id, record.sql)
            statement = statements.setdefault(key, _Statement())
            if statement.truth is None and truth is not None:  # what one run could not tell, another one may
                statement.truth = truth.of(record)
            if verdict.verdict.by_judges or not (is_judge(judge) or verdict.reason in NO_RESULT):
                answers = [call.answer for call in record.judging if call.role == label and call.answer is not None]
                answered_by |= names_of(answers)
                _add(statement, verdict, anew=not answers or not all(answer.cached for answer in answers))
                swaps += _either_order(verdict)
                if answers or verdict.status is not Status.UNSCORED:
                    expense.add(answers)
            elif verdict.status is Status.UNSCORED:
                statement.unjudged = True
    if isinstance(truth, LabelledTruth):
        truth.require_used({id_ for _, id_, _ in statements})
    confusion, left_out = _compare(statements.values())
    repeats, swapped = Flips.of(statement.asked_anew for statement in statements.values()), Flips.of(swaps)
    if remarks:
        raise UserError(
            f"{label!r} gives no verdicts, only remarks on those of execution ({remarks:,})",
            place=str(folders[0].path),
            remedy="there is nothing to calibrate; --judge names another",
        )
    if not (confusion.total or (truth is None and (repeats.items or swapped.items))):
        what = f"there is no verdict of {label!r} to learn from"
        raise UserError(what, place=str(folders[0].path), remedy=left_out.words or "the run is empty")
    return Calibration(
        dict(judge),
        datetime.now(UTC).isoformat(timespec="seconds"),
        Against(
            "" if truth is None else truth.name,
            {} if truth is None else truth.identity,
            dataset,
            tuple(folder.run_id for folder in folders),
            tuple(dict.fromkeys(str(f.manifest["model_label"]) for f in folders if "model_label" in f.manifest)),
        ),
        confusion,
        left_out,
        repeats,
        swapped,
        expense.spent,
        tuple(answered_by),
    )


def _add(statement: _Statement, verdict: VerdictRecord, *, anew: bool) -> None:
    if verdict.status is Status.UNSCORED:
        statement.unscored = True
        return
    correct = verdict.status is Status.CORRECT
    statement.said.append(correct)
    if anew:  # an answer that is read again from the cache is no second opinion
        statement.asked_anew.append(correct)


def _either_order(verdict: VerdictRecord) -> list[tuple[bool, bool]]:
    """Whether a pairwise judge said the same in either order; nothing where that is not known."""
    figures = verdict.evidence.get(FIGURES)
    flipped = figures.get(POSITION_FLIPS) if isinstance(figures, Mapping) else None
    return [] if flipped is None else [(True, flipped == 0)]


def _compare(statements: Iterable[_Statement]) -> tuple[Confusion, LeftOut]:
    pairs = []
    unscored = without = settled = unjudged = 0
    for statement in statements:
        if not statement.said:
            unscored += statement.unscored
            unjudged += statement.unjudged and not statement.unscored
            settled += not (statement.unscored or statement.unjudged)
        elif statement.truth is None:
            without += 1
        else:
            pairs.append((statement.said[0], statement.truth))
    return Confusion.of(pairs), LeftOut(unscored, without, settled, unjudged)
