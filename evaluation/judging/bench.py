"""Who judges, and by what prompt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from evaluation.generation import ModelSource
from evaluation.judging.rival import Rival
from prompts.template import PromptTemplate


@dataclass(frozen=True)
class Judge:
    """One model that judges.

    Attributes:
        name: In tables.
        identity: Model and parameters, as they may be written down.
        source: Asks it; `None` where it is only named.
    """

    name: str
    identity: Mapping[str, object]
    source: ModelSource | None = None


@dataclass(frozen=True)
class Bench:
    """What a strategy that asks a model is given.

    Attributes:
        judges: The panel.
        prompt: Finds a prompt by its name.
        rival: Reads the answers of another system.
    """

    judges: tuple[Judge, ...]
    prompt: Callable[[str], PromptTemplate]
    rival: Callable[[str], Rival]
