"""Experiment files: what is run, as YAML that an editor can check."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from evaluation.datasets.selection import Selection
from evaluation.environment import Environment, Location, fill_in
from evaluation.literal_secrets import literal_secrets
from evaluation.yaml_file import dotted, parse_yaml, place_of, read_text
from sqlassay.errors import UnknownName, UserError, located
from sqlassay.langfuse import PUBLIC_KEY, SECRET_KEY


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


_S = TypeVar("_S", bound=BaseModel)


def _number(value: object, kind: type[int] | type[float], words: str) -> object:
    """YAML's numbers, and text that spells one, as the environment gives it; `true` is no 1 and 1.0 is no count."""
    if isinstance(value, bool) or (kind is int and isinstance(value, float)):
        given = str(value).lower()  # as YAML spells it
        raise PydanticCustomError("number", "Input should be {words}, not {given}", {"words": words, "given": given})
    return value


def _whole(value: object) -> object:
    return _number(value, int, "a whole number")


def _real(value: object) -> object:
    return _number(value, float, "a number")


Variable = Annotated[str, Field(pattern=r"\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\}")]
"""What an editor accepts in the place of a number or a choice: it does not see the environment."""
_VARIABLE_NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"
_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
_AtLeast1 = Annotated[int, Field(gt=0)]
_NotNegative = Annotated[float, Field(ge=0)]
_Positive = Annotated[float, Field(gt=0)]
_Unit = Annotated[float, Field(ge=0, le=1)]
_Within = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[_AtLeast1, BeforeValidator(_whole, json_schema_input_type=_AtLeast1 | Variable)]
Whole = Annotated[int, BeforeValidator(_whole, json_schema_input_type=int | Variable)]
Amount = Annotated[_NotNegative, BeforeValidator(_real, json_schema_input_type=_NotNegative | Variable)]
Size = Annotated[_Positive, BeforeValidator(_real, json_schema_input_type=_Positive | Variable)]
Share = Annotated[_Unit, BeforeValidator(_real, json_schema_input_type=_Unit | Variable)]
Chance = Annotated[_Within, BeforeValidator(_real, json_schema_input_type=_Within | Variable)]


def _choice(*choices: str) -> BeforeValidator:
    """For an editor: one of these, or a variable."""
    return BeforeValidator(lambda value: value, json_schema_input_type=Literal[choices] | Variable)


Ids = Annotated[Literal["field", "position"], _choice("field", "position")]
Cache = Annotated[Literal["shared", "run"], _choice("shared", "run")]


def _as_texts(value: object) -> object:
    """YAML reads `turn: 1` and `only: [7]` as numbers; turns and ids are text."""
    values = value if isinstance(value, list | tuple) else (value,)
    return tuple(str(one) if isinstance(one, int) and not isinstance(one, bool) else one for one in values)


_Text = str | int
OneOrMore = Annotated[tuple[str, ...], BeforeValidator(_as_texts, json_schema_input_type=_Text | tuple[_Text, ...])]


class DatasetSection(_Section):
    """Questions: those that are asked, or those that are examples."""

    format: str = Field(description="A registered dataset format, such as spider, bird, jsonl, csv, defog.")
    path: str = Field(description="The question file, or the folder that holds it; relative to this file.")
    databases: str | None = Field(None, description="The folder of the databases, where the format does not find it.")
    ids: Ids = Field("field", description="Take ids from the file, or count from 0.")
    limit: Count | None = Field(None, description="Only the first N of the selected questions.")
    sample: Count | None = Field(None, description="Only N questions, chosen by the seed.")
    seed: Whole = Field(0, description="Of the sample.")
    filter: dict[str, OneOrMore] = Field(
        default_factory=dict,
        description="Only questions whose db_id, difficulty, tag, conversation or turn is one of these.",
    )
    only: OneOrMore = Field((), description="Only the questions with these ids.")


class PricesSection(_Section):
    """What a million tokens cost; leave out what is unknown. Without any, the table of prices is asked."""

    input: Amount | None = None
    output: Amount | None = None
    cached_input: Amount | None = Field(None, description="Of input that the provider had seen before; as input.")


