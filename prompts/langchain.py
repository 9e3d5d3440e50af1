"""Prompts from and for LangChain: a `ChatPromptTemplate` becomes a prompt of ours, and a prompt of ours becomes one.

Source: https://reference.langchain.com/python/langchain_core/prompts/
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any

from prompts.rendering import RenderingFailed, compiled
from prompts.sources import Variable, from_plain_jinja, pieces_of, template_of, to_plain_jinja
from prompts.template import PromptTemplate, Settings, settings_of
from sqlassay.errors import UserError, located

if TYPE_CHECKING:
    from langchain_core.prompts import ChatPromptTemplate

_ROLES = {"system": "system", "human": "user", "ai": "assistant", "user": "user", "assistant": "assistant"}
_OF_TEMPLATE = {
    "SystemMessagePromptTemplate": "system",
    "HumanMessagePromptTemplate": "user",
    "AIMessagePromptTemplate": "assistant",
}
_OURS = "sqlassay"
"""Where the metadata of an exported template holds what LangChain has no place for."""
_MUSTACHE = re.compile(r"\{\{\{(?P<triple>.*?)\}\}\}|\{\{(?P<double>.*?)\}\}", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def read_chat_prompt(source: str) -> ChatPromptTemplate:
    """A template of LangChain's.

    Args:
        source: A JSON file as `langchain_core.load.dumps` writes it, or `module:attribute`, which is imported.

    Raises:
        UserError: There is none, or it is something else.
    """
    with _library():
        from langchain_core.prompts import ChatPromptTemplate

        found = _of_file(Path(source)) if source.endswith(".json") or Path(source).is_file() else _of_module(source)
    if type(found) is not ChatPromptTemplate:
        raise UserError(f"it is a {type(found).__name__}, not a ChatPromptTemplate", place=source)
    return found


def messages_of(prompt: ChatPromptTemplate) -> list[dict[str, str]]:
    """Its messages as our templates.

    Raises:
        UserError: A message is none that a prompt of ours can have.
    """
    return [_message(number, one, prompt.partial_variables) for number, one in enumerate(prompt.messages, start=1)]


def variables_of(messages: Iterable[Mapping[str, str]]) -> frozenset[str]:
    """The variables that messages mention; those of a broken one are unknown, and the prompt will be refused."""
    found: set[str] = set()
    for message in messages:
        with suppress(RenderingFailed):
            found |= compiled(message["content"]).variables
    return frozenset(found)


def html_escaped(prompt: ChatPromptTemplate) -> bool:
    """Whether LangChain would write values as HTML, which a prompt of ours never does."""
    forms = [getattr(getattr(one, "prompt", None), "template_format", "") for one in prompt.messages]
    return "mustache" in forms


def settings_in(prompt: ChatPromptTemplate) -> Settings:
    """What an exported template holds of ours besides its messages; nothing for others."""
    found = (prompt.metadata or {}).get(_OURS)
    return dict(found) if isinstance(found, dict) else {}


def chat_prompt(template: PromptTemplate) -> ChatPromptTemplate:
    """A prompt of ours for LangChain: an f-string where it has only variables, else Jinja2.

    Raises:
        UserError: LangChain is not installed.
    """
    with _library():
        from langchain_core import prompts as theirs

        kinds: dict[str, Any] = {role: getattr(theirs, name) for name, role in _OF_TEMPLATE.items()}
        messages = []
        for message in template.messages:
            text, form = _their_source(message.content)
            prompt = theirs.PromptTemplate.from_template(text, template_format=form)
            messages.append(kinds[message.role](prompt=prompt))
        return theirs.ChatPromptTemplate(messages, metadata={_OURS: settings_of(template)})


def written(prompt: ChatPromptTemplate) -> str:
    """As JSON that `langchain_core.load` reads."""
    with _library():
        from langchain_core.load import dumps

        return str(dumps(prompt, pretty=True))


@contextmanager
def _library() -> Iterator[None]:
    """LangChain's own warnings say what is still to change in it, which is not the user's business."""
    with warnings.catch_warnings():
        try:
            from langchain_core._api import LangChainBetaWarning, LangChainDeprecationWarning
            from langchain_core._api.deprecation import LangChainPendingDeprecationWarning
        except ImportError as error:
            raise UserError(
                "prompts of LangChain need the extra 'langchain', which is not installed",
                remedy="pip install 'sqlassay[langchain]'",
            ) from error
        for kind in (LangChainBetaWarning, LangChainDeprecationWarning, LangChainPendingDeprecationWarning):
            warnings.simplefilter("ignore", kind)
        yield


def _of_file(path: Path) -> object:
    from langchain_core import messages, prompts
    from langchain_core.load import load

    allowed = (
        *(prompts.ChatPromptTemplate, prompts.PromptTemplate, prompts.MessagesPlaceholder),
        *(prompts.ChatMessagePromptTemplate, *(getattr(prompts, name) for name in _OF_TEMPLATE)),
        *(messages.SystemMessage, messages.HumanMessage, messages.AIMessage, messages.ChatMessage),
    )
    try:
        content = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", place=str(path)) from error
    except ValueError as error:
        raise UserError("is not JSON", place=str(path)) from error
    if not (isinstance(content, dict) and content.get("lc") == 1):
        raise UserError(
            "is not what LangChain writes", place=str(path), remedy="write it with langchain_core.load.dumps"
        )
    try:
        # Nothing of it is rendered by LangChain, so that its templates in Jinja2 do no harm.
        return load(content, allowed_objects=allowed, init_validator=None)
    except Exception as error:
        first = str(error).strip().partition("\n")[0]
        raise UserError(f"LangChain cannot read it: {first}", place=str(path)) from error


def _of_module(source: str) -> object:
    module, _, attribute = source.partition(":")
    if not (module and attribute):
        raise UserError(f"there is no file {source!r}", remedy="name a JSON file, or module:attribute")
    try:
        return getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise UserError(f"there is no module {error.name!r}", place=source) from error
    except Exception as error:
        raise UserError(f"it cannot be imported: {type(error).__name__}: {error}", place=source) from error


def _message(number: int, one: Any, partial: Mapping[str, Any]) -> dict[str, str]:
    kind = type(one).__name__
    with located(f"message {number}"):
        if kind in _OF_TEMPLATE or kind == "ChatMessagePromptTemplate":
            role = _OF_TEMPLATE.get(kind) or one.role
            if type(one.prompt).__name__ != "PromptTemplate":
                raise UserError("it has parts, such as images", remedy="a prompt of ours is text")
            return {"role": _role(role), "content": _our_source(one.prompt, partial)}
        if kind in ("SystemMessage", "HumanMessage", "AIMessage", "ChatMessage"):
            if not isinstance(one.content, str) or getattr(one, "tool_calls", None):
                raise UserError("it has parts, such as images or tool calls", remedy="a prompt of ours is text")
            return {"role": _role(getattr(one, "role", one.type)), "content": template_of([one.content])}
        named = f" {one.variable_name!r}" if kind == "MessagesPlaceholder" else ""
        raise UserError(f"it is a {kind}{named}, which no prompt of ours can have", remedy="write its messages out")


def _role(role: str) -> str:
    if role not in _ROLES:
        raise UserError(f"its role is {role!r}", remedy=f"one of {', '.join(dict.fromkeys(_ROLES.values()))}")
    return _ROLES[role]


def _our_source(prompt: Any, partial: Mapping[str, Any]) -> str:
    values = {**partial, **prompt.partial_variables}
    filled = {
        name: value
        for name, value in values.items()
        if name in prompt.input_variables or name in prompt.partial_variables
    }
    made = [name for name, value in filled.items() if not isinstance(value, str)]
    if made:
        raise UserError(f"the partial variable {made[0]!r} is no text", remedy="make it a variable, or text")
    if prompt.template_format == "jinja2":
        if filled:
            raise UserError(
                f"the partial variable {min(filled)!r} is filled into Jinja2",
                remedy="write its value into the template",
            )
        return from_plain_jinja(prompt.template)
    split = _of_format if prompt.template_format == "f-string" else _of_mustache
    pieces = split(prompt.template)
    return template_of(filled.get(piece.name, piece) if isinstance(piece, Variable) else piece for piece in pieces)


def _of_format(text: str) -> Iterator[str | Variable]:
    """Of an f-string; `{{` and `}}` are braces."""
    for literal, name, form, conversion in Formatter().parse(text):
        yield literal
        if name is None:
            continue
        if form or conversion or not _NAME.fullmatch(name):
            written = f"{name}{'!' + conversion if conversion else ''}{':' + form if form else ''}"
            raise UserError(f"{{{written}}} is more than a variable", remedy="format the value before")
        yield Variable(name)


def _of_mustache(text: str) -> Iterator[str | Variable]:
    at = 0
    for match in _MUSTACHE.finditer(text):
        name = (match["triple"] or match["double"] or "").strip().removeprefix("&").strip()
        yield text[at : match.start()]
        at = match.end()
        if name.startswith("!"):
            continue
        if not _NAME.fullmatch(name):
            raise UserError(f"{match[0]} is more than a variable", remedy="sections and partials are not read")
        yield Variable(name)
    yield text[at:]


def _their_source(source: str) -> tuple[str, Any]:
    pieces = pieces_of(source)
    if pieces is None:
        return to_plain_jinja(source), "jinja2"
    texts = (
        f"{{{piece.name}}}" if isinstance(piece, Variable) else piece.replace("{", "{{").replace("}", "}}")
        for piece in pieces
    )
    return "".join(texts), "f-string"
