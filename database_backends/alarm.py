"""Interrupts for engines that take them from another thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

_SECONDS_BETWEEN_LOOKS = 0.05
_LOOKS_BEFORE_REST = 20


class Alarm:
    """One thread that watches over every statement of this process, and rests when there is none.

    A timer per statement would cost more than most statements do.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: dict[object, tuple[float, Callable[[], None], int]] = {}
        self._awake = False

    @contextmanager
    def after(self, seconds: float, interrupt: Callable[[], None]) -> Iterator[None]:
        """Call `interrupt` when the body has run for `seconds`, then again and again until it ends.

        One call alone may come when the engine is not listening yet. None comes after the body has ended.
        """
        watched = object()
        with self._lock:
            self._watched[watched] = (time.monotonic() + seconds, interrupt, threading.get_ident())
            if not self._awake:
                self._awake = True
                threading.Thread(target=self._watch, name="sqlassay-alarm", daemon=True).start()
        try:
            yield
        finally:
            with self._lock:
                del self._watched[watched]

    def ring(self, threads: Collection[int]) -> None:
        """Let the time be up, now, of all that these threads are doing."""
        with self._lock:
            for watched, (_, interrupt, thread) in self._watched.items():
                if thread in threads:
                    self._watched[watched] = (time.monotonic(), interrupt, thread)

    def _watch(self) -> None:
        idle = 0
        while idle < _LOOKS_BEFORE_REST:
            time.sleep(_SECONDS_BETWEEN_LOOKS)
            with self._lock:
                idle = 0 if self._look() else idle + 1
                self._awake = idle < _LOOKS_BEFORE_REST

    def _look(self) -> bool:
        """Whether there is anything to watch."""
        now = time.monotonic()
        for deadline, interrupt, _ in self._watched.values():
            if now >= deadline:
                interrupt()
        return bool(self._watched)


ALARM = Alarm()
