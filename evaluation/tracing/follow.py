"""The process that copies runs while they go on: `python -m evaluation.tracing.follow`.

It reads what is on disk, in a process of its own: a run is not slowed by it beyond what the machine has to share, and
nothing that happens here can fail it. Whoever starts it gives it the lowest priority. It is told on stdin what to
follow, and that the runs have ended by its end.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from evaluation.run_log import ITEMS, MANIFEST, RunFolder
from evaluation.runs import summarise
from evaluation.tracing.acknowledged import AcknowledgedLog
from evaluation.tracing.destination import Destination
from evaluation.tracing.parts import Standing, everything
from evaluation.tracing.publisher import ITEMS_AT_ONCE, Publisher
from evaluation.tracing.server import Server, Unavailable
from evaluation.tracing.subject import CopySettings
from sqlassay.errors import UserError
from sqlassay.secrets import without

INTERVAL = 1.0
"""Seconds between two looks for new items."""
_SECONDS = 5.0
"""That an answer may take."""
_LONGEST = 30.0
"""Seconds until a server that is down is tried again."""


@dataclass
class Tail:
    """The lines of a file that grows, each until it is done with."""

    path: Path
    _done: int = 0
    _shown: int = 0

    def next(self) -> list[dict[str, Any]]:
        """Some lines, the same until `done`; none while there are no new ones."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(self._done)
            lines = list(islice(file, ITEMS_AT_ONCE))
        whole = [line for line in lines if line.endswith(b"\n")]  # the last may be under way
        self._shown = sum(map(len, whole))
        return [json.loads(line) for line in whole]

    def done(self) -> None:
        """On to what comes after the lines that were shown last."""
        self._done += self._shown
        self._shown = 0


class Follower:
    """Copies the runs of a group while they are made.

    Args:
        runs: The folder of runs.
        group: The group; runs of it that begin later are copied as well.
        settings: How they are copied.
        destination: Where to.
    """

    def __init__(self, runs: Path, group: str, settings: CopySettings, destination: Destination) -> None:
        self.runs = runs
        self.group = group
        self.settings = settings
        self.destination = destination
        self.problem: str | None = None
        """Why something has not arrived."""
        self.arrived: Standing | None = None
        """How much that was, once all has arrived; nobody has to count it anew."""
        self._copies: dict[Path, tuple[Publisher, Tail]] = {}
        self._logs = ExitStack()

    def follow(self, ended: threading.Event) -> None:
        """Send what is new until the runs have ended, and what is left then; an outage is waited for until then."""
        wait = INTERVAL
        with self._logs:
            while not ended.is_set():
                try:
                    self._advance()
                    wait = INTERVAL
                except Unavailable as error:
                    wait = max(min(2 * wait, _LONGEST), error.retry_after)
                ended.wait(wait)
            with suppress(Unavailable):
                self._advance()
                arrived = Standing()
                for publisher, _ in self._copies.values():
                    summary = summarise(publisher.run)
                    self._tell(publisher.remove_replaced)
                    self._tell(partial(publisher.send_run_scores, summary))
                    arrived += everything(publisher.subject, summary)
                if not any(self.rejections()):
                    self.arrived = arrived

    def rejections(self) -> Iterator[str]:
        """Why the server does not take something."""
        return (why for publisher, _ in self._copies.values() for why in publisher.rejected.values())

    def _advance(self) -> None:
        for path in sorted(self.runs.glob(f"{self.group}-*/{MANIFEST}")):
            if path.parent not in self._copies:
                run = RunFolder(path.parent)
                if run.manifest["group"] != self.group:
                    continue
                log = self._logs.enter_context(AcknowledgedLog(run.path, self.destination.name))
                publisher = Publisher(run, self.settings, self.destination, log)
                self._copies[path.parent] = publisher, Tail(run.path / ITEMS)
        for publisher, tail in self._copies.values():
            while items := tail.next():
                self._tell(partial(publisher.send, items))
                tail.done()

    def _tell(self, send: Callable[[], None]) -> None:
        try:
            send()
        except Unavailable as error:
            self.problem = error.why
            raise
        self.problem = None


def main() -> None:
    """Follow what stdin names until it ends; then say on stdout what was in the way."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the runs; they end stdin
    told = json.loads(sys.stdin.readline())
    settings = CopySettings(**told["settings"])
    ended = threading.Event()
    arrived = None

    def listen() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=listen, daemon=True).start()
    try:
        to = settings.access()
        with Server(to, seconds=_SECONDS) as server:
            follower = Follower(Path(told["runs"]), told["group"], settings, Destination(server))
            follower.follow(ended)
            arrived = follower.arrived and asdict(follower.arrived)
            problem = follower.problem or next(follower.rejections(), None)
    except UserError as error:
        problem = str(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, the run shall be able to say it
        problem = f"{type(error).__name__}: {error}"
    told_back = {"problem": problem and without(problem), "arrived": arrived}
    print(json.dumps(told_back))  # noqa: T201 - whoever started this reads it


if __name__ == "__main__":
    main()
