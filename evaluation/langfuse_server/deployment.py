"""A Langfuse of one's own: a folder with a compose file and settings, and the containers that are made from them."""

from __future__ import annotations

import math
import os
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import yaml

from evaluation.langfuse_server import settings as settings_module
from evaluation.langfuse_server.connection import NoAnswer
from evaluation.langfuse_server.docker import Compose, DockerFailed, State
from evaluation.langfuse_server.settings import Settings
from sqlassay.errors import SqlAssayError, UserError
from sqlassay.whole_file import replace_file

COMPOSE_FILE = "compose.yaml"
LOOPBACK = "127.0.0.1"
"""Where its ports are open."""
_PAUSE = 0.5
"""Seconds between two looks at whether the project is there."""


class NotReady(SqlAssayError):
    """The containers run, but what they are to offer is not there."""


def shipped() -> str:
    """The compose file of this version."""
    return (files(__package__) / COMPOSE_FILE).read_text("utf-8")


def usual_folder() -> Path:
    """What `SQLASSAY_LANGFUSE` names, or `langfuse` in the user's data folder."""
    named = os.environ.get("SQLASSAY_LANGFUSE")
    if named:
        return Path(named).expanduser()
    from platformdirs import user_data_dir

    return Path(user_data_dir("sqlassay")) / "langfuse"


class Deployment:
    """The folder, and what runs.

    Args:
        folder: `usual_folder()` unless given.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = (folder or usual_folder()).expanduser().absolute()

    @property
    def settings_file(self) -> Path:
        """Holds every secret."""
        return self.folder / settings_module.FILE

    @property
    def compose_file(self) -> Path:
        """The user's copy."""
        return self.folder / COMPOSE_FILE

    def set_up(self, chosen: Mapping[str, str] | None = None) -> bool:
        """Make the folder with its two files; a file that is there is left as it is.

        Args:
            chosen: Settings instead of the usual ones.

        Returns:
            Whether the settings were made now.

        Raises:
            UserError: A value cannot be a setting, or the folder cannot be written.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self.compose_file.exists():
                replace_file(self.compose_file, shipped())
        except OSError as error:
            raise UserError(f"cannot be written: {error.strerror}", place=str(self.folder)) from error
        return settings_module.write(self.settings_file, chosen or {})

    def settings(self) -> Settings:
        """What the folder says.

        Raises:
            UserError: Nothing is set up there, or the settings cannot be used.
        """
        found = self.known_settings()
        if found is None:
            raise UserError("no Langfuse is set up there", place=str(self.folder), remedy="run `sqlassay langfuse up`")
        return found

    def known_settings(self) -> Settings | None:
        """As `settings`; `None` when nothing is set up."""
        return settings_module.read(self.settings_file)

    @property
    def outdated(self) -> bool:
        """Whether the compose file is another than that of this version, changed by the user or by an update."""
        return self.compose_file.read_text("utf-8") != shipped()

    def make_sure(self) -> None:
        """Find out whether it could be started, before anything is written.

        Raises:
            UserError: Docker cannot be used, or is too old.
        """
        compose = Compose(self.folder, ())
        compose.make_sure()
        compose.make_sure_it_waits()

    def up(self, seconds: float) -> None:
        """Start it, wait until every service is healthy, and then until the project is there.

        Args:
            seconds: How long to wait for either, once the images are there.

        Raises:
            DockerFailed: It has not started.
            NotReady: It runs, but its project is not there.
        """
        compose = self._compose()
        try:
            compose.run("up", "--detach", "--wait", "--wait-timeout", str(math.ceil(seconds)))
        except DockerFailed as error:
            states = compose.states()
            ill = [f"{one.service} is {one.health or one.state}" for one in states if not one.ok]
            ill += [
                f"{name}={port} is taken: change it in {settings_module.FILE}" for name, port in self._taken(states)
            ]
            if not ill:
                raise
            logs = f"see `docker compose logs` in {self.folder}"
            raise DockerFailed(f"{error}: {', '.join(ill)} ({logs})") from None
        self._await_project(time.monotonic() + seconds)

    def down(self, *, volumes: bool) -> None:
        """Stop it and remove its containers; `volumes` removes everything that was recorded as well.

        Raises:
            UserError: Docker cannot be used.
            DockerFailed: It was not stopped.
        """
        compose = self._compose()
        compose.make_sure()
        compose.run("down", *(["--volumes"] if volumes else []))

    def states(self) -> list[State]:
        """Every service of the compose file.

        Raises:
            UserError: Docker cannot be used.
            DockerFailed: It does not say.
        """
        compose = self._compose()
        compose.make_sure()
        found = {state.service: state for state in compose.states()}
        return [found.get(name, State(name, "absent")) for name in self._services()]

    def _services(self) -> list[str]:
        try:
            return list(yaml.safe_load(self.compose_file.read_text("utf-8"))["services"])
        except (OSError, yaml.YAMLError, KeyError, TypeError):
            remedy = "delete it and run `sqlassay langfuse setup`"
            raise UserError("is no compose file", place=str(self.compose_file), remedy=remedy) from None

    def _taken(self, states: Sequence[State]) -> Iterator[tuple[str, int]]:
        """The ports at which somebody listens who is no container of ours."""
        ours = {port for state in states for port in state.ports}
        for name, port in self.settings().ports.items():
            with socket.socket() as asked:
                asked.settimeout(1)
                if f"{LOOPBACK}:{port}" not in ours and asked.connect_ex((LOOPBACK, port)) == 0:
                    yield name, port

    def _compose(self) -> Compose:
        settings = self.settings()
        self._services()
        return Compose(self.folder, settings.values)

    def _await_project(self, deadline: float) -> None:
        """The server may be healthy before it has made organisation, project and keys."""
        settings = self.settings()
        seen = ""
        while True:
            try:
                answer = settings.server.request("/api/public/projects")
                if answer.status == 200 and settings.project in _ids(answer.body):
                    return
                seen = f"the server answers with HTTP {answer.status}"
            except NoAnswer as error:
                seen = str(error)
            if time.monotonic() >= deadline:
                raise NotReady(
                    f"Langfuse at {settings.host} runs, but its project {settings.project!r} cannot be read: {seen}"
                    f" (see `docker compose logs langfuse-web` in {self.folder})"
                )
            time.sleep(_PAUSE)


def _ids(body: object) -> list[str]:
    projects = body.get("data") if isinstance(body, dict) else None
    return [one["id"] for one in projects or () if isinstance(one, dict) and "id" in one]
