"""A file of predictions as one side of a comparison."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from database_backends.result import Limits
from database_backends.runner import Runner
from evaluation.base.strategy import EvaluationStrategy
from evaluation.databases import Databases
from evaluation.datasets.base import Dataset, Question
from evaluation.datasets.digest import dataset_digest
from evaluation.datasets.selection import Selection
from evaluation.predictions.reading import Predictions, read_predictions
from evaluation.records import ItemRecord
from evaluation.run_log import FINISHED
from evaluation.scoring import score
from evaluation.store import Store
from evaluation.strategies.making import describe_strategies, make_strategy


@dataclass(frozen=True)
class ScoredFile:
    """The records of a file of predictions, with what a run's manifest would say of them.

    Attributes:
        path: The file.
        manifest: As of a run; `databases` and `identity` decide what it can be compared with.
        records: One per question.
    """

    path: Path
    manifest: dict[str, Any]
    records: tuple[ItemRecord, ...]

    @property
    def run_id(self) -> str:
        """What it is called."""
        return str(self.manifest["run_id"])

    def items(self) -> Iterator[ItemRecord]:
        """Every record."""
        yield from self.records


@dataclass
class Scorer:
    """Scores files of predictions for one dataset, all in the same way.

    Attributes:
        dataset: The questions.
        selection: Which of them.
        databases: Where their databases are.
        strategies: Judge each answer.
        limits: Of predicted statements.
        gold_limits: Of gold statements.

    Raises:
        UserError: The dataset cannot be read, or nothing of it is selected, or none of its databases is there.
    """

    dataset: Dataset
    selection: Selection
    databases: Databases
    strategies: Sequence[EvaluationStrategy]
    limits: Limits
    gold_limits: Limits

    def __post_init__(self) -> None:
        self.questions = list(self.dataset.questions())
        self.selected: list[Question] = list(self.selection.apply(self.questions))
        self.databases.require_any(question.db_id for question in self.selected)

    def read(self, path: Path) -> Predictions:
        """The predictions of a file.

        Raises:
            UserError: It cannot be read, or does not go with the dataset.
        """
        return read_predictions(path, self.questions)

    async def score(
        self,
        given: Predictions,
        name: str,
        runner: Runner,
        on_item: Callable[[ItemRecord], None],
        cache: Store | None = None,
    ) -> ScoredFile:
        """Score predictions.

        Args:
            given: The predictions.
            name: What tells the file from others.
            runner: Runs the statements.
            on_item: Called with each record, as items finish.
            cache: Keeps gold results from call to call.
        """
        records: list[ItemRecord] = []

        def add(record: ItemRecord) -> None:
            records.append(record)
            on_item(record)

        await score(
            self.selected,
            given.sql_by_id,
            self.databases,
            self.strategies,
            runner,
            add,
            limits=self.limits,
            gold_limits=self.gold_limits,
            cache=cache,
        )
        manifest = {
            "run_id": name,
            "group": "",
            "title": name,
            "model_label": name,
            "status": FINISHED,
            "identity": self._identity,
            "databases": self._fingerprints,
        }
        return ScoredFile(given.file, manifest, tuple(records))

    @cached_property
    def _identity(self) -> dict[str, Any]:
        db_ids = dict.fromkeys(question.db_id for question in self.selected)
        identity = {
            "dataset": {
                "format": self.dataset.name,
                "sha256": dataset_digest(self.dataset),
                "questions": len(self.selected),
            },
            "selection": asdict(self.selection),
            "backend": {"name": self.databases.backend.name, "engine": self.databases.engine(db_ids)},
            "repeat": 0,
            "strategies": describe_strategies(self.strategies),
        }
        # As a run's is read back: tuples become lists.
        as_written: dict[str, Any] = json.loads(json.dumps(identity, default=str))
        return as_written

    @cached_property
    def _fingerprints(self) -> dict[str, str]:
        return self.databases.fingerprints(dict.fromkeys(question.db_id for question in self.selected))


def strategy_of(described: Mapping[str, Any]) -> EvaluationStrategy:
    """The strategy that a run remembers, made again.

    Raises:
        UserError: It asks judges, or cannot be made in this version.
    """
    kept = ("label", "name", "version", "convention_version")
    return make_strategy(str(described["name"]), {key: value for key, value in described.items() if key not in kept})
