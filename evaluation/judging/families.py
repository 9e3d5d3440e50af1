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


def families(model: str) -> frozenset[str]:
    """The families of a model by its name: two for a distilled one, none where the name tells nothing."""
    return frozenset(family for family, words in _KNOWN.items() if words.search(model))


def kinship(judge: Mapping[str, object], model: Mapping[str, object]) -> str | None:
    """In what way a judge is a relative of a model under test; `None` when it is not known to be one.

    Args:
        judge: The identity of the judge's adapter.
        model: That of the model's.
    """
    names = str(judge.get("model", "")), str(model.get("model", ""))
    if not all(names):
        return None
    if names[0].casefold() == names[1].casefold():
        return "is the model under test itself"
    common = families(names[0]) & families(names[1])
    return f"is of the family of {names[1]} ({', '.join(sorted(common))})" if common else None
