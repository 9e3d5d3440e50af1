"""Files of keys: lines `NAME=value` that nobody but their owner can read; and the one that is the user's own."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from sqlassay.errors import UserError
from sqlassay.whole_file import private_file

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""Of a variable."""
_LINE = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?P<value>.*?)\s*")
_QUOTED = re.compile(r"(['\"])(?P<value>.*?)\1\s*(?:#.*)?")
_COMMENT = re.compile(r"\s+#.*")


def secrets_path() -> Path:
    """The secrets file: what `SQLASSAY_SECRETS` names, or `secrets` in the user's configuration folder."""
    named = os.environ.get("SQLASSAY_SECRETS")
    return Path(named).expanduser() if named else _own_folder() / "secrets"


def read_secrets() -> Mapping[str, str]:
    """What the secrets file holds, by variable; nothing when there is no file.

    Raises:
        UserError: Others can read it, or a line of it is not `NAME=value`.
    """
    return assignments(_read(secrets_path()), str(secrets_path()))


def save_secret(variable: str, key: str) -> Path:
    """Write a key into the secrets file, which is made when it is not there: 0600, in a folder with 0700.

    Returns:
        The file.

    Raises:
        UserError: The variable or the key cannot be one, or the file cannot be used.
    """
    if not NAME.fullmatch(variable):
        raise UserError(f"{variable!r} is not the name of a variable", remedy="letters, digits and _ only")
    checked(key, variable)
    quoted = key if assignments(f"K={key}")["K"] == key else f'"{key}"'
    if assignments(f"K={quoted}")["K"] != key:
        raise UserError(f"the key in {variable} cannot be written down", remedy="put it into the environment")
    return _rewrite(variable, f"{variable}={quoted}\n")


def remove_secret(variable: str) -> Path:
    """Take a key out of the secrets file.

    Returns:
        The file.

    Raises:
        UserError: It is not in there, or the file cannot be used.
    """
    if variable not in read_secrets():
        raise UserError(f"the secrets file holds no {variable}", place=str(secrets_path()))
    return _rewrite(variable, "")


def checked(key: str, where: str) -> str:
    """A key that may be one.

    Args:
        key: Without white space around it.
        where: What holds it, for the message.

    Raises:
        UserError: It cannot be one. The message does not hold it.
    """
    if not (key and key.isascii() and key.isprintable()):
        raise UserError(f"the key in {where} has characters that no key has", remedy="copy it again")
    return key


def assignments(text: str, place: str = "") -> dict[str, str]:
    """The lines `NAME=value` of a text.

    Args:
        text: Of a file such as `.env`.
        place: The file; where it is named, every other line that is no comment is a mistake.

    Raises:
        UserError: There is such a line.
    """
    found = {}
    for number, line in enumerate(text.splitlines(), start=1):
        match = _LINE.fullmatch(line)
        if match:
            quoted = _QUOTED.fullmatch(match["value"])
            found[match["name"]] = quoted["value"] if quoted else _COMMENT.sub("", match["value"])
        elif place and line.strip() and not line.lstrip().startswith("#"):
            raise UserError("the line is not NAME=value", place=f"{place}:{number}", remedy="mend or delete it")
    return found


def refuse_shared(file: TextIO, path: Path) -> None:
    """Refuse an open file of keys that others can read.

    Raises:
        UserError: They can.
    """
    mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
    if os.name == "posix" and mode & 0o077:
        remedy = f"chmod 600 {path}; whoever may have read it has the keys"
        raise UserError(f"others can read it: its mode is {mode:04o}", place=str(path), remedy=remedy)


def _read(path: Path) -> str:
    """The secrets file; its mode is that of the file that is read, not of one that was there before."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            refuse_shared(file, path)
            return file.read()
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError:
        raise UserError("is not text in UTF-8", place=str(path), remedy="name a file of keys") from None
    except OSError as error:
        remedy = "name another in SQLASSAY_SECRETS"
        raise UserError(f"cannot be read: {error.strerror}", place=str(path), remedy=remedy) from error


def _rewrite(variable: str, line: str) -> Path:
    """Put a line into the place of a variable's; all other lines stay as they are."""
    path = secrets_path()
    with _locked(path):
        before = _read(path)
        assignments(before, str(path))
        lines = before.splitlines(keepends=True)
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += "\n"
        kept = [one for one in lines if variable not in assignments(one)]
        with private_file(path.resolve(), "".join([*kept, line])) as file:
            file.replace(path.resolve())
    return path


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Alone with the file, whose folder is there afterwards: two that write at once would lose a key."""
    from filelock import FileLock

    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.parent == _own_folder():
            path.parent.chmod(0o700)
        with FileLock(path.with_name(f".{path.name}.lock"), mode=0o600):
            yield
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", place=str(path)) from error


def _own_folder() -> Path:
    from platformdirs import user_config_dir

    return Path(user_config_dir("sqlassay"))
