"""Which models are relatives: a judge is suspected of favouring its own kin.

Zheng et al., "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena" (2023), call it self-enhancement bias.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_FAMILIES = {
    "GPT": r"gpt|chatgpt|codex|davinci|(?<![^/:])o[1-9](?![a-z])",
    "Claude": r"claude",
    "Gemini": r"gemini|(?:code|shield|med)?gemma|palm|bison",
    "Llama": r"(?:code|meta-?)?llama|vicuna|alpaca",
    "Qwen": r"qwen|qwq|codeqwen",
    "Mistral": r"mistral|mixtral|ministral|magistral|codestral|devstral|mathstral|pixtral",
    "DeepSeek": r"deepseek",
    "Phi": r"phi(?![a-z])",
    "Grok": r"grok",
    "Command": r"command(?![a-z])|c4ai|aya(?![a-z])",
    "Granite": r"granite",
    "GLM": r"(?:chat)?glm",
    "Kimi": r"kimi|moonshot",
    "Nova": r"nova(?![a-z])",
    "StarCoder": r"starcoder|starchat",
}
_KNOWN = {family: re.compile(rf"(?<![a-z])(?:{words})", re.IGNORECASE) for family, words in _FAMILIES.items()}


_OF_PROVIDER = {"anthropic": "Claude", "gemini": "Gemini"}
"""The family of those who serve only one, whatever a model is called there."""


def families(model: str) -> frozenset[str]:
    """The families of a model by its name: two for a distilled one, none where the name tells nothing."""
    return frozenset(family for family, words in _KNOWN.items() if words.search(model))


def kinship(judge: Mapping[str, object], model: Mapping[str, object], whose: str = "") -> str | None:
    """In what way a judge is a relative of a model; `None` when it is not known to be one.

    Args:
        judge: The identity of the judge's adapter.
        model: That of the model's.
        whose: What the model is called, where it is not the one under test.
    """
    names = str(judge.get("model", "")), str(model.get("model", ""))
    if not all(names):
        return None
    if names[0].casefold() == names[1].casefold():
        return f"is {whose or 'the model under test'} itself"
    common = _families(judge) & _families(model)
    of = f", {whose}" if whose else ""
    return f"is of the family of {names[1]} ({', '.join(sorted(common))}){of}" if common else None


def _families(identity: Mapping[str, object]) -> frozenset[str]:
    named = families(str(identity.get("model", "")))
    alone = _OF_PROVIDER.get(str(identity.get("provider", "")))
    return named if named or alone is None else frozenset({alone})
