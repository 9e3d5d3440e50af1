"""What of a message is fixed text: there a value of the environment would stand by chance, and masking would tell it.

With the password `wrong`, "the connection string is wrong" has no secret in it, until the word is taken out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import CodeType

from adapters.base import ADAPTERS
from database_backends.base import BACKENDS
from evaluation.base.strategy import STRATEGIES
from evaluation.conventions.base import CONVENTIONS

_PACKAGES = ("sqlassay", "prompts", "adapters", "database_backends", "evaluation")
_SERVERS = (
    "Access denied for user",
    "(using password: ",
    "Unknown database",
    "Can't connect to MySQL server on",
    "password authentication failed for user",
    "no password supplied",
    "connection to server at",
    "failed: Connection refused",
    "Is the server running on that host and accepting TCP/IP connections?",
)
"""What the servers say when they let nobody in."""
_REGISTRIES = (ADAPTERS, BACKENDS, STRATEGIES, CONVENTIONS)


def own_spans(text: str, values: Iterable[str]) -> list[tuple[int, int]]:
    """Where one of the values would stand within fixed text.

    Args:
        text: A message.
        values: What is looked for in it.
    """
    wanted = tuple(values)
    around = [phrase for phrase in _phrases() if phrase in text and any(value in phrase for value in wanted)]
    return [(start, start + len(phrase)) for phrase in around for start in _places(phrase, text)]


def _places(phrase: str, text: str) -> Iterator[int]:
    start = text.find(phrase)
    while start >= 0:
        yield start
        start = text.find(phrase, start + 1)


@cache
def _phrases() -> frozenset[str]:
    """Several words each: a single one of ours may be a value as well, and then it is masked."""
    texts = {text for package in _PACKAGES for code in _modules(package) for text in _constants(code)}
    named = {f"{registry.kind} {name!r}" for registry in _REGISTRIES for name in registry.names()}
    return frozenset(text for text in texts | named | {*_SERVERS} if len(text.split()) > 1)


def _modules(package: str) -> Iterator[CodeType]:
    """The code of every module, as Python keeps it; none is imported."""
    spec = find_spec(package)
    for folder in map(Path, (spec and spec.submodule_search_locations) or ()):
        for path in folder.rglob("*.py"):
            name = ".".join((package, *path.relative_to(folder).with_suffix("").parts))
            if code := SourceFileLoader(name, str(path)).get_code(name):
                yield code


def _constants(value: object) -> Iterator[str]:
    """The texts in a piece of code, and in what it holds; the parts of an f-string one by one."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, CodeType):
        yield from _constants(value.co_consts)
    elif isinstance(value, tuple | frozenset):
        for part in value:
            yield from _constants(part)
