"""A model that decides which model answers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from evaluation.answers import Answer, AnswerSource, ModelStopped
from evaluation.datasets.base import Question
from evaluation.generation import Asked, ModelSource
from evaluation.records import CallRecord, RouteRecord
from prompts.extraction import find_object
from prompts.template import PromptTemplate


@dataclass(frozen=True)
class Route:
    """One class of questions.

    Attributes:
        name: Of the class.
        model: The name of the model that answers them.
        source: Gives its answers.
        description: What belongs to the class, for the classifier.
        keywords: Words of questions that belong to it, where the classifier does not decide.
    """

    name: str
    model: str
    source: AnswerSource
    description: str = ""
    keywords: Sequence[str] = ()

    def hits(self, question: str) -> int:
        """How many of its keywords a question has, as whole words in any case."""
        return sum(
            re.search(rf"(?<!\w){re.escape(word)}(?!\w)", question, re.IGNORECASE) is not None for word in self.keywords
        )


@dataclass(frozen=True)
class Router(AnswerSource):
    """Sends each question to the model of its class.

    A classifier that is sure enough decides. Where it is not, or fails, the route with the most keywords in the
    question does; where two have as many, or none has any, the default.

    Attributes:
        classifier: The model that sorts; `None` leaves it to the keywords.
        classifier_name: Its name in tables.
        template: Its prompt: it is given `routes`, and answers with a JSON object of `route` and `confidence`.
        routes: The classes.
        default: The name of the one that takes what nobody decides.
        threshold: The least confidence with which the classifier decides, between 0 and 1.
    """

    classifier: ModelSource | None
    classifier_name: str
    template: PromptTemplate
    routes: Sequence[Route]
    default: str
    threshold: float
    _stopped: list[ModelStopped] = field(default_factory=list, init=False)

    async def answer(self, position: int, question: Question, target: str) -> Answer:
        """The answer of the model that the question is for."""
        decision, calls = await self._decide(question, target)
        route = next(route for route in self.routes if route.name == decision.route)
        answer = await route.source.answer(position, question, target)
        return replace(answer, route=decision, answered_by=answer.answered_by or route.model).after(calls)

    async def _decide(self, question: Question, target: str) -> tuple[RouteRecord, list[CallRecord]]:
        if self.classifier is None:
            return self._by_keywords(question, None), []
        if self._stopped:
            words = f"not asked: {self._stopped[0].cause}"
            return self._by_keywords(question, None), [CallRecord("classifier", self.classifier_name, words)]
        try:
            asked = await self.classifier.ask(
                self.template, question, target, schema=self._schema(), variables=self.variables
            )
        except ModelStopped as stopped:
            self._stopped.append(stopped)
            return self._by_keywords(question, None), [CallRecord("classifier", self.classifier_name, stopped.cause)]
        name, confidence, words = self._read(asked)
        if name is not None and confidence is not None and confidence >= self.threshold:
            decision = RouteRecord(name, "classifier", confidence)
        else:
            decision = self._by_keywords(question, confidence)
        return decision, [*asked.calls, CallRecord("classifier", self.classifier_name, words, asked.record)]

    @property
    def variables(self) -> Mapping[str, object]:
        """What the classifier's prompt is given besides."""
        return {"routes": [{"name": route.name, "description": route.description} for route in self.routes]}

    def _read(self, asked: Asked) -> tuple[str | None, float | None, str]:
        """The class, the confidence, and both in words."""
        if asked.completion is None or asked.silence:
            return None, None, asked.silence
        fields = find_object(asked.completion.text) or {}
        name, confidence = fields.get("route"), fields.get("confidence")
        if name not in [route.name for route in self.routes]:
            return None, None, "names no route" if name is None else f"names {str(name)[:100]!r}, which is no route"
        if isinstance(confidence, bool) or not isinstance(confidence, int | float) or not 0 <= confidence <= 1:
            return None, None, f"{name}, with no confidence between 0 and 1"
        return name, float(confidence), f"{name}, confidence {confidence:g}"

    def _by_keywords(self, question: Question, confidence: float | None) -> RouteRecord:
        hits = {route.name: route.hits(question.text) for route in self.routes}
        most = max(hits.values())
        best = [name for name, count in hits.items() if count == most]
        if most and len(best) == 1:
            return RouteRecord(best[0], "keywords", confidence)
        return RouteRecord(self.default, "default", confidence)

    def _schema(self) -> Mapping[str, object]:
        """Of the classifier's answer, where the provider can hold it to one."""
        return {
            "type": "object",
            "properties": {
                "route": {"type": "string", "enum": [route.name for route in self.routes]},
                "confidence": {"type": "number"},
            },
            "required": ["route", "confidence"],
            "additionalProperties": False,
        }
