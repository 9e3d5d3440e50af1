"""Prompts at Langfuse: fetched by name and version, and pushed as new versions.

What the SDK offers for applications keeps prompts for a minute and gives an old one when the server does not answer.
Here the SDK's client of the API is used, which does neither: every fetch is a request.

Source: https://langfuse.com/docs/prompt-management, https://api.reference.langfuse.com
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from prompts.rendering import RenderingFailed
from prompts.sources import Variable, from_mustache, pieces_of
from prompts.template import KEYS, NAMED, PromptTemplate, checked, settings_of
from sqlassay.errors import UnknownName, UserError, located
from sqlassay.langfuse import HOSTS, ONCE, SECONDS, access, no_answer, require_extra, sdk

if TYPE_CHECKING:
    from langfuse.api import LangfuseAPI

PREFIX = "langfuse:"
FORMAT_KEY = "template_format"
"""In the config of a prompt whose text is a template of ours, with conditions or loops, and not Langfuse's own."""
_REF = re.compile(r"langfuse:(?P<name>.+)@(?:v?(?P<version>[1-9][0-9]*)|(?P<label>[a-z0-9_.-]+))")
_LATEST = "latest"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pushed:
    """What came of a push.

    Attributes:
        ref: The version that has the content now, such as `langfuse:zero_shot@3`.
        is_new: Whether it was made; the newest one had the content already otherwise.
        relabelled: Whether an old version was given the label.
    """

    ref: str
    is_new: bool
    relabelled: bool = False


def is_ref(ref: str) -> bool:
    """Whether a prompt is one at Langfuse."""
    return ref.startswith(PREFIX)


def fetch(ref: str) -> PromptTemplate:
    """Ask for one prompt.

    Args:
        ref: `langfuse:name@3` for a version, or `langfuse:name@production` for the one that has this label now.

    Returns:
        A prompt that is named by its version, whatever it was asked for by, with the digest of its content.

    Raises:
        UnknownName: There is no such prompt, version or label; the message suggests the nearest.
        UserError: The SDK or a key is missing, Langfuse does not answer, or the prompt cannot be one of ours.
    """
    match = _REF.fullmatch(ref)
    if match is None:
        raise UserError(
            f"prompt {ref!r} does not say which version", remedy="write langfuse:NAME@3 or langfuse:NAME@production"
        )
    with _api() as api:
        found = _get(api, match["name"], version=match["version"], label=match["label"])
        if found is None:
            raise _unknown(api, match)
    return _template(found)


def pinned(ref: str) -> str:
    """The version that a label stands for now; a reference that names a version, or is none of ours, stays as it is.

    Raises:
        UserError: As `fetch`.
    """
    match = _REF.fullmatch(ref)
    return fetch(ref).ref if match is not None and match["label"] else ref


def push(template: PromptTemplate, *, message: str, label: str | None = None) -> Pushed:
    """Make a prompt of ours a new version at Langfuse, unless the newest one there says the same.

    Args:
        template: The prompt, from a file.
        message: Why it changed.
        label: To be given to the version.

    Raises:
        UserError: As `fetch`; or the prompt is from Langfuse itself.
    """
    if is_ref(template.name):
        raise UserError(f"{template.ref} is at Langfuse already", remedy="push a prompt of a folder")
    content = _content(template)
    with _api() as api:
        from langfuse.api import CreateChatPromptRequest, CreateChatPromptType, CreatePromptRequest

        newest = _get(api, template.name, label=_LATEST)
        if newest is not None and _essence(newest) == content:
            ref = f"{PREFIX}{template.name}@{newest['version']}"
            if label is None or label in newest["labels"]:
                return Pushed(ref, is_new=False)
            api.prompt_version.update(
                quote(template.name, safe=""), newest["version"], new_labels=[label], request_options=ONCE
            )
            return Pushed(ref, is_new=False, relabelled=True)
        kind: Any = CreateChatPromptType.CHAT
        request: CreatePromptRequest = CreateChatPromptRequest(
            name=template.name,
            type=kind,
            prompt=content["prompt"],
            config=content["config"],
            labels=[label] if label else [],
            commit_message=message,
        )
        made = _fields(api.prompts.create(request=request, request_options=ONCE))
    return Pushed(f"{PREFIX}{template.name}@{made['version']}", is_new=True)


