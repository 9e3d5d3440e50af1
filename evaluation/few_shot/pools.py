"""The examples of an experiment, read once for each engine that golds are written for."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from database_backends.base import BACKENDS
from evaluation.databases import Databases
from evaluation.datasets.base import Question
from evaluation.datasets.opening import open_section
from evaluation.environment import Location
from evaluation.experiment import BackendSection, ExperimentFile
from evaluation.few_shot.pool import Pool
from prompts.template import PromptTemplate
from sqlassay.counted import some
from sqlassay.errors import UserError

_LOG = logging.getLogger(__name__)
_SHOWN = 3


@dataclass(frozen=True)
class Pools:
    """What the prompts of an experiment choose their examples from.

    Attributes:
        file: The experiment.
    """

    file: ExperimentFile
    _made: dict[str, Pool] = field(default_factory=dict, init=False)

    def of(self, section: BackendSection) -> Pool:
        """The examples with SQL for an engine.

        Raises:
            UserError: The experiment names no examples, or they cannot be read.
        """
        if section.backend not in self._made:
            examples = self.file.experiment.examples
            if examples is None:
                raise UserError("there are no examples", place=str(self.file.path), remedy=_REMEDY)
            dataset, selection = open_section(self.file, examples, "examples")
            # Their databases only give names, and a server that holds those of the questions need not have them.
            backend = BACKENDS.get(section.backend)
            databases = Databases(dataset, section.backend if backend.embedded else "sqlite")
            with self.file.at("examples"):
                found = list(selection.apply(dataset.questions()))
            self._made[section.backend] = Pool(found, backend.dialect, databases)
        return self._made[section.backend]

    def check(self, prompts: Mapping[Location, PromptTemplate], questions: Callable[[], Iterator[Question]]) -> None:
        """Refuse prompts that show examples where there are none, or too few, and say what makes examples less useful.

        Args:
            prompts: By their place in the experiment file.
            questions: Those that are asked.

        Raises:
            UserError: Naming the prompt.
        """
        asked = [(at, ref, shots) for at, prompt in prompts.items() for ref, shots in prompt.shots.items()]
        sections = self.file.experiment.backends
        for at, ref, shots in asked:
            if self.file.experiment.examples is None:
                problem = f"prompt {ref} shows examples, and the experiment has none"
                raise UserError(problem, place=self.file.place(*at), remedy=_REMEDY)
            for section in sections:
                there = len(self.of(section).examples)
                if there < shots.count:
                    raise UserError(
                        f"prompt {ref} shows {shots.count} examples, and there are {there} with SQL for"
                        f" {BACKENDS.get(section.backend).title}",
                        place=self.file.place("examples"),
                        remedy="name a train split with more, or a prompt that shows fewer",
                    )
        if asked:
            self._warn(self.of(sections[0]), questions(), similar=any(s.select == "similar" for _, _, s in asked))

    def _warn(self, pool: Pool, questions: Iterator[Question], *, similar: bool) -> None:
        shared, total = pool.shared(questions)
        if shared:
            _LOG.warning(
                "examples: %s of the %s questions that are asked are examples too, which makes them no train split;"
                " none is shown its own answer",
                f"{shared:,}",
                f"{total:,}",
            )
        unread = sorted(pool.unread) if similar else []
        if unread:
            _LOG.warning(
                "examples: no schema of %s, so that their questions are compared by all their words",
                some(unread, _SHOWN),
            )


_REMEDY = "name the train split: `examples: {format: …, path: …}`"
