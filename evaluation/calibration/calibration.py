"""What is known of one judge's errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from evaluation.statistics.agreement import Confusion
from evaluation.statistics.flips import Flips
from evaluation.statistics.interval import Bounded

if TYPE_CHECKING:
    from pydantic import TypeAdapter

FEW = 30
"""Fewer correct, or fewer incorrect, items than this say little of the judge."""

MOST = 2**53
"""No count is higher: beyond, a float is not exact."""

ONE_SIDED = "the judge was asked only where execution had not proven equality, which does not show how harsh it is"
"""Why execution is no truth for a judge that is not asked always."""


@dataclass(frozen=True)
class Against:
    """What a judge was held against.

    Attributes:
        truth: The label of a strategy, or the name of the file of labels; empty where the truth is not known, and
            only flips are.
        identity: The strategy as the run describes it, or the file's digest.
        dataset: Format and digest of the dataset.
        runs: The ids of the runs.
        models: The names of the models that wrote the statements.
    """

    truth: str
    identity: Mapping[str, Any]
    dataset: Mapping[str, Any]
    runs: tuple[str, ...]
    models: tuple[str, ...] = ()

    @property
    def dataset_name(self) -> str:
        """The dataset's format, by which people know it."""
        return str(self.dataset.get("format", "an unknown dataset"))


@dataclass(frozen=True)
class LeftOut:
    """Statements that tell nothing of the judge, counted.

    Attributes:
        judge_unscored: The judge failed, or what it said could not be read.
        without_truth: There is no label, or the other strategy could not score it.
        settled: Decided before the judge was asked: no SQL, SQL that does not run, or results that are equal.
        unjudged: The judge could not be asked: the gold, the database or the other system's answer is missing.
    """

    judge_unscored: int = 0
    without_truth: int = 0
    settled: int = 0
    unjudged: int = 0

    @property
    def words(self) -> str:
        """For people; empty when there are none."""
        counts = (
            (self.judge_unscored, "that the judge left unscored"),
            (self.without_truth, "without a known truth"),
            (self.settled, "settled before the judge was asked"),
            (self.unjudged, "that the judge could not be asked about"),
        )
        return ", ".join(f"{count:,} {what}" for count, what in counts if count)


@dataclass(frozen=True)
class Spent:
    """What the judge's verdicts took.

    Attributes:
        verdicts: Verdicts that it was asked for anew, or some of whose answers it was.
        cost: Of those whose cost is known, in the currency of the experiment's prices.
        input_tokens: Of its prompts.
        output_tokens: Of its answers.
        unknown_cost: Verdicts whose cost is unknown.
        unknown_tokens: Verdicts whose tokens are unknown.
        from_cache: Further verdicts, from answers that were all known from before.
    """

    verdicts: int = 0
    cost: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    unknown_cost: int = 0
    unknown_tokens: int = 0
    from_cache: int = 0

    @property
    def words(self) -> str:
        """For people; empty where nothing is known."""
        cached = f"{self.from_cache:,} more from the cache" if self.from_cache else ""
        return "; ".join(filter(None, (self._paid if self.unknown_tokens < self.verdicts else "", cached)))

    @property
    def _paid(self) -> str:
        known = self.verdicts - self.unknown_cost
        if not known:
            cost = "cost unknown"
        else:
            unknown = f" and unknown for {self.unknown_cost:,}" if self.unknown_cost else ""
            cost = f"cost {self.cost:.4f}, {self.cost / known:.6f} each{unknown}"
        unknown = f" (and unknown for {self.unknown_tokens:,})" if self.unknown_tokens else ""
        tokens = f"{self.input_tokens:,} tokens in, {self.output_tokens:,} out{unknown}"
        return f"{self.verdicts:,} verdicts, {tokens}, {cost}"


