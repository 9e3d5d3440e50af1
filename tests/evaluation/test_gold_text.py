"""What is read from the texts of golds, and what is kept of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluation import volatility
from evaluation.conventions import ranking_query
from evaluation.conventions.ranking import Ranking
from evaluation.gold_text import GoldTexts
from evaluation.store import Store

TOP = "SELECT a FROM t ORDER BY a LIMIT 3"


@pytest.mark.parametrize(
    ("gold", "ranking", "volatile", "distinct"),
    [
        (TOP, Ranking, None, False),
        ("SELECT DISTINCT a FROM t ORDER BY date('now')", Ranking, "'now'", True),
        ("SELECT COUNT(DISTINCT a) FROM t", None, None, False),
        ("SELECT a FROM limits WHERE today = 1", None, None, False),
        ("SELECT a FROM t ORDER BY (", str, None, False),
    ],
)
def test_what_is_kept_is_what_was_read(
    gold: str,
    ranking: type | None,
    volatile: str | None,
    distinct: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def ask(texts: GoldTexts) -> tuple[object, ...]:
        found = texts.ranking(gold, "sqlite", ("a",), 3)
        return found, texts.volatile_part(gold, "sqlite"), texts.says_distinct(gold, "sqlite")

    store = Store(tmp_path / "cache.sqlite")
    first = ask(GoldTexts(store))
    assert first == ask(GoldTexts())
    assert first[1:] == (volatile, distinct)
    assert isinstance(first[0], ranking) if ranking else first[0] is None
    monkeypatch.setattr(ranking_query, "parse", None)
    monkeypatch.setattr(volatility, "parse_one", None)
    assert ask(GoldTexts(store)) == first
    store.close()


def test_other_shapes_are_other_questions(tmp_path: Path) -> None:
    store = Store(tmp_path / "cache.sqlite")
    for texts in (GoldTexts(store), GoldTexts(store)):
        widths = [texts.ranking(TOP, "sqlite", names, 3) for names in (("a",), ("a", "b"))]
        assert [found.width for found in widths if isinstance(found, Ranking)] == [1, 2]
    store.close()


def test_an_answer_of_other_code_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "cache.sqlite")
    before = GoldTexts(store).ranking(TOP, "sqlite", ("a",), 3)
    monkeypatch.setattr(GoldTexts, "_readers", "other code")
    monkeypatch.setattr(ranking_query, "ranking_of", lambda *_: "read anew")
    assert GoldTexts(store).ranking(TOP, "sqlite", ("a",), 3) == "read anew" != before
    store.close()
