"""`sqlassay models show`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from evaluation.cli import output
from evaluation.cli.options import ApiKeyEnv, BaseUrl, Json, Refresh
from sqlassay.errors import SqlAssayError, UnknownName

if TYPE_CHECKING:
    from evaluation.cli.models.offers import Offer


def show(
    model: Annotated[str, typer.Argument(metavar="PROVIDER:MODEL", help="Such as openai:gpt-4o-mini.")],
    base_url: BaseUrl = None,
    api_key_env: ApiKeyEnv = None,
    refresh: Refresh = False,
    json: Json = False,
) -> None:
    """Show what is known of one model: what its provider says, and what it costs."""
    from evaluation.cli.models.named import models_named
    from evaluation.cli.models.offers import ask

    (adapter,) = models_named([model], None, base_url, api_key_env)
    found = ask([adapter], refresh=refresh)
    for why in found.failed.values():
        raise SqlAssayError(why)
    offer = next((offer for offer in found.offers if offer.info.id == adapter.model), None)
    if offer is None:
        raise UnknownName(f"model of {adapter.provider}", adapter.model, (offer.info.id for offer in found.offers))
    if json:
        output.print_json(offer.to_json())
    else:
        output.data().print(output.table(("", ""), _rows(offer)))


def _rows(offer: Offer) -> list[tuple[str, str]]:
    from evaluation.cli.models.offers import dollars, size

    info, tariff = offer.info, offer.tariff
    rows = [
        ("model", info.id),
        ("provider", info.provider),
        ("endpoint", offer.endpoint),
        ("context", "unknown" if info.context_length is None else f"{info.context_length:,} tokens"),
        ("parameters", info.parameters or "unknown"),
        ("quantization", info.quantization or "unknown"),
        ("size", size(info.size_bytes) or "unknown"),
        ("capabilities", ", ".join(info.capabilities) or "unknown"),
    ]
    if not tariff.source:
        return [*rows, ("prices", "unknown, which is not free: give your own as `prices` of the model")]
    for above, prices in ((0, tariff.prices), *tariff.prices.longer):
        label = f"prices above {above:,} tokens" if above else "prices"
        parts = {"input": prices.input, "cached input": prices.cached_input, "output": prices.output}
        told = ", ".join(f"{name} {dollars(price) or 'unknown'}" for name, price in parts.items())
        rows.append((label, f"{told} per million tokens"))
    return [*rows, ("prices from", f"{tariff.source}, as of {tariff.as_of}")]
