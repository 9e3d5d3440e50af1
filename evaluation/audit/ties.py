"""Probes of ORDER BY and LIMIT: does the gold say which rows come, and in which order?"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from evaluation.audit.base import Answer, Finding, Needs, Probe, fired, not_applicable, quiet
from evaluation.audit.ordering import Ordering, ordering_of
from evaluation.audit.subject import Subject
from evaluation.audit.trees import Part, parts


class _OfParts(Probe):
    """Looks into the gold and the queries inside it."""

    needs = Needs.RESULT
    without: str
    """Why it does not apply where no part is concerned."""

    async def obstacle(self, subject: Subject) -> str:
        """It takes a part that is concerned."""
        obstacle = await super().obstacle(subject)
        if obstacle:
            return obstacle
        if subject.tree is None:
            return "sqlglot cannot read the gold as one query"
        return "" if self._parts(subject) else self.without

    async def examine(self, subject: Subject) -> Finding:
        """The first part that fires; quiet if any could be looked into."""
        best: Finding | None = None
        for part in self._parts(subject):
            ordering = await ordering_of(subject, part)
            finding = self.unknown(part, ordering) if isinstance(ordering, str) else self.judge(part, ordering)
            if finding.fired:
                return finding
            if best is None or best.answer is Answer.NOT_APPLICABLE:
                best = finding
        return best or not_applicable(self.without)

    def _parts(self, subject: Subject) -> Sequence[Part]:
        if subject.tree is None:
            return ()
        return [part for part in parts(subject.gold, subject.tree, subject.dialect) if self.concerns(part)]

    @abstractmethod
    def concerns(self, part: Part) -> bool:
        """Whether the flaw could be in it."""

    @abstractmethod
    def judge(self, part: Part, ordering: Ordering) -> Finding:
        """Whether the flaw is in it."""

    def unknown(self, part: Part, why: str) -> Finding:
        """What to say of a part whose rows cannot be asked for."""
        return not_applicable(why)


class TieAtLimit(_OfParts):
    """A LIMIT cuts through rows that tie: which of them come is the engine's choice."""

    name = "tie_at_limit"
    description = "rows tie where a LIMIT cuts, so that several results are right"
    without = "it has no LIMIT with ORDER BY"

    def concerns(self, part: Part) -> bool:
        """An order that is cut."""
        return part.ordered and part.limited

    def judge(self, part: Part, ordering: Ordering) -> Finding:
        """Look at the groups that the cuts go through."""
        cut = _cut(ordering)
        if cut is None:
            return quiet("no cut goes through rows that tie", ordering.sql)
        taken, group = cut
        reason = f"{group.stop - group.start:,} rows tie on the ORDER BY keys, and the LIMIT takes {taken:,} of them"
        return fired(_placed(reason, part), ordering.sql, ordering.raw.rows[group])


class LimitWithoutOrder(_OfParts):
    """A LIMIT without ORDER BY takes any rows."""

    name = "limit_without_order"
    description = "a LIMIT without ORDER BY leaves rows out"
    without = "it has no LIMIT without ORDER BY"

    def concerns(self, part: Part) -> bool:
        """A cut without an order."""
        return part.limited and not part.ordered

    def judge(self, part: Part, ordering: Ordering) -> Finding:
        """Look at what is left out."""
        cut = _cut(ordering)
        if cut is None:
            return quiet("the LIMIT leaves nothing out that differs from what it takes", ordering.sql)
        taken, group = cut
        reason = f"the LIMIT takes {taken:,} of {group.stop - group.start:,} rows, and no ORDER BY says which"
        return fired(_placed(reason, part), ordering.sql, ordering.raw.rows[group])

    def unknown(self, part: Part, why: str) -> Finding:
        """The text alone is reason enough to look."""
        return fired(_placed(f"a LIMIT without ORDER BY; whether it leaves rows out is unknown: {why}", part), part.sql)


class TieInOrder(_OfParts):
    """Rows tie under the gold's ORDER BY: their order among each other is the engine's choice."""

    name = "tie_in_order"
    description = "rows tie under the ORDER BY, so that several orders are right"
    without = "it has no ORDER BY at its top level"

    def concerns(self, part: Part) -> bool:
        """The order of the output."""
        return part.is_whole and part.ordered

    def judge(self, part: Part, ordering: Ordering) -> Finding:
        """Look for rows of the result that tie and are not alike."""
        rows = ordering.rows
        for taken, group in ordering.choice.slices():
            if taken.stop - taken.start > 1 and len(set(rows[group])) > 1:
                reason = f"{group.stop - group.start:,} rows that differ tie on the ORDER BY keys"
                return fired(reason, ordering.sql, ordering.raw.rows[group])
        return quiet("no rows of the result tie", ordering.sql)


def _cut(ordering: Ordering) -> tuple[int, slice] | None:
    """How many rows are taken of the first group that a cut goes through and whose rows differ, and the group."""
    rows = ordering.rows
    for taken, group in ordering.choice.slices():
        count = taken.stop - taken.start
        if count < group.stop - group.start and len(set(rows[group])) > 1:
            return count, group
    return None


def _placed(reason: str, part: Part) -> str:
    return reason if part.is_whole else f"in a query inside it, {reason}"
