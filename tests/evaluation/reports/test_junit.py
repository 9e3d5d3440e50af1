"""JUnit XML: the rules of the common schema, held by a parser that is not ours."""

from __future__ import annotations

import re
import tempfile
import tracemalloc
from pathlib import Path
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.records import ExecutionRecord, ItemRecord, VerdictRecord
from evaluation.reports.junit import JUnitReport
from evaluation.verdicts import Reason, Status
from tests.evaluation.reports.folders import RECORDS, run_folder

SUITE = {"name", "package", "id", "timestamp", "hostname", "tests", "failures", "errors", "time"}
CHILDREN = re.compile(r"properties (testcase )*system-out system-err ")
WHOLE, DECIMAL = re.compile(r"\d+"), re.compile(r"\d+(\.\d+)?")


def hold(root: ElementTree.Element) -> None:
    """The rules of the XSD that ant's JUnit task has given to the world."""
    assert root.tag == "testsuites"
    assert not root.attrib
    names = [(case.attrib["classname"], case.attrib["name"]) for case in root.iter("testcase")]
    assert len(names) == len(set(names)), "GitLab ignores the second of two test cases of one class and name"
    for number, suite in enumerate(root):
        assert suite.tag == "testsuite"
        assert set(suite.attrib) == SUITE
        assert suite.attrib["id"] == str(number)
        assert suite.attrib["name"].strip()
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"])
        assert all(WHOLE.fullmatch(suite.attrib[name]) for name in ("tests", "failures", "errors"))
        assert DECIMAL.fullmatch(suite.attrib["time"])
        assert CHILDREN.fullmatch("".join(f"{child.tag} " for child in suite))
        for one in suite.iterfind("properties/property"):
            assert set(one.attrib) == {"name", "value"}
        cases = suite.findall("testcase")
        assert all(set(case.attrib) == {"name", "classname", "time"} for case in cases)
        assert all(DECIMAL.fullmatch(case.attrib["time"]) for case in cases)
        found = [child for case in cases for child in case]
        assert all(len(case) <= 1 for case in cases)
        assert all(set(child.attrib) == {"message", "type"} and not len(child) for child in found)
        counts = {tag: sum(child.tag == tag for child in found) for tag in ("failure", "error")}
        assert sum(counts.values()) == len(found)
        told = {name: int(suite.attrib[name]) for name in ("tests", "failures", "errors")}
        assert told == {"tests": len(cases), "failures": counts["failure"], "errors": counts["error"]}


@settings(max_examples=60)
@given(st.lists(RECORDS, max_size=5, unique_by=lambda record: record.id))
def test_whatever_anybody_wrote_is_valid(records: list[ItemRecord]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        models = {"one": "m", "two": "a<b>&\x00\ufffe\n\"']]>"}
        runs = [run_folder(Path(folder) / name, records, model=model) for name, model in models.items()]
        JUnitReport().write(runs, path := Path(folder) / "o.xml")
        root = ElementTree.parse(path).getroot()
        hold(root)
        suites = root.findall("testsuite")
        assert [len(suite.findall("testcase")) for suite in suites] == [len(records)] * 4 * bool(records)
        for case, record in zip(suites[0].findall("testcase") if suites else [], records, strict=True):
            status = record.verdicts[0].status
            assert [child.tag for child in case] == {
                Status.CORRECT: [], Status.INCORRECT: ["failure"], Status.UNSCORED: ["error"]
            }[status]  # fmt: skip


def test_what_a_failure_tells(tmp_path: Path) -> None:
    records = [
        ItemRecord(
            "q<1>\n2",
            0,
            "shop",
            "Names & \x1b[2J numbers?",
            sql="SELECT a\nFROM t WHERE a < 1 ]]>",
            golds=(ExecutionRecord("SELECT b FROM t"),),
            verdicts=(
                VerdictRecord("m", Status.INCORRECT, 0.0, Reason.WRONG_ROWS, {"missing": [[1]], "extra": [["x"]]}),
            ),
            seconds=1.25,
        ),
        ItemRecord(
            "q2",
            1,
            "shop",
            "?",
            golds=(ExecutionRecord("SELECT nope", failure="unknown_column", message="no such column"),),
            verdicts=(VerdictRecord("m", Status.UNSCORED, 0.0, Reason.GOLD_FAILED),),
        ),
        ItemRecord("q3", 2, "shop", "?", verdicts=(VerdictRecord("m", Status.CORRECT, 1.0, Reason.MATCH),)),
    ]
    run = run_folder(tmp_path / "run", records)
    again = run_folder(tmp_path / "again", records)
    JUnitReport().write([run, again], path := tmp_path / "o.xml")
    root = ElementTree.parse(path).getroot()
    hold(root)
    suite, _ = root
    assert suite.attrib["name"] == "m · a@1 · sqlite · run · m"
    assert suite.attrib["time"] == "1.250000"
    wrong, broken, right = suite.findall("testcase")
    assert wrong.attrib == {"name": "q<1>\n2", "classname": "m · a@1 · sqlite · run · m.shop", "time": "1.250000"}
    assert wrong[0].attrib == {"message": "wrong rows", "type": "wrong_rows"}
    assert wrong[0].text == (
        "wrong rows\nquestion: Names & \\x1b[2J numbers?\n"
        "predicted: SELECT a\nFROM t WHERE a < 1 ]]>\n"
        "gold: SELECT b FROM t\nlacks rows: [[1]]\nextra rows: [['x']]"
    )
    assert (
        broken[0].text
        == "gold failed\nquestion: ?\npredicted: (no SQL)\ngold: SELECT nope\ngold failed: no such column"
    )
    assert len(right) == 0
    properties = {one.attrib["name"]: one.attrib["value"] for one in suite.iterfind("properties/property")}
    assert properties == {
        "run_id": "run",
        "status": "finished",
        "strategy": "m",
        "items": "3",
        "total": "3",
        "scored": "2",
        "correct": "1",
        "system_failures": "1",
        "instrument_failures": "1",
        "score": "0.500000",
        "interval_95": "0.094531 0.905469",
    }


def test_memory_stays_flat(tmp_path: Path) -> None:
    """Not what is kept of an item, 40 KB of SQL, but of its id."""
    verdict = VerdictRecord("m", Status.INCORRECT, 0.0, Reason.WRONG_ROWS)
    records = [ItemRecord(f"q{n}", n, "shop", "?", sql="x" * 40_000, verdicts=(verdict,)) for n in range(500)]
    run = run_folder(tmp_path / "run", records)
    del records
    JUnitReport().write([run], path := tmp_path / "o.xml")  # once, for what is imported
    tracemalloc.start()
    try:
        JUnitReport().write([run], path)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert path.stat().st_size > 20_000_000
    assert most < 4_000_000
