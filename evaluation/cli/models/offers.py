"""The models that endpoints offer, with what they cost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from adapters.base import ModelAdapter, ModelInfo
from adapters.errors import AdapterError
from adapters.prices import Tariff, table_tariff
from evaluation.catalogue import Catalogue
from evaluation.cli.caching import shared_store


@dataclass(frozen=True)
class Offer:
    """A model that an endpoint offers.

    Attributes:
        info: What its provider says of it.
        tariff: What it costs.
        endpoint: Where it is.
    """

    info: ModelInfo
    tariff: Tariff
    endpoint: str

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {**asdict(self.info), "endpoint": self.endpoint, "prices": self.tariff.to_json()}


@dataclass(frozen=True)
class Offers:
    """What was found.

    Attributes:
        offers: The models.
        failed: Why endpoints did not answer, by endpoint.
    """

    offers: list[Offer]
    failed: dict[str, str]


def ask(endpoints: Sequence[ModelAdapter], *, refresh: bool) -> Offers:
    """Ask endpoints for their models, all at once; those that do not answer are told of.

    Args:
        endpoints: Any model of each.
        refresh: Whether to ask again what is remembered.
    """
    store = shared_store(wanted=True)
    try:
        return asyncio.run(_ask_all(endpoints, Catalogue(store, refresh)))
    finally:
        if store is not None:
            store.close()


def size(size_bytes: int | None) -> str:
    """Of files, in GB of a thousand MB."""
    return (
        ""
        if size_bytes is None
        else f"{size_bytes / 1e9:.1f} GB"
        if size_bytes >= 1e8
        else f"{size_bytes / 1e6:.1f} MB"
    )


def dollars(price: float | None) -> str:
    """For a million tokens; nothing where it is unknown, which is not free."""
    return "" if price is None else f"${price:g}"


async def _ask_all(endpoints: Sequence[ModelAdapter], catalogue: Catalogue) -> Offers:
    now = datetime.now(UTC)

    async def ask(adapter: ModelAdapter) -> tuple[ModelInfo, ...] | AdapterError:
        try:
            return await catalogue.models(adapter)
        except AdapterError as error:
            return error
        finally:
            await adapter.close()

    found = Offers([], {})
    for adapter, answer in zip(endpoints, await asyncio.gather(*map(ask, endpoints)), strict=True):
        if isinstance(answer, AdapterError):
            found.failed[adapter.endpoint] = f"{adapter.provider}: {answer.message}"
        else:
            found.offers.extend(Offer(info, table_tariff(adapter, info.id, now), adapter.endpoint) for info in answer)
    return found
