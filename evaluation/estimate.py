"""What an experiment would take, before any model is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from adapters.base import Usage
from adapters.prices import Prices
from database_backends.errors import BackendError
from evaluation.answers import AnswerSource
from evaluation.base.llm import LLMEvaluator
from evaluation.base.strategy import EvaluationStrategy
from evaluation.budget import estimate
from evaluation.composite.fallback import Fallback
from evaluation.composite.repair import Repair
from evaluation.composite.router import Router
from evaluation.composite.self_consistency import SelfConsistency
from evaluation.datasets.base import Question
from evaluation.generation import ModelSource
from prompts.template import PromptTemplate


@dataclass
class Estimate:
    """What the requests of one model in one cell would take.

    Attributes:
        title: The cell.
        model: The model, as the provider names it; of a judge with its strategy.
        requests: That would be sent.
        cached: That would not be, since their answers are known.
        unreadable: That cannot be made, since their database is missing or cannot be read.
        input_tokens: Of the prompts, estimated from their length.
        output_tokens: Of the answers, as long as they may be.
        cost: Of both; `None` when a price is unknown.
    """

    title: str
    model: str
    requests: int = 0
    cached: int = 0
    unreadable: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = 0.0

    def add(self, usage: Usage, prices: Prices) -> None:
        """Count one request."""
        self.requests += 1
        self.input_tokens += usage.input_tokens or 0
        self.output_tokens += usage.output_tokens or 0
        cost = prices.cost(usage)
        self.cost = None if cost is None or self.cost is None else self.cost + cost

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        return asdict(self)


class Estimator:
    """Adds up what a source would ask: without what depends on answers, which a fallback, a repair or a route does.

    Args:
        title: The cell.
        source: Gives its answers.
        strategies: Judge them; those that ask models count with the most that they may ask.
    """

    def __init__(self, title: str, source: AnswerSource, strategies: Sequence[EvaluationStrategy] = ()) -> None:
        self._asked = list(surely_asked(source))
        self._judging = [strategy for strategy in strategies if isinstance(strategy, LLMEvaluator)]
        self._title = title
        self._found: dict[str, Estimate] = {}

    def add(self, question: Question, target: str) -> None:
        """Count what one question would take."""
        for source, template, variables in self._asked:
            found = self._of(source)
            prices = Prices(0.0, 0.0) if source.adapter.offline else source.prices
            try:
                for request, known in source.expected(template, question, target, variables):
                    if known:
                        found.cached += 1
                    else:
                        found.add(estimate(request), prices)
            except BackendError:
                found.unreadable += 1
        for strategy in self._judging:
            self._add_judges(strategy, question, target)

    def add_missing(self) -> None:
        """Count one question that cannot be asked, because its database is missing."""
        for source, _, _ in self._asked:
            self._of(source).unreadable += 1

    def _of(self, source: ModelSource) -> Estimate:
        model = source.adapter.model
        return self._found.setdefault(model, Estimate(self._title, model))

    def _add_judges(self, strategy: LLMEvaluator, question: Question, target: str) -> None:
        try:
            for source, variables in strategy.rehearsed(question, target):
                name = f"{source.adapter.model} ({strategy.label})"
                found = self._found.setdefault(name, Estimate(self._title, name))
                request = source.request(strategy.template, question, target, variables=variables).request
                found.add(estimate(request), Prices(0.0, 0.0) if source.adapter.offline else source.prices)
        except BackendError:  # counted with the model's
            return

    @property
    def estimates(self) -> list[Estimate]:
        """One per model."""
        return list(self._found.values())


def surely_asked(source: AnswerSource) -> Iterator[tuple[ModelSource, PromptTemplate, Mapping[str, object]]]:
    """The models that are asked whatever they answer, each with its prompt and the prompt's variables."""
    match source:
        case ModelSource():
            yield source, source.template, {}
        case Fallback():
            yield from surely_asked(source.members[0].source)
        case SelfConsistency():
            for sample in source.samples:
                yield from surely_asked(sample)
        case Repair():
            yield from surely_asked(source.source)
        case Router():
            if source.classifier is not None:
                yield source.classifier, source.template, source.variables
            yield from surely_asked(next(route.source for route in source.routes if route.name == source.default))
