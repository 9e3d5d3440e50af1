"""What several conventions ask about one pair of results is found out once."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from operator import is_
from typing import TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


def remembered(function: Callable[[*Ts], T]) -> Callable[[*Ts], T]:
    """Give the last answer again when asked about the very same objects.

    Conventions judge a pair one after the other, so that one answer is enough. It must not be changed.
    """
    last: tuple[tuple[object, ...], T] | None = None

    @wraps(function)
    def ask(*arguments: *Ts) -> T:
        nonlocal last
        before = last  # read once: large results are compared in threads
        if before is not None and len(before[0]) == len(arguments) and all(map(is_, before[0], arguments)):
            return before[1]
        answer = function(*arguments)
        last = arguments, answer
        return answer

    return ask
