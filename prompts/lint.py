"""What is wrong with prompt files: all of it, with lines, where `library.load` stops at the first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from prompts import template
from prompts.flaws import flaws
from prompts.library import load, read_in_place
from prompts.lock import LOCK, read_lock
from prompts.rendering import RenderingFailed, compiled
from prompts.variables import CORRECTION, ROUTER
from prompts.versions import version_of, versions_in
from sqlassay.errors import UnknownName, UserError
from sqlassay.yaml_places import Location, compose, duplicate_keys, lines

_STEP = re.compile(r"([a-z_]+)|\[(\d+)\]")
_VALID: dict[str, Any] = {
    "name": "name",
    "version": 1,
    "messages": [{"role": "user", "content": ""}],
    "output": "sql_block",
    "role": "user",
    "content": "",
}
"""What takes the place of a wrong value, so that the next one is found as well."""
_MOST = 100


@dataclass(frozen=True)
class Problem:
    """Something that is wrong with a file, or likely not meant.

    Attributes:
        path: The file.
        line: From 1; 0 where it is about the file itself.
        text: What is wrong, in one line.
        fatal: Whether the prompt cannot be used as it is.
    """

    path: Path
    line: int
    text: str
    fatal: bool = True

    def __str__(self) -> str:
        """One line, as compilers write it."""
        place = f"{self.path}:{self.line}" if self.line else str(self.path)
        return f"{place}: {'error' if self.fatal else 'warning'}: {self.text}"


def lint_folder(folder: Path) -> list[Problem]:
    """The problems of a folder of prompts, `<folder>/<name>/v<N>.yaml`, or of the folder of one of them."""
    if versions_or_problems(folder)[0]:
        return _lint_prompt(folder)
    found = [problem for below in sorted(folder.iterdir()) if below.is_dir() for problem in _lint_prompt(below)]
    try:
        lock = read_lock(folder)
    except UserError as error:
        return [*found, Problem(folder / LOCK, 0, error.problem)]
    if not lock and not any(versions_or_problems(below)[0] for below in folder.iterdir()):
        found.append(Problem(folder, 0, "holds no prompts: each is <name>/v<N>.yaml", fatal=False))
    for ref in lock:
        name, _, version = ref.rpartition("@")
        if not (folder / name / f"v{version}.yaml").exists():
            found.append(Problem(folder / LOCK, 0, f"{ref} is released, and its file is gone"))
    return found


def versions_or_problems(folder: Path) -> tuple[list[Path], list[Problem]]:
    """The files of one prompt, and what is wrong with their names."""
    paths = sorted(folder.glob("*.y*ml"))
    found = [path for path in paths if version_of(path) is not None]
    problems = [
        Problem(path, 0, "is no version of a prompt, and never loaded: they are named v<N>.yaml", fatal=False)
        for path in paths
        if path not in found
    ]
    try:
        versions_in(folder)
    except UserError as error:
        problems.append(Problem(folder, 0, f"{error.problem}: {error.remedy}"))
    return found, problems


def _lint_prompt(folder: Path) -> list[Problem]:
    found, problems = versions_or_problems(folder)
    return [*(problems if found else ()), *(problem for path in found for problem in lint_file(path))]


def lint_file(path: Path) -> list[Problem]:
    """The problems of one prompt file, in the order of its lines. Never raises."""
    return sorted(_File(path).problems(), key=lambda problem: problem.line)


@dataclass(frozen=True)
class _File:
    path: Path

    def problems(self) -> Iterator[Problem]:
        try:
            content = self.path.read_bytes()
            text = content.decode("utf-8")
            tree = compose(text)
            fields = yaml.safe_load(text)
            places, twice = ({}, ()) if tree is None else (dict(lines(tree)), tuple(duplicate_keys(tree)))
        except OSError as error:
            yield Problem(self.path, 0, f"cannot be read: {error.strerror}")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            yield Problem(self.path, line, f"is not UTF-8: byte 0x{content[error.start]:02x}")
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            yield Problem(self.path, line, f"not YAML: holds the character #x{error.character:04x}")
        except RecursionError:
            yield Problem(self.path, 0, "nested too deeply, or within itself")
        except (yaml.YAMLError, ValueError) as error:
            mark = getattr(error, "problem_mark", None)
            problem = getattr(error, "problem", None) or str(error)
            yield Problem(self.path, mark.line + 1 if mark is not None else 0, f"not YAML: {problem}")
        else:
            yield from self._of(tree, fields, places, twice)

    def _of(
        self, tree: yaml.Node | None, fields: Any, places: dict[Location, int], twice: tuple[tuple[str, int], ...]
    ) -> Iterator[Problem]:
        if tree is None or not isinstance(fields, dict):
            yield Problem(self.path, 1, f"must be a mapping with the keys {', '.join(template.REQUIRED)}")
            return
        again = [Problem(self.path, line, f"the key {key!r} is there twice") for key, line in twice]
        found = [*again, *self._keys(places, fields), *self._messages(tree)]
        yield from found
        if not any(problem.fatal for problem in found):
            yield from self._place()

    def _keys(self, places: dict[Location, int], fields: dict[Any, Any]) -> Iterator[Problem]:
        """What the reader says, again and again, each time with what it has said mended."""

        def told(at: Location, text: str) -> Problem:
            line = next(places[at[:length]] for length in range(len(at), -1, -1) if at[:length] in places)
            return Problem(self.path, line, f"{_dotted(at)}: {text}" if at else text)

        yield from (told(at, f"the key {key!r} is missing") for at, key in _complete(fields))
        for _ in range(_MOST):
            try:
                template.checked(fields, self.path, "")
            except UserError as error:
                at: Location = tuple(
                    int(index) if index else key
                    for key, index in _STEP.findall(error.place.removeprefix(str(self.path)).removeprefix(": "))
                )
                if isinstance(error, UnknownName) and error.kind == "key":
                    at = (*at, next(key for key in _at(fields, at) if str(key) == error.name))
                elif at[-1:] == ("content",) and isinstance(_at(fields, at), str):
                    _mend(fields, at)  # a flaw of the template, which is told with the others
                    continue
                yield told(at, f"{error.problem}{f' ({error.remedy})' if error.remedy else ''}")
                if not _mend(fields, at):
                    return
            else:
                return

    def _messages(self, tree: yaml.Node) -> Iterator[Problem]:
        """What is wrong with the templates, one by one and together."""
        contents = list(_contents(tree))
        for node in contents:
            for flaw in flaws(node.value):
                inside = flaw.line if node.style in ("|", ">") else 0
                yield Problem(self.path, node.start_mark.line + 1 + inside, flaw.text, flaw.fatal)
        try:
            mentioned = frozenset[str]().union(*(compiled(node.value).variables for node in contents))
        except RenderingFailed:
            return
        if not contents or mentioned & set(CORRECTION):  # a correction follows the question and the schema
            return
        line = contents[-1].start_mark.line + 1
        if "question" not in mentioned:
            yield Problem(self.path, line, "no message mentions the variable 'question'")
        if "schema" not in mentioned and not mentioned & set(ROUTER):
            yield Problem(self.path, line, "no message mentions the variable 'schema'", fatal=False)
        output = _value(tree, "output")
        if output is not None and output.value == "json" and not any("json" in one.value.lower() for one in contents):
            problem = "the output is json, and no message asks for JSON"
            yield Problem(self.path, output.start_mark.line + 1, problem, fatal=False)

    def _place(self) -> Iterator[Problem]:
        """Whether its name and version are those of its path, and whether it is what was released."""
        if version_of(self.path) is None:
            return
        try:
            read_in_place(self.path)
            load(str(self.path))
        except UserError as error:
            yield Problem(self.path, 0, f"{error.problem}{f' ({error.remedy})' if error.remedy else ''}")


def _complete(fields: dict[Any, Any]) -> Iterator[tuple[Location, str]]:
    """Add the keys that are missing, and tell of each."""
    items = fields.get("messages")
    messages = enumerate(items) if isinstance(items, list) else ()
    sections: list[tuple[Location, Any, tuple[str, ...]]] = [
        ((), fields, template.REQUIRED),
        *((("messages", number), item, template.MESSAGE_KEYS) for number, item in messages),
    ]
    for at, section, keys in sections:
        for key in keys if isinstance(section, dict) else ():
            if key not in section:
                section[key] = deepcopy(_VALID[key])
                yield at, key


def _mend(fields: dict[Any, Any], at: Location) -> bool:
    """Put something valid into the place of a value, or take it out; `False` where neither is possible."""
    if not at:
        return False
    *way, last = at
    owner: Any = _at(fields, tuple(way))
    try:
        if last in _VALID:
            owner[last] = deepcopy(_VALID[last])
        elif isinstance(owner, list):
            owner[int(last)] = deepcopy(_VALID["messages"][0]) if way[-1] == "messages" else "text"
        else:
            del owner[last]
    except (KeyError, IndexError, TypeError):
        return False
    return True


def _at(content: Any, at: Location) -> Any:
    for key in at:
        content = content[key]
    return content


def _value(node: yaml.Node, key: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for name, value in pairs if name.value == key), None)


def _contents(tree: yaml.Node) -> Iterator[yaml.ScalarNode]:
    """The templates of the messages."""
    messages = _value(tree, "messages")
    for item in messages.value if isinstance(messages, yaml.SequenceNode) else ():
        content = _value(item, "content")
        if isinstance(content, yaml.ScalarNode) and content.tag == "tag:yaml.org,2002:str":
            yield content


def _dotted(at: Location) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in at).removeprefix(".")
