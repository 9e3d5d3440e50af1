"""What a table knows of models: that of the package `genai-prices`, as it is installed; nothing is fetched."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from adapters.base import ModelAdapter

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo

_PACKAGE = "genai-prices"


def table() -> str:
    """Its name and version, such as `genai-prices 0.2.3`."""
    return f"{_PACKAGE} {version(_PACKAGE)}"


def in_table(adapter: ModelAdapter, model: str) -> ModelInfo | None:
    """What is known of a model of an adapter's endpoint.

    Args:
        adapter: Any model of the endpoint. A server that is not its provider's is known by its own address only.
        model: The provider's name of the model.

    Returns:
        `None` where nothing is.
    """
    from genai_prices.data_snapshot import get_snapshot

    identity = adapter.identity
    url = identity.get("base_url")
    endpoint = (None, url) if isinstance(url, str) else (str(identity.get("provider", adapter.provider)), None)
    try:
        return get_snapshot().find_provider_model(model, None, *endpoint)[1]
    except LookupError:
        return None
