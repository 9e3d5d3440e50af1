"""A prompt: a released, versioned recipe that turns a question into messages."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import yaml

from prompts import rendering
from prompts.extraction import EXTRACTORS, Extraction
from sqlassay.errors import UnknownName, UserError
from sqlassay.messages import Message, Role

_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_KEYS = ("name", "version", "description", "messages", "output", "stop", "grades", "criteria")
_REQUIRED = ("name", "version", "messages", "output")
_MESSAGE_KEYS = ("role", "content")


@dataclass(frozen=True)
class Offer:
    """A grade that a judge may give, or a criterion that it judges by.

    Attributes:
        description: What it stands for, for the judge.
        value: The score of a grade, from 0 to 1; the weight of a criterion, from 0.
    """

    description: str
    value: float


@dataclass(frozen=True)
class RenderedPrompt:
    """What is sent to the model.

    Attributes:
        messages: In the order in which the model reads them.
        sha256: Hex digest of roles and contents: the same digest, the same prompt.
    """

    messages: tuple[Message, ...]
    sha256: str

    @classmethod
    def of(cls, messages: tuple[Message, ...]) -> RenderedPrompt:
        """Messages with their digest."""
        text = json.dumps([(m.role, m.content) for m in messages], separators=(",", ":"))
        return cls(messages, hashlib.sha256(text.encode("ascii")).hexdigest())


@dataclass(frozen=True)
class PromptTemplate:
    """One version of one prompt.

    Attributes:
        name: The prompt's name.
        version: 1 for the first release; a released version never changes.
        description: One line for people.
        messages: The messages, their contents still templates.
        output: How SQL is found in the answer: a key of `prompts.extraction.EXTRACTORS`.
        stop: Strings at which the model is to stop.
        sha256: Hex digest of the template file.
        path: The file that it was read from.
        grades: What a judge may say, by name, in the order in which it is offered; empty for prompts of other kinds.
        criteria: What a judge grades one by one, by name.
    """

    name: str
    version: int
    description: str
    messages: tuple[Message, ...]
    output: str
    stop: tuple[str, ...]
    sha256: str
    path: Path
    grades: Mapping[str, Offer] = field(default_factory=dict)
    criteria: Mapping[str, Offer] = field(default_factory=dict)

    @property
    def ref(self) -> str:
        """Name and version, such as `zero_shot@1`."""
        return f"{self.name}@{self.version}"

    @property
    def variables(self) -> frozenset[str]:
        """The variables that the messages mention."""
        return frozenset().union(*(rendering.compiled(m.content).variables for m in self.messages))

    def render(self, variables: Mapping[str, object]) -> RenderedPrompt:
        """Fill in the variables. Values are data: braces in them mean nothing.

        Args:
            variables: A value for each variable; more than the template mentions are fine.

        Raises:
            UserError: A variable is missing, or the template fails on these values.
        """
        try:
            messages = tuple(Message(m.role, rendering.compiled(m.content).render(variables)) for m in self.messages)
        except rendering.RenderingFailed as error:
            missing = sorted(self.variables - set(variables))
            problem = f"no value for {', '.join(map(repr, missing))}" if missing else str(error)
            raise UserError(
                f"prompt {self.ref} cannot be rendered: {problem}",
                place=str(self.path),
                remedy=f"it is given {', '.join(sorted(variables)) or 'no variables'}" if missing else "",
            ) from error
        return RenderedPrompt.of(messages)

    def extract(self, answer: str) -> Extraction:
        """Find the SQL in an answer to this prompt."""
        return EXTRACTORS[self.output](answer)


def read(path: Path) -> PromptTemplate:
    """Read and check one template file.

    Raises:
        UserError: It cannot be read, has an unknown or missing key, or a message is not a valid template.
    """
    try:
        content = path.read_bytes()
        fields = yaml.safe_load(content.decode("utf-8"))
    except OSError as error:
        raise UserError(f"cannot read the prompt: {error.strerror}", place=str(path)) from error
    except UnicodeDecodeError as error:
        raise UserError("a prompt must be a YAML file in UTF-8, this is not text", place=str(path)) from error
    except yaml.YAMLError as error:
        raise UserError(f"not valid YAML: {error}", place=str(path)) from error
    return _Reader(path).template(fields, hashlib.sha256(content).hexdigest())


@dataclass(frozen=True)
class _Reader:
    """Checks the parsed file by hand: pydantic would double the start-up time for six keys."""

    path: Path

    def template(self, fields: object, sha256: str) -> PromptTemplate:
        checked = self._keys(fields, _KEYS, _REQUIRED, "")
        name = self._text(checked["name"], "name")
        if not _NAME.fullmatch(name):
            raise self._wrong("name", "must be lower-case letters, digits, '_' and '-', a letter first")
        output = self._text(checked["output"], "output")
        if output not in EXTRACTORS:
            raise UnknownName("output", output, EXTRACTORS, place=f"{self.path}: output")
        version = checked["version"]
        if type(version) is not int or version < 1:
            raise self._wrong("version", "must be a whole number from 1")
        return PromptTemplate(
            name=name,
            version=version,
            description=self._text(checked.get("description", ""), "description"),
            messages=self._messages(checked["messages"]),
            output=output,
            stop=tuple(
                self._text(stop, f"stop[{i}]") for i, stop in enumerate(self._list(checked.get("stop", []), "stop"))
            ),
            sha256=sha256,
            path=self.path,
            grades=self._offers(checked.get("grades", {}), "grades", "score", most=1.0),
            criteria=self._offers(checked.get("criteria", {}), "criteria", "weight", most=1000.0),
        )

    def _offers(self, value: object, key: str, number: str, most: float) -> dict[str, Offer]:
        if not isinstance(value, dict):
            raise self._wrong(key, f"must be a mapping of names to description and {number}")
        found = {}
        for name, told in value.items():
            where = f"{key}.{name}"
            if not (isinstance(name, str) and _NAME.fullmatch(name)):
                raise self._wrong(where, "must be lower-case letters, digits, '_' and '-', a letter first")
            fields = self._keys(told, ("description", number), ("description", number), where)
            amount = fields[number]
            if isinstance(amount, bool) or not isinstance(amount, int | float) or not 0 <= amount <= most:
                raise self._wrong(f"{where}.{number}", f"must be a number from 0 to {most:g}")
            found[name] = Offer(self._text(fields["description"], f"{where}.description"), float(amount))
        return found

    def _messages(self, value: object) -> tuple[Message, ...]:
        found = []
        for i, item in enumerate(self._list(value, "messages")):
            key = f"messages[{i}]"
            fields = self._keys(item, _MESSAGE_KEYS, _MESSAGE_KEYS, key)
            role, content = fields["role"], self._text(fields["content"], f"{key}.content")
            roles: tuple[Role, ...] = get_args(Role)
            known = next((r for r in roles if r == role), None)
            if known is None:
                raise self._wrong(f"{key}.role", f"must be one of {', '.join(roles)}")
            try:
                rendering.compiled(content)
            except rendering.RenderingFailed as error:
                raise self._wrong(f"{key}.content", str(error)) from error
            found.append(Message(known, content))
        if not found:
            raise self._wrong("messages", "must hold at least one message")
        return tuple(found)

    def _keys(self, value: object, known: tuple[str, ...], required: tuple[str, ...], where: str) -> dict[str, object]:
        if not isinstance(value, dict):
            raise self._wrong(where, f"must be a mapping with the keys {', '.join(required)}")
        for key in value:
            if key not in known:
                raise UnknownName("key", str(key), known, place=self._place(where))
        for key in required:
            if key not in value:
                raise self._wrong(where, f"the key {key!r} is missing")
        return value

    def _list(self, value: object, key: str) -> list[object]:
        if not isinstance(value, list):
            raise self._wrong(key, "must be a list")
        return value

    def _text(self, value: object, key: str) -> str:
        if not isinstance(value, str):
            raise self._wrong(key, "must be text")
        return value

    def _place(self, key: str) -> str:
        return f"{self.path}: {key}" if key else str(self.path)

    def _wrong(self, key: str, problem: str) -> UserError:
        return UserError(problem, place=self._place(key))
