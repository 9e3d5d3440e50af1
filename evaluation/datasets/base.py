"""The contract of every dataset reader."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from sqlassay.registry import Registry

if TYPE_CHECKING:
    from evaluation.history import Shown

Ids = Literal["field", "position"]
"""Where question ids come from: the dataset's own field, or the position from 0."""


@dataclass(frozen=True)
class GoldResult:
    """An acceptable result that a file holds, in the place of the statement that would give it.

    A prediction may have further columns: what is asked for is the gold's.

    Attributes:
        path: A CSV file with a header.
        condition_columns: The places of the columns that count, from 0; all when empty.
        ignore_order: Whether rows may come in any order; else they come as in the file, where no two tie.
    """

    path: Path
    condition_columns: tuple[int, ...] = ()
    ignore_order: bool = False


@dataclass(frozen=True)
class Question:
    """One question of a dataset.

    Attributes:
        id: The dataset's own id, else the position from 0, as text.
        text: The question in natural language.
        db_id: Which of the dataset's databases it is about.
        gold: Acceptable SQL, one or several; any of them may be met.
        gold_by_dialect: Acceptable SQL per sqlglot dialect, where dialects need different texts.
        gold_results: Acceptable results in files, whatever the dialect; any of them may be met, as any gold may.
        evidence: A hint that belongs to the question (BIRD); empty when there is none.
        difficulty: The dataset's own grade; `None` when it has none.
        tags: Labels to slice by.
        turn: 0-based turn of a conversation; `None` for a single question.
        conversation: Which conversation it is a turn of; `None` where the dataset does not say.
        turns: How many turns the conversation has.
        before: The turn before this one; `None` for the first.
        history: What a prompt shows of the turns before; `None` where it shows none.
    """

    id: str
    text: str
    db_id: str
    gold: tuple[str, ...] = ()
    gold_by_dialect: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    evidence: str = ""
    difficulty: str | None = None
    tags: tuple[str, ...] = ()
    turn: int | None = None
    gold_results: tuple[GoldResult, ...] = ()
    conversation: str | None = None
    turns: int | None = None
    before: Question | None = field(default=None, repr=False, compare=False)
    history: Shown | None = None

    @property
    def earlier(self) -> tuple[Question, ...]:
        """The turns before this one, the first first."""
        found: list[Question] = []
        turn = self.before
        while turn is not None:
            found.append(turn)
            turn = turn.before
        return tuple(reversed(found))

    @property
    def context(self) -> str:
        """All that says what it is about: text, evidence, and what is shown of the turns before (*and the others?*)."""
        turns = () if self.history is None else self.history.turns
        before = (text for turn in turns for text in (turn.question, turn.sql or ""))
        return "\n".join((self.text, self.evidence, *before))

    def golds(self, dialect: str) -> tuple[str, ...]:
        """The acceptable SQL in one dialect; empty when there is none."""
        return self.gold_by_dialect.get(dialect, self.gold)


class Dataset(ABC):
    """The questions of one benchmark and where their databases are.

    Args:
        path: The question file, or the folder that holds it in the benchmark's own layout.
        databases: The folder of the databases; `None` looks where the benchmark puts them.
        ids: `field` takes the dataset's own ids where it has them; `position` counts from 0.

    Raises:
        UserError: The file or folder is not there or is not of this format.
    """

    name: ClassVar[str]
    """The registered name."""
    is_file: ClassVar[bool] = True
    """Whether `path` is one, and relative ones of an experiment start at its folder."""

    def __init__(self, path: Path, *, databases: Path | None = None, ids: Ids = "field") -> None:
        self.path = path
        self.databases = databases
        self.ids = ids

    @property
    @abstractmethod
    def question_file(self) -> Path:
        """The file that holds the questions."""

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that questions and golds are from, the question file first; a run is told by their content."""
        return (self.question_file,)

    @abstractmethod
    def questions(self) -> Iterator[Question]:
        """Every question, in file order, one at a time.

        Raises:
            UserError: Naming the file and the line or entry: not readable, not of this format, an id that
                came before.
        """

    def own_ids(self) -> Iterator[str | None]:
        """The id that the file gives each question, in file order; `None` where it gives none, or cannot tell.

        `questions` refuses an id that came before; here it is given again.

        Raises:
            UserError: The file cannot be read, or is not of this format.
        """
        for _ in self.questions():
            yield None

    @abstractmethod
    def database(self, db_id: str, suffixes: tuple[str, ...]) -> Path | None:
        """The database file of a `db_id` for an engine with these suffixes; `None` when it is not there."""


DATASETS: Registry[Dataset] = Registry("dataset format", "sqlassay.datasets", Dataset)
