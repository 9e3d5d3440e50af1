"""Asking a model: prompt, cache, retries, and the SQL in what it says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import NamedTuple

from adapters.base import Completion, Feature, FinishReason, GenerationRequest, ModelAdapter, Usage
from adapters.errors import AdapterError, PromptTooLong
from adapters.prices import Prices
from database_backends.errors import BackendError
from evaluation.answers import Answer, AnswerSource, ModelStopped
from evaluation.budget import Budget, estimate, together, total
from evaluation.databases import Databases
from evaluation.datasets.base import Question
from evaluation.few_shot.pool import Chosen, Pool
from evaluation.prompt_log import text_sha256
from evaluation.records import AnswerRecord, AttemptRecord, CallRecord
from evaluation.store import Store, digest
from evaluation.verdicts import Reason, Verdict
from prompts import dialect_rules
from prompts.linking import link, whole
from prompts.schema_text.text import SchemaText
from prompts.template import PromptTemplate, RenderedPrompt
from sqlassay.chat_formats import chat_format
from sqlassay.errors import SqlAssayError, UserError
from sqlassay.messages import Message
from sqlassay.resilience import Attempt, CircuitOpen, Endpoint, GaveUp, Outcome
from sqlassay.schema import Schema


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
        calls: What was asked before it.
    """

    prompt: RenderedPrompt | None
    completion: Completion | None = None
    record: AnswerRecord | None = None
    settled: Verdict | None = None
    calls: tuple[CallRecord, ...] = ()

    @property
    def silence(self) -> str:
        """Why there is no answer, or none to the end, in words; empty where there is one."""
        if self.completion is None:
            return self.settled.reason.words if self.settled is not None else "no answer"
        reason = self.completion.finish_reason
        return "" if reason is FinishReason.STOP else reason.value


