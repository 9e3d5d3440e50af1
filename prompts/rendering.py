"""Jinja2 with everything taken out that a prompt does not need.

A template sees its variables and filters. It cannot reach Python attributes, call methods, or read other files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jinja2
from jinja2 import meta
from jinja2.exceptions import SecurityError
from jinja2.runtime import LoopContext, Undefined
from jinja2.sandbox import SandboxedEnvironment


class RenderingFailed(Exception):
    """A template is wrong, or fails on the values that it is given. The caller names the prompt."""


class _Sandbox(SandboxedEnvironment):
    intercepted_binops = frozenset({"**"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        raise SecurityError(f"{operator} is out of reach of a prompt: what it makes may never end")

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, LoopContext):
            return super().getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Undefined):
            return obj[argument]
        if isinstance(obj, Mapping) or (isinstance(obj, str | list | tuple) and isinstance(argument, int | slice)):
            try:
                return obj[argument]
            except LookupError:
                return self.undefined(obj=obj, name=argument)
        raise SecurityError(f"{argument!r} of a value of type {type(obj).__name__} is out of reach of a prompt")


def _printable(value: object) -> object:
    if value is None:
        raise jinja2.UndefinedError("a value is None, which would be printed as the word 'None'")
    if not isinstance(value, str | int | float | list | tuple | dict | Undefined):
        # Such as what `map` and `select` give: its text is an address in memory, another one each time.
        raise jinja2.UndefinedError(f"a value of type {type(value).__name__} has no text; `join` makes one of a list")
    return value


def _environment() -> SandboxedEnvironment:
    environment = _Sandbox(
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printable,
    )
    environment.globals.clear()
    del environment.filters["attr"]
    del environment.filters["random"]  # the same question must always get the same prompt
    return environment


ENVIRONMENT = _environment()


@dataclass(frozen=True)
class Compiled:
    """A template, ready to be rendered many times.

    Attributes:
        variables: The names that it expects to be given.
    """

    variables: frozenset[str]
    _template: jinja2.Template

    def render(self, variables: Mapping[str, object]) -> str:
        """Fill in the variables.

        Raises:
            RenderingFailed: A variable is missing, or an expression fails.
        """
        try:
            return self._template.render(variables)
        except (
            jinja2.TemplateError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError
        ) as error:  # fmt: skip
            raise RenderingFailed(str(error)) from error
        except MemoryError as error:
            raise RenderingFailed("it takes more memory than there is") from error


@lru_cache(maxsize=1024)
def compiled(source: str) -> Compiled:
    """Compile a template, once.

    Raises:
        RenderingFailed: It is not a template, uses an unknown filter, or refers to another file.
    """
    try:
        tree = ENVIRONMENT.parse(source)
        if any(meta.find_referenced_templates(tree)):
            raise RenderingFailed("a prompt cannot include, import or extend another file")
        return Compiled(frozenset(meta.find_undeclared_variables(tree)), ENVIRONMENT.from_string(source))
    except jinja2.TemplateSyntaxError as error:
        raise RenderingFailed(f"line {error.lineno}: {error.message}") from error
