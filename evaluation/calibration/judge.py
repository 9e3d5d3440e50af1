"""Which judge it is: everything that can change its verdicts, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evaluation.store import digest
from evaluation.verdicts import JUDGES

AGAINST = "against"
"""The key of a pairwise judge's entry under which the other system stands."""


def is_judge(entry: Mapping[str, Any]) -> bool:
    """Whether a strategy asks a model, going by its entry in a manifest."""
    return bool(entry.get(JUDGES))


def is_pairwise(entry: Mapping[str, Any]) -> bool:
    """Whether a strategy says which of two answers is better, and not whether one of them is correct."""
    return bool(entry.get(AGAINST))


def identity_of(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A strategy's entry without what is judged, and without the names that it and its models have in reports.

    What stays is which strategy of which version it is, the models that it asks and where, their parameters, the
    prompt and its digest, and every other setting: with any of these changed it is another judge. The answers that a
    pairwise judge holds against ours are judged, too.
    """
    identity = {key: value for key, value in entry.items() if key not in ("label", AGAINST)}
    if JUDGES in identity:
        identity[JUDGES] = [{key: value for key, value in one.items() if key != "name"} for one in _models(entry)]
    return identity


def judge_digest(entry: Mapping[str, Any]) -> str:
    """SHA-256 of the identity, in hexadecimal."""
    return digest(judge=identity_of(entry)).hex()


def _models(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for one in entry.get(JUDGES, ()) if isinstance(one, Mapping)]


def models_of(entry: Mapping[str, Any]) -> str:
    """The models that a judge asks, for people; empty where it asks none."""
    return ", ".join(str(one.get("name")) for one in _models(entry))


def prompt_of(entry: Mapping[str, Any]) -> str:
    """The prompt that a judge is asked with, for people; empty where it has none."""
    prompt = entry.get("prompt")
    return str(prompt.get("ref", "")) if isinstance(prompt, dict) else ""
