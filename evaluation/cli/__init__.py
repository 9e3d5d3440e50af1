"""The command line: one file per command group. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import os
import sys

_RUN_STATEMENTS = frozenset({"audit", "run", "score", "verdict"})
"""Commands that need worker processes, unless they only tell what they do."""
_HELP = frozenset({"-h", "--help"})


def main() -> None:
    """Run the command line."""
    if sys.argv[1:2] and sys.argv[1] in _RUN_STATEMENTS and not _HELP.intersection(sys.argv):
        from database_backends import fork_server

        fork_server.start()  # beside the import of all else, which takes as long

    from evaluation.cli.app import run
    from sqlassay.errors import ExitCode

    code = run(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            # The reader has gone (`sqlassay … | head`); say nothing more to it, nor at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            code = ExitCode.READER_GONE
    sys.exit(code)
