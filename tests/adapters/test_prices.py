"""What tokens cost; the arithmetic agrees with the table's own."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pytest
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, Provider
from genai_prices.types import Usage as TheirUsage
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import Usage
from adapters.openai import OpenAIAdapter
from adapters.openai_batch import OpenAIBatchAdapter
from adapters.prices import Prices, Tariff, _of_table, table_tariff, tariff_of
from adapters.replay import ReplayAdapter

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
TIERED = Prices(1.0, 2.0, 0.5, ((1000, Prices(10.0, 20.0, 5.0)), (5000, Prices(100.0, 200.0))))
MODELS = [(provider, model) for provider in get_snapshot().providers for model in provider.models]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


@pytest.mark.parametrize(
    ("prices", "usage", "cost"),
    [
        (Prices(2.0, 10.0), Usage(1_000_000, 100_000), 3.0),
        (Prices(0.0, 0.0), Usage(5, 5), 0.0),
        (Prices(2.0, None), Usage(5, 5), None),
        (Prices(None, 2.0), Usage(5, 5), None),
        (Prices(2.0, 10.0), Usage(5, None), None),
        (Prices(2.0, 10.0), Usage(None, 5), None),
        (Prices(2.0, 10.0, 0.5), Usage(1_000_000, 0, 600_000), 1.1),
        (Prices(2.0, 10.0, 0.0), Usage(1_000_000, 0, 1_000_000), 0.0),
        (Prices(2.0, 10.0, None), Usage(1_000_000, 0, 600_000), 2.0),
        (Prices(2.0, 10.0, 0.5), Usage(1_000_000, 0, None), 2.0),
        (Prices(2.0, 10.0, 0.5), Usage(100, 0, 200), 0.00005),
        (Prices(None, 10.0, 0.5), Usage(100, 0, 100), None),
        (Prices(2.0, 10.0), Usage(0, 1_000_000, 0, 900_000), 10.0),
        (TIERED, Usage(1000, 1000), 0.003),
        (TIERED, Usage(1001, 0, 1), 0.010005),
        (TIERED, Usage(6000, 1000, 6000), 0.8),
    ],
)
def test_an_unknown_price_or_count_is_not_free(prices: Prices, usage: Usage, cost: float | None) -> None:
    assert prices.cost(usage) == (None if cost is None else pytest.approx(cost))


@given(
    st.sampled_from(MODELS),
    st.integers(0, 2_000_000),
    st.integers(0, 100_000),
    st.integers(0, 2_000_000),
)
def test_the_table_costs_what_its_own_package_says(
    entry: tuple[Provider, ModelInfo], asked: int, answered: int, cached: int
) -> None:
    _, model = entry
    price = model.get_prices(NOW)
    prices = _of_table(price)
    cost = prices.cost(Usage(asked, answered, min(cached, asked)))
    if prices.input is None or prices.output is None:
        assert cost is None
        return
    theirs = price.calc_price(
        TheirUsage(input_tokens=asked, output_tokens=answered, cache_read_tokens=min(cached, asked))
    )
    once = float(getattr(price, "requests_kcount", None) or 0) / 1000
    assert cost == pytest.approx(float(theirs["total_price"]) - once)


def test_a_model_of_the_table() -> None:
    tariff = table_tariff(OpenAIAdapter("gpt-4o-mini"), "gpt-4o-mini", NOW)
    assert tariff == Tariff(Prices(0.15, 0.6, 0.075), f"genai-prices {version('genai-prices')}", "2026-01-31")


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        ("no-such-model-at-all", {}),
        ("gpt-4o-mini", {"base_url": "http://127.0.0.1:8000/v1"}),
        ("gpt-4o-mini", {"base_url": "https://gateway.example.com/v1"}),
    ],
)
def test_what_the_table_does_not_know_is_unknown(model: str, settings: dict[str, str]) -> None:
    assert tariff_of(OpenAIAdapter(model, **settings), Prices(), NOW) == Tariff()


def test_a_batch_costs_half(tmp_path: Path) -> None:
    tariff = table_tariff(OpenAIBatchAdapter("gpt-4o-mini", path=tmp_path), "gpt-4o-mini", NOW)
    assert tariff.prices == Prices(0.075, 0.3, 0.0375)


def test_a_share_of_prices() -> None:
    half = Prices(0.5, 1.0, 0.25, ((1000, Prices(5.0, 10.0, 2.5)), (5000, Prices(50.0, 100.0))))
    assert TIERED.share(0.5) == half
    assert Prices(2.0).share(0.5) == Prices(1.0)


def test_a_reseller_has_prices_of_its_own() -> None:
    adapter = OpenAIAdapter("openai/gpt-4o-mini", base_url="https://openrouter.ai/api/v1")
    assert table_tariff(adapter, adapter.model, NOW).prices.input is not None


def test_what_recorded_answers_cost_is_unknown(tmp_path: Path) -> None:
    (file := tmp_path / "a.jsonl").write_text('{"question_id": "q", "answer": "a"}\n')
    assert tariff_of(ReplayAdapter("gpt-4o-mini", path=str(file)), Prices(), NOW) == Tariff()


@pytest.mark.parametrize("own", [Prices(1.0, 2.0), Prices(1.0), Prices(0.0, 0.0), Prices(cached_input=0.1)])
def test_the_users_own_prices_are_not_mixed_with_the_tables(own: Prices) -> None:
    assert tariff_of(OpenAIAdapter("gpt-4o-mini"), own, NOW) == Tariff(own, "experiment")


@pytest.mark.parametrize(
    "tariff", [Tariff(), Tariff(Prices(1.0, 2.0), "experiment"), Tariff(TIERED, "genai-prices 1", "2026-01-31")]
)
def test_a_tariff_is_read_as_it_was_written(tariff: Tariff) -> None:
    assert Tariff.from_json(json.loads(json.dumps(tariff.to_json()))) == tariff


def test_the_unknown_is_written_as_such() -> None:
    assert Tariff().to_json() == {
        "source": None, "as_of": None, "per": 1_000_000, "input": None, "output": None, "cached_input": None,
    }  # fmt: skip
