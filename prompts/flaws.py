"""What is wrong with the template of one message: all of it, with lines, where rendering stops at the first."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import jinja2
from jinja2 import meta, nodes

from prompts.rendering import ENVIRONMENT, RenderingFailed, compiled
from prompts.template import PromptTemplate
from prompts.variables import ELSEWHERE, EVERY, EXAMPLE, QUESTION, TEXTS
from sqlassay.errors import UnknownName, UserError

_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
_TRAILING = re.compile(r"[ \t]+$", re.MULTILINE)
_TURN: Mapping[str, object] = {"question": "How many?", "sql": None}
_USUAL: Mapping[str, object] = {**EVERY, "examples": [EXAMPLE] * 100}
_UNANSWERED: Mapping[str, object] = {**_USUAL, "history": [_TURN]}
_ANSWERED: Mapping[str, object] = {**_USUAL, "history": [{**_TURN, "sql": ""}]}
_NONE = re.compile("none", re.IGNORECASE)
_SQL_OF_TURN = re.compile(r"\.sql\b|['\"]sql['\"]")
_TRIALS: Mapping[str, Mapping[str, object]] = {
    "": _USUAL,
    ", where there is no evidence": {**_USUAL, "evidence": "", "sql": ""},
    ", at the first turn of a conversation and outside of one": {**_USUAL, "history": []},
    ", where a turn before has no SQL": _UNANSWERED,
}
"""Values that runs give, by what is special about them."""
_OTHER_FILES = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)


@dataclass(frozen=True)
class Flaw:
    """Something that is wrong, or likely not meant.

    Attributes:
        line: Of the template, from 1.
        text: What is wrong.
        fatal: Whether the prompt cannot be rendered.
    """

    line: int
    text: str
    fatal: bool = True


def flaws(source: str) -> list[Flaw]:
    """The flaws of a template, in no order."""
    try:
        tree = ENVIRONMENT.parse(source)
    except jinja2.TemplateSyntaxError as error:
        return [Flaw(error.lineno, error.message or "not a template")]
    found = [*_unknown(tree), *_out_of_reach(tree)]
    if not found:
        found += _trial(source)
    return [*found, *_unused(tree), *_white_space(source)]


def refuse_flawed(template: PromptTemplate, given: Mapping[str, object] = QUESTION) -> None:
    """Refuse a prompt that some question could not be put into, or whose linker is one, before any is asked.

    Args:
        template: The prompt.
        given: What it will be given.

    Raises:
        UserError: It mentions a variable that it would not be given, reaches for what is out of reach, or fails on
            values that a run gives, such as a conversation that only begins.
    """
    for name in sorted(template.variables - set(given)):
        for whose, besides in ELSEWHERE.items():
            if name in besides:
                problem = f"prompt {template.ref} is for {whose}: nothing else is given {name!r}"
                raise UserError(problem, place=str(template.path), remedy="name one that asks for a query")
        raise UnknownName(f"variable in prompt {template.ref}:", name, given, place=str(template.path))
    for number, message in enumerate(template.messages):
        for flaw in (*_out_of_reach(ENVIRONMENT.parse(message.content)), *_trial(message.content)):
            place = f"{template.path}: messages[{number}].content"
            raise UserError(f"line {flaw.line}: {flaw.text}", place=place)
    if template.linker is not None:
        refuse_flawed(template.linker, given)


def _unknown(tree: nodes.Template) -> Iterator[Flaw]:
    for node in tree.find_all(_OTHER_FILES):
        yield Flaw(node.lineno, "a prompt cannot include, import or extend another file")
    for name in tree.find_all(nodes.Filter):
        if name.name not in ENVIRONMENT.filters:
            yield Flaw(name.lineno, str(UnknownName("filter", name.name, ENVIRONMENT.filters)))
    for test in tree.find_all(nodes.Test):
        if test.name not in ENVIRONMENT.tests:
            yield Flaw(test.lineno, str(UnknownName("test", test.name, ENVIRONMENT.tests)))
    try:
        undeclared = meta.find_undeclared_variables(tree)
    except jinja2.TemplateAssertionError:  # an unknown filter, which has been told
        names = list(tree.find_all(nodes.Name))
        undeclared = {one.name for one in names} - {one.name for one in names if one.ctx != "load"} - {"loop"}
    for unknown in sorted(undeclared - set(EVERY)):
        line = min(one.lineno for one in tree.find_all(nodes.Name) if one.name == unknown)
        yield Flaw(line, str(UnknownName("variable", unknown, EVERY)))


def _out_of_reach(tree: nodes.Template) -> Iterator[Flaw]:
    called = set()
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Getattr):
            called.add(id(call.node))
            yield Flaw(call.lineno, f"{call.node.attr!r} is a method, and a prompt calls none; filters are there")
    reaching: list[nodes.Getattr | nodes.Getitem] = [*tree.find_all(nodes.Getattr), *tree.find_all(nodes.Getitem)]
    for node in reaching:
        key = _key(node)
        if key is None or id(node) in called:
            continue
        owner = node.node.name if isinstance(node.node, nodes.Name) else ""
        if owner in TEXTS:
            yield Flaw(node.lineno, f"{key!r} of {owner!r} is out of reach of a prompt: it is a text")
        elif key.startswith("__"):
            yield Flaw(node.lineno, f"{key!r} is out of reach of a prompt")
    for used in tree.find_all(nodes.Filter):
        for argument in used.kwargs:
            value = argument.value.value if isinstance(argument.value, nodes.Const) else None
            if isinstance(value, str) and value.startswith("__"):
                yield Flaw(used.lineno, f"{value!r} is out of reach of a prompt")


def _key(node: nodes.Getattr | nodes.Getitem) -> str | None:
    if isinstance(node, nodes.Getattr):
        return node.attr
    return node.arg.value if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str) else None


def _trial(source: str) -> Iterator[Flaw]:
    """What only rendering finds."""
    for where, values in _TRIALS.items():
        try:
            template = compiled(source)
            text = template.render(values)
            answered = template.render(_ANSWERED) if values is _UNANSWERED else text
        except RenderingFailed as error:
            frames = traceback.extract_tb(error.__cause__.__traceback__) if error.__cause__ is not None else ()
            lines = [frame.lineno for frame in frames if frame.filename == "<template>" and frame.lineno]
            yield Flaw(lines[-1] if lines else 1, f"{error}{where}")
            return
        # Filters and `~` make a text of it without a word. The author's own may be repeated, by a loop or a macro.
        if _nones(text) > max(_nones(source), _nones(answered)):
            line = next((n for n, one in enumerate(source.splitlines(), start=1) if _SQL_OF_TURN.search(one)), 1)
            yield Flaw(line, f"a value is None, which is printed as the word 'None'{where}")
            return


def _nones(text: str) -> int:
    return len(_NONE.findall(text))


def _unused(tree: nodes.Template) -> Iterator[Flaw]:
    loaded = {name.name for name in tree.find_all(nodes.Name) if name.ctx == "load"}
    set_here: list[nodes.Assign | nodes.AssignBlock] = [
        *tree.find_all(nodes.Assign),
        *tree.find_all(nodes.AssignBlock),
    ]
    for assigned in set_here:
        if isinstance(assigned.target, nodes.Name) and assigned.target.name not in loaded:
            yield Flaw(assigned.lineno, f"{assigned.target.name!r} is set and never used", fatal=False)


def _white_space(source: str) -> Iterator[Flaw]:
    text = _COMMENT.sub(lambda found: "\n" * found[0].count("\n") + "#", source)
    for found in _TRAILING.finditer(text):
        yield Flaw(
            text.count("\n", 0, found.start()) + 1, "white space at the end of the line goes to the model", False
        )
    content = text.removesuffix("\n")
    if content.endswith("\n"):
        yield Flaw(content.count("\n") + 1, "an empty line at the end goes to the model", fatal=False)
