"""The error tree.

```
SqlAssayError                       everything that sqlassay raises on purpose
├── UserError                       a mistake that the user can mend; one line, exit code 2, no traceback
│   └── UnknownName                 no plug-in, model, prompt or key of that name; suggests the nearest
├── adapters.errors.AdapterError    a model provider did not answer (see there for its leaves)
└── database_backends.errors.BackendError   a statement did not give a result (see there)
```

The two lower trees live in the rooms that raise them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import IntEnum

from sqlassay.counted import some


class ExitCode(IntEnum):
    """What the exit code of every `sqlassay` command means."""

    OK = 0
    """Finished."""
    UNUSABLE = 1
    """Finished, but the result is not to be used: too many instrument failures, or an unexpected verdict."""
    USER_ERROR = 2
    """The command, a file or a setting is wrong; one line says which."""
    GATE_FAILED = 3
    """The run is sound, and a rule of its gate is broken."""
    INTERRUPTED = 130
    """Stopped by Ctrl-C; what was done is kept."""
    READER_GONE = 141
    """Whoever read the output closed it (`sqlassay … | head`); as a shell says it of a program that SIGPIPE ended."""


class SqlAssayError(Exception):
    """Root of every error that sqlassay raises on purpose."""


class UserError(SqlAssayError, ValueError):
    """A mistake that the user can mend.

    Attributes:
        problem: What is wrong, naming the thing.
        place: Where: a file, a line, a key of a configuration file. Empty when there is none.
        remedy: What to do about it, in words of our own: nothing that a server or a setting has said. Empty when it
            is obvious.
    """

    def __init__(self, problem: str, *, place: str = "", remedy: str = "") -> None:
        self.problem = problem
        self.place = place
        self.remedy = remedy
        super().__init__(problem, place, remedy)

    def __str__(self) -> str:
        """One line: place, problem, remedy."""
        head = f"{self.place}: " if self.place else ""
        tail = f" ({self.remedy})" if self.remedy else ""
        return " ".join(f"{head}{self.problem}{tail}".split())

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle with the keyword-only fields."""
        return (_rebuild, (type(self), dict(self.__dict__), self.args))


def _rebuild(cls: type[UserError], fields: dict[str, object], args: tuple[object, ...]) -> UserError:
    error = cls.__new__(cls, *args)
    error.__dict__.update(fields)
    error.args = args
    return error


@contextmanager
def located(place: str) -> Iterator[None]:
    """Give the user's mistakes that are found within a place, unless they know a better one."""
    try:
        yield
    except UserError as error:
        error.place = error.place or place
        raise


class UnknownName(UserError):
    """There is no thing of that name.

    Attributes:
        kind: What was looked for, such as "strategy".
        name: The name that was given.
        known: The names that exist.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], *, place: str = "", remedy: str = "") -> None:
        self.kind = kind
        self.name = name
        self.known = tuple(sorted(known))
        near = _nearest(name, self.known)
        guess = f"did you mean {near!r}?" if near is not None else f"known: {some(self.known, LISTED) or 'none'}"
        super().__init__(f"unknown {kind} {name!r}", place=place, remedy=remedy or guess)


LISTED = 10
"""Names that a message lists before it says how many more there are."""


def _nearest(name: str, known: tuple[str, ...]) -> str | None:
    """The known name that was likely meant, in whatever case it was written; `None` when none is near."""
    by_folded = {one.casefold(): one for one in reversed(known)}
    begun = [folded for folded in by_folded if name and folded.startswith(name.casefold())]
    near = begun if len(begun) == 1 else difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.65)
    return by_folded[near[0]] if near else None
