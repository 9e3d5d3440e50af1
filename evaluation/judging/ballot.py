"""What one judge says of one item, checked against the menu."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from evaluation.judging.taxonomy import Category
from evaluation.verdicts import Reason
from prompts.extraction import only_object

CATEGORIES = "categories"
WHY = "why"
LONGEST = 500
"""Characters of a judge's words that are kept."""

Menu = Mapping[str, Sequence[str]]
"""What a judge is asked about, and the grades that it may give to each."""


class JudgeUnreadable(Exception):
    """The judge's answer holds no verdict, or one that was not offered."""


@dataclass(frozen=True)
class Ballot:
    """What one judge says of one item.

    Attributes:
        grades: The grade of everything that it was asked about; empty where it gave none.
        categories: What it says is wrong.
        why: Its reasons, in its words.
        failure: Why there are no grades; `None` when there are.
        error: The same in words.
        figures: Further numbers of this judge, such as whether it went with the position.
    """

    grades: Mapping[str, str] = field(default_factory=dict)
    categories: tuple[Category, ...] = ()
    why: str = ""
    failure: Reason | None = None
    error: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """In one line: the grades, or why there are none."""
        if self.failure is not None:
            return f"no verdict: {self.error}"
        if len(self.grades) == 1:
            return next(iter(self.grades.values()))
        return ", ".join(f"{name}: {grade}" for name, grade in self.grades.items())


def read_ballot(text: str, menu: Menu, categories: Sequence[Category] = tuple(Category)) -> Ballot:
    """The ballot in a judge's answer. A category that was not offered is another one; a grade that was not is none.

    Raises:
        JudgeUnreadable: It is not exactly one JSON object, or a grade is missing or was not offered.
    """
    fields = only_object(text)
    if fields is None:
        raise JudgeUnreadable("the answer is not one JSON object")
    grades = {}
    for name, offered in menu.items():
        if name not in fields:
            raise JudgeUnreadable(f"{name!r} is missing")
        given = str(fields[name]).strip().casefold()
        grade = next((one for one in offered if one.casefold() == given), None)
        if grade is None:
            raise JudgeUnreadable(f"{name!r} is {str(fields[name])[:100]!r}, offered were {', '.join(offered)}")
        grades[name] = grade
    told = fields.get(CATEGORIES)
    why = fields.get(WHY)
    return Ballot(
        grades,
        tuple(dict.fromkeys(_category(one, categories) for one in (told if isinstance(told, list) else ()))),
        why[:LONGEST] if isinstance(why, str) else "",
    )


def schema_of(menu: Menu, categories: Sequence[Category] = tuple(Category)) -> dict[str, Any]:
    """The JSON schema of a judge's answer, where the provider can hold it to one.

    The reasons come first: whoever gives them has thought before the grade stands.
    """
    properties: dict[str, Any] = {
        WHY: {"type": "string"},
        CATEGORIES: {"type": "array", "items": {"type": "string", "enum": [one.value for one in categories]}},
        **{name: {"type": "string", "enum": list(grades)} for name, grades in menu.items()},
    }
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _category(told: object, offered: Sequence[Category]) -> Category:
    return next((one for one in offered if one.value == told), Category.OTHER)
