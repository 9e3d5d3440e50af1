"""From the section of a model to the source of its answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from adapters.prices import Prices
from evaluation.answers import AnswerSource
from evaluation.budget import Budget
from evaluation.composite.fallback import Fallback, Member
from evaluation.composite.repair import Repair
from evaluation.composite.router import Route, Router
from evaluation.composite.self_consistency import SelfConsistency
from evaluation.composite.trial import Trial
from evaluation.databases import Databases
from evaluation.environment import Location
from evaluation.experiment import (
    AnyModel,
    FallbackSection,
    ModelSection,
    RepairSection,
    RouterSection,
    SelfConsistencySection,
)
from evaluation.few_shot.pool import Pool
from evaluation.generation import ModelSource, ResponseCache
from evaluation.models import Models, Part
from prompts.template import PromptTemplate, RenderedPrompt
from sqlassay.resilience import Endpoint


@dataclass(frozen=True)
class Assembly:
    """Puts answer sources together for one cell.

    Attributes:
        models: The models, by place.
        template: The prompt of the cell.
        databases: Give the schemas.
        trial: Runs statements, for models that look at what comes of them.
        endpoint: Gives what the requests of a part go through: limits, retries, circuit breaker.
        cache: Answers from before; `None` asks always.
        prices: Of each part's tokens, by its place below the model, dotted.
        budget: What may be spent.
        examples: What prompts that show examples choose from; `None` where no prompt does.
        keep: Is given every prompt before it is sent.
    """

    models: Models
    template: PromptTemplate
    databases: Databases
    trial: Trial
    endpoint: Callable[[Part], Endpoint]
    cache: ResponseCache | None
    prices: Mapping[str, Prices]
    budget: Budget
    examples: Pool | None
    keep: Callable[[RenderedPrompt], None]

    def source(self, section: AnyModel, at: Location, repeat: int) -> AnswerSource:
        """The source of a model's answers.

        Args:
            section: The model.
            at: Its place in the experiment file.
            repeat: Which asking of the same question it is, from 0.
        """
        match section:
            case FallbackSection():
                members = [
                    Member(member.name, self.source(member, (*at, "fallback", index), repeat))
                    for index, member in enumerate(section.fallback)
                ]
                return Fallback(members, self.trial if section.when == "quality" else None)
            case RouterSection():
                return self._router(section, (*at, "router"), repeat)
            case SelfConsistencySection():
                of = section.self_consistency
                below = (*at, "self_consistency", "model")
                # Each sample is another asking of the question, in every repeat of the experiment.
                numbers = range(repeat * of.samples, (repeat + 1) * of.samples)
                return SelfConsistency([self.source(of.model, below, number) for number in numbers], self.trial)
            case RepairSection():
                model = self._model((*at, "repair", "model"), repeat)
                prompt = self.models.prompts[*at, "repair", "prompt"]
                return Repair(model, prompt, section.repair.attempts, self.trial)
            case ModelSection():
                return self._model(at, repeat)

    def judge(self, part: Part) -> ModelSource:
        """A judge: it is asked the same in every repeat of the experiment."""
        return self._model(part.at, 0)

    def _router(self, section: RouterSection, at: Location, repeat: int) -> Router:
        of = section.router
        routes = [
            Route(
                name,
                route.model.name,
                self.source(route.model, (*at, "routes", name, "model"), repeat),
                route.description,
                route.keywords,
            )
            for name, route in of.routes.items()
        ]
        classifier = None if of.classifier is None else self._model((*at, "classifier"), repeat)
        name = "" if of.classifier is None else of.classifier.name
        return Router(classifier, name, self.models.prompts[*at, "prompt"], routes, of.default, of.threshold)

    def _model(self, at: Location, repeat: int) -> ModelSource:
        part = self.models.parts[at]
        return ModelSource(
            part.adapter,
            self.template,
            self.databases,
            self.endpoint(part),
            part.section.parameters,
            self.prices[part.place],
            None if part.adapter.offline else self.cache,
            repeat,
            part.section.stream,
            self.budget,
            part.section.schema_tokens,
            self.examples,
            self.keep,
        )