class ModelSection(_Section):
    """One model."""

    adapter: str = Field(description="A registered adapter, such as openai or replay.")
    model: str = Field(description="The provider's name of the model.")
    label: str | None = Field(None, description="The name in tables; the model's own unless given.")
    settings: dict[str, Any] = Field(default_factory=dict, description="The adapter's own settings.")
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="Sampling: temperature, top_p, max_tokens, seed, stop."
    )
    concurrency: Count = Field(8, description="Requests under way at once; fewer while the provider answers 429.")
    requests_per_minute: Size | None = Field(None, description="The provider's limit; none unless given.")
    tokens_per_minute: Size | None = Field(None, description="As the limit of requests, prompt and answer together.")
    stream: bool = Field(False, description="Have answers come piece by piece, so that the first token is timed.")
    prices: PricesSection = Field(default_factory=lambda: PricesSection.model_validate({}))
    schema_tokens: Count | None = Field(
        None, description="Tokens that the schema may take in its prompts; all that it needs unless given."
    )

    @property
    def name(self) -> str:
        """The name in tables."""
        return self.label or self.model

    def parts(self) -> Iterator[tuple[Location, ModelSection]]:
        """The models that are asked, each with its place below this section: itself."""
        yield (), self

    def prompts(self) -> Iterator[tuple[Location, str]]:
        """The prompts that it brings: none, it is asked with those of the experiment."""
        yield from ()


def _kind_of_model(value: object) -> str:
    """By the key that only this kind of model has."""
    keys = value if isinstance(value, Mapping) else vars(value) if isinstance(value, BaseModel) else {}
    return next((key for key in COMPOSITE if key in keys), "adapter")


COMPOSITE = ("fallback", "router", "self_consistency", "repair")
"""The keys by which a model says that it is made of others."""
AnyModel = Annotated[
    Annotated[ModelSection, Tag("(adapter)")]
    | Annotated["FallbackSection", Tag("(fallback)")]
    | Annotated["RouterSection", Tag("(router)")]
    | Annotated["SelfConsistencySection", Tag("(self_consistency)")]
    | Annotated["RepairSection", Tag("(repair)")],
    Discriminator(lambda value: f"({_kind_of_model(value)})"),
]
"""A model that is asked, or one that is made of others."""


class _Composite(_Section):
    label: str | None = Field(None, description="The name in tables; told from its models unless given.")

    @property
    def name(self) -> str:
        """The name in tables."""
        return self.label or self._told()

    def _told(self) -> str:
        raise NotImplementedError

    def parts(self) -> Iterator[tuple[Location, ModelSection]]:
        """The models that are asked, each with its place below this section."""
        for at, member in self._members():
            for below, part in member.parts():
                yield (*at, *below), part

    def prompts(self) -> Iterator[tuple[Location, str]]:
        """The prompts that it and its members bring, each with its place below this section."""
        for at, member in self._members():
            for below, ref in member.prompts():
                yield (*at, *below), ref

    def _members(self) -> Iterator[tuple[Location, Any]]:
        raise NotImplementedError


class FallbackSection(_Composite):
    """One model after another, until one answers."""

    fallback: tuple[AnyModel, ...] = Field(min_length=2, description="The models, in the order of asking.")
    when: Annotated[Literal["failure", "quality"], _choice("failure", "quality")] = Field(
        "failure",
        description="Ask the next when the provider gave no answer; or also when the SQL does not parse, does not run "
        "or returns no rows.",
    )

    def _told(self) -> str:
        return " else ".join(member.name for member in self.fallback)

    def _members(self) -> Iterator[tuple[Location, Any]]:
        for index, member in enumerate(self.fallback):
            yield ("fallback", index), member


class RouteSection(_Section):
    """One class of questions."""

    model: AnyModel
    description: str = Field("", description="What belongs to the class, for the classifier.")
    keywords: tuple[str, ...] = Field((), description="Words of such questions, where the classifier does not decide.")


