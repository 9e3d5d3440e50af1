"""Secrets that are written into an experiment file: every run would record them with the file's text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from evaluation.environment import VARIABLE, Location, is_free

_SECRET = re.compile(
    r"(^|_)((api|access|secret|private|subscription|account|auth|shared)_?key|(access|auth|bearer|api|refresh|session)_?token"
    r"|secret|password|passwd|pwd|passphrase|authorization|auth|credentials?|cookie)$|^token$"
)
"""Keys of settings that hold secrets; `api_key_env`, `max_tokens`, `eos_token` and `prompt_cache_key` do not."""
_SECRET_HEADER = re.compile(r"(key|token|auth|authorization|secret|password|credentials?|cookie|signature)$")
_HEADERS = re.compile(r"(^|_)(headers?|query)$")
_SCHEME = re.compile(r"\s*(?:(?:bearer|basic|token|key|apikey)\b)?\s*", re.IGNORECASE)
_AUTHORIZATION = re.compile(r"\s*(?:bearer|basic)\s+\S", re.IGNORECASE)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(?:(?P<user>[^/?#@]*)@)?[^?#]*(?:\?(?P<query>[^#]*))?")
_PASSWORD = re.compile(
    r"\b(?:password|passwd|pwd|sslpassword)\s*=\s*('[^']*'|[^\s&;]*)|//[^/?#:@]*[:@](.*)@", re.IGNORECASE | re.DOTALL
)
_FILLED_IN = "\0"
"""Stands for a value of the environment where an empty text would change what is around it."""


def literal_secrets(content: Any, at: Location = ()) -> Iterator[tuple[Location, str]]:
    """Where a secret is written out, and what it is: a secret, a password or a query."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield from literal_secrets(value, (*at, key))
    elif isinstance(content, list):
        for index, value in enumerate(content):
            yield from literal_secrets(value, (*at, index))
    elif isinstance(content, str | int) and not isinstance(content, bool) and is_free(at):
        what = _what(str(content), at)
        if what:
            yield at, what


def _what(text: str, at: Location) -> str:
    literal = VARIABLE.sub(lambda match: match[2] or "", text)
    if _is_secret(at[3:]):
        return "" if _SCHEME.fullmatch(literal) else "secret"
    url = _URL.match(literal)
    user, query = (url["user"] or "", url["query"] or "") if url else ("", "")
    if at[0] == "backends":  # a user's name and a query are what connection strings are made of
        named = _PASSWORD.finditer(VARIABLE.sub(lambda match: match[2] or _FILLED_IN, text))
        return "password" if any((one[1] or one[2] or "").strip(f"'{_FILLED_IN}") for one in named) else ""
    if _AUTHORIZATION.match(literal):
        return "secret"
    if user.strip(":"):
        return "password"
    given = [part.partition("=")[2] if "=" in part else part for part in query.split("&")]
    return "query" if any(given) else ""


def _is_secret(keys: Location) -> bool:
    """Whether one of the keys that lead to a value says that it is a secret."""
    names = [re.sub(r"[^a-z0-9]+", "_", str(key).lower()) for key in keys]
    in_headers = False
    for name in names:
        if _SECRET.search(name) or (in_headers and _SECRET_HEADER.search(name)):
            return True
        in_headers = in_headers or bool(_HEADERS.search(name))
    return False
