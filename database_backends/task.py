"""What a runner can do: a statement, or other work that may loop, fill the memory or crash."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeVar

from database_backends.result import ExecutionFailure

T_co = TypeVar("T_co", covariant=True)


class Task(ABC, Generic[T_co]):
    """Work that travels to where it is done: it and what it gives can be pickled."""

    alone: ClassVar[bool] = False
    """Whether nothing else may run meanwhile, since its time is what is wanted."""

    @property
    @abstractmethod
    def in_process(self) -> bool:
        """Whether it runs inside our process and can take that with it, so that it needs a worker that may die."""

    @property
    @abstractmethod
    def seconds(self) -> float:
        """How long it takes at most; a worker that takes longer is killed."""

    @abstractmethod
    def perform(self) -> T_co | ExecutionFailure:
        """Do it, here and now. Never raises an `Exception`."""


def perform(task: Task[T_co]) -> T_co | ExecutionFailure:
    """Do a task: what executors are given."""
    return task.perform()
