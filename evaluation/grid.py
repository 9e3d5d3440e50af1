"""An experiment as the runs that it consists of: one per model, prompt, backend, repeat and history."""

from __future__ import annotations

import asyncio
import json
import logging
import platform
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from importlib.metadata import version
from itertools import chain, count, product
from pathlib import Path
from typing import Any, Protocol

from adapters.prices import Prices, Tariff
from database_backends.base import BACKENDS
from database_backends.result import Limits
from database_backends.runner import Runner
from evaluation.answers import AnswerSource, RunStopped
from evaluation.base.strategy import EvaluationStrategy
from evaluation.budget import Budget
from evaluation.composite.assembly import Assembly
from evaluation.composite.trial import Trial
from evaluation.databases import Databases
from evaluation.datasets.base import Question
from evaluation.datasets.describing import CanDescribeColumns
from evaluation.datasets.digest import dataset_digest
from evaluation.datasets.opening import open_section
from evaluation.estimate import Estimate, Estimator, surely_asked
from evaluation.experiment import AnyModel, BackendSection, ExperimentFile, HistorySection
from evaluation.few_shot.pool import Pool
from evaluation.few_shot.pools import Pools
from evaluation.generation import ModelSource, ResponseCache
from evaluation.golds import GoldStore
from evaluation.history import (
    By,
    GoldHistory,
    History,
    NoHistory,
    OwnHistory,
    Window,
    refuse_gaps,
    shown_to_others,
    shows_history,
    still_valid,
)
from evaluation.judging.bench import Bench, Judge
from evaluation.judging.rival import Rival, read_rival
from evaluation.models import Models, Part
from evaluation.orchestrator import Orchestrator
from evaluation.pinning import pin
from evaluation.preview import Preview, previews
from evaluation.prompt_log import PROMPTS
from evaluation.records import ItemRecord
from evaluation.run_log import MANIFEST, RESPONSES, RunFolder, RunLog, is_unscored
from evaluation.sharding import Shard
from evaluation.store import Store, digest
from evaluation.strategies.making import describe_strategies, expand, make_strategy
from evaluation.twins import refuse_namesakes, refuse_twins
from prompts.flaws import refuse_flawed
from prompts.library import load, refuse_wrong
from prompts.template import PromptTemplate, RenderedPrompt, Shots
from sqlassay import tokens
from sqlassay.errors import UserError
from sqlassay.printable import printable
from sqlassay.resilience import CallLimits, CircuitOpen, CircuitPolicy, Endpoint, Endpoints, RetryPolicy

FINISHED = "finished"
RUNNING = "running"
STOPPED = "stopped"
INTERRUPTED = "interrupted"
_LOG = logging.getLogger(__name__)
_DIGEST = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")


@dataclass(frozen=True)
class Cell:
    """One run of an experiment.

    Attributes:
        number: From 1.
        model: The model.
        prompt: The prompt.
        backend: The engine.
        repeat: From 0.
        history: Whose statements its prompts show of earlier turns; `None` where they show none.
    """

    number: int
    model: AnyModel
    prompt: PromptTemplate
    backend: BackendSection
    repeat: int
    history: By | None = None

    @property
    def title(self) -> str:
        """One line for people: model · prompt · engine."""
        parts = [self.model.name, self.prompt.ref, self.backend.backend]
        if self.history is not None:
            parts.append(f"{self.history} history")
        return " · ".join([*parts, f"repeat {self.repeat + 1}"] if self.repeat else parts)


