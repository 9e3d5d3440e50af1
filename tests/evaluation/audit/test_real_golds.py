"""The golds of real benchmarks, and what is known to be wrong with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evaluation.cli.app import run

pytestmark = pytest.mark.data
Audit = Callable[..., dict[str, Any]]


@pytest.fixture
def audit(capsys: pytest.CaptureFixture[str]) -> Audit:
    def audit(dataset: str, *arguments: str | Path) -> dict[str, Any]:
        code = run(["audit", dataset, "--json", *map(str, arguments)])
        report: dict[str, Any] = json.loads(capsys.readouterr().out)
        assert code == (1 if report["failed_on"] else 0)
        return report

    return audit


def counts(report: dict[str, Any]) -> dict[str, int]:
    return {probe["name"]: probe["fired"] for probe in report["probes"]}


def fired(report: dict[str, Any], probe: str) -> list[str]:
    return [line["id"] for line in report["findings"] if line["probe"] == probe]


def test_spider(audit: Audit, data: Path) -> None:
    report = audit(f"spider:{data / 'spider'}", "--all")
    assert [line for line in report["findings"] if "probe failed" in line["reason"]] == []
    report["findings"] = [line for line in report["findings"] if line["answer"] == "fired"]
    assert (report["questions"], report["golds"], report["without_database"]) == (1034, 1034, 62)
    assert report["failed_on"] == []
    found = counts(report)
    none = ("duplicate_id", "not_parsing", "failing", "timing_out", "clock", "randomness", "unrepeatable")
    assert {found[name] for name in (*none, "limit_without_order")} == {0}
    assert (found["empty"], found["all_null"]) == (49, 4)
    assert fired(report, "all_null") == ["361", "362", "810", "811"]
    # `GROUP BY country` with a column that is not grouped: any row of the group may give it.
    assert fired(report, "row_shuffle") == ["641", "642", "816", "817"]
    # As well as those, a tie at a LIMIT inside the query.
    assert fired(report, "other_plan") == ["159", "160", "641", "642", "816", "817"]
    assert set(fired(report, "other_plan")) - set(fired(report, "row_shuffle")) <= set(fired(report, "tie_at_limit"))
    # Horsepower and mpg of the cars are text.
    assert found["numeric_text"] == 14
    assert {line["db_id"] for line in report["findings"] if line["probe"] == "numeric_text"} == {"car_1"}
    assert found["tie_at_limit"] == 46
    assert found["tie_in_order"] == 16


@pytest.mark.parametrize(
    ("file", "golds", "duplicates"),
    [
        ("mini_dev_sqlite.v2024.json", 92, ["137", "138", "137", "138"]),
        ("mini_dev_sqlite.v2025.json", 92, []),
        ("dev.json", 274, []),
    ],
)
def test_bird(file: str, golds: int, duplicates: list[str], audit: Audit, data: Path) -> None:
    folder = data / "bird"
    report = audit(f"bird:{folder / 'questions' / file}", "--databases", folder / "databases", "--all")
    assert [line for line in report["findings"] if "probe failed" in line["reason"]] == []
    report["findings"] = [line for line in report["findings"] if line["answer"] == "fired"]
    assert report["questions"] - report["without_database"] == golds
    assert fired(report, "duplicate_id") == duplicates
    assert report["failed_on"] == (["duplicate_id"] if duplicates else [])
    assert counts(report)["failing"] == 0
    # In PostgreSQL the verdict of 212 flips with the plan.
    (tie,) = (line for line in report["findings"] if line["probe"] == "tie_at_limit" and line["id"] == "212")
    assert tie["reason"] == "in a query inside it, 4 rows tie on the ORDER BY keys, and the LIMIT takes 1 of them"
    assert "751" in fired(report, "limit_without_order")


def test_duckdb_golds(audit: Audit, data: Path) -> None:
    folder = data / "duckdb_nsql"
    dataset = f"spider:{folder / 'dev.json'}"
    report = audit(dataset, "--backend", "duckdb", "--databases", folder / "databases", "--all")
    assert [line for line in report["findings"] if "probe failed" in line["reason"]] == []
    assert [line["reason"] for line in report["findings"] if "no copy of its database" in line["reason"]] == []
    report["findings"] = [line for line in report["findings"] if line["answer"] == "fired"]
    assert fired(report, "randomness") == ["21", "69"]
    assert "20" in fired(report, "limit_without_order")
    assert "0" in fired(report, "tie_at_limit")
    assert (counts(report)["row_shuffle"], counts(report)["other_plan"]) == (0, 0)
