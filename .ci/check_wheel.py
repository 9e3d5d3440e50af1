"""Check what a wheel holds: everything that a user needs and nothing else. Usage: check_wheel.py WHEEL."""

from __future__ import annotations

import sys
import zipfile
from pathlib import PurePosixPath

ROOMS = {"sqlassay", "prompts", "adapters", "database_backends", "evaluation"}
COMMAND = "sqlassay_command.py"
NEEDED = {
    COMMAND,
    *(f"{room}/py.typed" for room in ROOMS),
    "evaluation/reports/html/page.html.j2",
    "evaluation/reports/html/plots.html.j2",
    "evaluation/reports/html/report.css",
    "evaluation/reports/html/report.js",
    "prompts/templates/lock.json",
    "prompts/templates/zero_shot/v1.yaml",
    "evaluation/langfuse_server/compose.yaml",
    "evaluation/langfuse_server/template.env",
    "sqlassay/examples/demo/demo.yaml",
    "sqlassay/examples/demo/build_database.py",
    "sqlassay/examples/demo/questions.jsonl",
    "sqlassay/examples/demo/answers/careful.jsonl",
    "sqlassay/examples/demo/answers/hasty.jsonl",
}
SUFFIXES = {".py", ".typed", ".yaml", ".json", ".env", ".j2", ".css", ".js"}


def faults(names: list[str]) -> list[str]:
    """What is missing from a wheel with these files, and what is too much."""
    found = [f"missing: {name}" for name in sorted(NEEDED - set(names))]
    for name in names:
        path = PurePosixPath(name)
        room = path.parts[0]
        if room.endswith(".dist-info") or name == COMMAND:
            continue
        in_demo = name.startswith("sqlassay/examples/demo/")
        if room not in ROOMS or (path.suffix not in SUFFIXES and not in_demo) or "__pycache__" in path.parts:
            found.append(f"does not belong there: {name}")
    return found


if __name__ == "__main__":
    with zipfile.ZipFile(sys.argv[1]) as wheel:
        files = wheel.namelist()
    problems = faults(files)
    print(f"{sys.argv[1]}: {len(files)} files", *problems, sep="\n  ")  # noqa: T201
    sys.exit(bool(problems))
