"""Runs the cells of a grid, each into a run folder of its own; goes on with those that were interrupted."""

from __future__ import annotations

import asyncio
import json
import logging
import platform
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from adapters.prices import Prices, Tariff
from database_backends.base import BACKENDS
from database_backends.runner import Runner
from evaluation.answers import AnswerSource, RunStopped
from evaluation.budget import Budget
from evaluation.composite.assembly import Assembly
from evaluation.composite.trial import Trial
from evaluation.databases import Databases
from evaluation.datasets.base import Question
from evaluation.estimate import Estimate, Estimator, surely_asked
from evaluation.generation import ResponseCache
from evaluation.golds import GoldStore
from evaluation.grid import Cell, Grid
from evaluation.history import GoldHistory, History, NoHistory, OwnHistory, shown_to_others, still_valid
from evaluation.models import Part
from evaluation.orchestrator import Orchestrator
from evaluation.preview import Preview, previews
from evaluation.prompt_log import PROMPTS
from evaluation.records import ItemRecord
from evaluation.run_log import (
    FINISHED,
    INTERRUPTED,
    MANIFEST,
    RESPONSES,
    RUNNING,
    STOPPED,
    RunFolder,
    RunLog,
    is_unscored,
)
from evaluation.store import Store
from prompts.template import RenderedPrompt
from sqlassay.errors import UserError
from sqlassay.printable import printable
from sqlassay.resilience import CallLimits, CircuitOpen, CircuitPolicy, Endpoint, Endpoints, RetryPolicy

_LOG = logging.getLogger(__name__)
_DIGEST = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")


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
                else:
                    estimator.add_missing()
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