class Prepared(NamedTuple):
    """A request that is ready to be sent.

    Attributes:
        prompt: What the request asks.
        request: It.
        chosen: The examples in it.
    """

    prompt: RenderedPrompt
    request: GenerationRequest
    chosen: Chosen


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
        schema_tokens: The most that a schema may take of a prompt, besides what the prompt itself says.
        examples: What prompts that show examples choose from.
        keep: Is given every prompt before it is sent.
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
    schema_tokens: int | None = None
    examples: Pool | None = None
    keep: Callable[[RenderedPrompt], None] = lambda prompt: None

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
        """Ask with any prompt, after the one that it is linked by.

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
        calls: tuple[CallRecord, ...] = ()
        part: SchemaText | None = None
        if template.linker is not None:
            linking = await self.ask(template.linker, question, target)
            if linking.completion is None:
                call = CallRecord("linking", self.adapter.model, linking.silence, linking.record)
                return Asked(None, settled=linking.settled, calls=(call,))
            part, words = self._linked(linking.completion, self._schema(template, question, target))
            calls = (CallRecord("linking", self.adapter.model, words, linking.record),)
        try:
            prepared = self.request(template, question, target, before, variables, schema, part)
        except BackendError as error:
            return Asked(None, settled=Verdict.of(Reason.BACKEND_DOWN, error=str(error)), calls=calls)
        return replace(await self._send(prepared, usable), calls=calls)

    def _linked(self, completion: Completion, schema: SchemaText) -> tuple[SchemaText, str]:
        """The part of a schema that an answer names, and how much it is, in words."""
        reason = completion.finish_reason
        linked = (
            link(completion.text, schema.schema)
            if reason is FinishReason.STOP
            else whole(schema.schema, f"the answer is not whole: {reason.value}")
        )
        return replace(schema, schema=linked.schema), linked.note

    async def _send(self, prepared: Prepared, usable: Callable[[Completion], bool]) -> Asked:
        """Ask, unless a usable answer is known."""
        prompt, request, _ = prepared
        odd = no_text(prompt)
        if odd is not None:
            return Asked(prompt, settled=Verdict.of(Reason.INTERNAL_ERROR, error=odd))
        self.keep(prompt)
        key = self._key(request)
        known = self._kept(key)
        if known is not None and usable(known):
            return self._asked(prepared, known)
        used: list[Usage] = []
        try:
            completion, attempts = await self._call(request, used)
        except GaveUp as failure:
            if isinstance(failure.error, FilteredAnswer):
                return self._asked(prepared, failure.error.completion, used, failure.attempts)
            return self._failed(prepared, failure)
        if self.cache is not None and usable(completion):
            self.cache.put(key, completion)
        return self._asked(prepared, completion, used, attempts)

    def known(self, request: GenerationRequest) -> Completion | None:
        """The answer from before; `None` where there is none."""
        return self._kept(self._key(request))

    def _key(self, request: GenerationRequest) -> bytes:
        return b"" if self.cache is None else self.cache.key(self.adapter, request)

    def _kept(self, key: bytes) -> Completion | None:
        return None if self.cache is None else self.cache.get(key)

    def expected(
        self, template: PromptTemplate, question: Question, target: str, variables: Mapping[str, object]
    ) -> Iterator[tuple[GenerationRequest, bool]]:
        """What `ask` would send, and whether the answer is known.

        What follows an answer that is not known yet is shown with the whole schema, which it is at most.

        Raises:
            BackendError: The database whose schema is shown cannot be read.
            UserError: The prompt lacks a variable.
        """
        part: SchemaText | None = None
        if template.linker is not None:
            linking = self.request(template.linker, question, target).request
            answer = self.known(linking)
            yield linking, answer is not None
            if answer is not None:
                part, _ = self._linked(answer, self._schema(template, question, target))
        request = self.request(template, question, target, variables=variables, part=part).request
        yield request, self.known(request) is not None

    def request(
        self,
        template: PromptTemplate,
        question: Question,
        target: str,
        before: Sequence[Message] = (),
        variables: Mapping[str, object] | None = None,
        schema: Mapping[str, object] | None = None,
        part: SchemaText | None = None,
    ) -> Prepared:
        """What `ask` sends, not sent; of the database's schema it shows a part, where one is given.

        Raises:
            BackendError: The database whose schema is shown cannot be read.
            UserError: The prompt lacks a variable.
        """
        chosen = Chosen()
        if template.examples is not None and self.examples is not None:
            chosen = self.examples.choose(template.examples, question, self.databases)
            variables = {"examples": chosen.variable, **(variables or {})}
        if part is None and "schema" in template.variables:
            part = self._schema(template, question, target)
        prompt = self._render(template, question, part or SchemaText(Schema(())), variables or {})
        if before:
            prompt = prompt.after(before)
        request = GenerationRequest(
            prompt.messages,
            self.parameters,
            question_id=question.id,
            prompt=template.ref,
            dialect=self.databases.backend.dialect,
            repeat=self.repeat,
            schema=schema if Feature.SCHEMA in self.adapter.features else None,
            stream=self.stream,
        )
        if template.stop:
            stop = list(dict.fromkeys((*request.stop, *template.stop)))
            request = replace(request, parameters={**request.parameters, "stop": stop})
        return Prepared(prompt, request, chosen)

    async def _call(self, request: GenerationRequest, used: list[Usage]) -> Outcome[Completion]:
        """The request, through the endpoint and within the budget.

        Args:
            request: It.
            used: Is given the tokens of every answer to it, also of those that a filter withheld.
        """
        held = await self.budget.hold(request, self.prices)
        try:
            return await self.endpoint.call(
                lambda: self._generate(request, used),
                tokens=total(estimate(request)) or 0,
                used=lambda one: total(one.usage),
            )
        finally:
            self.budget.settle(held, used, self.prices)

    async def _generate(self, request: GenerationRequest, used: list[Usage]) -> Completion:
        completion = await self.adapter.generate(request)
        used.append(completion.usage)
        if completion.finish_reason is FinishReason.FILTERED:
            raise FilteredAnswer(completion)
        return completion

    def read(self, asked: Asked) -> Answer:
        """The SQL in what was answered."""
        completion = asked.completion
        if completion is None:
            return Answer(None, asked.settled, asked.record, calls=asked.calls)
        found = self.template.extract(completion.text)
        settled = None
        if completion.finish_reason in _REFUSALS:
            settled = Verdict.of(Reason.REFUSED, answer=completion.text[:500])
        elif completion.finish_reason is FinishReason.LENGTH:
            settled = Verdict.of(Reason.TRUNCATED, answer_end=completion.text[-200:])
        elif found.sql is None:
            settled = Verdict.of(Reason.NO_SQL, answer=completion.text[:500])
        return Answer(found.sql, settled, asked.record, found.method, found.removed, calls=asked.calls)

    def _render(
        self, template: PromptTemplate, question: Question, schema: SchemaText, more: Mapping[str, object]
    ) -> RenderedPrompt:
        shown = schema.about(question.context, self.schema_tokens, self.adapter.model)
        prompt = template.render(
            {
                "question": question.text,
                "evidence": question.evidence,
                "history": question.history.variable if question.history is not None else [],
                "schema": shown.text,
                "dialect": self.databases.backend.title,
                "dialect_rules": dialect_rules.text(self.databases.backend.dialect),
                **more,
            }
        )
        return replace(prompt, schema_left_out=shown.left_out)

    def _schema(self, template: PromptTemplate, question: Question, target: str) -> SchemaText:
        return self.databases.schema_text(target, question.db_id, template.schema)

    def _failed(self, prepared: Prepared, failure: GaveUp) -> Asked:
        error = failure.error
        if not isinstance(error, AdapterError | CircuitOpen):
            raise error
        if isinstance(error, AdapterError) and error.stops_model:
            raise ModelStopped(f"{type(error).__name__}: {error}") from error
        reason = Reason.PROMPT_TOO_LONG if isinstance(error, PromptTooLong) else Reason.PROVIDER_DOWN
        record = self._record(prepared, failure.attempts)
        return Asked(prepared.prompt, None, record, Verdict.of(reason, error=type(error).__name__, message=str(error)))

    def _asked(
        self,
        prepared: Prepared,
        completion: Completion,
        used: Sequence[Usage] = (),
        attempts: tuple[Attempt, ...] = (),
    ) -> Asked:
        """What came of a request; where nothing was used, the answer was known."""
        usage = together(used) if used else completion.usage
        costs = [self.prices.cost(one) for one in used]
        record = replace(
            self._record(prepared, attempts),
            text=completion.text,
            finish_reason=completion.finish_reason.value,
            model=completion.model or self.adapter.model,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cached_tokens=usage.cached_tokens,
            reasoning_tokens=usage.reasoning_tokens,
            cost=None if used and costs[-1] is None else sum((cost or 0.0 for cost in costs), 0.0),
            seconds=round(completion.seconds, 6),
            first_token_seconds=completion.first_token_seconds,
            request_id=completion.request_id,
            cached=not used,
            dropped=completion.dropped,
        )
        return Asked(prepared.prompt, completion, record)

    def _record(self, prepared: Prepared, attempts: tuple[Attempt, ...]) -> AnswerRecord:
        """What is written down of a request, whatever was answered."""
        return AnswerRecord(
            prepared.prompt.sha256,
            prepared.prompt.ref,
            prepared.prompt.template_sha256,
            model=self.adapter.model,
            attempts=_attempts(attempts),
            schema_left_out=prepared.prompt.schema_left_out,
            examples=prepared.chosen.ids,
            withheld=prepared.chosen.withheld,
            chat_format=self.adapter.chat_format,
            sent_sha256=self._sent_sha256(prepared.prompt),
        )

    def _sent_sha256(self, prompt: RenderedPrompt) -> str | None:
        """Of the one text that the messages become, where they become one."""
        if self.adapter.chat_format is None:
            return None
        try:
            return text_sha256(chat_format(self.adapter.chat_format).prompt(prompt.messages))
        except UserError:  # it has no place for them: the adapter refuses as well
            return None


def no_text(prompt: RenderedPrompt) -> str | None:
    """Why a prompt cannot be sent to anybody, whatever the provider."""
    for message in prompt.messages:
        try:
            message.content.encode()
        except UnicodeEncodeError as error:
            odd = f"U+{ord(message.content[error.start]):04X}"
            return f"the prompt cannot be sent: it holds {odd}, half a character, in the question or the schema"
    return None


def _attempts(attempts: tuple[Attempt, ...]) -> tuple[AttemptRecord, ...]:
    return tuple(
        AttemptRecord(one.error, one.message, round(one.waited, 6), round(one.seconds, 6), one.status)
        for one in attempts
    )
