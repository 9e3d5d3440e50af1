"""Run the examples of the pages and write what they print back into the pages.

The bash and python blocks of a page run from top to bottom, in one empty folder per page. What a page needs besides is
written in comments, which readers do not see:

    <!-- file: NAME -->   the next block is the content of this file
    <!-- output -->       the next block is what the block before printed to stdout
    <!-- not run: WHY --> the next block is only shown

`python docs/renew.py` writes the pages anew; `tests/test_docs.py` holds that nothing would change.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md")
SECONDS = 120

_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>file|output|not run)(?:: (?P<value>[^\n]*?))? -->\n)?"
    r"^```(?P<language>\w+)\n(?P<content>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_PIP = """#!/bin/sh
# `pip install FOLDER` without a network and without touching the environment.
for folder; do :; done
exec {python} -m pip install --quiet --no-index --no-deps --no-build-isolation --target {site} "$folder"
"""


class ExampleFailed(Exception):
    """An example of a page does not run."""


class Page:
    """One page, its examples run in a folder of their own.

    Args:
        folder: An empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self._work = folder / "work"
        site, commands = folder / "site", folder / "bin"
        for path in (self._work, site, commands):
            path.mkdir()
        (commands / "pip").write_text(_PIP.format(python=sys.executable, site=site))
        (commands / "pip").chmod(0o755)
        kept = {key: value for key, value in os.environ.items() if not key.endswith("_API_KEY")}
        self._environment = kept | {
            "PATH": os.pathsep.join([str(commands), str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PYTHONPATH": str(site),
            "SQLASSAY_CACHE": str(folder / "cache"),
            "SQLASSAY_SECRETS": str(folder / "secrets"),
            "COLUMNS": "160",
            "LC_ALL": "C.UTF-8",
        }
        self._printed = ""

    def renewed(self, text: str) -> str:
        """The text of a page with the output of its examples as it is now.

        Raises:
            ExampleFailed: An example ends with an error.
        """
        return _BLOCK.sub(self._block, text)

    def _block(self, match: re.Match[str]) -> str:
        mark, language, content = match["mark"], match["language"], match["content"]
        if mark == "output":
            before, after = match.start("content") - match.start(), match.end("content") - match.start()
            return match[0][:before] + self._printed + match[0][after:]
        if mark == "file":
            path = self._work / match["value"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, "utf-8")
        elif mark is None and language in ("bash", "python"):
            self._printed = self._run(language, content)
        return match[0]

    def _run(self, language: str, content: str) -> str:
        command = ["bash", "-euo", "pipefail", "-c"] if language == "bash" else [sys.executable, "-c"]
        done = subprocess.run(
            [*command, content],
            cwd=self._work,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if done.returncode:
            raise ExampleFailed(f"exit code {done.returncode} of\n{content}\n{done.stdout}\n{done.stderr}")
        return "".join(f"{line.rstrip()}\n" for line in done.stdout.splitlines())


def renewed(page: Path) -> str:
    """The text of a page as it ought to be.

    Raises:
        ExampleFailed: An example ends with an error.
    """
    with tempfile.TemporaryDirectory(prefix="sqlassay-docs-") as folder:
        return Page(Path(folder)).renewed(page.read_text("utf-8"))


if __name__ == "__main__":
    argparse.ArgumentParser(description="Write all pages anew.").parse_args()
    for page in PAGES:
        page.write_text(renewed(page), "utf-8")
