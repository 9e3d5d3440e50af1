"""Order and limits under the default convention, executed on the real engines."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from database_backends.base import BACKENDS, CanBuild
from database_backends.result import Limits
from database_backends.runner import Runner
from evaluation.settle import settle
from evaluation.strategies.making import make_strategy
from evaluation.verdicts import Reason

SETUP = """
CREATE TABLE emp (id INTEGER, name VARCHAR, dept VARCHAR, sal DOUBLE PRECISION);
INSERT INTO emp VALUES (1, 'ann', 'eng', 100), (2, 'bob', 'eng', 250), (3, 'cat', 'hr', 90), (4, 'dan', 'ops', 250),
  (5, 'eve', 'ops', NULL);
CREATE TABLE twin (name VARCHAR, n INTEGER);
INSERT INTO twin VALUES ('x', 1), ('x', 1), ('x', 1), ('y', 0);
CREATE TABLE noise (name VARCHAR, v DOUBLE PRECISION);
CREATE TABLE pair (a INTEGER, b INTEGER);
INSERT INTO pair VALUES (1, 2), (2, 1);
CREATE TABLE steps (name VARCHAR, v DOUBLE PRECISION);
INSERT INTO steps VALUES ('a', 1600000000.5), ('b', 1600001200.5), ('c', 1600002400.5), ('d', 1600003600.5);
INSERT INTO noise VALUES ('a', 0.3), ('b', 0.1 + 0.2), ('c', 0.5);
CREATE TABLE many (n INTEGER, half INTEGER);
INSERT INTO many WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < 9999) SELECT i, i % 2 FROM c;
CREATE TABLE mixed (t VARCHAR);
INSERT INTO mixed VALUES ('2020-01-01'), ('soon');
"""
ENGINES = ("sqlite", "duckdb")
MATCH, AMBIGUOUS, WRONG_ORDER = Reason.MATCH, Reason.MATCH_AMBIGUOUS, Reason.WRONG_ORDER

PAIRS = {
    "the same order": ("SELECT name FROM emp ORDER BY id", "SELECT name FROM emp ORDER BY name", MATCH),
    "no order": ("SELECT name FROM emp ORDER BY id DESC", "SELECT name FROM emp", WRONG_ORDER),
    "the other direction": ("SELECT name FROM emp ORDER BY id", "SELECT name FROM emp ORDER BY id DESC", WRONG_ORDER),
    "order that is not asked for": ("SELECT name FROM emp", "SELECT name FROM emp ORDER BY id DESC", MATCH),
    "ties in any order": (
        "SELECT name, sal FROM emp WHERE sal > 0 ORDER BY sal DESC",
        "SELECT name, sal FROM emp WHERE sal > 0 ORDER BY sal DESC, name DESC",
        MATCH,
    ),
    "a key that is not returned": (
        "SELECT name FROM emp WHERE sal > 0 ORDER BY sal DESC",
        "SELECT name FROM emp WHERE sal > 0 ORDER BY sal DESC, name DESC",
        MATCH,
    ),
    "a key that is not returned, wrongly ordered": (
        "SELECT name FROM emp WHERE sal > 0 ORDER BY sal DESC",
        "SELECT name FROM emp WHERE sal > 0 ORDER BY name",
        WRONG_ORDER,
    ),
    "an expression as key": (
        "SELECT name FROM emp WHERE sal > 0 ORDER BY sal * -1, name",
        "SELECT name FROM emp WHERE sal > 0 ORDER BY sal DESC, name",
        MATCH,
    ),
    "a position as key": (
        "SELECT id, name FROM emp ORDER BY 2 DESC",
        "SELECT id, name FROM emp ORDER BY id DESC",
        MATCH,
    ),
    "an alias as key": (
        "SELECT dept, COUNT(*) AS n FROM emp GROUP BY dept ORDER BY n DESC",
        "SELECT dept, COUNT(*) AS n FROM emp GROUP BY dept ORDER BY n DESC, dept DESC",
        MATCH,
    ),
    "an aggregate as key": (
        "SELECT dept FROM emp GROUP BY dept ORDER BY COUNT(*) DESC",
        "SELECT dept FROM emp GROUP BY dept ORDER BY COUNT(*) DESC, dept DESC",
        MATCH,
    ),
    "an aggregate as key, wrongly ordered": (
        "SELECT dept FROM emp GROUP BY dept ORDER BY COUNT(*) DESC",
        "SELECT dept FROM emp GROUP BY dept ORDER BY COUNT(*)",
        WRONG_ORDER,
    ),
    "order with columns swapped": (
        "SELECT id, name FROM emp ORDER BY name DESC",
        "SELECT name, id FROM emp ORDER BY id DESC",
        MATCH,
    ),
    "order with columns renamed and swapped": (
        "SELECT id AS a, name AS b FROM emp ORDER BY name DESC",
        "SELECT name AS c, id AS d FROM emp ORDER BY id DESC",
        MATCH,
    ),
    "order of a subquery": (
        "SELECT name FROM emp WHERE dept IN (SELECT dept FROM emp ORDER BY sal DESC LIMIT 3)",
        "SELECT name FROM emp WHERE dept IN (SELECT dept FROM emp ORDER BY sal DESC LIMIT 3) ORDER BY id DESC",
        MATCH,
    ),
    "order of a window": (
        "SELECT name, ROW_NUMBER() OVER (ORDER BY id) AS r FROM emp",
        "SELECT name, id AS r FROM emp ORDER BY id DESC",
        MATCH,
    ),
    "the words in a literal": (
        "SELECT name FROM emp WHERE name <> 'order by'",
        "SELECT name FROM emp ORDER BY id DESC",
        MATCH,
    ),
    "the trailing order of a union": (
        "SELECT name FROM emp WHERE id < 3 UNION SELECT name FROM emp WHERE id >= 3 ORDER BY name DESC",
        "SELECT name FROM emp ORDER BY name",
        WRONG_ORDER,
    ),
    "a union in the right order": (
        "SELECT name FROM emp WHERE id < 3 UNION SELECT name FROM emp WHERE id >= 3 ORDER BY 1 DESC",
        "SELECT name FROM emp ORDER BY id DESC",
        MATCH,
    ),
    "order after CTEs": (
        "WITH e AS (SELECT * FROM emp) SELECT name FROM e ORDER BY id DESC",
        "SELECT name FROM emp ORDER BY id",
        WRONG_ORDER,
    ),
    "order of everything": (
        "SELECT * FROM emp ORDER BY dept",
        "SELECT * FROM emp ORDER BY dept, id DESC",
        MATCH,
    ),
    "distinct, by what it returns": (
        "SELECT DISTINCT dept FROM emp ORDER BY dept",
        "SELECT dept FROM emp GROUP BY dept ORDER BY dept DESC",
        WRONG_ORDER,
    ),
    "keys that are equal within tolerance tie": (
        "SELECT name FROM noise ORDER BY v",
        "SELECT name FROM noise ORDER BY v > 0.4, name DESC",
        MATCH,
    ),
    "a tie at the limit": (
        "SELECT name FROM emp WHERE sal > 0 ORDER BY sal DESC LIMIT 1",
        "SELECT name FROM emp WHERE sal > 0 ORDER BY sal DESC, id DESC LIMIT 1",
        AMBIGUOUS,
    ),
    "a tie at the limit, the gold's own choice": (
        "SELECT name FROM emp WHERE sal > 0 ORDER BY sal DESC LIMIT 1",
        "SELECT name FROM emp WHERE sal > 0 ORDER BY sal DESC LIMIT 1",
        AMBIGUOUS,
    ),
    "a tie at the limit, other names": (
        "SELECT name, id FROM emp WHERE sal > 0 ORDER BY sal DESC LIMIT 1",
        "SELECT id AS i, name AS n FROM emp WHERE sal > 0 ORDER BY sal DESC, id DESC LIMIT 1",
        AMBIGUOUS,
    ),
    "a choice that is not legal": (
        "SELECT name FROM emp WHERE sal > 0 ORDER BY sal DESC LIMIT 1",
        "SELECT name FROM emp WHERE sal > 0 ORDER BY sal LIMIT 1",
        Reason.WRONG_ROWS,
    ),
    "the whole tie where one row is asked for": (
        "SELECT name FROM emp WHERE sal > 0 ORDER BY sal DESC LIMIT 1",
        "SELECT name FROM emp WHERE sal = (SELECT MAX(sal) FROM emp)",
        Reason.EXTRA_ROWS,
    ),
    "a limit that cuts no tie": (
        "SELECT name FROM emp ORDER BY id LIMIT 2",
        "SELECT name FROM emp WHERE id <= 2 ORDER BY id",
        MATCH,
    ),
    "a limit that cuts no tie, unordered": (
        "SELECT name FROM emp ORDER BY id LIMIT 2",
        "SELECT name FROM emp WHERE id <= 2 ORDER BY id DESC",
        WRONG_ORDER,
    ),
    "a limit beyond the end": (
        "SELECT name FROM emp ORDER BY id LIMIT 99",
        "SELECT name FROM emp ORDER BY name",
        MATCH,
    ),
    "an offset": (
        "SELECT name FROM emp ORDER BY id LIMIT 2 OFFSET 1",
        "SELECT name FROM emp WHERE id IN (2, 3) ORDER BY id",
        MATCH,
    ),
    "a tie at the offset": (
        "SELECT id FROM emp WHERE sal > 0 ORDER BY sal DESC LIMIT 2 OFFSET 1",
        "SELECT id FROM emp WHERE sal > 0 ORDER BY sal DESC, id DESC LIMIT 2 OFFSET 1",
        AMBIGUOUS,
    ),
    "rows that tie and are alike leave no choice": (
        "SELECT name FROM twin ORDER BY n DESC LIMIT 2",
        "SELECT name FROM twin WHERE n = 1 LIMIT 2",
        MATCH,
    ),
    "a limit without order": (
        "SELECT name FROM emp LIMIT 2",
        "SELECT name FROM emp ORDER BY id DESC LIMIT 2",
        AMBIGUOUS,
    ),
    "a limit without order, rows from elsewhere": (
        "SELECT name FROM emp LIMIT 2",
        "SELECT dept FROM emp ORDER BY id DESC LIMIT 2",
        Reason.WRONG_ROWS,
    ),
    "a limit without order, too many": (
        "SELECT name FROM emp LIMIT 2",
        "SELECT name FROM emp ORDER BY id LIMIT 3",
        Reason.EXTRA_ROWS,
    ),
    "a limit of all": ("SELECT name FROM emp LIMIT 5", "SELECT name FROM emp ORDER BY id DESC", MATCH),
    "the right values in the wrong order under swapped names": (
        "SELECT a, b FROM pair ORDER BY a",
        "SELECT b, a FROM pair ORDER BY b",
        WRONG_ORDER,
    ),
    "a position beside a star, and another key": (
        "SELECT * FROM twin ORDER BY 2, name || 'x'",
        "SELECT * FROM twin ORDER BY n DESC",
        WRONG_ORDER,
    ),
    "an offset that is reckoned": (
        "SELECT name FROM emp ORDER BY id LIMIT 2 OFFSET 0+1",
        "SELECT name FROM emp ORDER BY id LIMIT 2 OFFSET 1",
        MATCH,
    ),
    "an offset that is asked for": (
        "SELECT name FROM emp ORDER BY sal NULLS FIRST LIMIT 1 OFFSET (SELECT COUNT(*) - 1 FROM emp)",
        "SELECT name FROM emp WHERE sal > 0 ORDER BY sal DESC, name LIMIT 1",
        AMBIGUOUS,
    ),
    "an offset that is asked for, another row": (
        "SELECT name FROM emp ORDER BY sal NULLS FIRST LIMIT 1 OFFSET (SELECT COUNT(*) - 1 FROM emp)",
        "SELECT name FROM emp WHERE sal > 0 ORDER BY sal LIMIT 1",
        Reason.WRONG_ROWS,
    ),
    "a limit that is reckoned": (
        "SELECT name FROM emp ORDER BY id LIMIT 1 + 1",
        "SELECT name FROM emp WHERE id < 3 ORDER BY id DESC",
        WRONG_ORDER,
    ),
    "distinct of everything": (
        "SELECT DISTINCT * FROM pair ORDER BY b",
        "SELECT * FROM pair ORDER BY a",
        WRONG_ORDER,
    ),
    "distinct of everything, of a table": (
        "SELECT DISTINCT p.* FROM pair p ORDER BY p.b DESC LIMIT 1",
        "SELECT * FROM pair WHERE a = 1",
        MATCH,
    ),
    "a union of everything": (
        "SELECT * FROM pair UNION SELECT * FROM pair ORDER BY b",
        "SELECT * FROM pair ORDER BY a",
        WRONG_ORDER,
    ),
    "a name that the query qualifies": (
        "SELECT DISTINCT name FROM emp e ORDER BY e.name DESC",
        "SELECT name FROM emp ORDER BY name",
        WRONG_ORDER,
    ),
    "NULLs first": (
        "SELECT name FROM emp ORDER BY sal NULLS FIRST LIMIT 1",
        "SELECT name FROM emp ORDER BY sal NULLS LAST LIMIT 1",
        Reason.WRONG_ROWS,
    ),
    "an alias that is another column's name": (
        "SELECT name AS id, id AS name FROM emp ORDER BY id DESC",
        "SELECT name AS id, id AS name FROM emp ORDER BY emp.id",
        WRONG_ORDER,
    ),
    "dates among other text at a limit": (
        "SELECT t FROM mixed LIMIT 1",
        "SELECT t FROM mixed ORDER BY t DESC LIMIT 1",
        AMBIGUOUS,
    ),
    "an alias within an expression": (
        "SELECT name, id * 2 AS twice FROM emp ORDER BY -twice",
        "SELECT name, id * 2 AS twice FROM emp ORDER BY id",
        WRONG_ORDER,
    ),
    "an alias within an expression, in order": (
        "SELECT name, id * 2 AS twice FROM emp ORDER BY abs(twice) DESC LIMIT 2",
        "SELECT name, id * 2 AS twice FROM emp WHERE id > 3 ORDER BY id DESC",
        MATCH,
    ),
    "a window as key": (
        "SELECT name FROM emp ORDER BY RANK() OVER (ORDER BY id DESC)",
        "SELECT name FROM emp ORDER BY id",
        WRONG_ORDER,
    ),
    "a window beside a key that is not returned": (
        "SELECT name, ROW_NUMBER() OVER (PARTITION BY dept ORDER BY id) AS r FROM emp ORDER BY dept, id",
        "SELECT name, ROW_NUMBER() OVER (PARTITION BY dept ORDER BY id) AS r FROM emp ORDER BY dept DESC, id",
        WRONG_ORDER,
    ),
    "small steps are no tie": (
        "SELECT name FROM steps ORDER BY v DESC LIMIT 1",
        "SELECT name FROM steps ORDER BY v LIMIT 1",
        Reason.WRONG_ROWS,
    ),
    "a tie at the limit of a derived table": (
        "SELECT t.name FROM (SELECT name, sal FROM emp WHERE sal > 0 ORDER BY sal DESC LIMIT 1) AS t",
        "SELECT name FROM emp WHERE sal > 0 ORDER BY sal DESC, id DESC LIMIT 1",
        AMBIGUOUS,
    ),
    "a derived table, a choice that is not legal": (
        "SELECT t.name FROM (SELECT name, sal FROM emp WHERE sal > 0 ORDER BY sal DESC LIMIT 1) AS t",
        "SELECT name FROM emp WHERE sal > 0 ORDER BY sal LIMIT 1",
        Reason.WRONG_ROWS,
    ),
    "a derived table that cuts no tie, in another order": (
        "SELECT t.name FROM (SELECT name, id FROM emp ORDER BY id LIMIT 3) AS t",
        "SELECT name FROM emp WHERE id <= 3 ORDER BY id DESC",
        MATCH,
    ),
    "a derived table that cuts a tie, in another order": (
        "SELECT t.name FROM (SELECT name FROM emp WHERE sal < 300 ORDER BY sal LIMIT 3) AS t",
        "SELECT name FROM emp WHERE id IN (1, 3, 4) ORDER BY id DESC",
        AMBIGUOUS,
    ),
    "a derived table, without a row that must be there": (
        "SELECT t.name FROM (SELECT name FROM emp WHERE sal < 300 ORDER BY sal LIMIT 3) AS t",
        "SELECT name FROM emp WHERE id IN (2, 3, 4)",
        Reason.WRONG_ROWS,
    ),
    "a derived table by the position and the alias of its keys": (
        "SELECT n FROM (SELECT dept AS d, name AS n FROM emp ORDER BY 1, n DESC LIMIT 2 OFFSET 1) AS t",
        "SELECT name FROM emp WHERE name IN ('ann', 'cat')",
        MATCH,
    ),
    "a derived table of everything": (
        "SELECT name FROM (SELECT *, -id AS less FROM emp ORDER BY less, sal LIMIT 2) AS t",
        "SELECT name FROM emp WHERE id > 3",
        MATCH,
    ),
    "everything of a derived table": (
        "SELECT * FROM (SELECT id, name FROM emp WHERE sal > 0 ORDER BY sal DESC LIMIT 1) AS t",
        "SELECT id, name FROM emp WHERE id = 4",
        AMBIGUOUS,
    ),
    "everything of a derived table, by its name": (
        "SELECT t.* FROM (SELECT id, name FROM emp WHERE sal > 0 ORDER BY sal DESC LIMIT 1) AS t",
        "SELECT id, name FROM emp WHERE id = 4",
        AMBIGUOUS,
    ),
    "an expression over a derived table": (
        "SELECT upper(name) || '!' AS loud FROM (SELECT name FROM emp WHERE sal > 0 ORDER BY sal DESC LIMIT 1) AS t",
        "SELECT 'DAN!' AS loud",
        AMBIGUOUS,
    ),
    "a derived table without order": (
        "SELECT name FROM (SELECT * FROM emp LIMIT 2) AS t",
        "SELECT name FROM emp ORDER BY id DESC LIMIT 2",
        AMBIGUOUS,
    ),
    "a derived table that is a union": (
        "SELECT n FROM (SELECT id AS n, dept FROM emp UNION SELECT n, name FROM twin ORDER BY dept DESC LIMIT 2) AS t",
        "SELECT 0 UNION ALL SELECT 1 ORDER BY 1 DESC",
        MATCH,
    ),
    "a derived table that is distinct": (
        "SELECT upper(dept) FROM (SELECT DISTINCT dept FROM emp ORDER BY dept DESC LIMIT 2) AS t",
        "SELECT 'HR' UNION ALL SELECT 'OPS'",
        MATCH,
    ),
    "a derived table of another": (
        "SELECT name FROM (SELECT name FROM (SELECT * FROM emp WHERE sal > 0 ORDER BY sal DESC LIMIT 1) AS t) AS u",
        "SELECT 'dan'",
        AMBIGUOUS,
    ),
    "a common table that is used once": (
        "WITH b AS (SELECT 0 AS low), t AS (SELECT name, sal FROM emp, b WHERE sal > low ORDER BY sal DESC LIMIT 1)"
        " SELECT name FROM t",
        "SELECT 'dan'",
        AMBIGUOUS,
    ),
    "a common table that is used twice": (
        "WITH t AS (SELECT name, sal FROM emp WHERE sal > 0 ORDER BY sal DESC LIMIT 1)"
        " SELECT name, (SELECT COUNT(*) FROM t) FROM t",
        "SELECT name, 1 FROM (SELECT name FROM emp WHERE sal > 0 ORDER BY sal DESC LIMIT 1) AS t",
        MATCH,
    ),
    "an order within a derived table alone": (
        "SELECT name FROM (SELECT name FROM emp ORDER BY id) AS t",
        "SELECT name FROM emp ORDER BY name DESC",
        MATCH,
    ),
    "more than a cut of a derived table": (
        "SELECT COUNT(*) FROM (SELECT name FROM emp ORDER BY sal LIMIT 2) AS t WHERE name <> 'bob'",
        "SELECT 2",
        MATCH,
    ),
    "both empty": (
        "SELECT name FROM emp WHERE id > 9 ORDER BY id",
        "SELECT 1 FROM emp WHERE id > 9",
        Reason.MATCH_VACUOUS,
    ),
}


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with Runner(1, megabytes=1024) as runner:
        yield runner


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    made = {}
    for engine in ENGINES:
        backend = BACKENDS.get(engine)
        assert issubclass(backend, CanBuild)
        path = Path(tmp_path_factory.mktemp("order")) / f"emp{backend.file_suffixes[0]}"
        backend.build(str(path), [SETUP])
        made[engine] = f"{engine}:{path}"
    return made


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", PAIRS)
def test_order(name: str, engine: str, runner: Runner, databases: dict[str, str]) -> None:
    gold, predicted, reason = PAIRS[name]
    strategy = make_strategy("execution_match")
    settled = asyncio.run(settle(runner, databases[engine], [gold], predicted, [strategy]))
    assert settled.verdicts["execution_match"].reason is reason


def test_a_key_that_cannot_be_computed_is_left_out_and_flagged(runner: Runner, databases: dict[str, str]) -> None:
    """Only SQLite takes a key that DISTINCT has thrown away."""
    gold = "SELECT DISTINCT dept FROM emp ORDER BY sal"
    settled = asyncio.run(
        settle(
            runner,
            databases["sqlite"],
            [gold],
            "SELECT dept FROM emp GROUP BY dept",
            [make_strategy("execution_match")],
        )
    )
    assert settled.verdicts["execution_match"].reason is AMBIGUOUS


@pytest.mark.parametrize(
    ("gold", "predicted", "reason"),
    [
        (
            "SELECT name FROM twin ORDER BY name COLLATE NOCASE",
            "SELECT name FROM twin ORDER BY name DESC",
            WRONG_ORDER,
        ),
        (
            "SELECT upper(name) AS u FROM twin UNION ALL SELECT name FROM twin ORDER BY u COLLATE NOCASE",
            "SELECT u FROM (SELECT upper(name) u FROM twin UNION ALL SELECT name FROM twin) ORDER BY u COLLATE NOCASE",
            MATCH,
        ),
    ],
)
def test_collations_decide_what_ties(
    gold: str, predicted: str, reason: Reason, runner: Runner, databases: dict[str, str]
) -> None:
    strategy = make_strategy("execution_match")
    settled = asyncio.run(settle(runner, databases["sqlite"], [gold], predicted, [strategy]))
    assert settled.verdicts["execution_match"].reason is reason


@pytest.mark.parametrize(
    ("engine", "gold", "predicted", "reason"),
    [
        ("duckdb", "SELECT id FROM emp ORDER BY ALL", "SELECT id FROM emp ORDER BY id DESC", WRONG_ORDER),
        ("duckdb", "SELECT id FROM emp ORDER BY ALL DESC", "SELECT id FROM emp ORDER BY id DESC", MATCH),
        (
            "sqlite",
            "SELECT a AS x FROM pair UNION SELECT a + b AS y FROM pair ORDER BY y DESC",
            "SELECT a AS x FROM pair UNION SELECT a + b FROM pair ORDER BY 1",
            WRONG_ORDER,
        ),
        (
            "sqlite",
            "SELECT DISTINCT dept FROM emp ORDER BY dept = 'hr' DESC, dept",
            "SELECT DISTINCT dept FROM emp ORDER BY dept",
            WRONG_ORDER,
        ),
        ("sqlite", "SELECT n FROM twin ORDER BY n LIMIT 2 OFFSET -1", "SELECT 0 UNION ALL SELECT 1 ORDER BY 1", MATCH),
        (
            "duckdb",
            "SELECT a FROM pair UNION ALL SELECT a + b FROM pair ORDER BY -a",
            "SELECT a FROM pair UNION ALL SELECT a + b FROM pair ORDER BY a",
            WRONG_ORDER,
        ),
        (
            "duckdb",
            "SELECT DISTINCT ON (dept) name FROM emp ORDER BY dept DESC, sal DESC NULLS LAST",
            "SELECT name FROM emp WHERE id IN (2, 3, 4) ORDER BY id DESC",
            MATCH,
        ),
        (
            "duckdb",
            "SELECT DISTINCT ON (dept) name FROM emp ORDER BY dept DESC, sal DESC NULLS LAST",
            "SELECT name FROM emp WHERE id IN (2, 3, 4) ORDER BY id",
            WRONG_ORDER,
        ),
        ("duckdb", "(SELECT id FROM emp) ORDER BY id", "SELECT id FROM emp ORDER BY id DESC", WRONG_ORDER),
        ("duckdb", "(SELECT id FROM emp ORDER BY sal) LIMIT 1", "SELECT 3", MATCH),
        ("duckdb", "VALUES (2), (1) ORDER BY 1", "VALUES (2), (1)", WRONG_ORDER),
        ("duckdb", "FROM emp ORDER BY id LIMIT 20%", "SELECT * FROM emp WHERE id = 1", MATCH),
        ("duckdb", "SELECT id FROM emp ORDER BY id LIMIT ALL", "SELECT id FROM emp ORDER BY id DESC", WRONG_ORDER),
        ("duckdb", "SELECT id FROM emp ORDER BY id FETCH FIRST 2 ROWS ONLY", "VALUES (2), (1)", WRONG_ORDER),
        (
            "duckdb",
            "SELECT name FROM (SELECT DISTINCT ON (dept) * FROM emp ORDER BY dept DESC, sal DESC NULLS LAST LIMIT 2)",
            "SELECT name FROM emp WHERE id IN (3, 4) ORDER BY id",
            MATCH,
        ),
        ("duckdb", "FROM (FROM emp WHERE sal > 0 ORDER BY sal DESC LIMIT 1)", "FROM emp WHERE id = 4", AMBIGUOUS),
        ("duckdb", "SELECT * EXCLUDE (id, dept, sal) FROM (FROM emp ORDER BY id LIMIT 1)", "SELECT 'ann'", MATCH),
        (
            "duckdb",
            "SELECT unnest([name, name]) FROM (SELECT name FROM emp WHERE sal > 0 ORDER BY sal DESC LIMIT 1)",
            "VALUES ('bob'), ('dan')",
            Reason.WRONG_ROWS,
        ),
        (
            "sqlite",
            "SELECT t FROM (SELECT t FROM (SELECT 'x' t UNION ALL SELECT 'Y') ORDER BY t COLLATE NOCASE DESC LIMIT 1)",
            "SELECT 'Y'",
            MATCH,
        ),
        (
            "sqlite",
            "SELECT DISTINCT dept FROM emp WHERE sal > 0 ORDER BY sal DESC LIMIT 1",
            "SELECT dept FROM emp WHERE sal > 0 ORDER BY sal LIMIT 1",
            Reason.WRONG_ROWS,
        ),
    ],
)
def test_one_engine_only(
    engine: str, gold: str, predicted: str, reason: Reason, runner: Runner, databases: dict[str, str]
) -> None:
    strategy = make_strategy("execution_match")
    settled = asyncio.run(settle(runner, databases[engine], [gold], predicted, [strategy]))
    assert settled.verdicts["execution_match"].reason is reason


CUT = Limits(rows=3_000)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("gold", "predicted", "reason"),
    [
        ("SELECT n FROM many ORDER BY n DESC LIMIT 2", "SELECT n FROM many ORDER BY n DESC LIMIT 2", MATCH),
        ("SELECT n FROM many ORDER BY n DESC LIMIT 2", "SELECT n FROM many WHERE n > 9997 ORDER BY n", WRONG_ORDER),
        ("SELECT n FROM many ORDER BY n LIMIT 2 OFFSET 7000", "SELECT n FROM many WHERE n IN (7000, 7001)", MATCH),
        ("SELECT n FROM many ORDER BY n LIMIT 1 OFFSET 7000", "SELECT 6999", Reason.WRONG_ROWS),
        ("SELECT n FROM many ORDER BY n / 10 % 2, n LIMIT 1 OFFSET 5000", "SELECT 10", MATCH),
        (
            "SELECT n FROM many ORDER BY n LIMIT 2 OFFSET (SELECT 6000)",
            "SELECT n FROM many WHERE n IN (6000, 6001)",
            MATCH,
        ),
        ("SELECT n FROM many ORDER BY half LIMIT 1", "SELECT 2", AMBIGUOUS),
        ("SELECT n FROM many ORDER BY half LIMIT 1", "SELECT 1", Reason.WRONG_ROWS),
        ("SELECT n FROM many LIMIT 1", "SELECT 2", AMBIGUOUS),
    ],
)
def test_a_limit_over_more_rows_than_may_be_fetched(
    engine: str, gold: str, predicted: str, reason: Reason, runner: Runner, databases: dict[str, str]
) -> None:
    strategy = make_strategy("execution_match")
    settled = asyncio.run(settle(runner, databases[engine], [gold], predicted, [strategy], limits=CUT))
    assert settled.verdicts["execution_match"].reason is reason


@pytest.mark.parametrize(
    ("engine", "gold", "predicted", "status", "because"),
    [
        (
            "sqlite",
            "SELECT DISTINCT dept FROM emp ORDER BY sal",
            "SELECT DISTINCT dept FROM emp",
            "correct",
            "the key sal",
        ),
        (
            "sqlite",
            "SELECT DISTINCT dept FROM emp ORDER BY sal",
            "SELECT 1 UNION SELECT 2 UNION SELECT 3",
            "incorrect",
            "",
        ),
        ("sqlite", "SELECT n FROM many LIMIT 1", "SELECT 9000", "incorrect", "more than 3,000 rows tie"),
        ("sqlite", "SELECT dept FROM emp GROUP BY dept ORDER BY total(sal) LIMIT 2", "SELECT 1", "incorrect", ""),
        (
            "sqlite",
            "SELECT name FROM (SELECT * FROM emp ORDER BY 4 LIMIT 5) AS t",
            "SELECT name FROM emp ORDER BY name",
            "correct",
            "the key 4 cannot be computed",
        ),
        (
            "duckdb",
            "FROM emp PIVOT (max(sal) FOR dept IN ('hr')) ORDER BY id",
            "FROM emp PIVOT (max(sal) FOR dept IN ('hr'))",
            "correct",
            "",
        ),
        (
            "duckdb",
            "PIVOT emp ON dept USING count(*) GROUP BY id ORDER BY id",
            "PIVOT emp ON dept USING count(*) GROUP BY id ORDER BY id DESC",
            "correct",
            "sqlglot cannot read the gold",
        ),
    ],
)
def test_why_the_order_is_not_checked_is_told(
    engine: str, gold: str, predicted: str, status: str, because: str, runner: Runner, databases: dict[str, str]
) -> None:
    strategy = make_strategy("execution_match")
    settled = asyncio.run(settle(runner, databases[engine], [gold], predicted, [strategy], limits=CUT))
    verdict = settled.verdicts["execution_match"]
    assert verdict.status.value == status
    assert verdict.evidence.get("order", "") == ("not checked" if because else "")
    assert because in str(verdict.evidence.get("because", ""))
