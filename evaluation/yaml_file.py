"""YAML files that people write: their content, and where it stands, for messages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from evaluation.environment import Location
from sqlassay.errors import UserError
from sqlassay.yaml_places import compose, duplicate_keys
from sqlassay.yaml_places import lines as lines_of


def read_text(path: Path, what: str) -> str:
    """The text of a file that people write.

    Args:
        path: The file.
        what: What it is, for messages.

    Raises:
        UserError: It cannot be read.
    """
    try:
        return path.read_text("utf-8")
    except FileNotFoundError as error:
        raise UserError(f"no such {what}", place=str(path), remedy="check the path") from error
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", place=str(path)) from error
    except UnicodeDecodeError as error:
        named = what.removesuffix(" file")
        raise UserError("is not text in UTF-8", place=str(path), remedy=f"give the {named}'s YAML file") from error


def parse_yaml(text: str, path: Path, what: str, remedy: str) -> tuple[dict[Any, Any], dict[Location, int]]:
    """The content of a YAML file with keys, and where they are.

    Args:
        text: The file's.
        path: The file, for messages.
        what: What it should be.
        remedy: What to do where it has no keys.

    Raises:
        UserError: Naming the file and the line.
    """
    try:
        tree = compose(text)
        content = yaml.safe_load(text)
        if not isinstance(content, dict) or tree is None:
            raise UserError(f"not {what}: it has no keys", place=str(path), remedy=remedy)
        lines = dict(lines_of(tree))
        _refuse_duplicate_keys(tree, path)
    except yaml.reader.ReaderError as error:
        number = text.count("\n", 0, error.position) + 1
        raise UserError(
            f"not YAML: holds the character #x{error.character:04x}", place=f"{path}:{number}", remedy="delete it"
        ) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark is not None else ""
        raise UserError(f"not YAML: {getattr(error, 'problem', None) or error}", place=f"{path}{line}") from error
    except RecursionError as error:
        raise UserError("nested too deeply, or within itself", place=str(path)) from error
    except UserError:
        raise
    except ValueError as error:  # a date that is none
        raise UserError(f"not YAML: {error}", place=str(path)) from error
    return content, lines


def place_of(path: Path, at: Location, lines: Mapping[Location, int]) -> str:
    """File and line of a key, or of the nearest key around it."""
    for length in range(len(at), -1, -1):
        if at[:length] in lines:
            return f"{path}:{lines[at[:length]]}"
    return str(path)


def dotted(at: Location) -> str:
    """The way to a key, for people."""
    return ".".join(str(part) for part in at)


def _refuse_duplicate_keys(node: yaml.Node, path: Path) -> None:
    for key, line in duplicate_keys(node):
        raise UserError(f"the key {key!r} is there twice", place=f"{path}:{line}")