@dataclass(frozen=True)
class Calibration:
    """One judge, held against the truth.

    Attributes:
        judge: As the run describes it among its strategies.
        made: UTC time, ISO 8601.
        against: What it was held against.
        confusion: What it said of items of which the truth is known, each statement once.
        left_out: Statements that are not among these.
        repeats: Flips between verdicts on the same statement.
        swaps: Flips between verdicts on the same pair in either order.
        spent: What its verdicts took.
        answered_by: The models that answered, as their providers name them; none where that is not known.
    """

    judge: Mapping[str, Any]
    made: str
    against: Against
    confusion: Confusion
    left_out: LeftOut
    repeats: Flips
    swaps: Flips
    spent: Spent
    answered_by: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The judge's name in the reports of that time."""
        return str(self.judge.get("label", "judge"))

    @property
    def words(self) -> str:
        """One line for reports."""
        flips = [f"{words} {100 * rate:.1f} %" for words, rate in self.flips if rate is not None]
        made, name = self.made[:10], self.against.dataset_name
        if not self.against.truth:
            return ", ".join([f"never held against the truth, asked again on items of {name} ({made})", *flips])
        counts = self.confusion
        rates = [
            f"lenient {percent(counts.lenient_rate)}",
            f"harsh {percent(counts.harsh_rate)}",
            f"kappa {decimal(counts.kappa)} at a base rate of {percent(counts.base_rate)}",
        ]
        held = f"calibrated on {counts.total:,} items of {name} against {self.against.truth} ({made})"
        return f"{held}: {', '.join([*rates, *flips])}"

    @property
    def flips(self) -> tuple[tuple[str, float | None], ...]:
        """The two rates of flips, with what they are; `None` where they were not measured."""
        return ("flips when asked again", self.repeats.rate), ("flips when the order is swapped", self.swaps.rate)

    @property
    def one_sided(self) -> bool:
        """Whether execution is the truth for a judge that was asked only where execution had proven nothing.

        Hardly an item of these is correct by execution, two empty results at most: of the items on which a judge can
        be too harsh it says nothing.
        """
        return self.judge.get("when") == "not_proven" and self.against.identity.get("name") == "execution_match"

    @property
    def cautions(self) -> list[str]:
        """Why its rates are to be taken with care, one line each."""
        if not self.against.truth:
            return []
        one_sided = [f"no accuracy can be corrected: {ONE_SIDED} (ask it always, or give labels)"]
        return (one_sided if self.one_sided else []) + [
            f"only {count:,} {kind} items, of {FEW} that there should be: the {rate} rate is {percent(share)}"
            + ("" if share else f", and no accuracy can be corrected{self._why_none}")
            for count, kind, rate, share in (
                (self.confusion.incorrect, "incorrect", "lenient", self.confusion.lenient_rate),
                (self.confusion.correct, "correct", "harsh", self.confusion.harsh_rate),
            )
            if count < FEW
        ]

    @property
    def _why_none(self) -> str:
        settled = self.left_out.settled
        return (
            f"; {settled:,} were settled before the judge was asked: ask it always, or give labels" if settled else ""
        )

    def to_json(self) -> dict[str, Any]:
        """As JSON types; what can be computed from the counts is there for other programs."""
        counts = self.confusion
        written: dict[str, Any] = json.loads(json.dumps(self, default=vars))
        rates = {
            name: None if share is None else share._asdict()
            for name, share in (
                ("lenient", counts.lenient_rate),
                ("harsh", counts.harsh_rate),
                ("agreement", counts.agreement),
                ("base_rate", counts.base_rate),
                ("kappa", counts.kappa),
            )
        }
        return {**written, "rates": rates | {words.replace(" ", "_"): rate for words, rate in self.flips}}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Calibration:
        """Read back what `to_json` gave; rates are made again from the counts.

        Raises:
            ValueError: It is not a calibration.
        """
        found = _adapter().validate_python({key: part for key, part in value.items() if key != "rates"})
        for counts in (found.confusion, found.left_out, found.repeats, found.swaps, found.spent):
            if not all(0 <= count <= MOST for count in vars(counts).values()):
                raise ValueError("a count is negative or too high")
        return found


@cache
def _adapter() -> TypeAdapter[Calibration]:
    from pydantic import TypeAdapter

    return TypeAdapter(Calibration)


def percent(share: Bounded | None) -> str:
    """A share with its interval, for people."""
    if share is None:
        return "unknown"
    return f"{100 * share.value:.1f} % ({100 * share.low:.1f} – {100 * share.high:.1f})"


def decimal(number: Bounded | None) -> str:
    """A number with its interval, for people."""
    return "undefined" if number is None else f"{number.value:.2f} ({number.low:.2f} – {number.high:.2f})"
