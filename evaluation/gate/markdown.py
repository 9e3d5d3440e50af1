"""The verdict for a pull request or the summary page of a CI job."""

from __future__ import annotations

from evaluation.gate.verdict import GateVerdict, Judged, Outcome
from evaluation.reports.markdown_text import plain

_MARKS = {Judged.PASSED: "✅", Judged.FAILED: "❌", Judged.NOT_JUDGED: "➖", Judged.UNUSABLE: "⚠️"}
_OUTCOMES = {Outcome.PASSED: "✅", Outcome.FAILED: "❌", Outcome.UNUSABLE: "⚠️"}


def markdown(verdict: GateVerdict) -> str:
    """A heading with the outcome, and a table of the rules of each cell."""
    lines = [f"### {_OUTCOMES[verdict.outcome]} Gate {verdict.outcome.value}: {plain(verdict.experiment)}", ""]
    against = f" against {plain(verdict.baseline)}" if verdict.baseline else ""
    lines += [f"{', '.join(map(plain, verdict.runs))}{against}", ""]
    for cell, rules in verdict.cells:
        lines += [f"**{plain(cell) or 'all runs'}**", "", "| | rule | |", "|---|---|---|"]
        for rule in rules:
            mark = f"{_MARKS[rule.judged]} {rule.judged.words}"
            lines.append(f"| {mark} | `{rule.rule}` | {plain(rule.words)} |")
        lines.append("")
    return "\n".join([*lines, plain(verdict.basis), *(f"- {plain(note)}" for note in verdict.notes)]) + "\n"
