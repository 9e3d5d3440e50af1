"""The settings of a deployment: `.env`, made once from a template, with secrets that nobody else has."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from evaluation.langfuse_server.connection import LangfuseServer
from sqlassay.errors import UserError, located
from sqlassay.secrets import conceal
from sqlassay.secrets_file import assignments, refuse_shared
from sqlassay.whole_file import private_file

FILE = ".env"
PORTS = ("LANGFUSE_PORT", "LANGFUSE_MEDIA_PORT")
"""The settings that say where it is reached."""
_RANDOM = re.compile(r"\{hex:(\d+)\}")
"""Stands in the template for so many random bytes, as hexadecimal digits."""
_PLAIN = re.compile(r"[A-Za-z0-9_.@:+-]+( [A-Za-z0-9_.@:+-]+)*")
"""Needs no quotes, whoever reads it: docker, a shell, or this program."""
_SECRETS = ("SECRET", "PASSWORD", "SALT", "ENCRYPTION")


@dataclass(frozen=True)
class Settings:
    """What `.env` says.

    Attributes:
        values: By name.
        place: The file.
    """

    values: Mapping[str, str]
    place: Path

    @property
    def host(self) -> str:
        """Where the server is."""
        return f"http://localhost:{self.values['LANGFUSE_PORT']}"

    @property
    def ports(self) -> dict[str, int]:
        """Where it is reached on this machine, by setting."""
        return {name: int(self.values[name]) for name in PORTS}

    @property
    def keys(self) -> tuple[str, str]:
        """The public and the secret key of the project."""
        public, secret = (self.values[f"LANGFUSE_INIT_PROJECT_{kind}_KEY"] for kind in ("PUBLIC", "SECRET"))
        return public, conceal(secret)

    @property
    def project(self) -> str:
        """The id of the project."""
        return self.values["LANGFUSE_INIT_PROJECT_ID"]

    @property
    def server(self) -> LangfuseServer:
        """The server that they describe."""
        return LangfuseServer(self.host, self.keys)


def template() -> str:
    """What the file is made from."""
    return (files(__package__) / "template.env").read_text("utf-8")


def write(path: Path, chosen: Mapping[str, str]) -> bool:
    """Make the file, with 0600, unless there is one: that one is never touched.

    Args:
        path: Of the file; its folder is there.
        chosen: Values instead of the template's.

    Returns:
        Whether it was made.

    Raises:
        UserError: A value cannot be written down, or the file cannot be.
    """
    for name, value in chosen.items():
        if not _PLAIN.fullmatch(value):
            raise UserError(f"{value!r} cannot be {name}", remedy="letters, digits, single spaces and . _ @ : + - only")
    text = _RANDOM.sub(lambda match: secrets.token_hex(int(match[1])), template())
    for name, value in chosen.items():
        text = re.sub(rf"^{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
    _check_ports(assignments(text))
    try:
        # Whole or not at all, and not in the place of one that another process has just made.
        with private_file(path, text) as file:
            os.link(file, path)
    except FileExistsError:
        return False
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", place=str(path)) from error
    return True


def read(path: Path) -> Settings | None:
    """What the file says; `None` when there is none.

    Raises:
        UserError: Others can read it, it cannot be read, or a setting is missing or none.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            refuse_shared(file, path)
            text = file.read()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot be read: {getattr(error, 'strerror', None) or error}", place=str(path)) from None
    with located(str(path)):
        values = assignments(text, str(path))
        missing = [name for name in assignments(template()) if not values.get(name)]
        if missing:
            raise UserError(
                f"has no {', '.join(missing)}", remedy="add it; `sqlassay langfuse setup` of a new folder shows one"
            )
        _check_ports(values)
    for name, value in values.items():
        if any(word in name for word in _SECRETS):
            conceal(value)
    return Settings(values, path)


def _check_ports(values: Mapping[str, str]) -> None:
    for name in PORTS:
        if not (values[name].isdecimal() and 0 < int(values[name]) < 65536):
            raise UserError(f"{name} is no port: {values[name]!r}")
    if len({int(values[name]) for name in PORTS}) < len(PORTS):
        raise UserError(f"{' and '.join(PORTS)} are both {values[PORTS[0]]}", remedy="name two ports")
