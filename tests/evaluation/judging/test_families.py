"""Which judges are relatives of the model under test."""

from __future__ import annotations

import pytest

from evaluation.judging.families import families, kinship


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gpt-5-mini-2025-08-07", {"GPT"}),
        ("openai/gpt-oss-120b", {"GPT"}),
        ("ft:gpt-4o:acme", {"GPT"}),
        ("o3-mini", {"GPT"}),
        ("openai/o1", {"GPT"}),
        ("claude-opus-4-5", {"Claude"}),
        ("anthropic.claude-3-haiku-v1:0", {"Claude"}),
        ("gemini-2.5-pro", {"Gemini"}),
        ("google/gemma-3-27b-it", {"Gemini"}),
        ("codegemma:7b", {"Gemini"}),
        ("meta-llama/Llama-3.3-70B-Instruct", {"Llama"}),
        ("codellama:34b", {"Llama"}),
        ("Qwen/Qwen2.5-Coder-32B", {"Qwen"}),
        ("qwq", {"Qwen"}),
        ("mixtral-8x22b", {"Mistral"}),
        ("codestral-latest", {"Mistral"}),
        ("deepseek-chat", {"DeepSeek"}),
        ("deepseek-r1-distill-llama-70b", {"DeepSeek", "Llama"}),
        ("microsoft/phi-4", {"Phi"}),
        ("dolphin-2.9", set()),
        ("sqlcoder-7b", set()),
        ("philosopher", set()),
        ("", set()),
    ],
)
def test_families(name: str, expected: set[str]) -> None:
    assert families(name) == expected


@pytest.mark.parametrize(
    ("judge", "model", "words"),
    [
        ("gpt-5", "gpt-5", "is the model under test itself"),
        ("Tape", "tape", "is the model under test itself"),
        ("gpt-5", "gpt-5-mini", "is of the family of gpt-5-mini (GPT)"),
        ("claude-opus", "gpt-5", None),
        ("judge-7b", "coder-7b", None),
        ("", "", None),
    ],
)
def test_kinship(judge: str, model: str, words: str | None) -> None:
    assert kinship({"provider": "a", "model": judge}, {"provider": "b", "model": model}) == words


@pytest.mark.parametrize(
    ("judge", "model", "words"),
    [
        (("anthropic", "judge"), ("openai", "claude-sonnet-4-5"), "is of the family of claude-sonnet-4-5 (Claude)"),
        (("gemini", "tunedModels/ours"), ("gemini", "gemini-2.5-pro"), "is of the family of gemini-2.5-pro (Gemini)"),
        (("openai", "judge"), ("openai", "gpt-5"), None),  # whatever speaks this protocol
    ],
)
def test_who_serves_one_family_tells_it(judge: tuple[str, str], model: tuple[str, str], words: str | None) -> None:
    one, other = ({"provider": provider, "model": name} for provider, name in (judge, model))
    assert kinship(one, other) == words
    assert (kinship(other, one) is None) == (words is None)


def test_whose_model_it_is_may_be_said() -> None:
    judge, whose = {"model": "gpt-5"}, "the other system's model"
    assert kinship(judge, {"model": "gpt-5"}, whose) == "is the other system's model itself"
    assert kinship(judge, {"model": "gpt-5-mini"}, whose) == (
        "is of the family of gpt-5-mini (GPT), the other system's model"
    )