class RouterOf(_Section):
    """What a router needs."""

    routes: dict[str, RouteSection] = Field(min_length=2, description="The classes, by name.")
    default: str = Field(description="The class that takes what nobody decides.")
    classifier: ModelSection | None = Field(None, description="The model that sorts; without one, keywords decide.")
    prompt: str = Field("router_classify", description="The classifier's prompt.")
    threshold: Share = Field(0.7, description="The least confidence with which the classifier decides.")

    @model_validator(mode="after")
    def _default_is_a_route(self) -> RouterOf:
        if self.default not in self.routes:
            raise PydanticCustomError("route", "default is {given}, which is no route", {"given": repr(self.default)})
        return self


class RouterSection(_Composite):
    """A model that decides which model answers."""

    router: RouterOf

    def _told(self) -> str:
        return f"router of {', '.join(self.router.routes)}"

    def _members(self) -> Iterator[tuple[Location, Any]]:
        if self.router.classifier is not None:
            yield ("router", "classifier"), self.router.classifier
        for name, route in self.router.routes.items():
            yield ("router", "routes", name, "model"), route.model

    def prompts(self) -> Iterator[tuple[Location, str]]:
        """The classifier's, and those of the routes."""
        yield ("router", "prompt"), self.router.prompt
        yield from super().prompts()


class SelfConsistencyOf(_Section):
    """What self-consistency needs."""

    model: AnyModel
    samples: Annotated[Count, Field(ge=2)] = Field(5, description="How often each question is asked.")


class SelfConsistencySection(_Composite):
    """The same question several times: what most answers return is the answer."""

    self_consistency: SelfConsistencyOf

    def _told(self) -> str:
        return f"{self.self_consistency.model.name} × {self.self_consistency.samples}"

    def _members(self) -> Iterator[tuple[Location, Any]]:
        yield ("self_consistency", "model"), self.self_consistency.model


class RepairOf(_Section):
    """What repairing needs."""

    model: ModelSection
    attempts: Count = Field(2, description="Corrections of one answer at most.")
    prompt: str = Field("self_correct", description="The prompt of a correction.")


class RepairSection(_Composite):
    """A model that is told what the engine said about its statement, and may mend it."""

    repair: RepairOf

    def _told(self) -> str:
        return f"{self.repair.model.name} + repair"

    def _members(self) -> Iterator[tuple[Location, Any]]:
        yield ("repair", "model"), self.repair.model

    def prompts(self) -> Iterator[tuple[Location, str]]:
        """That of a correction."""
        yield ("repair", "prompt"), self.repair.prompt


for _section in (FallbackSection, RouteSection, RouterOf, RouterSection, SelfConsistencyOf, SelfConsistencySection):
    _section.model_rebuild()


class BackendSection(_Section):
    """One engine."""

    backend: str = Field(description="A registered backend, such as sqlite or duckdb.")
    target: str | None = Field(None, description="Where the databases are; {db_id} stands for the database's name.")
    label: str | None = Field(None, description="The name in tables; the backend's own unless given.")

    @property
    def name(self) -> str:
        """What tables call it."""
        return self.label or self.backend


class LimitsSection(_Section):
    """What one statement may use."""

    seconds: Size = Field(30.0, description="Wall-clock seconds of a predicted statement.")
    gold_seconds: Size = Field(300.0, description="Wall-clock seconds of a gold statement.")
    rows: Count = Field(100_000, description="Rows of a result; a longer one is cut and never compared.")
    megabytes: Count = Field(1024, description="Memory of one statement, its fetched rows included, in MiB.")


class RetrySection(_Section):
    """How often and how patiently a failing provider is asked again."""

    attempts: Count = 5
    initial: Amount = Field(0.5, description="Seconds before the second try; doubled for each further one.")
    maximum: Amount = Field(30.0, description="Longest wait between two tries, in seconds.")
    patience: Amount = Field(120.0, description="Seconds that one question waits at most in all.")


