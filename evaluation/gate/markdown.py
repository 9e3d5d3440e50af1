"""The verdict for a pull request or the summary page of a CI job."""

from __future__ import annotations

import re

from evaluation.gate.text import one_line
from evaluation.gate.verdict import GateVerdict, Judged, Outcome

_SPECIAL = re.compile(r"([\\`*_\[\]<>|&#~@])")
_MARKS = {Judged.PASSED: "✅", Judged.FAILED: "❌", Judged.NOT_JUDGED: "➖", Judged.UNUSABLE: "⚠️"}
_OUTCOMES = {Outcome.PASSED: "✅", Outcome.FAILED: "❌", Outcome.UNUSABLE: "⚠️"}


def markdown(verdict: GateVerdict) -> str:
    """A heading with the outcome, and a table of the rules of each cell."""
    lines = [f"### {_OUTCOMES[verdict.outcome]} Gate {verdict.outcome.value}: {_told(verdict.experiment)}", ""]
    against = f" against {_told(verdict.baseline)}" if verdict.baseline else ""
    lines += [f"{', '.join(map(_told, verdict.runs))}{against}", ""]
    for cell, rules in verdict.cells:
        lines += [f"**{_told(cell) or 'all runs'}**", "", "| | rule | |", "|---|---|---|"]
        for rule in rules:
            mark = f"{_MARKS[rule.judged]} {rule.judged.words}"
            lines.append(f"| {mark} | `{rule.rule}` | {_told(rule.words)} |")
        lines.append("")
    return "\n".join([*lines, _told(verdict.basis), *(f"- {_told(note)}" for note in verdict.notes)]) + "\n"


def _told(words: str) -> str:
    """Words that others may have written, with nothing in them that Markdown or HTML would obey."""
    return _SPECIAL.sub(r"\\\1", one_line(words))
