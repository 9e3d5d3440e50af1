"""Which judge it is: everything that can change its verdicts, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evaluation.store import digest


def is_judge(entry: Mapping[str, Any]) -> bool:
    """Whether a strategy asks a model, going by its entry in a manifest."""
    return bool(entry.get("judges") or entry.get("judge"))


def identity_of(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A strategy's entry without the label, which is only its name in reports.

    What stays is its name and version, the models that it asks and where, their parameters, the prompt and its
    digest, and every other setting: with any of these changed it is another judge.
    """
    return {key: value for key, value in entry.items() if key != "label"}


def judge_digest(entry: Mapping[str, Any]) -> str:
    """SHA-256 of the identity, in hexadecimal."""
    return digest(judge=identity_of(entry)).hex()


def models_of(entry: Mapping[str, Any]) -> str:
    """The models that a judge asks, for people; empty where it asks none."""
    asked = entry.get("judges") or [entry.get("judge") or {}]
    return ", ".join(
        ":".join(str(one[key]) for key in ("provider", "model") if one.get(key))
        for one in asked
        if isinstance(one, dict)
    )


def prompt_of(entry: Mapping[str, Any]) -> str:
    """The prompt that a judge is asked with, for people; empty where it has none."""
    prompt = entry.get("prompt")
    return str(prompt.get("ref", "")) if isinstance(prompt, dict) else ""
