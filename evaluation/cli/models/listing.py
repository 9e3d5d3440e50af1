"""`sqlassay models list` and `sqlassay models search`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from evaluation.cli import output
from evaluation.cli.options import ApiKeyEnv, BaseUrl, Experiment, Json, Refresh
from sqlassay.counted import counted
from sqlassay.errors import ExitCode

if TYPE_CHECKING:
    from rich.console import RenderableType

    from adapters.base import ModelInfo
    from evaluation.cli.models.offers import Offer

_Providers = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Argument(metavar="[PROVIDER...]", help="Such as openai; all that can be asked unless given."),
]


def list_models(
    providers: _Providers = None,
    experiment: Experiment = None,
    base_url: BaseUrl = None,
    api_key_env: ApiKeyEnv = None,
    refresh: Refresh = False,
    json: Json = False,
) -> int:
    """List the models that providers offer, as they say it now, with prices from the table of prices.

    Prices are US dollars for a million tokens. What is unknown is left empty. Exits with 1 when a provider that was
    named does not answer, or when none does.

    Example: `sqlassay models list openai --base-url http://localhost:8000/v1`
    """
    return _list("", providers or (), experiment, base_url, api_key_env, refresh=refresh, json=json)


def search(
    words: Annotated[str, typer.Argument(metavar="WORDS", help="Every word must be in the name or a capability.")],
    providers: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--provider", metavar="NAME", help="Such as openai; several times; all unless given."),
    ] = None,
    experiment: Experiment = None,
    base_url: BaseUrl = None,
    api_key_env: ApiKeyEnv = None,
    refresh: Refresh = False,
    json: Json = False,
) -> int:
    """Search the models that providers offer, as `models list` lists them.

    Example: `sqlassay models search "coder 7b"`
    """
    return _list(words, providers or (), experiment, base_url, api_key_env, refresh=refresh, json=json)


def _list(
    words: str,
    providers: Sequence[str],
    experiment: Path | None,
    base_url: str | None,
    api_key_env: str | None,
    *,
    refresh: bool,
    json: bool,
) -> int:
    from evaluation.cli.models.named import endpoints_named, every_endpoint
    from evaluation.cli.models.offers import ask

    named = bool(providers or experiment)
    left_out: dict[str, str] = {}
    if named:
        endpoints = endpoints_named(providers, experiment, base_url, api_key_env)
    else:
        _refuse_alone(base_url, api_key_env)
        endpoints, left_out = every_endpoint()
    found = ask(endpoints, refresh=refresh)
    chosen = [offer for offer in found.offers if _matches(offer.info, words)]
    if json:
        output.print_json([offer.to_json() for offer in chosen])
    elif chosen:
        output.data().print(_table(chosen))
    talk = output.talk()
    for provider, why in left_out.items():
        talk.print(f"{provider} is left out: {why}", style="dim")
    for why in found.failed.values():
        talk.print(why, style="red" if named else "dim")
    if not json:
        talk.print(counted(len(chosen), "model"))
    unanswered = bool(found.failed) if named else len(found.failed) == len(endpoints)
    return ExitCode.UNUSABLE if unanswered else ExitCode.OK


def _refuse_alone(base_url: str | None, api_key_env: str | None) -> None:
    from sqlassay.errors import UserError

    if base_url or api_key_env:
        option = "--base-url" if base_url else "--api-key-env"
        raise UserError(f"{option} is of one provider, and none is named", remedy="such as openai")


def _matches(info: ModelInfo, words: str) -> bool:
    text = " ".join((info.id, *info.capabilities)).casefold()
    return all(word in text for word in words.casefold().split())


def _table(offers: Sequence[Offer]) -> RenderableType:
    """Only the columns that say something."""
    from evaluation.cli.models.offers import dollars, size

    columns: dict[str, list[str]] = {
        "provider": [offer.info.provider for offer in offers],
        "model": [offer.info.id for offer in offers],
        "context": [_number(offer.info.context_length) for offer in offers],
        "parameters": [offer.info.parameters or "" for offer in offers],
        "quantization": [offer.info.quantization or "" for offer in offers],
        "size": [size(offer.info.size_bytes) for offer in offers],
        "input": [dollars(offer.tariff.prices.input) for offer in offers],
        "cached": [dollars(offer.tariff.prices.cached_input) for offer in offers],
        "output": [dollars(offer.tariff.prices.output) for offer in offers],
        "capabilities": [", ".join(offer.info.capabilities) for offer in offers],
    }
    told = {heading: cells for heading, cells in columns.items() if any(cells)}
    return output.table(list(told), list(zip(*told.values(), strict=True)))


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
