"""What a run may spend: it stops before the request that would pass the limit, and goes on when it is resumed."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import GenerationRequest, Usage
from adapters.prices import Prices
from evaluation.budget import Budget, OverBudget, estimate
from sqlassay.messages import Message
from tests.evaluation.world import World, items_of, model_at
from tests.providers.server import ProviderServer

PRICES = Prices(1.0, 10.0)


def request(length: int = 300, **parameters: object) -> GenerationRequest:
    return GenerationRequest((Message("user", "x" * length),), parameters)


@pytest.mark.parametrize(
    ("asked", "usage"),
    [
        (request(284), Usage(100, 512)),
        (request(284, max_tokens=50), Usage(100, 50)),
        (request(284, max_completion_tokens=50), Usage(100, 50)),
        (request(284, max_output_tokens=50), Usage(100, 50)),
        (request(284, num_predict=50), Usage(100, 50)),
        (request(284, num_predict=-1), Usage(100, 512)),
        (GenerationRequest((Message("user", "é" * 142),)), Usage(100, 512)),
        (GenerationRequest(()), Usage(0, 512)),
    ],
)
def test_estimates(asked: GenerationRequest, usage: Usage) -> None:
    assert estimate(asked) == usage


@given(
    st.integers(0, 20_000),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(1, 500), st.floats(0, 1), st.floats(0, 1)), max_size=30),
)
def test_the_limit_is_never_passed(tokens: int, requests: list[tuple[int, int, float, float]]) -> None:
    """As long as answers keep to `max_tokens` and prompts to their estimate."""
    budget = Budget(tokens=tokens)

    async def one(length: int, longest: int, share: float, wait: float) -> bool:
        asked = request(length, max_tokens=longest)
        try:
            held = await budget.hold(asked, PRICES)
        except OverBudget:
            return False
        await asyncio.sleep(wait / 1e4)
        most = estimate(asked)
        assert most.input_tokens is not None
        assert most.output_tokens is not None
        budget.settle(held, [Usage(int(most.input_tokens * share), int(most.output_tokens * share))], PRICES)
        return True

    async def main() -> list[bool]:
        return await asyncio.gather(*(one(*each) for each in requests))

    went = asyncio.run(main())
    assert budget.spent_tokens <= tokens
    assert len(went) == len(requests)


def test_a_request_waits_for_those_under_way() -> None:
    budget = Budget(tokens=300)

    async def main() -> list[str]:
        order = []
        first = await budget.hold(request(84, max_tokens=200), PRICES)  # 34 + 200

        async def second() -> None:
            held = await budget.hold(request(84, max_tokens=200), PRICES)
            order.append("second")
            budget.settle(held, (), PRICES)

        task = asyncio.create_task(second())
        await asyncio.sleep(0)
        order.append("first")
        budget.settle(first, [Usage(10, 10)], PRICES)
        await task
        return order

    assert asyncio.run(main()) == ["first", "second"]
    assert budget.spent_tokens == 20


def test_what_the_provider_does_not_say_counts_as_estimated() -> None:
    budget = Budget(cost=1.0)

    async def main() -> None:
        held = await budget.hold(request(284, max_tokens=100), PRICES)
        budget.settle(held, [Usage()], PRICES)

    asyncio.run(main())
    assert budget.spent_cost == pytest.approx((100 + 1000) / 1e6)
    assert budget.spent_tokens == 200


def test_a_run_stops_and_goes_on(world: World, server: ProviderServer, capsys: pytest.CaptureFixture[str]) -> None:
    world.questions(10)
    model = model_at(server.base_url, parameters={"max_tokens": 50}, prices={"input": 1, "output": 10})
    experiment = world.experiment(models=[model], cache="run")
    assert world.run("run", experiment, "--max-tokens", 1500) == 2
    assert "the next request would pass the budget" in capsys.readouterr().err
    (run,) = world.run_folders()
    done = len(items_of(run))
    assert 0 < done < 10
    assert len(server.requests) == done, "each costs 150 tokens as the server says"
    assert world.run("run", experiment, "--resume", "--max-cost", 1) == 0
    assert len(items_of(run)) == 10
    assert len(server.requests) == 10


def test_a_cost_cannot_be_limited_where_a_price_is_unknown(
    world: World, server: ProviderServer, capsys: pytest.CaptureFixture[str]
) -> None:
    world.questions(1)
    assert world.run("run", world.experiment(models=[model_at(server.base_url)]), "--max-cost", 1) == 2
    assert "trial.yaml:6: --max-cost: the price of good is unknown" in capsys.readouterr().err
    assert server.requests == []
    assert not list(world.runs.glob("*"))


def test_a_dry_run_says_what_cannot_be_asked(
    world: World, server: ProviderServer, capsys: pytest.CaptureFixture[str]
) -> None:
    (world.database.parent / "broken.sqlite").write_bytes(b"this is no database")
    databases = ["show", "missing", "broken", "broken"]
    world.questions([{"id": f"q{number}", "db_id": name} for number, name in enumerate(databases)])
    experiment = world.experiment(models=[model_at(server.base_url)])
    assert world.run("run", experiment, "--dry-run") == 0
    assert "3 further requests cannot be made: the database is missing or cannot be read" in capsys.readouterr().err
    assert world.run("run", experiment, "--dry-run", "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)["estimates"]
    assert (found["requests"], found["unreadable"]) == (1, 3)


def test_a_dry_run_asks_nothing(world: World, server: ProviderServer, capsys: pytest.CaptureFixture[str]) -> None:
    world.questions(4)
    model = model_at(server.base_url, parameters={"max_tokens": 50}, prices={"input": 1, "output": 10})
    voted = {"self_consistency": {"model": {**model, "label": "voter"}, "samples": 3}}
    experiment = world.experiment(models=[model, voted])
    assert world.run("run", experiment, "--dry-run", "--json") == 0
    assert server.requests == []
    assert not list(world.runs.glob("*"))
    plain, samples = json.loads(capsys.readouterr().out)["estimates"]
    assert (plain["requests"], plain["output_tokens"], samples["requests"]) == (4, 200, 12)
    assert plain["cost"] == pytest.approx((plain["input_tokens"] + 2000) / 1e6)
    assert world.run("run", world.experiment("once", models=[model])) == 0
    capsys.readouterr()
    assert world.run("run", experiment, "--dry-run") == 0
    shown = capsys.readouterr().out
    assert "in all" in shown
    assert world.run("run", experiment, "--dry-run", "--json") == 0
    plain, samples = json.loads(capsys.readouterr().out)["estimates"]
    assert (plain["requests"], plain["cached"], samples["requests"], samples["cached"]) == (0, 4, 8, 4)