@contextmanager
def _api() -> Iterator[LangfuseAPI]:
    """A client of the API; what goes wrong with it becomes one line, without keys and without what the server wrote."""
    require_extra()
    import httpx
    from langfuse.api import UnauthorizedError
    from langfuse.api.core import ApiError
    from pydantic import ValidationError

    to = access()
    host = to.host
    check = f"check {HOSTS[0]} and whether the server is up"
    try:
        with sdk(to, seconds=SECONDS) as api:
            yield api
    except UnauthorizedError:
        remedy = (
            "check LANGFUSE_PUBLIC_KEY, LANGFUSE_SECRET_KEY and LANGFUSE_BASE_URL: keys are of one server and project"
        )
        raise UserError(f"Langfuse at {host} does not accept the keys", remedy=remedy) from None
    except ApiError as error:
        if error.status_code == 200:  # the SDK's way to say that it is no JSON
            raise UserError(f"what answers at {host} is not Langfuse's API", remedy="check LANGFUSE_BASE_URL") from None
        raise UserError(f"Langfuse at {host} answered with the HTTP status {error.status_code}", remedy=check) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UserError(f"Langfuse at {host} {no_answer(error, SECONDS)}", remedy=check) from None
    except (ValidationError, json.JSONDecodeError):
        raise UserError(f"what answers at {host} is not Langfuse's API", remedy="check LANGFUSE_BASE_URL") from None


def _get(api: LangfuseAPI, name: str, *, version: str | None = None, label: str | None = None) -> dict[str, Any] | None:
    from langfuse.api import NotFoundError

    try:
        found = api.prompts.get(
            quote(name, safe=""), version=int(version) if version else None, label=label, request_options=ONCE
        )
    except NotFoundError:
        return None
    return _fields(found)


def _fields(found: Any) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(found.json())
    return fields


def _unknown(api: LangfuseAPI, match: re.Match[str]) -> UnknownName:
    """What there is instead."""
    name = match["name"]
    same = [one for one in api.prompts.list(name=name, limit=100, request_options=ONCE).data if one.name == name]
    if not same:
        known = [one.name for one in api.prompts.list(limit=100, request_options=ONCE).data]
        return UnknownName("prompt at Langfuse", name, known)
    if match["version"]:
        return UnknownName(f"version of {PREFIX}{name}:", match["version"], map(str, same[0].versions))
    return UnknownName(f"label of {PREFIX}{name}:", match["label"], same[0].labels)


def _essence(found: Mapping[str, Any]) -> dict[str, Any]:
    """What makes up a prompt: not its labels, nor who wrote it when."""
    text = found["prompt"]
    messages = [{"role": "user", "content": text}] if isinstance(text, str) else text
    return {"prompt": [_message(one) for one in messages], "config": found.get("config") or {}}


def _message(one: Mapping[str, Any]) -> dict[str, Any]:
    return {"role": one["role"], "content": one["content"]} if "content" in one and "role" in one else dict(one)


def _template(found: Mapping[str, Any]) -> PromptTemplate:
    ref = f"{PREFIX}{found['name']}@{found['version']}"
    essence = _essence(found)
    config = essence["config"]
    with located(ref):
        if not isinstance(config, dict):
            raise UserError("the config of the prompt is no object")
        form = config.get(FORMAT_KEY, "mustache")
        if form not in ("mustache", "jinja2"):
            raise UnknownName(f"{FORMAT_KEY} in the config:", str(form), ("mustache", "jinja2"))
        messages = []
        for one in essence["prompt"]:
            if "content" not in one:
                raise UserError(
                    f"it has a placeholder for messages, {one.get('name')!r}", remedy="write the messages out"
                )
            messages.append({**one, "content": from_mustache(one["content"]) if form == "mustache" else one["content"]})
        ours = {key: value for key, value in config.items() if key in KEYS and key not in NAMED}
        others = sorted(config.keys() - ours.keys() - {FORMAT_KEY})
        if others:
            _LOG.warning("%s: its config has %s, which means nothing here", ref, ", ".join(others))
        fields = {"output": "sql_block", **ours, "name": "langfuse", "version": found["version"], "messages": messages}
        template = checked(fields, Path(ref), _digest(essence))
    return replace(template, name=f"{PREFIX}{found['name']}")


def _digest(essence: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(essence, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _content(template: PromptTemplate) -> dict[str, Any]:
    """The essence of a prompt of ours: as Langfuse writes variables where it has nothing else, else as it stands."""
    config = settings_of(template)
    plain = [_plain(message.content) for message in template.messages]
    contents = [message.content for message in template.messages]
    if None in plain:
        config[FORMAT_KEY] = "jinja2"
    else:
        contents = [text for text in plain if text is not None]
    prompt = [{"role": one.role, "content": text} for one, text in zip(template.messages, contents, strict=True)]
    return {"prompt": prompt, "config": config}


def _plain(source: str) -> str | None:
    """The text with Langfuse's variables; `None` when it cannot say the same."""
    pieces = pieces_of(source)
    if pieces is None:
        return None
    text = "".join(f"{{{{{piece.name}}}}}" if isinstance(piece, Variable) else piece for piece in pieces)
    try:
        again = pieces_of(from_mustache(text))
    except RenderingFailed:
        return None
    return text if again == pieces else None
