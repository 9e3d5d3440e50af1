"""What every adapter must do. Subclass it, give it a working and a failing adapter, and pass."""

from __future__ import annotations

import asyncio
import inspect
import json
import pickle
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from adapters.base import Completion, FinishReason, GenerationRequest, ModelAdapter
from adapters.errors import AdapterError
from sqlassay.messages import Message

T = TypeVar("T")

KEY = "sk-canary-7f3a91c25d"
"""The key that adapters under test are given; it must never show up anywhere."""

REQUEST = GenerationRequest(
    messages=(Message("system", "You write SQLite queries."), Message("user", "How many singers?")),
    parameters={"temperature": 0.0, "top_p": 1.0, "max_tokens": 100, "seed": 7, "stop": ["###"]},
    question_id="q1",
    prompt="zero_shot@1",
    dialect="sqlite",
)


def run(adapter: ModelAdapter, use: Callable[[ModelAdapter], Awaitable[T]]) -> T:
    """Use an adapter in an event loop of its own, and close it."""

    async def use_and_close() -> T:
        try:
            return await use(adapter)
        finally:
            await adapter.close()

    return asyncio.run(use_and_close())


class AdapterConformance(ABC):
    """The suite. A subclass says which adapter it tests and makes two of them."""

    adapter: type[ModelAdapter]
    answer = "```sql\nSELECT count(*) FROM singer\n```"
    """What the working adapter answers to `REQUEST`."""

    @abstractmethod
    def working(self) -> ModelAdapter:
        """An adapter that answers `REQUEST` with `answer`."""

    @abstractmethod
    def failing(self) -> ModelAdapter:
        """An adapter that can be made but answers nothing."""

    @pytest.fixture(autouse=True)
    def _key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        if self.adapter.key_env:
            monkeypatch.setenv(self.adapter.key_env, KEY)

    def test_it_is_named_after_its_file(self) -> None:
        assert self.adapter.__module__.rpartition(".")[2] == self.adapter.provider

    def test_facts_are_declared(self) -> None:
        assert isinstance(self.adapter.supports_seed, bool)
        assert isinstance(self.adapter.offline, bool)
        assert self.adapter.key_env is None or self.adapter.key_env.isupper()
        assert self.adapter.key_env is None or not self.adapter.offline

    def test_every_setting_is_documented(self) -> None:
        settings = list(inspect.signature(self.adapter.__init__).parameters.values())[2:]
        for setting in settings:
            assert setting.kind is inspect.Parameter.KEYWORD_ONLY
            assert f"    {setting.name}: " in (self.adapter.__doc__ or "")

    @pytest.mark.parametrize("method", ["generate", "list_models", "check", "close"])
    def test_signatures_are_those_of_the_base(self, method: str) -> None:
        assert inspect.signature(getattr(self.adapter, method)) == inspect.signature(getattr(ModelAdapter, method))

    def test_it_answers(self) -> None:
        adapter = self.working()
        completion = run(adapter, lambda a: a.generate(REQUEST))
        assert isinstance(completion, Completion)
        assert completion.text == self.answer
        assert completion.finish_reason is FinishReason.STOP
        assert completion.model
        assert completion.seconds >= 0
        assert set(completion.dropped) <= set(REQUEST.parameters)
        for count in vars(completion.usage).values():
            assert count is None or (type(count) is int and count >= 0)

    def test_it_answers_many_at_once(self) -> None:
        async def ask(adapter: ModelAdapter) -> list[Completion]:
            return await asyncio.gather(*(adapter.generate(REQUEST) for _ in range(30)))

        assert [completion.text for completion in run(self.working(), ask)] == [self.answer] * 30

    def test_it_works_again_after_close(self) -> None:
        adapter = self.working()
        for _ in range(2):
            assert run(adapter, lambda a: a.generate(REQUEST)).text == self.answer

    def test_it_can_be_closed_twice_and_unused(self) -> None:
        run(self.working(), lambda a: a.close())

    def test_identity_is_data_and_tells_adapters_apart(self) -> None:
        identity = self.working().identity
        assert identity["provider"] == self.adapter.provider
        assert identity["model"] == self.working().model
        assert json.loads(json.dumps(dict(identity))) == identity == self.working().identity
        assert identity != self.failing().identity

    def test_it_lists_its_models(self) -> None:
        models = run(self.working(), lambda a: a.list_models())
        assert isinstance(models, tuple)
        names = [info.id for info in models]
        assert self.working().model in names
        assert names == sorted(set(names))
        assert {info.provider for info in models} == {self.adapter.provider}

    def test_check_is_all_right(self) -> None:
        result = run(self.working(), lambda a: a.check())
        assert result.ok
        assert result.checks
        assert self.adapter.provider in result.subject

    def test_check_says_what_is_wrong_and_what_to_do(self) -> None:
        result = run(self.failing(), lambda a: a.check())
        assert not result.ok
        assert all(check.remedy for check in result.checks if not check.ok)

    def test_failures_are_adapter_errors_with_fields(self) -> None:
        adapter = self.failing()
        with pytest.raises(AdapterError) as raised:
            run(adapter, lambda a: a.generate(REQUEST))
        error = raised.value
        assert (error.provider, error.model) == (adapter.provider, adapter.model)
        assert adapter.model in str(error)
        assert "\n" not in str(error)
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), vars(copy)) == (type(error), vars(error))

    def test_the_key_shows_up_nowhere(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("DEBUG")
        working, failing = self.working(), self.failing()
        shown = [repr(run(working, lambda a: a.generate(REQUEST))), repr(run(failing, lambda a: a.check()))]
        for adapter in (working, failing):
            shown += [repr(adapter), str(vars(adapter)), repr(adapter.identity)]
        with pytest.raises(AdapterError) as raised:
            run(failing, lambda a: a.generate(REQUEST))
        shown += [str(raised.value), repr(raised.value), repr(vars(raised.value)), repr(raised.getrepr(style="long"))]
        assert KEY not in "\n".join([*shown, caplog.text])
