"""Lists of traps: pairs of statements with the verdict that they must get."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from database_backends.base import BACKENDS, CanBuild
from database_backends.errors import BackendError
from database_backends.runner import Runner
from evaluation.base.strategy import EvaluationStrategy
from evaluation.datasets.json_file import load_json
from evaluation.settle import Settlement, settle
from evaluation.verdicts import Status
from sqlassay.errors import UserError, located

KEYS = ("id", "setup", "engine", "gold", "pred", "expected")


@dataclass(frozen=True)
class Trap:
    """One pair with its verdict.

    Attributes:
        id: Names it.
        setup: Statements that build its database.
        engine: The engine that it is for.
        golds: Acceptable SQL.
        predicted: The SQL under test.
        expected: The status that it must get.
        question: In natural language; empty when there is none.
        place: File and entry, for messages.
    """

    id: str
    setup: tuple[str, ...]
    engine: str
    golds: tuple[str, ...]
    predicted: str
    expected: Status
    question: str
    place: str


def read_traps(path: Path) -> tuple[Trap, ...]:
    """Read a JSON list of `{"id", "setup", "engine", "gold", "pred", "expected"}`; other keys are notes.

    `setup` is text or a list of texts; `engine` is sqlite unless named; `gold` is text or a list of alternatives.

    Raises:
        UserError: Naming the file, the entry and the key.
    """
    content = load_json(path)
    if not isinstance(content, list) or not content:
        raise UserError(
            "is not a list of cases", place=str(path), remedy=f"a JSON list of objects with {', '.join(KEYS)}"
        )
    traps = tuple(_trap(entry, f"{path}: case {number}") for number, entry in enumerate(content, start=1))
    seen: set[str] = set()
    for trap in traps:
        if trap.id in seen:
            raise UserError(f"the id {trap.id!r} is there twice", place=trap.place)
        seen.add(trap.id)
    return traps


def _trap(entry: object, place: str) -> Trap:
    if not isinstance(entry, dict):
        raise UserError("is not an object", place=place)
    texts = {key: _text(entry, key, place) for key in ("id", "pred", "expected")}
    if texts["expected"] not in tuple(Status):
        raise UserError(f"expected is {texts['expected']!r}", place=place, remedy=f"one of {', '.join(Status)}")
    return Trap(
        texts["id"],
        _texts(entry, "setup", place),
        _text({"engine": "sqlite", **entry}, "engine", place),
        _texts(entry, "gold", place),
        texts["pred"],
        Status(texts["expected"]),
        _text({"question": "", **entry}, "question", place),
        place,
    )


def _text(entry: dict[str, object], key: str, place: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str):
        raise UserError(f"the key {key!r} is missing or is not text", place=place)
    return value


def _texts(entry: dict[str, object], key: str, place: str) -> tuple[str, ...]:
    value = entry.get(key)
    texts = value if isinstance(value, list) else [value]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise UserError(f"the key {key!r} is missing, or is not text or a list of texts", place=place)
    return tuple(texts)


async def settle_trap(runner: Runner, trap: Trap, strategies: Sequence[EvaluationStrategy]) -> Settlement:
    """Build the trap's database, fresh and for it alone, and judge its pair.

    Raises:
        UserError: The setup fails, or its engine cannot build databases.
    """
    with located(trap.place):
        backend = BACKENDS.get(trap.engine)
    if not issubclass(backend, CanBuild):
        raise UserError(f"the engine {trap.engine!r} cannot build a fresh database", place=trap.place)
    with tempfile.TemporaryDirectory(prefix="sqlassay-") as folder:
        target = str(Path(folder) / f"case{backend.file_suffixes[0]}")
        try:
            backend.build(target, trap.setup)
        except BackendError as error:
            raise UserError(f"the setup fails: {error.message}", place=trap.place) from error
        database = f"{backend.name}:{target}"
        return await settle(runner, database, trap.golds, trap.predicted, strategies, question=trap.question)
