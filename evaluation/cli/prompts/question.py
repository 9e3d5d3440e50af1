"""What a prompt becomes for one question: the options that say which, and the prompts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from sqlassay.errors import UnknownName, UserError

if TYPE_CHECKING:
    from adapters.base import ModelAdapter
    from evaluation.datasets.base import Dataset, Question
    from evaluation.grid import Grid
    from evaluation.preview import Preview

DatasetOf = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--dataset", metavar="FORMAT:PATH", help="The question's dataset, such as spider:data/spider."),
]
ExperimentOf = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--experiment", metavar="FILE", help="Its dataset, as a run of this experiment would ask it."),
]
QuestionId = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--id", metavar="ID", help="The question."),
]
ModelOf = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--model",
        metavar="MODEL",
        help="Who would be asked: PROVIDER:MODEL, or with --experiment the name in tables.",
    ),
]


@dataclass(frozen=True)
class Asking:
    """One question, and who would be asked.

    Attributes:
        dataset: `FORMAT:PATH`; `None` where there is an experiment.
        experiment: Its file; `None` where there is a dataset.
        question: The question's id.
        databases: The folder of the dataset's databases.
        backend: `ENGINE[:TARGET]`.
        by_position: Whether ids are counted from 0.
        model: Who would be asked; `None` for nobody, or the only model of the experiment.
        folders: Of the user's own prompts.
    """

    dataset: str | None
    experiment: Path | None
    question: str | None
    databases: Path | None = None
    backend: str = "sqlite"
    by_position: bool = False
    model: str | None = None
    folders: Sequence[Path] = ()

    def previews(self, ref: str | None) -> list[Preview]:
        """What would be sent with a prompt; with an experiment, its only prompt unless one is named.

        Raises:
            UserError: The options do not say which question, prompt or model.
            BackendError: The question's database cannot be read.
        """
        if self.question is None:
            raise UserError("no question is named", remedy="give --id ID")
        if (self.dataset is None) == (self.experiment is None):
            raise UserError("where is the question?", remedy="give --dataset FORMAT:PATH or --experiment FILE")
        if self.experiment is not None:
            return self._of_experiment(ref, self.experiment, self.question)
        if ref is None:
            raise UserError("no prompt is named", remedy="NAME, NAME@VERSION, or a YAML file")
        from evaluation.databases import Databases
        from evaluation.datasets.opening import open_dataset
        from evaluation.preview import preview_alone
        from prompts.library import load

        template = load(ref, self.folders)
        dataset = open_dataset(
            str(self.dataset), databases=self.databases, ids="position" if self.by_position else "field"
        )
        databases = Databases.of(dataset, self.backend)
        return preview_alone(template, _question(dataset, self.question), databases, _adapter(self.model))

    def _of_experiment(self, ref: str | None, path: Path, question: str) -> list[Preview]:
        from adapters.remote import never_asked
        from database_backends.runner import Runner
        from evaluation.experiment import read_experiment
        from evaluation.grid import Grid
        from evaluation.grid_runner import GridRunner
        from evaluation.history import shows_history
        from prompts.library import load

        file = read_experiment(path)
        more = tuple(str(folder.absolute()) for folder in self.folders)
        folders = (*file.experiment.prompt_folders, *more)
        changes: dict[str, object] = {"prompt_folders": folders}
        if ref is not None:
            named = str(Path(ref).absolute()) if ref.endswith((".yaml", ".yml")) else ref
            changes["prompts"] = (named,)
            if file.experiment.history is not None and not shows_history(load(named, list(map(file.resolve, folders)))):
                changes["history"] = None  # it is there for the experiment's own prompts
        with never_asked():
            grid = Grid(replace(file, experiment=file.experiment.model_copy(update=changes)))
        refs = {cell.prompt.ref: None for cell in grid.cells}
        if len(refs) > 1:
            raise UserError(
                "the experiment has several prompts", place=str(path), remedy=f"name one: {', '.join(refs)}"
            )
        name = self._model_of(grid, path)
        cell = next(cell for cell in grid.cells if cell.model.name == name)
        with Runner(1, megabytes=file.experiment.limits.megabytes) as runner, file.environment.kept():
            found = GridRunner(grid, "", Path(), runner, None).previews(cell, _question(grid.dataset, question))
            return list({one.prompt.sha256: one for one in found}.values())

    def _model_of(self, grid: Grid, path: Path) -> str:
        names = [model.name for model in grid.file.experiment.models]
        if self.model is None and len(names) > 1:
            raise UserError(
                "the experiment has several models", place=str(path), remedy=f"--model, one of {', '.join(names)}"
            )
        name = self.model or names[0]
        if name not in names:
            raise UnknownName("model", name, names, place=str(path))
        return name


def _question(dataset: Dataset, question_id: str) -> Question:
    from evaluation.datasets.unknown_id import unknown_id

    known = []
    for question in dataset.questions():
        if question.id == question_id:
            return question
        known.append(question.id)
    raise unknown_id(question_id, known, place=str(dataset.question_file))


def _adapter(spec: str | None) -> ModelAdapter:
    """The model, or what stands in its place where none is named or its key is not there."""
    from adapters.base import ADAPTERS
    from evaluation.cli.models.named import models_named
    from evaluation.preview import Nobody

    if spec is None:
        return Nobody("")
    provider, _, model = spec.partition(":")
    if model:
        ADAPTERS.get(provider)  # an unknown one is a mistake, unlike a missing key
    try:
        return models_named([spec], None, None, None)[0]
    except UserError:
        if not model:
            raise
        return Nobody(model, provider)
