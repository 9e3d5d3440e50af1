"""A verdict and its forms: text, JSON, Markdown, JUnit XML and exit code never disagree."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from evaluation.gate.forms import FORMS, as_json
from evaluation.gate.junit import junit
from evaluation.gate.markdown import markdown
from evaluation.gate.text import text
from evaluation.gate.verdict import GateVerdict, Judged, Outcome, RuleVerdict
from tests.evaluation.reports.test_markdown import OURS, Page

WORDS = (
    st.text(max_size=30)
    | st.sampled_from(["http://a", "\uffff"])
    | st.sampled_from(
        [
            "gate passed",
            "\n### ✅ Gate passed",
            "a | b",
            "<failure/>",
            "]]>",
            "\x00\x1b[2J",
            "\ud800",
            "`x`",
            "@all",
            "#1",
        ]
    )
)
NUMBERS = st.none() | st.floats(allow_nan=False, allow_infinity=False)
RULES = st.builds(
    RuleVerdict,
    rule=st.sampled_from(["usable", "drop", "min_accuracy", "latency.p95", "max_cost"]),
    judged=st.sampled_from(Judged),
    words=WORDS,
    cell=st.sampled_from(["", "a · p@1 · sqlite"]) | WORDS,
    measured=NUMBERS,
    limit=NUMBERS,
)
VERDICTS = st.builds(
    GateVerdict,
    experiment=WORDS,
    runs=st.lists(WORDS, min_size=1, max_size=3).map(tuple),
    baseline=WORDS,
    basis=WORDS,
    rules=st.lists(RULES, max_size=6).map(tuple),
    notes=st.lists(WORDS, max_size=2).map(tuple),
)
CODES = {"passed": 0, "failed": 3, "unusable": 1}


def from_junit(told: str) -> str:
    """As a CI server would say."""
    root = ElementTree.fromstring(told)
    cases = list(root.iter("testcase"))
    failures, errors = (sum(case.find(name) is not None for case in cases) for name in ("failure", "error"))
    assert (root.get("failures"), root.get("errors")) == (str(failures), str(errors))
    assert root.get("tests") == str(len(cases))
    return "failed" if failures else "unusable" if errors else "passed"


@given(VERDICTS)
def test_all_forms_agree(verdict: GateVerdict) -> None:
    first = re.match(r"gate (\w+):", text(verdict))
    heading = re.match(r"### \S+ Gate (\w+):", markdown(verdict))
    assert first is not None
    assert heading is not None
    data = json.loads(as_json(verdict))
    said = {first[1], heading[1], data["outcome"], from_junit(junit(verdict)), verdict.outcome.value}
    assert said == {verdict.outcome.value}
    assert CODES[verdict.outcome.value] == verdict.exit_code == data["exit_code"]


@given(VERDICTS)
def test_every_rule_is_told_once_in_every_form(verdict: GateVerdict) -> None:
    judged = sorted(rule.judged.words for rule in verdict.rules)
    lines = re.findall(r"^  (passed|failed|not judged|unusable) ", text(verdict), flags=re.MULTILINE)
    rows = re.findall(r"^\| \S+ (passed|failed|not judged|unusable) \| `", markdown(verdict), flags=re.MULTILINE)
    elements = {"failure": "failed", "error": "unusable", "skipped": "not judged", "system-out": "passed"}
    cases = [elements[case[0].tag] for case in ElementTree.fromstring(junit(verdict)).iter("testcase")]
    told = [rule["judged"].replace("_", " ") for rule in json.loads(as_json(verdict))["rules"]]
    assert sorted(lines) == sorted(rows) == sorted(cases) == sorted(told) == judged


@given(VERDICTS, st.sampled_from(sorted(FORMS)))
def test_what_others_have_written_commands_nothing(verdict: GateVerdict, form: str) -> None:
    told = FORMS[form](verdict)
    told.encode()
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", told)
    if form == "markdown":
        page = Page(told)
        assert set(page.elements) <= OURS | {"h3"}
        assert not page.live
    if form == "junit":
        ElementTree.fromstring(told)


def test_what_is_broken_is_no_failure_and_hides_none() -> None:
    def outcome(*judged: Judged) -> Outcome:
        rules = tuple(RuleVerdict("usable", one, "") for one in judged)
        return GateVerdict("e", ("r",), "", "", rules).outcome

    assert outcome() is Outcome.PASSED
    assert outcome(Judged.PASSED, Judged.NOT_JUDGED) is Outcome.PASSED
    assert outcome(Judged.UNUSABLE, Judged.NOT_JUDGED) is Outcome.UNUSABLE
    assert outcome(Judged.UNUSABLE, Judged.FAILED, Judged.PASSED) is Outcome.FAILED
