"""The models of an experiment, made: the adapters that are asked, and the prompts that composite models bring."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.base import ADAPTERS, ModelAdapter
from adapters.prices import Prices, Tariff, tariff_of
from evaluation.environment import Location
from evaluation.experiment import ExperimentFile, ModelSection
from prompts.flaws import refuse_flawed
from prompts.library import load
from prompts.template import PromptTemplate
from prompts.variables import CORRECTION, QUESTION, ROUTER

_NO_MATTER = frozenset({"label", "settings", "concurrency", "prices"})
"""What changes no answer, or is told by the adapters."""

_GIVEN_BESIDES = {"router": ROUTER, "repair": CORRECTION}
"""Variables of the prompts that composite models bring, by who brings them."""


@dataclass(frozen=True)
class Part:
    """One model that is asked.

    Attributes:
        at: Its place in the experiment file.
        section: What stands there.
        adapter: It.
    """

    at: Location
    section: ModelSection
    adapter: ModelAdapter

    @property
    def place(self) -> str:
        """Where it is below its model, dotted; empty for a model that has no parts. For a judge, where it is at all."""
        return _dotted(self.at[2:] if self.at[0] == "models" else self.at)


@dataclass(frozen=True)
class Models:
    """What an experiment's models are made of, by place; each is made once.

    Args:
        file: The experiment.
        folders: Of the user's own prompts.

    Raises:
        UserError: A setting or a prompt is wrong, or a key is missing.
    """

    file: ExperimentFile
    folders: Sequence[Path]
    parts: dict[Location, Part] = field(default_factory=dict, init=False)
    prompts: dict[Location, PromptTemplate] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for at, section in model_sections(self.file):
            self.parts[at] = Part(at, section, make_adapter(self.file, at, section))
        for number, model in enumerate(self.file.experiment.models):
            for below, ref in model.prompts():
                at = ("models", number, *below)
                with self.file.at(*at):
                    self.prompts[at] = load(self.file.prompt(ref), self.folders)
                    refuse_flawed(self.prompts[at], {**QUESTION, **_GIVEN_BESIDES[str(at[-2])]})

    def of(self, number: int) -> tuple[Part, ...]:
        """The parts of one model of the experiment."""
        return tuple(part for at, part in self.parts.items() if at[:2] == ("models", number))

    def judges(self, strategy: int) -> tuple[Part, ...]:
        """The judges of one strategy of the experiment."""
        return tuple(part for at, part in self.parts.items() if at[:2] == ("strategies", strategy))

    def asked(self, number: int) -> tuple[Part, ...]:
        """The parts of one model, and all who judge it."""
        return (*self.of(number), *(part for at, part in self.parts.items() if at[0] == "strategies"))

    def prompts_of(self, number: int) -> dict[Location, PromptTemplate]:
        """The prompts that one model of the experiment brings, by place."""
        return {at: prompt for at, prompt in self.prompts.items() if at[1] == number}

    def what_is_asked(self, number: int) -> object:
        """Everything by which one model differs from another, for comparing within this process."""
        parts = [(part.at[2:], dict(part.adapter.identity), part.section.parameters) for part in self.of(number)]
        return _shape(self.file.experiment.models[number].model_dump()), parts

    def identity(self, number: int) -> dict[str, Any]:
        """Everything that can change an answer of a model, as it may be written down."""
        identities = {part.at: self.identity_of(part) for part in self.of(number)}
        if ("models", number) in identities:
            return {"schema_tokens": None, **identities["models", number]}
        recorded = self.file.environment.recorded["models"][number]
        prompts = {_dotted(at[2:]): prompt.identity for at, prompt in self.prompts_of(number).items()}
        parts = {_dotted(at[2:]): identity for at, identity in identities.items()}
        return {"model": {"composite": _shape(recorded), "parts": parts, "prompts": prompts}, "parameters": {}}

    def identity_of(self, part: Part) -> dict[str, Any]:
        """Everything that can change an answer of one part, as it may be written down."""
        told = self.file.environment.told
        return {
            "model": told(part.adapter.identity, *part.at, "settings"),
            "parameters": told(part.section.parameters, *part.at, "parameters"),
            **({"schema_tokens": part.section.schema_tokens} if part.section.schema_tokens else {}),
        }

    def tariffs(self, number: int) -> dict[str, Tariff]:
        """What those whom one model's run asks cost now, by their places; that of a model without parts is empty."""
        now = datetime.now(UTC)
        return {
            part.place: tariff_of(part.adapter, Prices(**dict(part.section.prices)), now) for part in self.asked(number)
        }


def adapters_of(file: ExperimentFile) -> list[ModelAdapter]:
    """Every model that an experiment asks.

    Raises:
        UserError: A setting is wrong, or a key is missing.
    """
    return [make_adapter(file, at, section) for at, section in model_sections(file)]


def model_sections(file: ExperimentFile) -> Iterator[tuple[Location, ModelSection]]:
    """Every model that an experiment asks, judges last, with its place."""
    for number, model in enumerate(file.experiment.models):
        for below, section in model.parts():
            yield ("models", number, *below), section
    for index, strategy in enumerate(file.experiment.strategies):
        for number, judge in enumerate(strategy.judges):
            yield ("strategies", index, "judges", number), judge


def make_adapter(file: ExperimentFile, at: Location, section: ModelSection) -> ModelAdapter:
    """The adapter of a model. A setting called `path` is relative to the experiment file.

    Raises:
        UserError: A setting is wrong, or a key is missing.
    """
    settings = dict(section.settings)
    if isinstance(settings.get("path"), str):
        settings["path"] = file.resolve(settings["path"])
    with file.at(*at):
        return ADAPTERS.make(section.adapter, {"model": section.model, **settings})


def _shape(content: Any) -> Any:
    """How a model is made of others."""
    if isinstance(content, dict):
        return {key: _shape(value) for key, value in content.items() if key not in _NO_MATTER}
    if isinstance(content, list | tuple):
        return [_shape(value) for value in content]
    return content


def _dotted(at: Location) -> str:
    return ".".join(map(str, at))
