"""Asking a model: prompt, cache, retries, and the SQL in what it says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from adapters.base import Completion, FinishReason, GenerationRequest, ModelAdapter, Usage
from adapters.errors import AdapterError, PromptTooLong
from database_backends.errors import BackendError
from evaluation.answers import Answer, AnswerSource, RunStopped
from evaluation.databases import Databases
from evaluation.datasets.base import Question
from evaluation.records import AnswerRecord, AttemptRecord
from evaluation.store import Store, digest
from evaluation.verdicts import Reason, Verdict
from prompts.template import PromptTemplate, RenderedPrompt
from sqlassay.resilience import Attempt, CircuitOpen, Endpoint, GaveUp

_USUAL_ANSWER = 200
"""Tokens of an answer whose length is not limited, before it is known."""


@dataclass(frozen=True)
class Prices:
    """What a million tokens cost, in any one currency; `None` is unknown, which is not free."""

    input: float | None = None
    output: float | None = None

    def cost(self, usage: Usage) -> float | None:
        """What a request cost; `None` when a price or a token count is unknown."""
        pairs = ((self.input, usage.input_tokens), (self.output, usage.output_tokens))
        total = 0.0
        for price, tokens in pairs:
            if price is None or tokens is None:
                return None
            total += price * tokens / 1_000_000
        return total


class ResponseCache:
    """Answers by everything that can change them, and by nothing else.

    Refusals are not kept, nor are errors: asking again may help.

    Args:
        store: Where they are kept.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    @staticmethod
    def key(adapter: ModelAdapter, request: GenerationRequest) -> bytes:
        """Model, parameters, rendered messages, repeat: never a transport setting such as a timeout."""
        return digest(
            kind="response",
            model=dict(adapter.identity),
            parameters=dict(request.parameters),
            messages=[(message.role, message.content) for message in request.messages],
            repeat=request.repeat,
        )

    def get(self, key: bytes) -> Completion | None:
        """The answer; `None` when it was never given or cannot be read."""
        packed = self._store.get(key)
        if packed is None:
            return None
        try:
            fields = json.loads(packed)
            usage = Usage(**fields.pop("usage"))
            reason = FinishReason(fields.pop("finish_reason"))
            dropped = tuple(fields.pop("dropped"))
            return Completion(**fields, usage=usage, finish_reason=reason, dropped=dropped)
        except (ValueError, TypeError, KeyError, AttributeError):
            return None

    def put(self, key: bytes, completion: Completion) -> None:
        """Keep an answer; when this returns, it survives this process."""
        if completion.finish_reason is not FinishReason.REFUSED:
            self._store.put(key, json.dumps(asdict(completion)).encode())


@dataclass(frozen=True)
class ModelSource(AnswerSource):
    """Asks a model.

    Attributes:
        adapter: The model.
        template: The prompt.
        databases: Gives the schema that the prompt shows.
        endpoint: What the requests go through: limits, retries, circuit breaker.
        parameters: Sampling settings.
        prices: Of the model's tokens.
        cache: Answers from before; `None` asks always.
        repeat: Which asking of the same question this is, from 0.
    """

    adapter: ModelAdapter
    template: PromptTemplate
    databases: Databases
    endpoint: Endpoint
    parameters: Mapping[str, object] = field(default_factory=dict)
    prices: Prices = field(default_factory=Prices)
    cache: ResponseCache | None = None
    repeat: int = 0

    async def answer(self, position: int, question: Question, target: str) -> Answer:
        """Render, ask, and find the SQL."""
        try:
            prompt = self._render(question, target)
        except BackendError as error:
            return Answer(None, Verdict.of(Reason.BACKEND_DOWN, error=str(error)))
        request = GenerationRequest(
            prompt.messages,
            {**self.parameters, **({"stop": list(self.template.stop)} if self.template.stop else {})},
            question_id=question.id,
            prompt=self.template.ref,
            dialect=self.databases.backend.dialect,
            repeat=self.repeat,
        )
        cache = self.cache
        key = cache.key(self.adapter, request) if cache is not None else b""
        known = cache.get(key) if cache is not None else None
        if known is not None:
            return self._read(prompt, known, cached=True)
        try:
            completion, attempts = await self.endpoint.call(
                lambda: self.adapter.generate(request), tokens=_estimate(request), used=_used
            )
        except GaveUp as failure:
            return self._failed(prompt, failure)
        if cache is not None:
            cache.put(key, completion)
        return self._read(prompt, completion, attempts=attempts)

    def _render(self, question: Question, target: str) -> RenderedPrompt:
        return self.template.render(
            {
                "question": question.text,
                "evidence": question.evidence,
                "schema": self.databases.schema_text(target),
                "dialect": self.databases.backend.title,
            }
        )

    def _failed(self, prompt: RenderedPrompt, failure: GaveUp) -> Answer:
        error = failure.error
        if not isinstance(error, AdapterError | CircuitOpen):
            raise error
        if isinstance(error, AdapterError) and error.stops_model:
            raise RunStopped(f"{type(error).__name__}: {error}") from error
        reason = Reason.PROMPT_TOO_LONG if isinstance(error, PromptTooLong) else Reason.PROVIDER_DOWN
        record = AnswerRecord(prompt.sha256, model=self.adapter.model, attempts=_attempts(failure.attempts))
        return Answer(None, Verdict.of(reason, error=type(error).__name__, message=str(error)), record)

    def _read(
        self,
        prompt: RenderedPrompt,
        completion: Completion,
        *,
        cached: bool = False,
        attempts: tuple[Attempt, ...] = (),
    ) -> Answer:
        usage = completion.usage
        record = AnswerRecord(
            prompt.sha256,
            completion.text,
            completion.finish_reason.value,
            completion.model or self.adapter.model,
            usage.input_tokens,
            usage.output_tokens,
            usage.cached_tokens,
            usage.reasoning_tokens,
            0.0 if cached else self.prices.cost(usage),
            round(completion.seconds, 6),
            completion.request_id,
            cached,
            completion.dropped,
            _attempts(attempts),
        )
        found = self.template.extract(completion.text)
        settled = None
        if completion.finish_reason is FinishReason.REFUSED:
            settled = Verdict.of(Reason.REFUSED, answer=completion.text[:500])
        elif completion.finish_reason is FinishReason.LENGTH:
            settled = Verdict.of(Reason.TRUNCATED, answer_end=completion.text[-200:])
        elif found.sql is None:
            settled = Verdict.of(Reason.NO_SQL, answer=completion.text[:500])
        return Answer(found.sql, settled, record, found.method)


def _attempts(attempts: tuple[Attempt, ...]) -> tuple[AttemptRecord, ...]:
    return tuple(
        AttemptRecord(one.error, one.message, round(one.waited, 6), round(one.seconds, 6), one.status)
        for one in attempts
    )


def _estimate(request: GenerationRequest) -> int:
    """Tokens that a request may take, before they are known: a token has some four letters."""
    letters = sum(len(message.content) for message in request.messages)
    longest = request.parameters.get("max_tokens")
    return letters // 4 + (longest if isinstance(longest, int) else _USUAL_ANSWER)


def _used(completion: Completion) -> int | None:
    usage = completion.usage
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    return usage.input_tokens + usage.output_tokens
