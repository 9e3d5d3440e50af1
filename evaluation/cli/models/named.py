"""The models that arguments name: `PROVIDER:MODEL`, or an experiment; and the endpoints to ask for theirs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from adapters.base import ADAPTERS, ModelAdapter
from sqlassay.errors import UserError

ANY = "*"
"""In the place of a model, where the endpoint is meant."""


def models_named(
    specs: Sequence[str], experiment: Path | None, base_url: str | None, api_key_env: str | None
) -> list[ModelAdapter]:
    """The models that `PROVIDER:MODEL` and `--experiment` name, each once.

    Raises:
        UserError: They name none, or one that cannot be made.
        UnknownName: No such provider.
    """
    made = [_model(spec, base_url, api_key_env) for spec in specs]
    if experiment is not None:
        made += _of_experiment(experiment)
    elif not specs:
        raise UserError("no model is named", remedy="PROVIDER:MODEL, such as openai:gpt-4o-mini, or --experiment FILE")
    return list({(adapter.endpoint, adapter.model): adapter for adapter in made}.values())


def endpoints_named(
    providers: Sequence[str], experiment: Path | None, base_url: str | None, api_key_env: str | None
) -> list[ModelAdapter]:
    """The endpoints that names of providers and `--experiment` name, each once.

    Raises:
        UserError: One cannot be made.
        UnknownName: No such provider.
    """
    made = [_make(provider, ANY, base_url, api_key_env) for provider in providers]
    if experiment is not None:
        made += _of_experiment(experiment)
    return list({adapter.endpoint: adapter for adapter in made}.values())


def every_endpoint() -> tuple[list[ModelAdapter], dict[str, str]]:
    """Every provider that can be asked, and why the others cannot."""
    made, left_out = [], {}
    for provider in ADAPTERS.names():
        try:
            if not ADAPTERS.get(provider).offline:
                made.append(ADAPTERS.make(provider, {"model": ANY}))
        except UserError as error:
            left_out[provider] = str(error)
    return made, left_out


def _of_experiment(path: Path) -> list[ModelAdapter]:
    from evaluation.experiment import read_experiment
    from evaluation.models import adapters_of

    return adapters_of(read_experiment(path))


def _model(spec: str, base_url: str | None, api_key_env: str | None) -> ModelAdapter:
    provider, _, model = spec.partition(":")
    if not model:
        raise UserError(f"{spec!r} is not PROVIDER:MODEL", remedy="such as openai:gpt-4o-mini")
    return _make(provider, model, base_url, api_key_env)


def _make(provider: str, model: str, base_url: str | None, api_key_env: str | None) -> ModelAdapter:
    given = {"base_url": base_url, "api_key_env": api_key_env}
    return ADAPTERS.make(provider, {"model": model, **{k: v for k, v in given.items() if v is not None}})
