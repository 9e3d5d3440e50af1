"""The verdict as JUnit XML: a suite per cell, a test per rule."""

from __future__ import annotations

from collections import Counter
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from evaluation.gate.text import one_line
from evaluation.gate.verdict import GateVerdict, Judged, RuleVerdict
from evaluation.reports.xml_text import legal

_ELEMENTS = {Judged.FAILED: "failure", Judged.UNUSABLE: "error", Judged.NOT_JUDGED: "skipped"}
_COUNTS = {"failures": Judged.FAILED, "errors": Judged.UNUSABLE, "skipped": Judged.NOT_JUDGED}


def junit(verdict: GateVerdict) -> str:
    """A failure is a rule that failed, an error a run that is unusable, skipped what is not judged."""
    root = Element("testsuites", {"name": f"gate of {_told(verdict.experiment)}", **_counts(list(verdict.rules))})
    for cell, rules in verdict.cells:
        suite = SubElement(root, "testsuite", {"name": _told(cell) or "all runs", **_counts(rules)})
        for rule in rules:
            case = SubElement(suite, "testcase", {"classname": _told(cell) or "all runs", "name": rule.rule})
            element = _ELEMENTS.get(rule.judged)
            if element is None:
                SubElement(case, "system-out").text = _told(rule.words)
            else:
                SubElement(case, element, {"message": _told(rule.words)})
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _told(words: str) -> str:
    return legal(one_line(words))


def _counts(rules: list[RuleVerdict]) -> dict[str, str]:
    judged = Counter(rule.judged for rule in rules)
    return {"tests": str(len(rules)), **{name: str(judged[one]) for name, one in _COUNTS.items()}}
