"""Each probe over tiny databases: fired, quiet, not applicable, on the real engines."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from database_backends.base import BACKENDS, CanBuild
from database_backends.result import Limits
from database_backends.runner import Runner
from evaluation.audit.auditor import Auditor
from evaluation.audit.base import Answer, Finding, Needs, Probe
from evaluation.audit.copies import ShuffledCopies
from evaluation.audit.probes import OURS, every_probe, probes_named
from evaluation.audit.report import AuditLine, probe_counts
from evaluation.audit.subject import Bench, Entry, Subject
from evaluation.databases import Databases
from evaluation.datasets.base import Question
from evaluation.datasets.opening import open_dataset
from sqlassay.errors import UnknownName

FIRED, QUIET, NOT = Answer.FIRED, Answer.QUIET, Answer.NOT_APPLICABLE
BOTH = ("sqlite", "duckdb")
SETUP = [
    "CREATE TABLE emp (id INTEGER PRIMARY KEY, name VARCHAR, dept VARCHAR, sal INTEGER, bonus DOUBLE, code VARCHAR)",
    "INSERT INTO emp VALUES (1, 'ann', 'eng', 100, 0.1, '9'), (2, 'bob', 'eng', 250, 0.2, '10'),"
    " (3, 'cat', 'hr', 90, 0.3, '100'), (4, 'dan', 'ops', 250, NULL, '2')",
    "CREATE TABLE log (what VARCHAR, n INTEGER)",
    "INSERT INTO log VALUES ('a', 1), ('b', 1), ('c', 1), ('a', 2), ('b', 2), ('c', 2)",
    "CREATE TABLE tenths (x DOUBLE)",
    "INSERT INTO tenths WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 500)"
    " SELECT n * n / 7.0 FROM t",
    "CREATE TABLE halves (x DOUBLE)",
    "INSERT INTO halves VALUES (0.5), (1.5), (2.25)",
    "CREATE TABLE years (y VARCHAR)",
    "INSERT INTO years VALUES ('2014'), ('2013'), (NULL)",
    "CREATE TABLE words (w VARCHAR)",
    "INSERT INTO words VALUES ('10'), ('nine'), ('eight')",
]
ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"
HOSTILE = [
    "SELECT " + "(" * 3000 + "1" + ")" * 3000,
    "SELECT " + "NOT " * 5000 + "1",
    "SELECT 1" + "+1" * 9000,
    "SELECT \ud800",
    "\0",
    "'",
]


@dataclass(frozen=True)
class Case:
    """A gold, and what a probe says of it."""

    probe: str
    answer: Answer
    gold: str
    question: str = "?"
    backends: tuple[str, ...] = BOTH
    reason: str = ""
    rows: list[list[object]] | None = field(default=None)


LIST = "Which departments are there?"
CASES = [
    Case("failing", FIRED, "SELECT nope FROM emp", reason="unknown column"),
    Case("failing", FIRED, "DROP TABLE emp", reason="write attempt"),
    Case("failing", FIRED, "SELECT 1; SELECT 2", reason="multiple statements"),
    Case("failing", QUIET, "SELECT 1"),
    Case("failing", QUIET, ENDLESS, reason="times out"),
    Case("timing_out", FIRED, ENDLESS, reason="stopped after"),
    Case("timing_out", QUIET, "SELECT 1"),
    Case("timing_out", QUIET, "SELECT nope"),
    Case("not_parsing", FIRED, "SELECT FROM WHERE"),
    Case("not_parsing", FIRED, "-- nothing"),
    Case("not_parsing", QUIET, "SELECT 1"),
    Case("not_parsing", QUIET, "SELECT nope FROM emp"),
    Case("not_parsing", QUIET, "DROP TABLE emp"),
    Case("empty", FIRED, "SELECT * FROM emp WHERE id > 9"),
    Case("empty", QUIET, "SELECT NULL"),
    Case("empty", NOT, "SELECT nope", reason="fails"),
    Case("empty", NOT, ENDLESS, reason="times out"),
    Case("empty", NOT, "SELECT a.id FROM emp a, emp b, emp c, emp d", reason="more than 100 rows"),
    Case("all_null", FIRED, "SELECT sum(sal), max(name) FROM emp WHERE id > 9", rows=[[None, None]]),
    Case("all_null", QUIET, "SELECT NULL, 1"),
    Case("all_null", NOT, "SELECT 1 WHERE 1 = 0", reason="no row"),
    Case("tie_at_limit", FIRED, "SELECT name FROM emp ORDER BY sal DESC LIMIT 1", reason="2 rows tie"),
    Case("tie_at_limit", FIRED, "SELECT name FROM emp ORDER BY dept LIMIT 9 OFFSET 1", reason="takes 1 of"),
    Case(
        "tie_at_limit",
        FIRED,
        "SELECT count(*) FROM emp WHERE name > (SELECT name FROM emp ORDER BY sal DESC LIMIT 1)",
        reason="inside it",
    ),
    Case(
        "tie_at_limit",
        FIRED,
        "WITH e AS (SELECT name, sal FROM emp) SELECT * FROM (SELECT name FROM e ORDER BY sal DESC LIMIT 1) AS t",
    ),
    Case("tie_at_limit", QUIET, "SELECT sal FROM emp ORDER BY sal DESC LIMIT 1"),
    Case("tie_at_limit", QUIET, "SELECT name FROM emp ORDER BY sal DESC LIMIT 2"),
    Case("tie_at_limit", QUIET, "SELECT name FROM emp ORDER BY sal LIMIT 1"),
    Case("tie_at_limit", NOT, "SELECT name FROM emp ORDER BY sal"),
    Case("tie_at_limit", NOT, "SELECT name FROM emp LIMIT 1"),
    Case(
        "tie_at_limit",
        NOT,
        "SELECT (SELECT b.id FROM emp b WHERE b.dept = a.dept ORDER BY b.sal LIMIT 1) FROM emp a",
        reason="executed alone",
    ),
    Case("tie_in_order", FIRED, "SELECT name FROM emp ORDER BY sal", reason="2 rows"),
    Case("tie_in_order", QUIET, "SELECT name FROM emp ORDER BY sal, name"),
    Case("tie_in_order", QUIET, "SELECT sal FROM emp ORDER BY sal"),
    Case("tie_in_order", NOT, "SELECT name FROM emp"),
    Case("tie_in_order", NOT, "SELECT count(*) FROM (SELECT name FROM emp ORDER BY sal) AS t"),
    Case("limit_without_order", FIRED, "SELECT name FROM emp LIMIT 2", reason="takes 2 of 4"),
    Case("limit_without_order", FIRED, "SELECT count(*) FROM (SELECT sal FROM emp LIMIT 1) AS t", reason="inside it"),
    Case("limit_without_order", QUIET, "SELECT max(sal) FROM emp LIMIT 1"),
    Case("limit_without_order", QUIET, "SELECT name FROM emp LIMIT 4"),
    Case("limit_without_order", NOT, "SELECT name FROM emp ORDER BY id LIMIT 2"),
    Case("limit_without_order", NOT, "SELECT name FROM emp WHERE EXISTS (SELECT 1 FROM log LIMIT 1)"),
    Case("clock", FIRED, "SELECT CURRENT_DATE", reason="CURRENT_DATE"),
    Case("clock", FIRED, "SELECT 1 WHERE EXISTS (SELECT current_timestamp)"),
    Case("clock", FIRED, "SELECT date('now', '-1 day')", backends=("sqlite",)),
    Case("clock", FIRED, "SELECT strftime('%Y', 'NOW') - 1", backends=("sqlite",)),
    Case("clock", FIRED, "SELECT julianday('now')", backends=("sqlite",)),
    Case("clock", FIRED, "SELECT datetime()", backends=("sqlite",)),
    Case("clock", FIRED, "SELECT now()", backends=("duckdb",)),
    Case("clock", FIRED, "SELECT today() - DATE '2020-01-01'", backends=("duckdb",)),
    Case("clock", FIRED, "SELECT age(TIMESTAMP '2020-01-01')", backends=("duckdb",)),
    Case("clock", QUIET, "SELECT age(TIMESTAMP '2021-01-01', TIMESTAMP '2020-01-01')", backends=("duckdb",)),
    Case("clock", QUIET, "SELECT date('2020-01-01')", backends=("sqlite",)),
    Case("clock", QUIET, "SELECT name FROM emp WHERE name = 'now' OR name = 'current_date'"),
    Case("clock", NOT, "SELECT FROM WHERE", reason="cannot read"),
    Case("randomness", FIRED, "SELECT random()"),
    Case("randomness", FIRED, "SELECT name FROM emp ORDER BY RANDOM() LIMIT 1"),
    Case("randomness", FIRED, "SELECT hex(randomblob(4))", backends=("sqlite",)),
    Case("randomness", FIRED, "SELECT * FROM emp USING SAMPLE 1", backends=("duckdb",)),
    Case("randomness", FIRED, "SELECT uuid()", backends=("duckdb",)),
    Case("randomness", QUIET, "SELECT 'random()' FROM emp"),
    Case("randomness", NOT, "SELECT FROM WHERE"),
    Case("unrepeatable", FIRED, "SELECT random()"),
    Case("unrepeatable", QUIET, "SELECT name FROM emp"),
    Case("unrepeatable", NOT, "SELECT nope"),
    Case("row_shuffle", FIRED, "SELECT what FROM log GROUP BY n HAVING count(*) > 1", backends=("sqlite",)),
    Case("row_shuffle", FIRED, "SELECT string_agg(what, '') FROM log", backends=("duckdb",)),
    Case("row_shuffle", FIRED, "SELECT group_concat(what, '') FROM log", backends=("sqlite",)),
    Case("row_shuffle", QUIET, "SELECT what, n FROM log ORDER BY n"),
    Case("row_shuffle", QUIET, "SELECT what FROM log LIMIT 2"),
    Case("row_shuffle", QUIET, "SELECT name FROM emp ORDER BY sal DESC LIMIT 1"),
    Case("row_shuffle", QUIET, "SELECT * FROM log"),
    Case("row_shuffle", QUIET, "SELECT group_concat(name, '') FROM emp", backends=("sqlite",)),
    Case("row_shuffle", NOT, "SELECT rowid, what FROM log", reason="row numbers"),
    Case("row_shuffle", NOT, "SELECT random()", reason="draws lots"),
    Case("row_shuffle", NOT, "SELECT nope"),
    Case("other_plan", FIRED, "SELECT group_concat(name, '') FROM emp", backends=("sqlite",)),
    Case("other_plan", FIRED, "SELECT first(name) FROM emp", backends=("duckdb",)),
    Case("other_plan", QUIET, "SELECT a.name FROM emp a JOIN emp b ON a.id = b.id ORDER BY a.sal"),
    Case("other_plan", NOT, "SELECT what FROM emp INDEXED BY nope", backends=("sqlite",)),
    Case("other_plan", NOT, "SELECT max(rowid) FROM emp", reason="row numbers"),
    Case("numeric_text", FIRED, "SELECT name FROM emp ORDER BY code LIMIT 2"),
    Case("numeric_text", FIRED, "SELECT code FROM emp ORDER BY code DESC"),
    Case("numeric_text", FIRED, "SELECT max(code) FROM emp", rows=[["9", "100"]]),
    Case("numeric_text", FIRED, "SELECT n, min(code) FROM emp, log WHERE id > 1 GROUP BY 1"),
    Case("numeric_text", FIRED, "SELECT name FROM emp WHERE code = (SELECT max(code) FROM emp)"),
    Case("numeric_text", QUIET, "SELECT y FROM years ORDER BY y"),
    Case("numeric_text", QUIET, "SELECT w FROM words ORDER BY w"),
    Case("numeric_text", QUIET, "SELECT name FROM emp ORDER BY CAST(code AS INTEGER)"),
    Case("numeric_text", QUIET, "SELECT max(sal), min(name) FROM emp"),
    Case("numeric_text", NOT, "SELECT code FROM emp"),
    Case("numeric_text", NOT, "SELECT code FROM emp, (SELECT 1 AS one ORDER BY 1) AS t"),
    Case("float_sum", FIRED, "SELECT sum(x) FROM tenths", backends=("duckdb",)),
    Case("float_sum", FIRED, "SELECT avg(x) + 0.1 FROM tenths", backends=("duckdb",)),
    Case("float_sum", QUIET, "SELECT sum(x) FROM halves"),
    Case("float_sum", NOT, "SELECT sum(sal) FROM emp", reason="no float"),
    Case("float_sum", NOT, "SELECT bonus FROM emp", reason="adds nothing"),
    Case("duplicate_rows", FIRED, "SELECT dept FROM emp", LIST, rows=[["eng", 2]]),
    Case("duplicate_rows", FIRED, "SELECT dept FROM emp UNION ALL SELECT 'x'", "List all departments."),
    Case("duplicate_rows", QUIET, "SELECT name FROM emp", "What are the names of the employees?"),
    Case("duplicate_rows", NOT, "SELECT DISTINCT dept FROM emp", LIST, reason="DISTINCT"),
    Case("duplicate_rows", NOT, "SELECT dept FROM emp UNION SELECT 'x'", LIST, reason="DISTINCT"),
    Case("duplicate_rows", NOT, "SELECT dept FROM emp", "Departments?", reason="does not list"),
    Case("duplicate_rows", NOT, "SELECT count(*) FROM emp GROUP BY dept", "Find the number of staff per department."),
]


@dataclass(frozen=True)
class Place:
    """The tiny databases, and who runs golds on them."""

    folder: Path
    runner: Runner

    def bench(self, backend: str, **changes: object) -> Bench:
        copies = ShuffledCopies(
            BACKENDS.get(backend),
            self.folder / f"copies{len(list(self.folder.iterdir()))}",
            megabytes=int(str(changes.get("megabytes", 64))),
        )
        return Bench(BACKENDS.get(backend), self.runner, Limits(seconds=0.5, rows=100, megabytes=256), copies)

    def subject(self, gold: str | None, backend: str = "sqlite", question: str = "?", **changes: object) -> Subject:
        target = str(self.folder / f"tiny.{backend}")
        return Subject(Entry(0, Question("q", question, "tiny")), 1, gold, target, self.bench(backend, **changes))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("tiny")
    for backend in BOTH:
        engine = BACKENDS.get(backend)
        assert issubclass(engine, CanBuild)
        engine.build(str(folder / f"tiny.{backend}"), SETUP)
    with Runner(1, megabytes=512) as runner:
        yield Place(folder, runner)


def ask(name: str, subject: Subject) -> Finding:
    (probe,) = probes_named([name])
    return asyncio.run(probe().answer(subject))


@pytest.mark.parametrize(
    ("case", "backend"),
    [
        pytest.param(case, backend, id=f"{case.probe}-{case.answer}-{number}-{backend}")
        for number, case in enumerate(CASES)
        for backend in case.backends
    ],
)
def test_what_a_probe_says(case: Case, backend: str, place: Place) -> None:
    finding = ask(case.probe, place.subject(case.gold, backend, case.question))
    assert (finding.answer, "probe failed" in finding.reason) == (case.answer, False), finding
    assert case.reason in finding.reason
    assert finding.reason
    if case.answer is FIRED:
        assert finding.sql
    if case.rows is not None:
        assert list(finding.rows) == case.rows


def test_every_probe_is_in_the_table_with_all_its_answers() -> None:
    seen = {(case.probe, case.answer) for case in CASES}
    for probe in every_probe():
        if probe.needs is not Needs.QUESTION:
            wanted = {FIRED, QUIET} if probe.needs in (Needs.OUTCOME, Needs.GOLD) else {FIRED, QUIET, NOT}
            assert {answer for name, answer in seen if name == probe.name} >= wanted, probe.name
    assert {probe.name for probe in every_probe() if probe.fatal} == {
        "duplicate_id",
        "not_parsing",
        "failing",
        "timing_out",
        "randomness",
        "unrepeatable",
    }
    assert [probe.name for probe in every_probe()][: len(OURS)] == list(OURS)
    assert all(probe.description and probe.name for probe in every_probe())


@pytest.mark.parametrize("probe", [probe.name for probe in every_probe() if probe.needs is not Needs.QUESTION])
def test_without_a_gold_or_a_database_nothing_applies(probe: str, place: Place) -> None:
    assert ask(probe, place.subject(None)).reason == "the question has no gold statement"
    subject = place.subject("SELECT count(*) FROM emp")
    subject.target = None
    finding = ask(probe, subject)
    if probe in ("clock", "randomness", "not_parsing"):
        assert finding.answer is QUIET
    else:
        assert (finding.answer, finding.reason) == (NOT, "its database is not there")
    broken = place.folder / "broken.db"
    broken.write_bytes(b"not a database" * 100)
    subject = place.subject("SELECT count(*) FROM emp")
    subject.target = str(broken)
    if probe not in ("clock", "randomness", "not_parsing"):
        assert ask(probe, subject).reason.startswith("its database cannot be used")


@pytest.mark.parametrize("probe", [probe.name for probe in every_probe()])
@pytest.mark.parametrize("gold", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_golds_end_as_an_answer(probe: str, gold: str, place: Place) -> None:
    assert isinstance(ask(probe, place.subject(gold, question="List them.")).answer, Answer)


def test_a_probe_that_raises_does_not_end_the_audit(place: Place) -> None:
    class Broken(Probe):
        name = "broken"
        description = "nothing"
        needs = Needs.GOLD

        async def examine(self, subject: Subject) -> Finding:
            raise ValueError("oh")

    finding = asyncio.run(Broken().answer(place.subject("SELECT 1")))
    assert (finding.answer, finding.reason) == (NOT, "the probe failed: ValueError: oh")


def test_a_large_database_is_not_copied(place: Place) -> None:
    finding = ask("row_shuffle", place.subject("SELECT * FROM log", megabytes=0))
    assert (finding.answer, "larger than 0 MiB" in finding.reason) == (NOT, True)


def test_the_original_is_left_alone(place: Place) -> None:
    before = (place.folder / "tiny.sqlite").read_bytes()
    assert ask("other_plan", place.subject("SELECT * FROM log")).answer is QUIET
    assert (place.folder / "tiny.sqlite").read_bytes() == before


def test_a_tie_shows_the_rows_that_tie(place: Place) -> None:
    finding = ask("tie_at_limit", place.subject("SELECT name FROM emp ORDER BY sal DESC LIMIT 1"))
    assert sorted(row[:2] for row in finding.rows) == [["bob", 250], ["dan", 250]]
    assert finding.sql is not None
    assert "RANK()" in finding.sql


def test_a_difference_shows_both_executions(place: Place) -> None:
    finding = ask("other_plan", place.subject("SELECT group_concat(name, '') FROM emp"))
    assert [row[0] for row in finding.rows] == ["first", "then"]
    assert finding.rows[0][1] == "annbobcatdan"


QUESTIONS = [
    Question("1", "How many?", "tiny", ("SELECT 1",)),
    Question("2", "how  many", "tiny", ("SELECT 2",)),
    Question("3", "How many?", "other", ("SELECT 1",)),
    Question("1", "Who?", "tiny", ("SELECT 1", "SELECT 1 WHERE 1 = 0")),
    Question("5", "And now?", "tiny", ("SELECT 1",), turn=1),
    Question("6", "And now?", "tiny", (), turn=1),
    Question("7", "x > 3?", "tiny", ("SELECT 1",)),
    Question("8", "x < 3?", "tiny", ("SELECT 1",)),
    Question("9", "Who?", "tiny", ("SELECT 1", "SELECT 1 WHERE 1 = 0")),
]


def test_questions_beside_each_other(place: Place, tmp_path: Path) -> None:
    (tmp_path / "q.jsonl").write_text("")
    databases = Databases(open_dataset(f"jsonl:{tmp_path / 'q.jsonl'}", databases=place.folder), "sqlite")
    probes = [made() for made in probes_named(["duplicate_id", "duplicate_question", "empty"])]
    entries = [Entry(position, question) for position, question in enumerate(QUESTIONS)]
    lines: list[AuditLine] = []
    asyncio.run(Auditor(databases, place.bench("sqlite"), probes, 3).run(entries, entries, lines.extend))
    fired = {(line.position, line.gold, line.probe): line for line in lines if line.answer is FIRED}
    assert sorted(fired) == [
        (0, 1, "duplicate_id"),
        (0, 1, "duplicate_question"),
        (1, 1, "duplicate_question"),
        (3, 1, "duplicate_id"),
        (3, 1, "duplicate_question"),
        (3, 2, "empty"),
        (8, 1, "duplicate_question"),
        (8, 2, "empty"),
    ]
    assert fired[0, 1, "duplicate_id"].reason == "position 0 and 3 have the id 1"
    assert fired[0, 1, "duplicate_question"].reason == "also asked as 2, with another gold"
    assert fired[8, 1, "duplicate_question"].reason == "also asked as 1, with the same gold"
    counts = {count.name: (count.fired, count.quiet, count.not_applicable) for count in probe_counts(probes, lines)}
    assert counts == {"duplicate_id": (2, 7, 0), "duplicate_question": (4, 3, 2), "empty": (2, 7, 2)}
    third = next(line for line in lines if line.position == 2 and line.probe == "empty")
    assert third.reason == "its database is not there"


def test_an_unknown_probe_is_a_mistake() -> None:
    with pytest.raises(UnknownName, match="empty"):
        probes_named(["emty"])
