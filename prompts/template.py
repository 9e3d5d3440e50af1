"""A prompt: a released, versioned recipe that turns a question into messages."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from prompts import rendering
from prompts.extraction import EXTRACTORS, Extraction
from prompts.schema_text.style import FORMATS, PLAIN, SchemaStyle
from sqlassay.errors import UnknownName, UserError
from sqlassay.messages import Message, Role
from sqlassay.yaml_places import compose, duplicate_keys

NAME = re.compile(r"[a-z][a-z0-9_-]*")
_PINNED = re.compile(rf"{NAME.pattern}@[1-9][0-9]*")
REQUIRED = ("name", "version", "messages", "output")
KEYS = (*REQUIRED, "description", "schema", "examples", "linking", "grades", "criteria", "stop")
NAMED = frozenset({"name", "version", "messages"})
"""The keys that say which template it is, and what it sends."""
MESSAGE_KEYS = ("role", "content")
_SCHEMA_KEYS = ("format", "rows", "values", "descriptions", "max_tokens")
_MOST_SAMPLES = 100
_EXAMPLE_KEYS = ("select", "count")
_LONG = 500
"""Characters of a value from which it is worth keeping it once for all prompts that hold it."""

Select = Literal["static", "similar"]
"""How the examples of a prompt are chosen: the same for every question, or those most like it."""


@dataclass(frozen=True)
class Shots:
    """The examples that a prompt shows.

    Attributes:
        select: How they are chosen.
        count: How many there are.
    """

    select: Select
    count: int


Settings = dict[str, Any]
"""Further keys of a template with their values."""


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
        ref: Name and version of the template, such as `zero_shot@1`.
        template_sha256: Hex digest of the template's file.
        texts: Long values that were filled in; other prompts hold them as well, as a schema is in many.
        schema_left_out: What of the schema they do not show for want of space: `table`, or `table.column`.
    """

    messages: tuple[Message, ...]
    sha256: str
    ref: str = ""
    template_sha256: str = ""
    texts: tuple[str, ...] = ()
    schema_left_out: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, messages: tuple[Message, ...], ref: str = "", template_sha256: str = "", texts: tuple[str, ...] = ()
    ) -> RenderedPrompt:
        """Messages with their digest."""
        text = json.dumps([(m.role, m.content) for m in messages], separators=(",", ":"))
        return cls(messages, hashlib.sha256(text.encode("ascii")).hexdigest(), ref, template_sha256, texts)

    def after(self, messages: Sequence[Message]) -> RenderedPrompt:
        """This prompt at the end of a conversation."""
        longer = RenderedPrompt.of((*messages, *self.messages), self.ref, self.template_sha256, self.texts)
        return replace(longer, schema_left_out=self.schema_left_out)


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
        schema: What it shows of the schema.
        examples: What the variable `examples` holds; `None` when the messages do not mention it.
        linking: The prompt, such as `schema_link@1`, whose answer says which part of the schema this one shows; empty
            when it shows the whole.
        linker: That prompt; `prompts.library.load` finds it.
        released: Whether it is locked: then it is what it was when it was released.
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
    schema: SchemaStyle = PLAIN
    examples: Shots | None = None
    linking: str = ""
    linker: PromptTemplate | None = None
    released: bool = False
    grades: Mapping[str, Offer] = field(default_factory=dict)
    criteria: Mapping[str, Offer] = field(default_factory=dict)

    @property
    def ref(self) -> str:
        """Name and version, such as `zero_shot@1`."""
        return f"{self.name}@{self.version}"

    @property
    def identity(self) -> dict[str, Any]:
        """Everything of it that can change what a model is asked, as JSON types."""
        found: dict[str, Any] = {"ref": self.ref, "sha256": self.sha256}
        return found if self.linker is None else {**found, "linking": self.linker.identity}

    @property
    def shots(self) -> dict[str, Shots]:
        """The examples that it and the prompt that it is linked by show, by name and version of the prompt."""
        own = {} if self.examples is None else {self.ref: self.examples}
        return own if self.linker is None else {**own, **self.linker.shots}

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
        texts = tuple(value for value in variables.values() if isinstance(value, str) and len(value) >= _LONG)
        return RenderedPrompt.of(messages, self.ref, self.sha256, texts)

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
        text = content.decode("utf-8")
        tree = compose(text)
        fields = yaml.safe_load(text)
        twice = list(duplicate_keys(tree)) if tree is not None else []
    except OSError as error:
        raise UserError(f"cannot read the prompt: {error.strerror}", place=str(path)) from error
    except UnicodeDecodeError as error:
        raise UserError("a prompt must be a YAML file in UTF-8, this is not text", place=str(path)) from error
    except (yaml.YAMLError, ValueError) as error:  # a date that is none is a ValueError
        raise UserError(f"not valid YAML: {error}", place=str(path)) from error
    except RecursionError as error:
        raise UserError("nested too deeply, or within itself", place=str(path)) from error
    for key, line in twice:
        raise UserError(f"the key {key!r} is there twice", place=f"{path}:{line}")
    return checked(fields, path, hashlib.sha256(content).hexdigest())