class Grid:
    """An experiment, checked: everything that a mistake of the user's can break has been made once.

    Args:
        file: The experiment.
        shard: Which part of its questions is run; all of them unless given. All else is that of the whole.

    Raises:
        UserError: A name, a setting, a file, a key or a server that the experiment needs is not there.
    """

    def __init__(self, file: ExperimentFile, shard: Shard | None = None) -> None:
        self.file = file = pin(file)
        self.shard = shard
        experiment = file.experiment
        with file.at("prompt_folders"):
            folders = [file.resolve(folder) for folder in experiment.prompt_folders]
            refuse_wrong(folders)
        prompts = []
        for index, ref in enumerate(experiment.prompts):
            with file.at("prompts", index):
                prompts.append(load(file.prompt(ref), folders))
                refuse_flawed(prompts[-1])
        refuse_twins(file, "prompts", [(ref, made.ref) for ref, made in zip(experiment.prompts, prompts, strict=True)])
        refuse_twins(file, "backends", [(one.backend, (one.backend, one.target)) for one in experiment.backends])
        refuse_twins(file, "models", [(one.name, one.model_dump(exclude={"label"})) for one in experiment.models])
        refuse_namesakes(file, [one.name for one in experiment.models])
        self.dataset, self.selection = open_section(file, experiment.dataset)
        counts: Counter[str] = Counter()
        in_turns = False
        with file.at("dataset"):
            self.total = 0
            for question in self.selected():
                counts[question.db_id] += 1
                in_turns = in_turns or question.conversation is not None
                self.total += shard is None or question in shard
        self.whole = counts.total()
        self.db_ids = tuple(counts)
        self._folders = folders
        self._rivals: dict[str, Rival] = {}
        self.models = Models(file, folders)
        self.strategies()
        for index, section in enumerate(experiment.backends):
            with file.at("backends", index):
                databases = self._databases(section)
                databases.require_any(counts)
                databases.engine(counts)
        asked = [(one.name, self.models.what_is_asked(number)) for number, one in enumerate(experiment.models)]
        refuse_twins(file, "models", asked)
        self._pools = Pools(file)
        self._pools.check(
            {**{("prompts", index): prompt for index, prompt in enumerate(prompts)}, **self.models.prompts},
            self.selected,
        )
        self.cells = tuple(self._cells(prompts, in_turns=in_turns))
        if any(cell.history == "own" for cell in self.cells):
            with file.at("dataset"):
                for _ in refuse_gaps(self.selected()):
                    pass

    def _cells(self, prompts: Sequence[PromptTemplate], *, in_turns: bool) -> Iterator[Cell]:
        """Every combination, and every history where prompts show one.

        Args:
            prompts: The experiment's.
            in_turns: Whether questions are turns of conversations.

        Raises:
            UserError: The experiment has a history, and nothing shows it.
        """
        experiment = self.file.experiment
        wanted = experiment.history
        shown = False
        numbers = count(1)
        combined = product(enumerate(experiment.models), prompts, experiment.backends, range(experiment.repeats))
        for (index, model), prompt, backend, repeat in combined:
            if in_turns and any(map(shows_history, (prompt, *self.models.prompts_of(index).values()))):
                shown = True
                for by in (wanted or HistorySection.model_validate({})).by:
                    yield Cell(next(numbers), model, prompt, backend, repeat, by)
            else:
                yield Cell(next(numbers), model, prompt, backend, repeat)
        if wanted is not None and not shown:
            why = "no prompt of the experiment shows it" if in_turns else "no question is a turn of a conversation"
            remedy = "add the prompt conversational, or leave it out" if in_turns else "leave it out"
            raise UserError(f"history: {why}", place=self.file.place("history"), remedy=remedy)

    def selected(self) -> Iterator[Question]:
        """The selected questions, those of other shards among them."""
        return self.selection.apply(self.dataset.questions())

    def placed(self) -> Iterator[tuple[int, Question]]:
        """The questions that are asked, each with its place in the selection, from 0."""
        for position, question in enumerate(self.selected()):
            if self.shard is None or question in self.shard:
                yield position, question

    def questions(self) -> Iterator[Question]:
        """The questions that are asked."""
        return (question for _, question in self.placed())

    def examples(self, cell: Cell) -> Pool | None:
        """What the cell's prompts choose their examples from; `None` when they show none."""
        return self._pools.of(cell.backend) if self._shots(cell) else None

    def _shots(self, cell: Cell) -> list[Shots]:
        """The examples that the cell's prompts ask for."""
        return [shots for prompt in self.prompts(cell) for shots in prompt.shots.values()]

    def strategies(self, source: Callable[[Part], ModelSource] | None = None) -> tuple[EvaluationStrategy, ...]:
        """The strategies, newly made.

        Args:
            source: What asks a judge; without it they tell who judges, and are not to be asked for verdicts.
        """
        return tuple(strategy for _, strategy in self._placed_strategies(source))

    def _placed_strategies(
        self, source: Callable[[Part], ModelSource] | None = None
    ) -> list[tuple[int, EvaluationStrategy]]:
        """The strategies, each with the place of its section."""
        made = []
        for index, section in enumerate(self.file.experiment.strategies):
            with self.file.at("strategies", index):
                bench = self._bench(index, source)
                made += [
                    (index, make_strategy(name, section.settings, bench=bench)) for name in expand(section.strategy)
                ]
        with self.file.at("strategies"):
            describe_strategies([strategy for _, strategy in made])
        return made

    def _bench(self, index: int, source: Callable[[Part], ModelSource] | None) -> Bench:
        """Who judges by the strategy of this place."""
        judges = [
            Judge(part.section.name, self.models.identity_of(part), None if source is None else source(part))
            for part in self.models.judges(index)
        ]

        def rival(against: str) -> Rival:
            with self.file.at("strategies", index, "settings", "against"):
                return self._rival(against)

        return Bench(tuple(judges), lambda ref: load(self.file.prompt(ref), self._folders), rival)

    def _rival(self, against: str) -> Rival:
        """Another system, read once."""
        if against not in self._rivals:
            runs = Path(self.file.experiment.output.runs)
            self._rivals[against] = read_rival(against, self.file.resolve(against), runs, self.dataset.questions)
        return self._rivals[against]

    def number(self, cell: Cell) -> int:
        """Which of the experiment's models the cell's is, from 0."""
        return self.file.experiment.models.index(cell.model)

    def parts(self, cell: Cell) -> tuple[Part, ...]:
        """The models that the cell asks, judges among them."""
        return self.models.asked(self.number(cell))

    def databases(self, cell: Cell) -> Databases:
        """The dataset's databases on the cell's engine."""
        with self.file.at("backends", self.file.experiment.backends.index(cell.backend)):
            return self._databases(cell.backend)

    def _databases(self, section: BackendSection) -> Databases:
        return Databases(self.dataset, section.backend, section.target)

    def window(self, cell: Cell) -> Window:
        """How much the cell's prompts show of a conversation."""
        section = self.file.experiment.history
        return Window(None if section is None else section.max_tokens, self.parts(cell)[0].adapter.model)

    def limits(self) -> Limits:
        """Of predicted statements."""
        section = self.file.experiment.limits
        return Limits(section.seconds, section.rows, section.megabytes)

    def gold_limits(self) -> Limits:
        """Of gold statements."""
        section = self.file.experiment.limits
        return Limits(section.gold_seconds, section.rows, section.megabytes)

    def _descriptions(self, cell: Cell) -> str | None:
        """Digest of what the dataset says about columns, where a prompt of the cell shows it."""
        shown = any(prompt.schema.descriptions for prompt in self.prompts(cell))
        if not shown or not isinstance(self.dataset, CanDescribeColumns):
            return None
        return digest(descriptions={db_id: self.dataset.descriptions(db_id) for db_id in self.db_ids}).hex()

    def _tokenizers(self, cell: Cell) -> dict[str, str] | None:
        """What counts the tokens of schemas, by the places of the models that get no more than so many."""
        always = any(prompt.schema.max_tokens is not None for prompt in self.prompts(cell))
        bounded = [part for part in self.parts(cell) if always or part.section.schema_tokens is not None]
        return {part.place: tokens.count("", part.adapter.model).counted_by for part in bounded} or None

    def prompts(self, cell: Cell) -> tuple[PromptTemplate, ...]:
        """That of the cell, and those that its model brings."""
        return (cell.prompt, *self.models.prompts_of(self.number(cell)).values())

    @cached_property
    def dataset_sha256(self) -> str:
        """Of the dataset's files."""
        return dataset_digest(self.dataset)

    def identity(self, cell: Cell) -> dict[str, Any]:
        """Everything that can change the cell's outcome: a run is resumed only while this stays as it was.

        Values of the environment are not in it, only their digests.
        """
        databases = self.databases(cell)
        section = self.file.experiment.dataset
        told = self.file.environment.told
        strategies = self._placed_strategies()
        described = describe_strategies([strategy for _, strategy in strategies])
        identity = {
            "dataset": {"format": section.format, "sha256": self.dataset_sha256, "questions": self.total},
            "selection": asdict(self.selection),
            **self.models.identity(self.number(cell)),
            "prompt": cell.prompt.identity,
            "descriptions": self._descriptions(cell),
            "tokenizers": self._tokenizers(cell),
            "backend": {"name": databases.backend.name, "engine": databases.engine(self.db_ids)},
            "repeat": cell.repeat,
            "strategies": [
                told(one, "strategies", index, "settings")
                for one, (index, _) in zip(described, strategies, strict=True)
            ],
            "limits": {"prediction": asdict(self.limits()), "gold": asdict(self.gold_limits())},
        }
        if self.shard is not None:
            identity["shard"] = {**asdict(self.shard), "questions": self.whole}
        examples = self.examples(cell)
        if examples is not None:
            identity["examples"] = examples.identity(self._shots(cell))
        if cell.history is not None:
            window = self.window(cell)
            counted_by = {} if window.max_tokens is None else {"counted_by": tokens.count("", window.model).counted_by}
            identity["history"] = {"by": cell.history, "max_tokens": window.max_tokens, **counted_by}
        # As it will be read back: tuples become lists, paths become text.
        as_written: dict[str, Any] = json.loads(json.dumps(identity, default=str))
        return as_written


