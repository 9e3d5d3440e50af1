"""The verdict for a terminal."""

from __future__ import annotations

from evaluation.gate.verdict import GateVerdict
from sqlassay.printable import printable


def text(verdict: GateVerdict) -> str:
    """The outcome first, then every rule, cell by cell."""
    lines = [one_line(verdict.headline), one_line(verdict.basis)]
    width = max((len(rule.rule) for rule in verdict.rules), default=0)
    for cell, rules in verdict.cells:
        lines += ["", one_line(cell) or "all runs"]
        for rule in rules:
            lines.append(f"  {rule.judged.words:<10}  {rule.rule:<{width}}  {one_line(rule.words)}")
    return "\n".join([*lines, *(["", *map(one_line, verdict.notes)] if verdict.notes else [])]) + "\n"


def one_line(words: str) -> str:
    """Words that others may have written, as one harmless line."""
    return " ".join(printable(words).split())
