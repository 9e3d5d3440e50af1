"""What tokens cost: from the user's own words, or from a dated table of what providers ask.

What neither knows is unknown, which is not free.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from adapters.base import ModelAdapter, Usage
from adapters.model_table import in_table, table

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice

_MILLION = 1_000_000
USER = "experiment"
"""The source of prices that the user has given."""


@dataclass(frozen=True)
class Prices:
    """What a million tokens cost, in any one currency; `None` is unknown, which is not free.

    Attributes:
        input: Of the prompt.
        output: Of the answer; the model's thoughts are a part of it.
        cached_input: Of the part of the prompt that the provider had seen before; as `input` where it is unknown.
        longer: Other prices for the whole of a request, by the number of input tokens above which they hold, in
            ascending order.
    """

    input: float | None = None
    output: float | None = None
    cached_input: float | None = None
    longer: tuple[tuple[int, Prices], ...] = ()

    def cost(self, usage: Usage) -> float | None:
        """What a request cost; `None` when a price or a token count is unknown.

        Cached tokens are counted among the input tokens, and reasoning tokens among the output tokens. Where the
        provider does not say how many were cached, none were.
        """
        if usage.input_tokens is None or usage.output_tokens is None:
            return None
        prices = self._for(usage.input_tokens)
        if prices.input is None or prices.output is None:
            return None
        cached = min(usage.cached_tokens or 0, usage.input_tokens)
        cached_price = prices.input if prices.cached_input is None else prices.cached_input
        total = prices.input * (usage.input_tokens - cached) + cached_price * cached
        return (total + prices.output * usage.output_tokens) / _MILLION

    def share(self, part: float) -> Prices:
        """As many parts of every price; what is unknown stays so.

        Args:
            part: 0.5 is the half.
        """
        asked, answered, cached = (
            None if price is None else price * part for price in (self.input, self.output, self.cached_input)
        )
        return Prices(asked, answered, cached, tuple((above, prices.share(part)) for above, prices in self.longer))

    @property
    def known(self) -> bool:
        """Whether the cost of a request can be told, once its tokens are."""
        return self.cost(Usage(1, 1)) is not None

    def _for(self, input_tokens: int) -> Prices:
        found = self
        for above, prices in self.longer:
            if input_tokens > above:
                found = prices
        return found


@dataclass(frozen=True)
class Tariff:
    """Prices, and where they are from.

    Attributes:
        prices: The prices.
        source: `experiment` for the user's own, the table's name and version, such as `genai-prices 0.2.3`; empty
            where nobody knows.
        as_of: The day for which the table was asked, as `2026-01-31`.
    """

    prices: Prices = Prices()
    source: str = ""
    as_of: str = ""

    def to_json(self) -> dict[str, Any]:
        """As a manifest records it."""
        fields = asdict(self.prices)
        fields["longer"] = [{"above": above, **asdict(prices)} for above, prices in self.prices.longer]
        for one in (fields, *fields["longer"]):
            if not one["longer"]:
                del one["longer"]
        return {"source": self.source or None, "as_of": self.as_of or None, "per": _MILLION, **fields}

    @classmethod
    def from_json(cls, recorded: Mapping[str, Any]) -> Tariff:
        """What `to_json` has written."""
        longer = tuple((one["above"], _prices(one)) for one in recorded.get("longer", ()))
        prices = Prices(recorded["input"], recorded["output"], recorded["cached_input"], longer)
        return cls(prices, recorded["source"] or "", recorded["as_of"] or "")


def tariff_of(adapter: ModelAdapter, own: Prices, when: datetime) -> Tariff:
    """The prices of a model: the user's own when there are any, else the table's.

    The two are not mixed: they may be in two currencies.

    Args:
        adapter: The model. One behind a server that is not its provider's has that server's prices.
        own: The user's.
        when: Prices change; those of this moment.
    """
    return Tariff(own, USER) if own != Prices() else table_tariff(adapter, adapter.model, when)


def table_tariff(adapter: ModelAdapter, model: str, when: datetime) -> Tariff:
    """What the table says of a model of an adapter's endpoint, in US dollars; unknown where it does not.

    Args:
        adapter: Any model of the endpoint.
        model: The provider's name of the model.
        when: Prices change; those of this moment.
    """
    if adapter.offline:
        return Tariff()
    found = in_table(adapter, model)
    prices = Prices() if found is None else _of_table(found.get_prices(when)).share(adapter.price_share)
    return Tariff() if prices == Prices() else Tariff(prices, table(), when.date().isoformat())


def _of_table(price: ModelPrice) -> Prices:
    """The table's way of writing prices, read: a number, or a number for each length of the prompt."""
    columns = (price.input_mtok, price.output_mtok, price.cache_read_mtok)
    starts = sorted({tier.start for column in columns for tier in getattr(column, "tiers", ())})

    def row(tokens: int, longer: tuple[tuple[int, Prices], ...] = ()) -> Prices:
        asked, answered, cached = (_at(column, tokens) for column in columns)
        return Prices(asked, answered, cached, longer)

    return row(0, tuple((start, row(start + 1)) for start in starts))


def _at(column: Any, tokens: int) -> float | None:
    """A column's price of a request with that many input tokens."""
    if column is None:
        return None
    found = getattr(column, "base", column)
    for tier in getattr(column, "tiers", ()):
        if tokens > tier.start:
            found = tier.price
    return float(found)


def _prices(recorded: Mapping[str, Any]) -> Prices:
    return Prices(recorded["input"], recorded["output"], recorded["cached_input"])
