"""`docker compose`, as far as it is needed here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sqlassay.errors import SqlAssayError, UserError

_SECONDS = 60
"""How long docker may take to say what there is."""


class DockerFailed(SqlAssayError):
    """Docker did not do what it was told; it has said why."""


class State(NamedTuple):
    """One service.

    Attributes:
        service: Its name.
        state: Such as `running` or `exited`; `absent` when there is no container.
        health: `healthy`, `unhealthy`, `starting`, or nothing when it is not checked.
        image: What it runs.
        ports: Where it is reached, such as `127.0.0.1:21530`.
    """

    service: str
    state: str
    health: str = ""
    image: str = ""
    ports: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it does its work."""
        return (self.state, self.health) == ("running", "healthy")


class Compose:
    """The program, for the containers of one folder.

    Args:
        folder: Holds `compose.yaml` and `.env`.
        settings: The names in `.env`; those of the environment, which would come first, are left out.
    """

    def __init__(self, folder: Path, settings: Iterable[str]) -> None:
        self._folder = folder
        named = set(settings)
        self._environment = {
            name: value for name, value in os.environ.items() if name not in named and not name.startswith("COMPOSE_")
        }

    def make_sure(self) -> None:
        """Find out whether it can be used at all.

        Raises:
            UserError: Docker or its plug-in is not installed, or the engine does not answer.
        """
        if shutil.which("docker") is None:
            raise UserError(
                "docker is not installed, or not on the PATH",
                remedy="install Docker Engine with its compose plug-in: https://docs.docker.com/engine/install;"
                " for a server that runs elsewhere none is needed",
            )
        if self._docker(["compose", "version"]).returncode != 0:
            remedy = "install the package docker-compose-plugin: https://docs.docker.com/compose/install"
            raise UserError("docker has no `docker compose`", remedy=remedy)
        asked = self._docker(["version", "--format", "{{.Server.Version}}"])
        if asked.returncode != 0:
            if "permission denied" in asked.stderr.lower():
                remedy = "become a member of the group docker (sudo usermod -aG docker $USER), and sign in again"
                raise UserError("you may not use docker", remedy=remedy)
            remedy = "start it: sudo systemctl start docker, or Docker Desktop; DOCKER_HOST and contexts count"
            raise UserError("docker does not answer", remedy=remedy)

    def make_sure_it_waits(self) -> None:
        """Find out whether it can wait until everything is healthy.

        Raises:
            UserError: It is too old for that.
        """
        if "--wait-timeout" not in self._docker(["compose", "up", "--help"]).stdout:
            found = self._docker(["compose", "version", "--short"]).stdout.strip()
            remedy = "update the package docker-compose-plugin: https://docs.docker.com/compose/install"
            raise UserError(f"`docker compose` {found} is too old: it cannot wait for health", remedy=remedy)

    def run(self, *arguments: str) -> None:
        """One command; what it says goes to stderr.

        Raises:
            DockerFailed: It ended with another exit code than 0.
        """
        done = subprocess.run(  # noqa: S603
            self._command(arguments), env=self._environment, stdin=subprocess.DEVNULL, stdout=2, check=False
        )
        if done.returncode != 0:
            raise DockerFailed(f"`docker compose {arguments[0]}` failed with exit code {done.returncode}")

    def states(self) -> list[State]:
        """Every service that has a container.

        Raises:
            DockerFailed: It did not say.
        """
        asked = self._docker(self._command(["ps", "--all", "--format", "json"])[1:])
        if asked.returncode != 0:
            raise DockerFailed(f"`docker compose ps` failed: {(asked.stderr.strip().splitlines() or ['?'])[-1]}")
        try:
            return sorted(_state(fields) for fields in _listed(asked.stdout))
        except (ValueError, KeyError, TypeError):
            raise DockerFailed("`docker compose ps` said something else than a list of containers") from None

    def _command(self, arguments: Sequence[str]) -> list[str]:
        folder = self._folder
        return [
            *("docker", "compose", "--project-directory", str(folder)),
            *("--file", str(folder / "compose.yaml"), "--env-file", str(folder / ".env")),
            *arguments,
        ]

    def _docker(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(  # noqa: S603
                ["docker", *arguments],  # noqa: S607
                env=self._environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise UserError(f"docker has not answered for {_SECONDS} s", remedy="restart it") from None


def _listed(text: str) -> list[dict[str, Any]]:
    """One JSON object a line, or, of versions before 2.21, a list."""
    if text.lstrip().startswith("["):
        return list(json.loads(text))
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def _state(fields: dict[str, Any]) -> State:
    ports = {
        f"{one['URL']}:{one['PublishedPort']}" for one in fields.get("Publishers") or () if one.get("PublishedPort")
    }
    return State(
        fields["Service"], fields["State"], fields.get("Health") or "", fields.get("Image") or "", tuple(sorted(ports))
    )
