"""Which models a provider offers: asked live, and remembered for some minutes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from adapters.base import ModelAdapter, ModelInfo
from evaluation.store import Store, digest

FRESH = 300.0
"""Seconds for which an answer is good."""


@dataclass(frozen=True)
class Catalogue:
    """The lists of models of any number of endpoints.

    Attributes:
        store: Where they are remembered; `None` asks always.
        refresh: Whether to ask again what is remembered.
        clock: Seconds since the epoch.
    """

    store: Store | None = None
    refresh: bool = False
    clock: Callable[[], float] = time.time

    async def models(self, adapter: ModelAdapter) -> tuple[ModelInfo, ...]:
        """The models of an adapter's endpoint, sorted by id.

        Raises:
            AdapterError: The provider did not say.
        """
        key = self._key(adapter)
        known = None if self.refresh else self._remembered(key)
        if known is not None:
            return known
        found = await adapter.list_models()
        if self.store is not None:
            told = {"at": self.clock(), "models": [asdict(info) for info in found]}
            self.store.put(key, json.dumps(told).encode())
        return found

    @staticmethod
    def _key(adapter: ModelAdapter) -> bytes:
        """Everything that can change the list: the endpoint, and all settings but which of its models is meant."""
        settings = {name: value for name, value in adapter.identity.items() if name != "model"}
        return digest(kind="models", endpoint=adapter.endpoint, settings=settings)

    def _remembered(self, key: bytes) -> tuple[ModelInfo, ...] | None:
        packed = None if self.store is None else self.store.get(key)
        if packed is None:
            return None
        try:
            told = json.loads(packed)
            if not 0 <= self.clock() - told["at"] < FRESH:
                return None
            return tuple(ModelInfo(**{**one, "capabilities": tuple(one["capabilities"])}) for one in told["models"])
        except (ValueError, TypeError, KeyError):
            return None
