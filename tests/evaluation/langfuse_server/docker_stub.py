"""A program `docker` that behaves as `docker compose` does, as far as it is asked here, without containers.

It reads compose file and settings as the real one does: the environment comes first, a `${NAME:?}` without a value is
an error. What it was told is in `calls`; what it has made is in `state`; `ill` says what is wrong with it.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import yaml

HEALTHY = {"State": "running", "Health": "healthy"}


class Docker:
    """The program, in a folder of its own.

    Args:
        folder: Put first on the PATH.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        program = folder / "docker"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P "{__file__}" "{folder}" "$@"\n')
        program.chmod(0o755)

    def ill(self, **what: Any) -> None:
        """`engine`: what `docker version` says on stderr; `compose`: there is none; `up`: a service; `list`: older.

        `old`: older still, of a version that does not wait; `port`: a service that does not get its port.
        """
        (self.folder / "ill").write_text(json.dumps(what))

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of every call so far, without those that say which folder is meant."""
        path = self.folder / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def state(self) -> dict[str, Any]:
        """The services, as `docker compose config` would show them, by name, and how they are."""
        path = self.folder / "state"
        return json.loads(path.read_text()) if path.exists() else {}

    def change(self, service: str, **fields: str) -> None:
        """Something has happened to a container."""
        state = self.state
        state["services"][service].update(fields)
        (self.folder / "state").write_text(json.dumps(state))


def main(home: Path, arguments: list[str]) -> int:
    """What the program does."""
    ill = json.loads((home / "ill").read_text()) if (home / "ill").exists() else {}
    if arguments[0] == "version":
        (sys.stderr if "engine" in ill else sys.stdout).write(ill.get("engine", "29.0.0"))
        return int("engine" in ill)
    assert arguments.pop(0) == "compose"
    if "compose" in ill:
        sys.stderr.write("docker: 'compose' is not a docker command.\n")
        return 1
    given: dict[str, Path] = {}
    while arguments[0].startswith("--"):
        given[arguments[0]], arguments = Path(arguments[1]), arguments[2:]
    with (home / "calls").open("a") as file:
        file.write(json.dumps(arguments) + "\n")
    if arguments[0] == "version":
        sys.stdout.write(ill.get("old", "2.40.0"))
        return 0
    if arguments == ["up", "--help"]:
        sys.stdout.write("  -d, --detach\n" + ("" if "old" in ill else "      --wait-timeout int\n"))
        return 0
    folder = given.get("--project-directory", Path.cwd())
    settings = _settings(given.get("--env-file", folder / ".env"))
    file = home / "state"
    match arguments[0]:
        case "up":
            services = _services(given.get("--file", folder / "compose.yaml"), settings)
            made = {name: {**fields, **HEALTHY} for name, fields in services.items()}
            if "up" in ill:
                made[ill["up"]]["Health"] = "unhealthy"
            if "port" in ill:
                made[ill["port"]] |= {"State": "created", "Health": "", "ports": []}
            file.write_text(json.dumps({"project": settings["COMPOSE_PROJECT_NAME"], "services": made}))
            sys.stderr.write("Container is unhealthy\n" if "up" in ill else "Started\n")
            return int("up" in ill or "port" in ill)
        case "down":
            file.unlink(missing_ok=True)
        case "ps":
            found = json.loads(file.read_text())["services"] if file.exists() else {}
            rows = [_row(name, fields) for name, fields in found.items()]
            form = arguments[arguments.index("--format") + 1]
            lines = [json.dumps(row) if form == "json" else _filled(form, row) for row in rows]
            sys.stdout.write(json.dumps(rows) if "list" in ill else "\n".join(lines))
        case other:
            raise AssertionError(other)
    return 0


def _settings(path: Path) -> dict[str, str]:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines) | dict(os.environ)


def _services(path: Path, settings: dict[str, str]) -> dict[str, Any]:
    def value(match: re.Match[str]) -> str:
        if not settings.get(match[1]):
            sys.exit(f"required variable {match[1]} is missing a value")
        return settings[match[1]]

    services: dict[str, Any] = yaml.safe_load(re.sub(r"\$\{(\w+):\?\}", value, path.read_text()))["services"]
    return services


def _filled(form: str, row: dict[str, Any]) -> str:
    return re.sub(r"\{\{\.(\w+)\}\}", lambda match: str(row.get(match[1], "")), form.removeprefix("table "))


def _row(name: str, fields: dict[str, Any]) -> dict[str, Any]:
    published = [one.rsplit(":", 2) for one in fields.get("ports", [])]
    inside = [{"URL": "", "TargetPort": 1, "PublishedPort": 0, "Protocol": "tcp"}]
    return {
        "Service": name,
        "Image": fields["image"],
        "State": fields["State"],
        "Health": fields["Health"],
        "Publishers": inside
        + [{"URL": url, "PublishedPort": int(port), "TargetPort": int(target)} for url, port, target in published],
    }


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
