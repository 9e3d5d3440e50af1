"""Judges that are named on the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from adapters.base import ADAPTERS, ModelAdapter
from adapters.prices import Prices, tariff_of
from evaluation.budget import Budget
from evaluation.databases import Databases
from evaluation.datasets.base import Question
from evaluation.generation import ModelSource, ResponseCache
from evaluation.judging.bench import Bench, Judge
from evaluation.judging.rival import Rival, read_rival
from evaluation.store import Store
from prompts.library import load
from sqlassay.errors import UserError
from sqlassay.resilience import CallLimits, CircuitPolicy, Endpoints, RetryPolicy


@dataclass(frozen=True)
class NamedJudges:
    """Makes judges by name, with every setting as it is by default.

    Attributes:
        databases: Give the schemas.
        questions: All questions of the dataset.
        cache: Verdicts from before; `None` asks always.
        budget: What they may spend together.
    """

    databases: Databases
    questions: Callable[[], Iterable[Question]]
    cache: Store | None
    budget: Budget = field(default_factory=Budget)
    _adapters: list[ModelAdapter] = field(default_factory=list, init=False)
    _endpoints: Endpoints = field(default_factory=lambda: Endpoints(RetryPolicy(), CircuitPolicy()), init=False)

    def bench(self, names: Sequence[str]) -> Bench:
        """The panel of these, `ADAPTER:MODEL` each.

        Raises:
            UserError: A name is not of this form, there is no such adapter, its key is missing, or the cost is limited
                and its price unknown.
        """
        return Bench(tuple(map(self._judge, names)), load, self._rival)

    async def close(self) -> None:
        """Let go of all connections."""
        for adapter in self._adapters:
            await adapter.close()

    def _judge(self, name: str) -> Judge:
        provider, _, model = name.partition(":")
        if not (provider and model):
            raise UserError(f"judge {name!r} is not ADAPTER:MODEL", remedy="such as judge=openai:gpt-5")
        adapter = ADAPTERS.make(provider, {"model": model})
        self._adapters.append(adapter)
        prices = tariff_of(adapter, Prices(), datetime.now(UTC)).prices
        if self.budget.cost is not None and not (adapter.offline or prices.known):
            raise UserError(f"--max-cost: the price of {name} is unknown", remedy="limit --max-tokens")
        source = ModelSource(
            adapter,
            load("judge_gold"),
            self.databases,
            self._endpoints.of(adapter.endpoint, adapter.model, CallLimits()),
            prices=prices,
            cache=None if self.cache is None or adapter.offline else ResponseCache(self.cache),
            budget=self.budget,
        )
        return Judge(model, {"model": dict(adapter.identity), "parameters": {}}, source)

    def _rival(self, against: str) -> Rival:
        return read_rival(against, Path(against), Path("runs"), self.questions)
