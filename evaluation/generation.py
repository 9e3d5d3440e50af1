"""Asking a model: prompt, cache, retries, and the SQL in what it says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from adapters.base import Completion, Feature, FinishReason, GenerationRequest, ModelAdapter, Usage
from adapters.errors import AdapterError, PromptTooLong
from adapters.prices import Prices
from database_backends.errors import BackendError
from evaluation.answers import Answer, AnswerSource, ModelStopped
from evaluation.budget import Budget, estimate, total
from evaluation.databases import Databases
from evaluation.datasets.base import Question
from evaluation.records import AnswerRecord, AttemptRecord
from evaluation.store import Store, digest
from evaluation.verdicts import Reason, Verdict
from prompts.template import PromptTemplate, RenderedPrompt
from sqlassay.errors import SqlAssayError
from sqlassay.messages import Message
from sqlassay.resilience import Attempt, CircuitOpen, Endpoint, GaveUp, Outcome


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
            **({} if request.schema is None else {"schema": dict(request.schema)}),
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
        if completion.finish_reason not in _REFUSALS:
            self._store.put(key, json.dumps(asdict(completion)).encode())


class FilteredAnswer(SqlAssayError):
    """A provider's filter withheld the answer: it errs now and then, so the question is asked again.

    Attributes:
        completion: What there is of the answer.
    """

    retryable = True
    retry_after = None
    slows_down = False
    breaks_circuit = False

    def __init__(self, completion: Completion) -> None:
        self.completion = completion
        super().__init__(completion)

    def __str__(self) -> str:
        """In words."""
        return f"the provider's filter withheld the answer of {self.completion.model}"


_REFUSALS = frozenset({FinishReason.REFUSED, FinishReason.FILTERED})


@dataclass(frozen=True)
class Asked:
    """What came of one request.

    Attributes:
        prompt: What was asked; `None` when the prompt could not be made.
        completion: The answer; `None` when there is none.
        record: What is written down about it.
        settled: Why there is no answer.
    """

    prompt: RenderedPrompt | None
    completion: Completion | None = None
    record: AnswerRecord | None = None
    settled: Verdict | None = None


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
        stream: Whether answers come piece by piece.
        budget: What may be spent.
    """

    adapter: ModelAdapter
    template: PromptTemplate
    databases: Databases
    endpoint: Endpoint
    parameters: Mapping[str, object] = field(default_factory=dict)
    prices: Prices = field(default_factory=Prices)
    cache: ResponseCache | None = None
    repeat: int = 0
    stream: bool = False
    budget: Budget = field(default_factory=Budget)

    async def answer(self, position: int, question: Question, target: str) -> Answer:
        """Render, ask, and find the SQL."""
        return self.read(await self.ask(self.template, question, target))

    async def ask(
        self,
        template: PromptTemplate,
        question: Question,
        target: str,
        *,
        before: Sequence[Message] = (),
        variables: Mapping[str, object] | None = None,
        schema: Mapping[str, object] | None = None,
        usable: Callable[[Completion], bool] = lambda _: True,
    ) -> Asked:
        """Ask with any prompt.

        Args:
            template: The prompt.
            question: Its text, evidence and id.
            target: The database whose schema is shown.
            before: Messages that the prompt's come after.
            variables: Further variables of the prompt.
            schema: The JSON schema that the answer is held to, where the provider can.
            usable: Whether an answer can be used; one that cannot is not kept, and asked for again the next time.

        Raises:
            ModelStopped: The model answers no question any more.
            OverBudget: The request would pass the budget.
            UserError: The prompt lacks a variable.
        """
        try:
            prompt, request = self.request(template, question, target, before, variables, schema)
        except BackendError as error:
            return Asked(None, settled=Verdict.of(Reason.BACKEND_DOWN, error=str(error)))
        cache = self.cache
        key = cache.key(self.adapter, request) if cache is not None else b""
        known = cache.get(key) if cache is not None else None
        if known is not None and usable(known):
            return self._asked(prompt, known, cached=True)
        try:
            completion, attempts = await self._call(request)
        except GaveUp as failure:
            if isinstance(failure.error, FilteredAnswer):
                return self._asked(prompt, failure.error.completion, attempts=failure.attempts)
            return self._failed(prompt, failure)
        if cache is not None and usable(completion):
            cache.put(key, completion)
        return self._asked(prompt, completion, attempts=attempts)

    def request(
        self,
        template: PromptTemplate,
        question: Question,
        target: str,
        before: Sequence[Message] = (),
        variables: Mapping[str, object] | None = None,
        schema: Mapping[str, object] | None = None,
    ) -> tuple[RenderedPrompt, GenerationRequest]:
        """What `ask` sends, not sent.

        Raises:
            BackendError: The database whose schema is shown cannot be read.
            UserError: The prompt lacks a variable.
        """
        prompt = self._render(template, question, target, variables or {})
        if before:
            prompt = RenderedPrompt.of((*before, *prompt.messages))
        request = GenerationRequest(
            prompt.messages,
            {**self.parameters, **({"stop": list(template.stop)} if template.stop else {})},
            question_id=question.id,
            prompt=template.ref,
            dialect=self.databases.backend.dialect,
            repeat=self.repeat,
            schema=schema if Feature.SCHEMA in self.adapter.features else None,
            stream=self.stream,
        )
        return prompt, request

    async def _call(self, request: GenerationRequest) -> Outcome[Completion]:
        """The request, through the endpoint and within the budget."""
        held = await self.budget.hold(request, self.prices)
        usage = None
        try:
            done = await self.endpoint.call(
                lambda: self._generate(request), tokens=total(estimate(request)) or 0, used=lambda one: total(one.usage)
            )
            usage = done.value.usage
            return done
        except GaveUp as failure:
            usage = failure.error.completion.usage if isinstance(failure.error, FilteredAnswer) else None
            raise
        finally:
            self.budget.settle(held, usage, self.prices)

    async def _generate(self, request: GenerationRequest) -> Completion:
        completion = await self.adapter.generate(request)
        if completion.finish_reason is FinishReason.FILTERED:
            raise FilteredAnswer(completion)
        return completion

    def read(self, asked: Asked) -> Answer:
        """The SQL in what was answered."""
        completion = asked.completion
        if completion is None:
            return Answer(None, asked.settled, asked.record)
        found = self.template.extract(completion.text)
        settled = None
        if completion.finish_reason in _REFUSALS:
            settled = Verdict.of(Reason.REFUSED, answer=completion.text[:500])
        elif completion.finish_reason is FinishReason.LENGTH:
            settled = Verdict.of(Reason.TRUNCATED, answer_end=completion.text[-200:])
        elif found.sql is None:
            settled = Verdict.of(Reason.NO_SQL, answer=completion.text[:500])
        return Answer(found.sql, settled, asked.record, found.method)

    def _render(
        self, template: PromptTemplate, question: Question, target: str, more: Mapping[str, object]
    ) -> RenderedPrompt:
        return template.render(
            {
                "question": question.text,
                "evidence": question.evidence,
                "schema": self.databases.schema_text(target),
                "dialect": self.databases.backend.title,
                **more,
            }
        )

    def _failed(self, prompt: RenderedPrompt, failure: GaveUp) -> Asked:
        error = failure.error
        if not isinstance(error, AdapterError | CircuitOpen):
            raise error
        if isinstance(error, AdapterError) and error.stops_model:
            raise ModelStopped(f"{type(error).__name__}: {error}") from error
        reason = Reason.PROMPT_TOO_LONG if isinstance(error, PromptTooLong) else Reason.PROVIDER_DOWN
        record = AnswerRecord(prompt.sha256, model=self.adapter.model, attempts=_attempts(failure.attempts))
        return Asked(prompt, None, record, Verdict.of(reason, error=type(error).__name__, message=str(error)))

    def _asked(
        self,
        prompt: RenderedPrompt,
        completion: Completion,
        *,
        cached: bool = False,
        attempts: tuple[Attempt, ...] = (),
    ) -> Asked:
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
            cost=0.0 if cached else self.prices.cost(usage),
            seconds=round(completion.seconds, 6),
            first_token_seconds=completion.first_token_seconds,
            request_id=completion.request_id,
            cached=cached,
            dropped=completion.dropped,
            attempts=_attempts(attempts),
        )
        return Asked(prompt, completion, record)


def _attempts(attempts: tuple[Attempt, ...]) -> tuple[AttemptRecord, ...]:
    return tuple(
        AttemptRecord(one.error, one.message, round(one.waited, 6), round(one.seconds, 6), one.status)
        for one in attempts
    )