class Observer(Protocol):
    """Told what happens; it cannot fail a run. Progress bars and tracers are observers."""

    def run_started(self, cell: Cell, total: int, done: int) -> None:
        """A run begins, with `done` of its `total` items recorded before."""

    def item_known(self, cell: Cell, record: ItemRecord) -> None:
        """An item was recorded before, and is not done again; told after `run_started`."""

    def item_recorded(self, cell: Cell, record: ItemRecord) -> None:
        """An item is on disk."""

    def run_ended(self, cell: Cell, run_id: str, status: str) -> None:
        """A run has ended."""


@dataclass(frozen=True)
class GridRunner:
    """Runs the cells of a grid one after another, each into a folder of its own.

    Attributes:
        grid: What to run.
        group: Names this execution of the experiment; run ids start with it.
        runs: The folder of runs.
        runner: Runs statements.
        cache: Shared between runs: gold results, and answers where the experiment wants that.
        observers: Told of every item after it is on disk.
        retry_unscored: Whether a resumed run does unscored items again.
        budget: What all cells may spend together.
    """

    grid: Grid
    group: str
    runs: Path
    runner: Runner
    cache: Store | None
    observers: tuple[Observer, ...] = ()
    retry_unscored: bool = False
    budget: Budget = field(default_factory=Budget)
    _deaf: list[Observer] = field(default_factory=list, init=False)
    _stopped: dict[str, str] = field(default_factory=dict, init=False)
    """Why models can answer nothing more, by their names in tables."""

    async def run(self) -> list[str]:
        """Run what is missing of every cell.

        Returns:
            The run ids, in the order of the cells.
        """
        with self.grid.file.environment.kept():
            return [await self._cell(cell) for cell in self.grid.cells]

    def folder(self, cell: Cell) -> Path:
        """Where the run of a cell is recorded."""
        return self.runs / f"{self.group}-{cell.number:02d}"

    async def _cell(self, cell: Cell) -> str:
        log = RunLog(self.folder(cell), partial(self.grid.file.environment.without, data=True))
        databases = self.grid.databases(cell)
        try:
            # Read behind the lock: until then, another process may have been adding items.
            fingerprints = await asyncio.to_thread(databases.fingerprints, self.grid.db_ids)
            done, manifest = self._recorded(cell, log.path, fingerprints)
            self._tell(lambda observer: observer.run_started(cell, self.grid.total, len(done)))
            self._tell_known(cell, log.path, done)
            stopped = self._stopped.get(cell.model.name)
            if manifest["status"] == FINISHED and len(done) == self.grid.total:
                pass
            elif stopped is not None:
                log.begin({**manifest, "status": STOPPED, "stopped_by": f"not started: {stopped}", "ended": _now()})
            else:
                log.begin({**manifest, "status": RUNNING})
                await self._complete(cell, log, done, databases)
            status = str(log.manifest.get("status", FINISHED))
            self._tell(lambda observer: observer.run_ended(cell, log.path.name, status))
        finally:
            await log.close()
        return log.path.name

    async def _complete(self, cell: Cell, log: RunLog, done: set[str], databases: Databases) -> None:
        """Do what is missing of a run."""
        answers = self.cache if self.grid.file.experiment.cache == "shared" else None
        own = Store(log.path / RESPONSES) if answers is None else None
        try:
            # As recorded: what a run's answers cost does not change while it is resumed.
            prices = {place: Tariff.from_json(one).prices for place, one in log.manifest["prices"].items()}
            history = self._history(cell, log.path, done)
            orchestrator = self._orchestrator(cell, answers or own, databases, prices, history, log.keep)
            environment = self.grid.file.environment

            async def sink(record: ItemRecord) -> None:
                record = environment.without_in(record)
                await log.append(record)
                self._tell(lambda observer: observer.item_recorded(cell, record))

            missing = ((position, question) for position, question in self.grid.placed() if question.id not in done)
            end = {"status": INTERRUPTED}
            try:
                await orchestrator.run(missing, sink)
                end = {"status": FINISHED}
            except RunStopped as stopped:
                self._stopped[cell.model.name] = cause = environment.without(stopped.cause)
                end = {"status": STOPPED, "stopped_by": cause}
            finally:
                log.manifest |= {**end, "ended": _now()}
                log.write_manifest()
        finally:
            if own is not None:
                own.close()
            for part in self.grid.parts(cell):
                await part.adapter.close()

    def _recorded(self, cell: Cell, folder: Path, fingerprints: Mapping[str, str]) -> tuple[set[str], dict[str, Any]]:
        """The ids that need not be done again, and the manifest to go on with."""
        identity = self.grid.identity(cell)
        if not (folder / MANIFEST).exists():
            return set(), {**self._manifest(cell, identity), "databases": dict(fingerprints)}
        recorded = RunFolder(folder)
        for key, value in identity.items():
            before = recorded.manifest["identity"].get(key)
            if before != value:
                raise UserError(
                    f"run {recorded.run_id} cannot be resumed: its {key} was {_told(before)}, now it is {_told(value)}",
                    place=str(folder),
                    remedy="undo the change, or start a new run without --resume",
                )
        if "prompts" in recorded.manifest and not (folder / PROMPTS).exists():
            _LOG.warning(
                "%s is missing: what its items were asked cannot be shown; restore the file",
                printable(str(folder / PROMPTS)),
            )
        databases = recorded.manifest.get("databases", {})
        for db_id, content in databases.items():
            if fingerprints.get(db_id) != content:
                raise UserError(
                    f"run {recorded.run_id} cannot be resumed: the database {db_id!r} has changed since it was used"
                    if db_id in fingerprints
                    else f"run {recorded.run_id} cannot be resumed: the database {db_id!r} can no longer be opened",
                    place=str(folder),
                    remedy="put it back as it was, or start a new run without --resume",
                )
        places = {
            item["id"]: place
            for place, item in enumerate(recorded.raw_items())
            if not (self.retry_unscored and is_unscored(item))
        }
        done = still_valid(places, self.grid.questions()) if cell.history == "own" else set(places)
        manifest = {key: value for key, value in recorded.manifest.items() if key not in ("ended", "stopped_by")}
        return done, {"prices": self._prices(cell), **manifest, "databases": {**databases, **fingerprints}}

    def _prices(self, cell: Cell) -> dict[str, Any]:
        tariffs = self.grid.models.tariffs(self.grid.number(cell))
        return {place: tariff.to_json() for place, tariff in tariffs.items()}

    def _manifest(self, cell: Cell, identity: dict[str, Any]) -> dict[str, Any]:
        file = self.grid.file
        return {
            "format": 1,
            "run_id": self.folder(cell).name,
            "group": self.group,
            "cell": cell.number,
            "cells": len(self.grid.cells),
            "title": cell.title,
            "status": RUNNING,
            "started": _now(),
            "experiment": {
                "name": file.experiment.name,
                "path": str(file.path.resolve()),
                "sha256": file.sha256,
                "text": file.text,
            },
            "pinned": dict(file.pinned),
            "langfuse": self._copied(),
            "model_label": cell.model.name,
            "max_instrument_failures": file.experiment.max_instrument_failures,
            "gate": None if file.experiment.gate is None else file.experiment.gate.model_dump(),
            "identity": identity,
            "prompts": [
                {"ref": prompt.ref, "sha256": prompt.sha256, "released": prompt.released, "path": str(prompt.path)}
                for prompt in self.grid.prompts(cell)
            ],
            "prices": self._prices(cell),
            "versions": {
                "sqlassay": version("sqlassay"),
                "python": platform.python_version(),
                "sqlglot": version("sqlglot"),
                "platform": platform.platform(),
            },
        }

    def _copied(self) -> dict[str, Any] | None:
        """How the run is copied, as it may be written down: an address from the environment is told anew from there."""
        section = self.grid.file.experiment.langfuse
        if section is None:
            return None
        host = self.grid.file.environment.told({"host": section.host}, "langfuse")["host"]
        return {**section.model_dump(), "host": section.host if host == section.host else None}

    def _orchestrator(
        self,
        cell: Cell,
        answers: Store | None,
        databases: Databases,
        prices: Mapping[str, Prices],
        history: History,
        keep: Callable[[RenderedPrompt], None],
    ) -> Orchestrator:
        assembly = self._assembly(cell, answers, databases, prices, keep)
        source = self._source(cell, assembly)
        strategies = self.grid.strategies(assembly.judge)
        golds = GoldStore(self.runner, databases, self.grid.gold_limits(), self.cache)
        # As many again as are being answered: while some are judged, others wait for their turn to be asked.
        in_flight = 2 * sum(part.section.concurrency for part in self.grid.parts(cell)) + 2 * self.runner.workers
        return Orchestrator(databases, source, golds, self.runner, strategies, self.grid.limits(), in_flight, history)

    def _history(self, cell: Cell, folder: Path, done: set[str]) -> History:
        """What the prompts of a cell show of earlier turns; answers that are on disk are read back."""
        window = self.grid.window(cell)
        dialect = BACKENDS.get(cell.backend.backend).dialect
        if cell.history is None:
            return NoHistory()
        if cell.history == "gold":
            return GoldHistory(window, dialect)
        history = OwnHistory(window, dialect)
        needed = shown_to_others(done, self.grid.questions()) if done else done
        for record in RunFolder(folder).items() if needed else ():
            if record.id in needed:
                history.heard(record)
        return history

    def _assembly(
        self,
        cell: Cell,
        answers: Store | None,
        databases: Databases,
        prices: Mapping[str, Prices],
        keep: Callable[[RenderedPrompt], None],
    ) -> Assembly:
        return Assembly(
            self.grid.models,
            cell.prompt,
            databases,
            Trial(self.runner, databases.backend.name, self.grid.limits()),
            self._endpoint,
            None if answers is None else ResponseCache(answers),
            prices,
            self.budget,
            self.grid.examples(cell),
            keep,
        )

    def _source(self, cell: Cell, assembly: Assembly) -> AnswerSource:
        return assembly.source(cell.model, ("models", self.grid.number(cell)), cell.repeat)

    def estimates(self) -> Iterator[Estimate]:
        """What a new run would ask of each model in each cell; nothing is asked."""
        for cell in self.grid.cells:
            databases = self.grid.databases(cell)
            assembly = self._unasked(cell, databases)
            source = self._source(cell, assembly)
            estimator = Estimator(cell.title, source, self.grid.strategies(assembly.judge))
            history = self._history(cell, self.folder(cell), set())
            for question in self.grid.questions():
                target = databases.target(question.db_id)
                if target is not None:
                    estimator.add(history.foreseen(question), target)
            yield from estimator.estimates

    def previews(self, cell: Cell, question: Question) -> Iterator[Preview]:
        """What a new run would send for one question; nothing is sent.

        Raises:
            UserError: The question's database is not there.
            BackendError: It cannot be read.
        """
        databases = self.grid.databases(cell)
        target = databases.require(question.db_id)
        question = self._history(cell, self.folder(cell), set()).foreseen(question)
        source = self._source(cell, self._unasked(cell, databases))
        for asked, template, variables in surely_asked(source):
            yield from previews(asked, template, question, target, variables)

    def _unasked(self, cell: Cell, databases: Databases) -> Assembly:
        """What makes the sources of a new run, for what can be told without asking them."""
        tariffs = self.grid.models.tariffs(self.grid.number(cell))
        answers = self.cache if self.grid.file.experiment.cache == "shared" else None
        prices = {place: tariff.prices for place, tariff in tariffs.items()}
        return self._assembly(cell, answers, databases, prices, lambda prompt: None)

    def _endpoint(self, part: Part) -> Endpoint:
        model = part.section
        limits = CallLimits(model.concurrency, model.requests_per_minute, model.tokens_per_minute)
        return self._endpoints.of(part.adapter.endpoint, part.adapter.model, limits)

    @cached_property
    def _endpoints(self) -> Endpoints:
        """What is known of the providers' endpoints goes from cell to cell."""
        experiment = self.grid.file.experiment
        return Endpoints(
            RetryPolicy(**experiment.retry.model_dump()), CircuitPolicy(**experiment.circuit.model_dump()), self._warn
        )

    def _warn(self, error: CircuitOpen) -> None:
        patience = self.grid.file.experiment.retry.patience
        down = printable(self.grid.file.environment.without(f"{error.endpoint} is down: {error.last}"))
        _LOG.warning("%s; a question waits %g s for it at most", down, patience)

    def _tell_known(self, cell: Cell, folder: Path, done: Collection[str]) -> None:
        if not (done and self.observers):
            return
        for record in RunFolder(folder).items():

            def known(observer: Observer, record: ItemRecord = record) -> None:
                observer.item_known(cell, record)

            if record.id in done:
                self._tell(known)

    def _tell(self, tell: Callable[[Observer], None]) -> None:
        for observer in self.observers:
            if observer in self._deaf:
                continue
            try:
                tell(observer)
            except Exception:  # noqa: BLE001 - whatever it is, it is not the run's
                _LOG.exception("%s failed and is told nothing more", type(observer).__name__)
                self._deaf.append(observer)


