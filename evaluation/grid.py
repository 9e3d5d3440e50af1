"""An experiment as the runs that it consists of: one per model, prompt, backend, repeat and history."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import count, product
from pathlib import Path
from typing import Any

from database_backends.result import Limits
from evaluation.base.strategy import EvaluationStrategy
from evaluation.databases import Databases
from evaluation.datasets.base import Question
from evaluation.datasets.describing import CanDescribeColumns
from evaluation.datasets.digest import dataset_digest
from evaluation.datasets.opening import open_section
from evaluation.experiment import AnyModel, BackendSection, ExperimentFile, HistorySection
from evaluation.few_shot.pool import Pool
from evaluation.few_shot.pools import Pools
from evaluation.generation import ModelSource
from evaluation.history import By, Window, refuse_gaps, shows_history
from evaluation.judging.bench import Bench, Judge
from evaluation.judging.rival import Rival, read_rival
from evaluation.models import Models, Part
from evaluation.pinning import pin
from evaluation.sharding import Shard
from evaluation.store import digest
from evaluation.strategies.making import describe_strategies, expand, make_strategy
from evaluation.twins import refuse_namesakes, refuse_twins
from prompts.flaws import refuse_flawed
from prompts.library import load, refuse_wrong
from prompts.template import PromptTemplate, Shots
from sqlassay import tokens
from sqlassay.errors import UserError


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
        parts = [self.model.name, self.prompt.ref, self.backend.name]
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
        refuse_twins(file, "backends", [(one.name, (one.backend, one.target)) for one in experiment.backends])
        refuse_twins(file, "models", [(one.name, one.model_dump(exclude={"label"})) for one in experiment.models])
        refuse_namesakes(file, "models", [one.name for one in experiment.models])
        refuse_namesakes(file, "backends", [one.name for one in experiment.backends])
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