def checked(fields: object, path: Path, sha256: str) -> PromptTemplate:
    """A template from the keys of its file.

    Args:
        fields: The keys with their values.
        path: Where they are from, for messages.
        sha256: Of the content.

    Raises:
        UserError: A key is unknown, missing or wrong; its place is the file, and the key after a colon.
    """
    return _Reader(path).template(fields, sha256)


def text_of(template: PromptTemplate) -> str:
    """The text of its file.

    Raises:
        UserError: It is from no file, but from elsewhere.
    """
    if not template.path.is_file():
        raise UserError(f"prompt {template.ref} is in no file", remedy="name one of a folder")
    return template.path.read_text("utf-8")


def settings_of(template: PromptTemplate) -> Settings:
    """What the file of a template says besides its name, its version and its messages.

    Raises:
        UserError: It is from no file.
    """
    written = yaml.safe_load(text_of(template))
    return {key: value for key, value in written.items() if key not in NAMED}


@dataclass(frozen=True)
class _Reader:
    """Checks the parsed file by hand: pydantic would double the start-up time for a handful of keys."""

    path: Path

    def template(self, fields: object, sha256: str) -> PromptTemplate:
        checked = self._keys(fields, KEYS, REQUIRED, "")
        name = self._text(checked["name"], "name")
        if not NAME.fullmatch(name):
            raise self._wrong("name", "must be lower-case letters, digits, '_' and '-', a letter first")
        output = self._text(checked["output"], "output")
        if output not in EXTRACTORS:
            raise UnknownName("output", output, EXTRACTORS, place=f"{self.path}: output")
        version = checked["version"]
        if type(version) is not int or version < 1:
            raise self._wrong("version", "must be a whole number from 1")
        template = PromptTemplate(
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
            schema=self._schema(checked.get("schema", {})),
            examples=self._shots(checked["examples"]) if "examples" in checked else None,
            linking=self._linking(checked["linking"]) if "linking" in checked else "",
            grades=self._offers(checked.get("grades", {}), "grades", "score", most=1.0),
            criteria=self._offers(checked.get("criteria", {}), "criteria", "weight", most=1000.0),
        )
        if "" in template.stop:
            raise self._wrong(f"stop[{template.stop.index('')}]", "must not be empty: every answer would end at once")
        if template.examples is None and "examples" in template.variables:
            raise UserError(
                "mention 'examples', and the key of this name, which says which, is missing",
                place=self._place("messages"),
                remedy="such as `examples: {select: similar, count: 5}`",
            )
        if template.examples is not None and "examples" not in template.variables:
            raise self._wrong("examples", "are asked for, and no message mentions the variable of this name")
        return template

    def _shots(self, value: object) -> Shots:
        fields = self._keys(value, _EXAMPLE_KEYS, _EXAMPLE_KEYS, "examples")
        count = fields["count"]
        if type(count) is not int or count < 1:
            raise self._wrong("examples.count", "must be a whole number from 1")
        choices: tuple[Select, ...] = get_args(Select)
        known = next((choice for choice in choices if choice == fields["select"]), None)
        if known is None:
            raise self._wrong("examples.select", f"must be one of {', '.join(choices)}")
        return Shots(known, count)

    def _linking(self, value: object) -> str:
        ref = self._text(value, "linking")
        if not _PINNED.fullmatch(ref):
            raise self._wrong("linking", "must be a prompt and its version, such as schema_link@1")
        return ref

    def _schema(self, value: object) -> SchemaStyle:
        fields = self._keys(value, _SCHEMA_KEYS, (), "schema")
        name = self._text(fields.get("format", SchemaStyle.format), "schema.format")
        if name not in FORMATS:
            raise UnknownName("format", name, FORMATS, place=self._place("schema.format"))
        for key in ("rows", "values", "descriptions"):
            if fields.get(key) and key not in FORMATS[name].shows:
                raise self._wrong(f"schema.{key}", f"the format {name} has no place for {key}")
        descriptions, bound = fields.get("descriptions", False), fields.get("max_tokens")
        if type(descriptions) is not bool:
            raise self._wrong("schema.descriptions", "must be true or false")
        if bound is not None and (type(bound) is not int or bound < 1):
            raise self._wrong("schema.max_tokens", "must be a whole number from 1")
        return SchemaStyle(name, self._samples(fields, "rows"), self._samples(fields, "values"), descriptions, bound)

    def _samples(self, fields: Mapping[str, object], key: str) -> int:
        value = fields.get(key, 0)
        if type(value) is not int or not 0 <= value <= _MOST_SAMPLES:
            raise self._wrong(f"schema.{key}", f"must be a whole number from 0 to {_MOST_SAMPLES}")
        return value

    def _offers(self, value: object, key: str, number: str, most: float) -> dict[str, Offer]:
        if not isinstance(value, dict):
            raise self._wrong(key, f"must be a mapping of names to description and {number}")
        found = {}
        for name, told in value.items():
            where = f"{key}.{name}"
            if not (isinstance(name, str) and NAME.fullmatch(name)):
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
            fields = self._keys(item, MESSAGE_KEYS, MESSAGE_KEYS, key)
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
            raise self._wrong(where, f"must be a mapping with the keys {', '.join(required or known)}")
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