def new_group(name: str, runs: Path, shard: Shard | None = None, started: datetime | None = None) -> str:
    """A name for a new execution of an experiment, such as `demo-20260131-235959`.

    The folder of its first run is made at once, so that no other process can take the same name.

    Args:
        name: The experiment's.
        runs: The folder of runs.
        shard: Becomes part of the name, for the other shards may begin on other machines in the same second.
        started: When it began; now unless given.

    Raises:
        UserError: The folder of runs cannot be written.
    """
    stem = f"{name}-{started or datetime.now(UTC):%Y%m%d-%H%M%S}"
    if shard is not None:
        stem += f"-{shard.number}of{shard.of}"
    for candidate in chain([stem], (f"{stem}-{number}" for number in count(2))):
        try:
            (runs / f"{candidate}-01").mkdir(parents=True)
        except FileExistsError:
            if not runs.is_dir():
                raise UserError("is not a folder", place=str(runs), remedy="name another with --runs") from None
        except OSError as error:
            raise UserError(f"cannot be written: {error.strerror}", place=str(runs)) from error
        else:
            return candidate
    raise AssertionError("there is always a next number")


def _told(value: Any) -> str:
    """A part of an identity for people: prompts by their names, digests by their beginnings, all else as JSON."""
    match value:
        case {"ref": str(ref), "sha256": str(sha256), **more}:
            linking = f", linked by {_told(more['linking'])}" if "linking" in more else ""
            return f"{ref} (sha256 {sha256[:12]}…{linking})"
        case None:
            return "none"
    return _DIGEST.sub(r"\1…", json.dumps(value, ensure_ascii=False))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
