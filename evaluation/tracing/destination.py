"""The server that runs are copied to, with what is known of it: asked once, and again after an outage."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from evaluation.tracing.server import Refused, Server, Unavailable
from sqlassay.langfuse import HOSTS


@dataclass(frozen=True)
class KnownDataset:
    """A dataset at the server.

    Attributes:
        id: Its id.
        items: The digests of its items, by their ids; those of items that have no gold are empty.
        fixed: Whether its name is told from its content: an item has one gold then, and another is that of another
            engine.
    """

    id: str
    items: dict[str, str]
    fixed: bool

    def has(self, body: Mapping[str, Any]) -> bool:
        """Whether an item is there and says the same: putting it anew would make another version of it."""
        found = self.items.get(body["id"])
        return bool(found) if self.fixed else found == _digest(body)

    def put(self, body: Mapping[str, Any]) -> None:
        """An item is there now."""
        self.items[body["id"]] = _digest(body)


@dataclass
class Destination:
    """Where runs are copied to.

    Attributes:
        server: The server.
    """

    server: Server
    _lists: bool | None = None
    _datasets: dict[str, KnownDataset] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The address with the project's public key: what arrived there has not arrived elsewhere."""
        return name_of(self.server.host, self.server.public_key)

    @property
    def takes_lists(self) -> bool:
        """Whether scores are posted in a list."""
        if self._lists is None:
            with _needed():
                self._lists = self.server.takes_lists()
        return self._lists

    def forget(self) -> None:
        """After an outage another server may be there, an older one or one that is empty."""
        self._lists = None
        self._datasets = {}

    def dataset(self, name: str, *, fixed: bool) -> KnownDataset:
        """A dataset, which is made when it is not there; `fixed` says that its name is told from its content."""
        if name not in self._datasets:
            with _needed():
                made = self.server.put_dataset(name, "Questions that sqlassay asked.")
                items = {str(one["id"]): _digest(one) for one in self.server.dataset_items(name)}
            self._datasets[name] = KnownDataset(made, items, fixed)
        return self._datasets[name]


@contextmanager
def _needed() -> Iterator[None]:
    """Without what is asked here, nothing can be sent."""
    try:
        yield
    except Refused as refusal:
        raise Unavailable(f"Langfuse refused a request with {refusal}; check {HOSTS[0]}") from None


def name_of(host: str, public_key: str) -> str:
    """A project of a server."""
    return f"{host} {public_key}"


def _digest(item: Mapping[str, Any]) -> str:
    told = [item.get(key) for key in ("input", "expectedOutput", "metadata")]
    if told[1] is None:
        return ""
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
