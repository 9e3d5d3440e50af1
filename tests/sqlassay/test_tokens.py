"""Tokens: counted where the tokenizer is on this machine, else an estimate that says so; never a download."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlassay import tokens
from sqlassay.tokens import TokenCount, count


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    tokens._counter.cache_clear()
    yield
    tokens._counter.cache_clear()


@pytest.mark.parametrize(("text", "estimated"), [("", 0), ("a", 1), ("abc", 1), ("abcd", 2), ("ü", 1), ("\ud800", 1)])
def test_an_estimate_says_that_it_is_one(text: str, estimated: int) -> None:
    assert count(text) == TokenCount(estimated, False, "estimate")


@given(st.text(), st.text())
def test_more_text_is_no_fewer_tokens(text: str, more: str) -> None:
    assert count(text).tokens <= count(text + more).tokens <= count(text).tokens + count(more).tokens


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-4", "claude-sonnet-4-5", "owner/name", "a/b/c", "//", "text-ada-001"])
def test_what_is_not_at_hand_is_estimated_and_not_fetched(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The network is off in tests: a request would fail.
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert count("four score and seven", model) == TokenCount(7, False, "estimate")


def test_a_damaged_file_of_tiktoken_is_not_read_and_not_fetched_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    url = "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken"
    (tmp_path / hashlib.sha1(url.encode()).hexdigest()).write_text("IQ== 0\n")
    assert count("four score", "gpt-4o") == TokenCount(4, False, "estimate")


def test_tiktoken_counts_where_its_file_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tiktoken")
    if not tokens._is_at_hand("o200k_base"):
        pytest.skip("the file of o200k_base is not on this machine")
    assert count("SELECT name FROM singer <|endoftext|>", "gpt-4o").counted_by == "tiktoken o200k_base"
    assert count("hello world", "gpt-4o") == TokenCount(2, True, "tiktoken o200k_base")
    assert count("hello world\ud800", "gpt-4o").exact


def test_a_model_of_the_hub_is_counted_with_its_tokenizer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    constants = pytest.importorskip("huggingface_hub.constants")
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0, "four": 1}, unk_token="[UNK]"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    repository = tmp_path / "models--owner--name"
    (repository / "snapshots" / "abc").mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    words.save(str(repository / "snapshots" / "abc" / "tokenizer.json"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    assert count("four score and seven", "owner/name") == TokenCount(4, True, "tokenizers owner/name")
