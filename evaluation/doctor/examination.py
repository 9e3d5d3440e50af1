"""Checks side by side, none of which is waited for without end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from evaluation.doctor.finding import Finding, State
from sqlassay.errors import SqlAssayError, UserError


@dataclass(frozen=True)
class Examination:
    """One thing to look at.

    Attributes:
        thing: Its name, for when it cannot be looked at.
        look: Looks at it.
    """

    thing: str
    look: Callable[[], Iterable[Finding]]


def examine(examinations: Sequence[Examination], seconds: float) -> list[Finding]:
    """Look at all at once.

    Args:
        examinations: What to look at.
        seconds: After which whatever has not answered is a failure, and is left to itself.

    Returns:
        In the order of the examinations.
    """
    found: list[list[Finding] | None] = [None] * len(examinations)

    def look(number: int) -> None:
        found[number] = _looked(examinations[number])

    # Threads that may be left behind: those of a pool would be waited for when the program ends.
    threads = [threading.Thread(target=look, args=(number,), daemon=True) for number in range(len(examinations))]
    until = time.monotonic() + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    silent = f"no answer within {seconds:g} seconds"
    return [
        finding
        for one, findings in zip(examinations, found, strict=True)
        for finding in findings
        or (
            [Finding(one.thing, State.FAILED, silent, "see whether it is reached, or wait longer: --timeout")]
            if findings is None
            else []
        )
    ]


def failing(thing: str, error: Exception) -> Examination:
    """What could not even be begun."""

    def look() -> Iterable[Finding]:
        raise error

    return Examination(thing, look)


def _looked(one: Examination) -> list[Finding]:
    try:
        return list(one.look())
    except UserError as error:
        said = f"{error.place}: {error.problem}" if error.place else error.problem
        return [Finding(one.thing, State.FAILED, said, error.remedy)]
    except SqlAssayError as error:
        return [Finding(one.thing, State.FAILED, str(error))]
    except Exception as error:  # noqa: BLE001 - a broken installation raises anything, and the others are worth knowing
        return [Finding(one.thing, State.FAILED, f"cannot be looked at: {type(error).__name__}: {error}")]
