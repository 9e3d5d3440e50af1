"""Probes of functions whose value changes by itself: the clock and randomness."""

from __future__ import annotations

from abc import abstractmethod

from sqlglot import exp

from evaluation.audit.base import Finding, Needs, Probe, fired, quiet
from evaluation.audit.subject import Subject
from evaluation.volatility import draws_lots, reads_clock


class _Volatile(Probe):
    needs = Needs.TREE

    async def examine(self, subject: Subject) -> Finding:
        """Walk through the tree."""
        assert subject.tree is not None  # noqa: S101 - `needs` says so
        for node in subject.tree.walk():
            if self.is_volatile(node):
                return fired(f"it uses {node.sql(dialect=subject.dialect)[:80]}", subject.sql)
        return quiet("it uses nothing of the kind")

    @abstractmethod
    def is_volatile(self, node: exp.Expr) -> bool:
        """Whether the value of a node changes by itself."""


class Clock(_Volatile):
    """The gold depends on when it is executed."""

    name = "clock"
    description = "the gold depends on the clock"

    def is_volatile(self, node: exp.Expr) -> bool:
        """`CURRENT_DATE`, `now()`, `date('now')` and the like."""
        return reads_clock(node)


class Randomness(_Volatile):
    """The gold draws lots."""

    name = "randomness"
    description = "the gold depends on randomness"
    fatal = True

    def is_volatile(self, node: exp.Expr) -> bool:
        """`random()`, `uuid()`, `TABLESAMPLE` and the like."""
        return draws_lots(node)
