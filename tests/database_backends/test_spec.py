from __future__ import annotations

import pytest

from database_backends.spec import engine_and_target


@pytest.mark.parametrize(
    ("spec", "expected"),
    {
        "sqlite:shop.sqlite": ("sqlite", "shop.sqlite"),
        "sqlite": ("sqlite", ""),
        "sqlite:": ("sqlite", ""),
        "duckdb:C:/shop.duckdb": ("duckdb", "C:/shop.duckdb"),
        "postgres://host/a": ("postgres", "//host/a"),
        "postgresql://u:p@host/a?schema=b": ("postgres", "//u:p@host/a?schema=b"),
        "postgresql+psycopg://host/a": ("postgres", "//host/a"),
        "postgres:postgresql://host/a": ("postgres", "postgresql://host/a"),
        "mysql+pymysql://host/a": ("mysql", "//host/a"),
        "oracle+driver://host/a": ("oracle+driver", "//host/a"),
        "shop.sqlite": ("shop.sqlite", ""),
    }.items(),
)
def test_the_engine_is_told_from_its_target(spec: str, expected: tuple[str, str]) -> None:
    assert engine_and_target(spec) == expected
