"""Judges: one on the loopback interface whose model says how it judges, and one within this process."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from adapters.base import Completion, GenerationRequest
from evaluation.databases import Databases
from evaluation.datasets.opening import open_dataset
from evaluation.generation import ModelSource
from evaluation.judging.bench import Bench, Judge
from evaluation.judging.rival import Rival
from prompts.library import load
from sqlassay.resilience import CallLimits, Circuit, Endpoint, RetryPolicy
from tests.evaluation.script import Script
from tests.evaluation.world import World
from tests.providers.chat_completions import ChatCompletions, completion
from tests.providers.server import ProviderServer, Reply

Says = Callable[[str], str]
"""From what a judge is shown to what it says."""


def ballot(grade: str, *categories: str, why: str = "so it is") -> str:
    """A readable answer."""
    return json.dumps({"why": why, "categories": categories, "grade": grade})


class Court(ProviderServer):
    """A provider with judges among its models.

    Attributes:
        judges: What the models of these names say; others reply as the protocol has it.
    """

    def __init__(self, **judges: Says) -> None:
        super().__init__(ChatCompletions())
        self.judges = dict(judges)
        self._said: dict[str, Reply] = {}

    def choose(self, model: str, body: Mapping[str, Any]) -> str:
        """The name of what the judge has just said."""
        if model not in self.judges:
            return model
        words = self.judges[model]("\n".join(message["content"] for message in body["messages"]))
        name = f"{model}: {words}"
        self._said[name] = Reply(body=completion(words))
        return name

    def reply(self, name: str) -> Reply:
        """What was said, or what the protocol has."""
        return self._said.get(name) or super().reply(name)

    def asked(self, model: str) -> int:
        """How many requests a model got."""
        return sum(request["model"] == model for request in self.requests)


class Speaker(Script):
    """A judge within this process; what it says follows from what it is shown."""

    def __init__(self, says: Says, model: str = "judge") -> None:
        super().__init__(model=model)
        self.says = says

    async def generate(self, request: GenerationRequest) -> Completion:
        self.heard.append(request)
        return Completion(self.says("\n".join(message.content for message in request.messages)))


def source(world: World, adapter: Script, **more: Any) -> ModelSource:
    """What asks a judge about the world's database."""
    world.questions(1)
    return ModelSource(
        adapter,
        load("zero_shot@1"),
        Databases(open_dataset(f"jsonl:{world.folder / 'questions.jsonl'}"), "sqlite"),
        Endpoint(Circuit("court"), RetryPolicy(attempts=2, initial=0), CallLimits(8)),
        **more,
    )


def bench(*sources: ModelSource, rival: Mapping[str, str] | None = None) -> Bench:
    """A panel of these."""
    judges = [Judge(f"judge {number}", {}, one) for number, one in enumerate(sources, start=1)]
    return Bench(tuple(judges), load, lambda against: Rival(against, "", rival or {}))
