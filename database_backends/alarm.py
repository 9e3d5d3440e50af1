"""Interrupts for engines that take them from another thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection

_SECONDS_BETWEEN_LOOKS = 0.05
_LOOKS_BEFORE_REST = 20


class Alarm:
    """One thread that watches over every statement of this process, and rests when there is none.

    A timer per statement would cost more than most statements do.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: set[_Watched] = set()
        self._awake = False

    def after(self, seconds: float, interrupt: Callable[[], None]) -> _Watched:
        """Call `interrupt` when the body has run for `seconds`, then again and again until it ends.

        One call alone may come when the engine is not listening yet. None comes after the body has ended.
        """
        return _Watched(self, time.monotonic() + seconds, interrupt)

    def ring(self, threads: Collection[int]) -> None:
        """Let the time be up, now, of all that these threads are doing."""
        with self._lock:
            for watched in self._watched:
                if watched.thread in threads:
                    watched.deadline = time.monotonic()

    def _begin(self, watched: _Watched) -> None:
        with self._lock:
            self._watched.add(watched)
            if not self._awake:
                self._awake = True
                threading.Thread(target=self._watch, name="sqlassay-alarm", daemon=True).start()

    def _end(self, watched: _Watched) -> None:
        with self._lock:
            self._watched.remove(watched)

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
        for watched in self._watched:
            if now >= watched.deadline:
                watched.interrupt()
        return bool(self._watched)


class _Watched:
    """A body that is watched. A generator would cost more."""

    __slots__ = ("_alarm", "deadline", "interrupt", "thread")

    def __init__(self, alarm: Alarm, deadline: float, interrupt: Callable[[], None]) -> None:
        self._alarm = alarm
        self.deadline = deadline
        self.interrupt = interrupt
        self.thread = threading.get_ident()

    def __enter__(self) -> None:
        self._alarm._begin(self)

    def __exit__(self, *_: object) -> None:
        self._alarm._end(self)


ALARM = Alarm()
