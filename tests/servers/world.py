"""A server as its owner sees it: where tests have databases made, and look at what is going on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import count
from os import getpid
from typing import ClassVar

_NUMBERS = count(1)


class ServerWorld(ABC):
    """One server.

    Args:
        owner: The connection string of a user who may do everything.
        reader: That of one who may only read.
    """

    engine: ClassVar[str]
    """The registered name of the backend."""

    def __init__(self, owner: str, reader: str) -> None:
        self.owner = owner
        self.reader = reader
        self.made: list[str] = []

    def make(self, statements: Sequence[str] = ()) -> str:
        """Make a database from trusted statements and give the reader's target."""
        name = self.reserve()
        self.create(name, statements)
        return self.target(self.reader, name)

    def reserve(self) -> str:
        """The name of a database that a test will make by itself."""
        self.made.append(self.new_name())
        return self.made[-1]

    def new_name(self) -> str:
        """A name that no other test of this machine has."""
        return f"test_{getpid()}_{next(_NUMBERS)}"

    def owners(self, target: str) -> str:
        """The owner's target of a database of which the reader's is known."""
        return self.target(self.owner, self.name_of(target))

    def name_of(self, target: str) -> str:
        """The name of a database that was made here."""
        return next(name for name in self.made if self.target(self.reader, name) == target)

    def close(self) -> None:
        """Drop what was made."""
        while self.made:
            self.drop(self.made.pop())

    @abstractmethod
    def target(self, user: str, name: str) -> str:
        """The target of a database of that name, for the user of a connection string."""

    @abstractmethod
    def create(self, name: str, statements: Sequence[str]) -> None:
        """Make a database and run statements in it."""

    @abstractmethod
    def drop(self, name: str) -> None:
        """Drop a database, if it is there."""

    @abstractmethod
    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """What a statement gives the owner."""

    def rows_in(self, name: str, statement: str) -> None:
        """Run a statement of the owner's in a database that was made here."""
        raise NotImplementedError

    @abstractmethod
    def busy(self) -> list[str]:
        """What the server is doing for readers now, as its own list of processes has it."""

    @abstractmethod
    def state(self, target: str) -> object:
        """Everything in a database that a statement could change, as the owner sees it."""

    @abstractmethod
    def has_file(self, path: str) -> bool:
        """Whether the server has a file."""

    @abstractmethod
    def end_sessions(self) -> None:
        """End all sessions of readers, as a server does that restarts."""
