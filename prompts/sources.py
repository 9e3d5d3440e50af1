"""Template sources from and for elsewhere: other formats keep white space and braces that Jinja2 as we set it drops."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import jinja2

_OPENING = re.compile(r"\{(?=[{%#\r]|\Z)|\r")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MUSTACHE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_TAGS = {
    "variable_begin": "{{",
    "variable_end": "}}",
    "block_begin": "{%",
    "block_end": "%}",
    "comment_begin": "{#",
    "comment_end": "#}",
}
_THEIRS = jinja2.Environment(autoescape=False)  # noqa: S701 - prompts are no HTML
_OURS = jinja2.Environment(autoescape=False, trim_blocks=True, lstrip_blocks=True)  # noqa: S701


@dataclass(frozen=True)
class Variable:
    """A place where a value goes."""

    name: str


def template_of(pieces: Iterable[str | Variable]) -> str:
    """The template that renders to exactly these texts, and the values between them."""
    written = (
        f"{{{{ {piece.name} }}}}" if isinstance(piece, Variable) else _OPENING.sub(_quoted, piece) for piece in pieces
    )
    return _ended("".join(written))


def pieces_of(source: str) -> tuple[str | Variable, ...] | None:
    """The texts and values that make up a template of ours; `None` when it has more: a loop, a filter, a comment."""
    found: list[str | Variable] = []
    expression: list[tuple[str, str]] | None = None
    for _, kind, value in _OURS.lex(source):
        if kind == "variable_begin":
            expression = []
        elif kind == "variable_end" and expression is not None:
            if [one for one, _ in expression] != ["name"]:
                return None
            found.append(Variable(expression[0][1]))
            expression = None
        elif expression is not None:
            expression += [] if kind == "whitespace" else [(kind, value)]
        elif kind == "data":
            found.append(value)
        else:
            return None
    return tuple(found)


def from_mustache(text: str) -> str:
    """A template from a text in which `{{name}}` is a value and everything else is meant as it stands."""
    pieces: list[str | Variable] = []
    at = 0
    for match in _MUSTACHE.finditer(text):
        name = match[1].strip()
        if _NAME.fullmatch(name):
            pieces += [text[at : match.start()], Variable(name)]
            at = match.end()
    return template_of([*pieces, text[at:]])


def from_plain_jinja(source: str) -> str:
    """A template of ours from Jinja2's with its usual settings, which keep the white space around blocks."""
    kept = {"block_begin": "{%+", "block_end": "+%}", "comment_begin": "{#+", "comment_end": "+#}"}
    return _ended("".join(kept.get(kind, text) for kind, text in _written_out(source, _THEIRS)))


def to_plain_jinja(source: str) -> str:
    """A template of ours for Jinja2 with its usual settings."""
    return _ended("".join(text for _, text in _written_out(source, _OURS)))


def _written_out(source: str, environment: jinja2.Environment) -> Iterator[tuple[str, str]]:
    """The tokens of a template, without the white space that its settings and its signs drop; raw text is quoted."""
    raw = False
    for _, kind, value in environment.lex(source):
        if kind in ("raw_begin", "raw_end"):
            raw = kind == "raw_begin"
        else:
            yield kind, _OPENING.sub(_quoted, value) if raw else _TAGS.get(kind, value)


def _ended(source: str) -> str:
    """Jinja2 drops one line break at the end."""
    return f"{source}\n" if source.endswith("\n") else source


def _quoted(match: re.Match[str]) -> str:
    return "{{ '\\r' }}" if match[0] == "\r" else "{{ '{' }}"
