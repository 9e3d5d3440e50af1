"""Probes of the questions, beside their golds."""

from __future__ import annotations

import re
from collections import Counter

from sqlglot import exp

from evaluation.audit.base import Finding, Needs, Probe, fired, quiet, result_of
from evaluation.audit.subject import Subject
from evaluation.audit.trees import inside
from evaluation.comparison.cells import canonical
from evaluation.datasets.base import Question

LISTING = re.compile(
    r"\b(which|list|what are|who are|where are|names? (?:of|for)|name (?:all|every|each|the)|ids? of|titles? of"
    r"|give|find|show|return|display|enumerate|identify|mention|provide)\b",
    re.IGNORECASE,
)
"""Wording that asks for things rather than for a number of them."""
COUNTING = re.compile(r"\b(how many|how much|number of|count|average|total|sum|percentage|ratio)\b", re.IGNORECASE)
"""Wording that asks for a number."""


def asked(question: Question) -> tuple[str, str, str] | None:
    """What is the same for two questions that ask the same; `None` for a turn, which depends on those before it."""
    if question.turn is not None:
        return None
    words = " ".join(re.findall(r"[^\W_]+|[<>=+*/%_-]+", question.text.casefold()))
    return question.db_id, words, question.evidence.strip()


class DuplicateId(Probe):
    """Two questions have one id: a prediction by id cannot tell them apart."""

    name = "duplicate_id"
    description = "another question has the same id"
    needs = Needs.QUESTION
    fatal = True

    async def examine(self, subject: Subject) -> Finding:
        """Look at the ids that the file gives."""
        if not subject.namesakes:
            return quiet("no other question has its id")
        places = ", ".join(f"{entry.position:,}" for entry in subject.namesakes)
        rows = [(entry.position, entry.question.id, entry.question.text) for entry in subject.namesakes]
        return fired(f"position {subject.entry.position:,} and {places} have the id {subject.question.id}", None, rows)


class DuplicateQuestion(Probe):
    """A question is asked twice of one database: it counts twice, and its golds may contradict each other."""

    name = "duplicate_question"
    description = "the same question is asked of the same database again"
    needs = Needs.QUESTION

    async def obstacle(self, subject: Subject) -> str:
        """The turns of a conversation repeat themselves rightly."""
        return "it is a turn of a conversation" if asked(subject.question) is None else ""

    async def examine(self, subject: Subject) -> Finding:
        """Compare the words, without case and punctuation."""
        if not subject.repeated:
            return quiet("it is asked once")
        golds = set(subject.question.golds(subject.dialect))
        same = all(set(entry.question.golds(subject.dialect)) == golds for entry in subject.repeated)
        ids = ", ".join(entry.question.id for entry in subject.repeated)
        rows = [
            (entry.question.id, entry.question.text, *entry.question.golds(subject.dialect)[:1])
            for entry in subject.repeated
        ]
        return fired(f"also asked as {ids}, with {'the same gold' if same else 'another gold'}", subject.sql, rows)


class DuplicateRows(Probe):
    """The question lists things, and the gold lists some of them twice: a DISTINCT may be missing."""

    name = "duplicate_rows"
    description = "the gold returns full duplicate rows where the question lists things"
    needs = Needs.RESULT

    async def obstacle(self, subject: Subject) -> str:
        """It takes a question that lists, and a gold that is free to repeat itself."""
        obstacle = await super().obstacle(subject)
        if obstacle:
            return obstacle
        text = subject.question.text
        if not LISTING.search(text) or COUNTING.search(text):
            return "the question does not list things"
        return "the gold says DISTINCT" if subject.tree is not None and _is_distinct(subject.tree) else ""

    async def examine(self, subject: Subject) -> Finding:
        """Count the rows."""
        rows = (await result_of(subject)).rows
        counts = Counter(tuple(map(canonical, row)) for row in rows)
        repeated = [(*row, count) for row, count in counts.items() if count > 1]
        if not repeated:
            return quiet("no row comes twice")
        surplus = len(rows) - len(counts)
        reason = f"{surplus:,} of its {len(rows):,} rows came before; the question lists, the gold has no DISTINCT"
        return fired(reason, subject.sql, repeated)


def _is_distinct(tree: exp.Query) -> bool:
    top = inside(tree)
    if isinstance(top, exp.SetOperation):
        return bool(top.args.get("distinct"))
    return top.args.get("distinct") is not None
