"""The inverted index against the definition."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.few_shot.similarity import Index

TEXT = st.lists(st.sampled_from("abcdef"), max_size=8)


def by_definition(texts: list[list[str]], query: list[str], other: list[str]) -> float:
    def weight(text: list[str], word: str) -> float:
        frequency = sum(word in one for one in texts)
        return (1 + math.log(text.count(word))) * (1 + math.log((1 + len(texts)) / (1 + frequency)))

    def length(text: list[str]) -> float:
        return math.sqrt(sum(weight(text, word) ** 2 for word in set(text)))

    shared = sum(weight(query, word) * weight(other, word) for word in set(query) & set(other))
    return shared / (length(query) * length(other)) if shared else 0.0


@given(texts=st.lists(TEXT, max_size=6), query=TEXT)
def test_scores_are_cosines(texts: list[list[str]], query: list[str]) -> None:
    assert Index(texts).scores(query) == pytest.approx([by_definition(texts, query, text) for text in texts])


@given(texts=st.lists(TEXT, min_size=1, max_size=6), data=st.data())
def test_nothing_is_more_like_a_text_than_itself(texts: list[list[str]], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(texts) - 1))
    scores = Index(texts).scores(texts[place])
    assert scores[place] == pytest.approx(1.0 if texts[place] else 0.0)
    assert max(scores) <= 1 + 1e-9


def test_rare_words_count_more() -> None:
    index = Index([["how", "many", "singers"], ["how", "many", "towns"], ["how", "old", "singers"]])
    first, second, third = index.scores(["towns", "how"])
    assert second > first
    assert second > third