class CircuitSection(_Section):
    """When an endpoint that is down is left alone, and when it is tried again."""

    failures: Count = Field(5, description="Failures in a row until nothing is asked any more.")
    recovery: Size = Field(1.0, description="Seconds until one request tries again; doubled each time it fails.")
    maximum: Size = Field(10.0, description="Longest wait between two such requests, in seconds.")


class StrategySection(_Section):
    """One strategy with its settings."""

    strategy: str = Field(description="A registered strategy.")
    settings: dict[str, Any] = Field(default_factory=dict, description="The strategy's own settings.")
    judges: tuple[ModelSection, ...] = Field((), description="The models that judge, for a strategy that asks some.")


def _one_or_more(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _whose(value: object) -> object:
    return {"by": value} if isinstance(value, str | list) else value


_By = Literal["gold", "own"]


class HistorySection(_Section):
    """What prompts are given of the earlier turns of a conversation."""

    by: Annotated[
        tuple[_By, ...], BeforeValidator(_one_or_more, json_schema_input_type=_By | tuple[_By, ...] | Variable)
    ] = Field(
        ("own",),
        min_length=1,
        description="Earlier questions with their golds, or with the system's own answers; each is a run of its own.",
    )
    max_tokens: Count | None = Field(
        None, description="Of earlier questions and statements together; the oldest are left out. All unless given."
    )

    @model_validator(mode="after")
    def _each_once(self) -> HistorySection:
        if len(set(self.by)) < len(self.by):
            raise PydanticCustomError("history", "by names {given} twice", {"given": self.by[0]})
        return self


class OutputSection(_Section):
    """Where runs go."""

    runs: str = Field("runs", description="The folder of runs; relative to the current folder.")


class LangfuseSection(_Section):
    """The copy of every run in Langfuse."""

    host: str | None = Field(None, description="Where the server is; LANGFUSE_BASE_URL or LANGFUSE_HOST unless given.")
    public_key_env: Annotated[str, Field(pattern=_VARIABLE_NAME)] = Field(
        PUBLIC_KEY, description="The variable that holds the project's public key."
    )
    secret_key_env: Annotated[str, Field(pattern=_VARIABLE_NAME)] = Field(
        SECRET_KEY, description="The variable that holds the project's secret key."
    )
    dataset: str | None = Field(
        None, description="The dataset's name there; told from its format and digest unless given."
    )
    mask_rows: bool = Field(False, description="Send nothing that may hold contents of rows.")
    max_bytes: Count = Field(100_000, description="Of one input or output; what is longer is cut, with a mark.")


def _on_or_off(value: object) -> object:
    return ({} if value else None) if isinstance(value, bool) else value


class DropSection(_Section):
    """Which drop of the accuracy fails: one that is beyond luck and large enough to matter."""

    alpha: Chance = Field(0.05, description="How often luck alone may fail the gate; of several runs together (Holm).")
    min_effect: Share = Field(0.01, description="The smallest drop that fails, as a share: 0.01 is one point.")


class LatencySection(_Section):
    """How long answers may take, in seconds of generation."""

    p50: Size | None = Field(None, description="Of half of the questions.")
    p95: Size | None = Field(None, description="Of 95 % of the questions.")


class GateSection(_Section):
    """The rules of `sqlassay gate`."""

    strategy: str | None = Field(None, description="The label of the strategy that is judged by; the first of the run.")
    min_accuracy: Share | None = Field(None, description="The smallest share of right answers among those scored.")
    drop: Annotated[
        DropSection | None, BeforeValidator(_on_or_off, json_schema_input_type=bool | DropSection | None)
    ] = Field(
        default_factory=lambda: DropSection.model_validate({}),
        description="The drop against the baseline that fails; false judges none.",
    )
    max_instrument_failures: Share | None = Field(
        None, description="Share of items that may be unscored; the experiment's own unless given."
    )
    max_cost: Amount | None = Field(None, description="What all gated runs may cost together, judges included.")
    max_tokens: Count | None = Field(None, description="As max_cost, in tokens of prompts and answers.")
    latency: LatencySection = Field(default_factory=lambda: LatencySection.model_validate({}))
    max_age: Size | None = Field(None, description="Days by which a baseline may be older than the run.")


class GateFile(_Section):
    """A file with nothing but the rules of a gate."""

    gate: GateSection


def _named(key: str) -> Callable[[object], object]:
    """A name alone stands for a section with nothing but that name."""
    return lambda value: {key: value} if isinstance(value, str) else value


class Experiment(_Section):
    """A grid of models × prompts × backends × repeats × histories over a dataset; every run is one cell."""

    name: Annotated[_Name, BeforeValidator(lambda name: name, json_schema_input_type=_Name | Variable)] = Field(
        description="Becomes part of the run ids."
    )
    dataset: DatasetSection
    models: tuple[AnyModel, ...] = Field(min_length=1)
    prompts: tuple[str, ...] = Field(
        ("zero_shot@1",),
        min_length=1,
        description="name, name@version, langfuse:name@version or @label, or a YAML file.",
    )
    examples: DatasetSection | None = Field(
        None, description="The train split that few-shot prompts take their examples from."
    )
    prompt_folders: tuple[str, ...] = Field((), description="Folders with your own prompts; relative to this file.")
    backends: tuple[
        Annotated[BackendSection, BeforeValidator(_named("backend"), json_schema_input_type=str | BackendSection)], ...
    ] = Field((BackendSection(backend="sqlite", target=None, label=None),), min_length=1)
    history: Annotated[
        HistorySection | None,
        BeforeValidator(_whose, json_schema_input_type=_By | tuple[_By, ...] | Variable | HistorySection | None),
    ] = Field(
        None, description="For prompts that show the earlier turns of a conversation; by own answers unless given."
    )
    repeats: Count = Field(1, description="How often each question is asked.")
    strategies: tuple[
        Annotated[StrategySection, BeforeValidator(_named("strategy"), json_schema_input_type=str | StrategySection)],
        ...,
    ] = Field(
        (StrategySection(strategy="execution_match", judges=()),),
        min_length=1,
        description="Names; execution_match:bird names a convention, execution_match:all is every one.",
    )
    limits: LimitsSection = Field(default_factory=lambda: LimitsSection.model_validate({}))
    retry: RetrySection = Field(default_factory=lambda: RetrySection.model_validate({}))
    circuit: CircuitSection = Field(default_factory=lambda: CircuitSection.model_validate({}))
    cache: Cache = Field("shared", description="Share answers between runs, or keep them for resuming this run only.")
    workers: Count | None = Field(None, description="Statements executed at once; the number of cores unless given.")
    max_instrument_failures: Share = Field(
        0.05,
        description="Share of items that may be unscored before the run counts as unusable (exit code 1).",
    )
    gate: GateSection | None = Field(None, description="The rules of `sqlassay gate`; its defaults unless given.")
    output: OutputSection = Field(default_factory=lambda: OutputSection.model_validate({}))
    langfuse: Annotated[
        LangfuseSection | None,
        BeforeValidator(_on_or_off, json_schema_input_type=bool | LangfuseSection | None),
    ] = Field(
        None, description="Copy every run to Langfuse while it goes on: true, or with settings. Off unless given."
    )

    def narrowed(self, chosen: Selection) -> Experiment:
        """This experiment over fewer questions: what `chosen` says takes the place of the dataset's own words."""
        filters: dict[str, tuple[str, ...]] = {}
        for key, value in chosen.filters:
            filters[key] = (*filters.get(key, ()), value)
        changes: dict[str, Any] = {"limit": chosen.limit, "filter": filters, "only": chosen.ids}
        if chosen.sample is not None:
            changes |= {"sample": chosen.sample, "seed": chosen.seed}
        changes = {key: value for key, value in changes.items() if value not in (None, {}, ())}
        return self.model_copy(update={"dataset": self.dataset.model_copy(update=changes)})


@dataclass(frozen=True)
class ExperimentFile:
    """An experiment and the file that it was read from.

    Attributes:
        experiment: The checked content, environment variables filled in.
        path: The file.
        text: The file's text, environment variables not filled in: this is what a run remembers.
        lines: Where its keys are, for messages.
        environment: What was filled in, and how it may be written down.
        pinned: The versions that labels of prompts stand for in this run, by what the file says.
    """

    experiment: Experiment
    path: Path
    text: str
    lines: Mapping[Location, int] = field(default_factory=dict)
    environment: Environment = field(default_factory=Environment)
    pinned: Mapping[str, str] = field(default_factory=dict)

    @contextmanager
    def at(self, *at: str | int) -> Iterator[None]:
        """Place the user's mistakes that are found within, and keep what the environment holds out of them."""
        with self.environment.kept(), located(self.place(*at)):
            yield

    def place(self, *at: str | int) -> str:
        """File and line of a key, or of the nearest key around it."""
        return place_of(self.path, at, self.lines)

    @property
    def sha256(self) -> str:
        """Of the text, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def resolve(self, path: str) -> Path:
        """A path of the file: relative ones start at its folder."""
        return self.path.parent / Path(path).expanduser()

    def prompt(self, ref: str) -> str:
        """What `prompts.library.load` is told: a file is relative to the experiment file, a label is its version."""
        return str(self.resolve(ref)) if ref.endswith((".yaml", ".yml")) else self.pinned.get(ref, ref)

    def with_selection(self, recorded: Mapping[str, Any]) -> ExperimentFile:
        """This experiment over the questions that a run has recorded."""
        return replace(self, experiment=self.experiment.narrowed(Selection.recorded(recorded)))


def read_experiment(path: Path) -> ExperimentFile:
    """Read and check an experiment file.

    Raises:
        UserError: Naming the file, the line and the key.
    """
    return parse_experiment(read_text(path, "experiment file"), path)


def parse_experiment(text: str, path: Path) -> ExperimentFile:
    """As `read_experiment`, for a text that is at hand."""
    content, lines = parse_yaml(text, path, "an experiment", "see `sqlassay schema experiment`")
    _refuse_literal_secrets(content, path, lines)
    environment = fill_in(content, lambda at, name: _not_set(name, at, path, lines))
    with environment.kept():
        experiment = validated(Experiment, environment.filled, path, lines)
    return ExperimentFile(experiment, path, text, lines, environment)


def read_gate(path: Path) -> GateSection:
    """Read the rules of a gate, from a file with nothing else or from an experiment file; the rest is not looked at.

    Raises:
        UserError: Naming the file, the line and the key.
    """
    content, lines = parse_yaml(read_text(path, "file of rules"), path, "rules of a gate", "give it the key gate")
    for key in content:
        if key not in Experiment.model_fields:
            raise UnknownName("key:", str(key), Experiment.model_fields, place=place_of(path, (key,), lines))
    rules = {key: value for key, value in content.items() if key == "gate"}
    environment = fill_in(rules, lambda at, name: _not_set(name, at, path, lines))
    with environment.kept():
        return validated(GateFile, environment.filled, path, lines).gate


def validated(
    section: type[_S],
    content: object,
    path: Path,
    lines: Mapping[Location, int],
    within: Mapping[str, type[BaseModel]] | None = None,
) -> _S:
    """The content of a file as what it should be.

    Args:
        section: What it should be.
        content: What it is.
        path: The file, for messages.
        lines: Where its keys are.
        within: Its sections by their keys; those of an experiment unless given.

    Raises:
        UserError: Naming the file, the line and the key.
    """
    try:
        return section.model_validate(content)
    except ValidationError as error:
        raise _explain(error, path, lines, section, _SECTIONS if within is None else within) from None


def _not_set(name: str, at: Location, path: Path, lines: Mapping[Location, int]) -> UserError:
    return UserError(
        f"{dotted(at)}: the environment variable {name} is not set",
        place=place_of(path, at, lines),
        remedy=f"set it, or write ${{{name}:-default}}",
    )


_LITERAL = {
    "secret": "holds a secret, which every run would record",
    "password": "holds a password, which every run would record",
    "query": "holds a query, which may hold a key, and which every run would record",
}


def _refuse_literal_secrets(content: object, path: Path, lines: Mapping[Location, int]) -> None:
    for at, what in literal_secrets(content):
        raise UserError(
            f"{dotted(at)}: {_LITERAL[what]}",
            place=place_of(path, at, lines),
            remedy="take it from the environment: ${NAME}",
        )


_SECTIONS: dict[str, type[BaseModel]] = {
    "dataset": DatasetSection,
    "examples": DatasetSection,
    "models": ModelSection,
    "backends": BackendSection,
    "strategies": StrategySection,
    "limits": LimitsSection,
    "retry": RetrySection,
    "history": HistorySection,
    "output": OutputSection,
    "langfuse": LangfuseSection,
    "prices": PricesSection,
    "fallback": ModelSection,
    "router": RouterOf,
    "routes": RouteSection,
    "classifier": ModelSection,
    "self_consistency": SelfConsistencyOf,
    "repair": RepairOf,
    "model": ModelSection,
    "judges": ModelSection,
    "gate": GateSection,
    "drop": DropSection,
    "latency": LatencySection,
}
"""The sections of an experiment by their keys, wherever these stand."""
_KINDS = {f"({key})" for key in (*COMPOSITE, "adapter")}


def _explain(
    error: ValidationError,
    path: Path,
    lines: Mapping[Location, int],
    section: type[BaseModel],
    within: Mapping[str, type[BaseModel]],
) -> UserError:
    # The kind of a model is told from its keys; in the file it stands nowhere.
    errors: list[dict[str, Any]] = [
        {**e, "loc": tuple(part for part in e["loc"] if part not in _KINDS)} for e in error.errors()
    ]
    # A list with a bad entry is besides called too short.
    around = {e["loc"][:length] for e in errors for length in range(len(e["loc"]))}
    errors = [e for e in errors if e["loc"] not in around]
    # A key in other letters is missing and unknown at once: that it is unknown says more.
    first = next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])
    at: Location = first["loc"]
    place = place_of(path, at, lines)
    if first["type"] == "extra_forbidden" and at[-1] in COMPOSITE and "judges" in at:
        return UserError(f"{dotted(at)}: a judge is one model", place=place, remedy="several judges are a panel")
    if first["type"] == "extra_forbidden":
        where = dotted(at[:-1]) or ("the experiment" if section is Experiment else "the file")
        return UnknownName(f"key in {where}:", str(at[-1]), _known(at, section, within), place=place)
    if first["type"] == "missing":
        return UserError(f"the key {dotted(at)!r} is missing", place=place)
    if first["type"] == "too_short":
        least = first["ctx"]["min_length"]
        many = f"at least {least}" if least > 1 else "at least one"
        return UserError(
            f"{dotted(at)}: {'is empty' if least == 1 else 'are too few'}", place=place, remedy=f"name {many}"
        )
    if first["type"] == "model_type":
        needed = ", ".join(_known((*at, ""), section, within))
        return UserError(f"{dotted(at)}: is {first['input']!r}", place=place, remedy=f"a mapping with {needed}")
    if first["type"] == "tuple_type":
        what = str(at[-1]).replace("_", " ")
        return UserError(f"{dotted(at)}: is no list", place=place, remedy=f"give a list of {what}")
    more = f"; and {len(errors) - 1} more" if len(errors) > 1 else ""
    return UserError(f"{dotted(at)}: {first['msg']}{more}", place=place)


def _known(at: Location, section: type[BaseModel], within: Mapping[str, type[BaseModel]]) -> tuple[str, ...]:
    """The keys that would be known where an unknown one stands.

    Args:
        at: Where it stands.
        section: What the file is to be.
        within: Its sections by their keys.
    """
    for part in at[:-1]:
        if isinstance(part, str):
            section = within.get(part, section)
    return (*section.model_fields, *(COMPOSITE if section is ModelSection and "judges" not in at else ()))
