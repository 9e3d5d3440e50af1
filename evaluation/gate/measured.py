"""A cell in the numbers that rules are held against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluation.gate.cells import Cell
from evaluation.gate.snapshot import NOT_ASKED, Kept, Snapshot, kept_of, letter
from evaluation.records import AnswerRecord, ItemRecord
from evaluation.reports.summary import Tokens
from evaluation.run_log import FINISHED, RunFolder
from evaluation.verdicts import Status
from sqlassay.errors import UnknownName


@dataclass(frozen=True)
class Measured:
    """A cell.

    Attributes:
        snapshot: What is paired.
        items: How many answers there are.
        problem: Why a run of it is not whole, in words; empty when all are.
        instrument_failures: The largest share of items of a run that a strategy could not score.
        allowed: The share that the experiment allows.
        tokens: What was spent, on judges as well.
        seconds: Of generation, per question that was asked now, in ascending order.
    """

    snapshot: Snapshot
    items: int
    problem: str
    instrument_failures: float
    allowed: float
    tokens: Tokens
    seconds: Sequence[float]

    @property
    def scored(self) -> int:
        """Answers that could be scored."""
        return self.snapshot.count(Status.CORRECT) + self.snapshot.count(Status.INCORRECT)

    @property
    def accuracy(self) -> float:
        """Share of right answers among those scored, of which there is at least one."""
        return self.snapshot.count(Status.CORRECT) / self.scored


def measure(cell: Cell, strategy: str | None) -> Measured:
    """Read the records of a cell.

    Args:
        cell: The cell.
        strategy: The label of the strategy that counts; the first of the run unless given.

    Raises:
        UnknownName: The run has no such strategy.
        UserError: A record cannot be read.
    """
    described = _strategy(cell.runs[0], strategy)
    label = str(described["label"])
    tokens, seconds = Tokens(), []
    questions: dict[str, Kept] = {}
    positions: dict[str, int] = {}
    problems, shares, answered = [], [], 0
    for number, run in enumerate(cell.runs):
        items, unscored = 0, Counter[str]()
        for record in run.items():
            items += 1
            answers = [record.answer, *(call.answer for call in record.calls)]
            tokens.add([*answers, *(call.answer for call in record.judging)])
            seconds += _seconds(answers)
            unscored.update(verdict.strategy for verdict in record.verdicts if verdict.status is Status.UNSCORED)
            positions[record.id] = record.position
            _keep(questions, record, number, label)
        answered += items
        total = int(run.manifest["identity"]["dataset"]["questions"])
        if run.manifest["status"] != FINISHED:
            problems.append(f"{run.run_id} is not finished: it is {run.manifest['status']}")
        elif items < total:
            problems.append(f"{run.run_id} has {items:,} of {total:,} items")
        shares.append(max(unscored.values(), default=0) / items if items else 0.0)
    manifest, identity = cell.runs[0].manifest, cell.runs[0].manifest["identity"]
    snapshot = Snapshot(
        title=cell.title,
        kin=cell.kin,
        runs=tuple(run.run_id for run in cell.runs),
        started=str(manifest["started"]),
        strategy=described,
        dataset=str(identity["dataset"]["sha256"]),
        selection=identity["selection"],
        limits=identity.get("limits", {}),
        backend=str(identity["backend"]["name"]),
        databases=manifest.get("databases", {}),
        questions=_filled(
            {one: questions[one] for one in sorted(positions, key=positions.__getitem__)}, len(cell.runs)
        ),
    )
    allowed = float(manifest["max_instrument_failures"])
    return Measured(snapshot, answered, "; ".join(problems), max(shares), allowed, tokens, sorted(seconds))


def _strategy(run: RunFolder, label: str | None) -> dict[str, object]:
    """What the run says of the strategy."""
    described = {str(one["label"]): dict(one) for one in run.manifest["identity"]["strategies"]}
    if label is None:
        return next(iter(described.values()))
    if label not in described:
        raise UnknownName("strategy", label, described, place=run.run_id)
    return described[label]


def _seconds(answers: Sequence[AnswerRecord | None]) -> list[float]:
    """How long the answers to one question took together; nothing where none was asked for now."""
    asked = [one.seconds for one in answers if one is not None and one.finish_reason is not None and not one.cached]
    return [sum(asked)] if asked else []


def _filled(questions: Mapping[str, Kept], repeats: int) -> dict[str, Kept]:
    """With a letter for every repeat."""
    return {one: kept._replace(verdicts=kept.verdicts.ljust(repeats, NOT_ASKED)) for one, kept in questions.items()}


def _keep(questions: dict[str, Kept], record: ItemRecord, repeat: int, label: str) -> None:
    kept = questions.get(record.id)
    if kept is None or not kept.golds:
        before = "" if kept is None else kept.verdicts
        kept = kept_of(record)._replace(verdicts=before)
    status = next((verdict.status for verdict in record.verdicts if verdict.strategy == label), None)
    told = NOT_ASKED if status is None else letter(status)
    questions[record.id] = kept._replace(verdicts=kept.verdicts.ljust(repeat, NOT_ASKED) + told)
