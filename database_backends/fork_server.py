"""The server that worker processes are forked from: a module of its own, so that it can be started before all else."""

from __future__ import annotations

import signal
from multiprocessing import forkserver, resource_tracker

_PRELOADED = [
    "database_backends.workers",
    "database_backends.execution",
    "database_backends.guard",
    "database_backends.sqlite",
]


def start() -> None:
    """Start it where it does not run, deaf to Ctrl-C from its first moment: this process will end it."""
    forkserver.set_forkserver_preload(_PRELOADED)
    resource_tracker.ensure_running()  # on its own first: starting it unblocks the signal
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
