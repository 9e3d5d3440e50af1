"""Lists of models are asked live, and remembered for five minutes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.base import ModelInfo
from adapters.errors import AdapterError
from adapters.openai import OpenAIAdapter
from evaluation.catalogue import FRESH, Catalogue
from evaluation.store import Store
from tests.providers.server import ProviderServer, Reply


@dataclass
class Clock:
    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "cache.sqlite")) as store:
        yield store


def ask(catalogue: Catalogue, server: ProviderServer, **settings: str) -> list[str]:
    async def models() -> tuple[ModelInfo, ...]:
        adapter = OpenAIAdapter("*", base_url=server.base_url, **settings)
        try:
            return await catalogue.models(adapter)
        finally:
            await adapter.close()

    return [info.id for info in asyncio.run(models())]


def test_an_answer_is_good_for_five_minutes(server: ProviderServer, store: Store) -> None:
    clock = Clock()
    assert ask(Catalogue(store, clock=clock), server) == ["good", "other"]
    server.models = Reply(body={"data": [{"id": "new", "context_length": 5}]})
    clock.now += FRESH - 1
    assert ask(Catalogue(store, clock=clock), server) == ["good", "other"]
    clock.now += 1
    assert ask(Catalogue(store, clock=clock), server) == ["new"]
    assert len(server.headers) == 2


def test_a_clock_that_was_set_back_makes_no_answer_good_for_ever(server: ProviderServer, store: Store) -> None:
    clock = Clock()
    ask(Catalogue(store, clock=clock), server)
    clock.now -= 10_000
    ask(Catalogue(store, clock=clock), server)
    assert len(server.headers) == 2


def test_refreshed_or_not_remembered(server: ProviderServer, store: Store) -> None:
    for catalogue in (Catalogue(store), Catalogue(store, refresh=True), Catalogue(store), Catalogue()):
        assert ask(catalogue, server) == ["good", "other"]
    assert len(server.headers) == 3


def test_each_endpoint_and_key_has_its_own(
    server: ProviderServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(Catalogue(store), server)
    monkeypatch.setenv("MY_KEY", "sk-other")
    ask(Catalogue(store), server, api_key_env="MY_KEY")
    assert len(server.headers) == 2


def test_all_that_is_known_is_remembered(server: ProviderServer, store: Store) -> None:
    meta = {"n_params": 7_000_000_000, "size": 4_000_000_000}
    server.models = Reply(body={"data": [{"id": "m", "context_length": 8192, "meta": meta}]})
    adapter = OpenAIAdapter("*", base_url=server.base_url)

    async def twice() -> list[tuple[ModelInfo, ...]]:
        found = [await Catalogue(store).models(adapter) for _ in range(2)]
        await adapter.close()
        return found

    first, second = asyncio.run(twice())
    assert first == second
    assert first[0].context_length == 8192
    assert len(server.headers) == 1


def test_a_failure_is_not_remembered(server: ProviderServer, store: Store) -> None:
    good, server.models = server.models, Reply(500, "down")
    with pytest.raises(AdapterError):
        ask(Catalogue(store), server)
    server.models = good
    assert ask(Catalogue(store), server) == ["good", "other"]


@pytest.mark.parametrize("value", [b"", b"[]", b"null", b'{"at": 1}', b'{"at": "x", "models": []}', b"\xff"])
def test_a_damaged_entry_is_asked_for_again(value: bytes, server: ProviderServer, store: Store) -> None:
    adapter = OpenAIAdapter("*", base_url=server.base_url)
    store.put(Catalogue._key(adapter), value)
    assert ask(Catalogue(store), server) == ["good", "other"]
