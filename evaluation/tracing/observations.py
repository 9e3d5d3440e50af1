"""An item as a trace: one observation per step, in the words of Langfuse.

A record holds how long steps took, not when each began; here they come one after another, from the item's beginning.

Source: `langfuse.LangfuseOtelSpanAttributes` of SDK 5 and its `run_experiment`, whose experiments these look like.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from evaluation.prompt_log import RecordedPrompt
from evaluation.records import AnswerRecord, CallRecord, ExecutionRecord, ItemRecord, VerdictRecord
from evaluation.tracing.concealment import Concealment
from evaluation.tracing.subject import Attempt, Subject
from evaluation.verdicts import JUDGES, Status

ENVIRONMENT = "sdk-experiment"
"""Where Langfuse looks for experiments; the SDK's are there as well."""
ROOT = "item"
"""The step that all others belong to."""
FIRST = "first attempt"
"""What stands behind a strategy's name where the first attempt of a model that repairs its statements is judged."""
_NAMED = re.compile(r"(?P<name>.+)@v?(?P<version>[0-9]+)")

Prompts = Callable[[str], RecordedPrompt | None]
"""From the digest of a prompt to the prompt, where it was recorded."""


@dataclass(frozen=True)
class Observation:
    """One step.

    Attributes:
        step: Which of the item's; tells its id.
        name: For people.
        start: Nanoseconds since 1970.
        end: The same.
        attributes: What is known of it, by the names of the attributes.
        parent: The step that it is a part of.
    """

    step: str
    name: str
    start: int
    end: int
    attributes: Mapping[str, str | int]
    parent: str = ROOT


@dataclass(frozen=True)
class Trace:
    """One item.

    Attributes:
        attempt: The item, and when it was done.
        observations: The root first.
        shared: What every observation says of the experiment that it belongs to, by the names of the attributes.
    """

    attempt: Attempt
    observations: tuple[Observation, ...]
    shared: Mapping[str, str]


def trace_of(subject: Subject, record: ItemRecord, prompts: Prompts, conceal: Concealment, dataset_id: str) -> Trace:
    """The trace of an item: the same for the same record, whenever it is made."""
    steps = _Steps(subject, record, prompts, conceal)
    children = list(steps.all())
    observations = [steps.root(), *children]
    names = conceal.without_keys([one.name for one in observations])
    attributes = conceal.without_keys([one.attributes for one in observations])
    shared = conceal.without_keys(_of_experiment(subject, record, conceal, dataset_id))
    told = [
        replace(one, name=name, attributes=known)
        for one, name, known in zip(observations, names, attributes, strict=True)
    ]
    return Trace(attempt_of(record), tuple(told), shared)


def attempt_of(record: ItemRecord) -> Attempt:
    """Which attempt a record is of."""
    return Attempt(record.id, record.started)


def question_of(record: ItemRecord, conceal: Concealment) -> dict[str, Any]:
    """What was asked: the input of the item, in the words of our own question format."""
    asked = {"question": conceal.text(record.question), "db_id": record.db_id}
    if record.evidence:
        asked["evidence"] = conceal.text(record.evidence)
    return asked


def gold_of(record: ItemRecord, conceal: Concealment) -> str | list[str] | None:
    """The acceptable statements; `None` when there is none."""
    golds = [conceal.text(gold.sql) for gold in record.golds if gold.sql]
    return (golds[0] if len(golds) == 1 else golds) or None


def about(record: ItemRecord) -> dict[str, Any]:
    """What the dataset says of the question besides."""
    told = {
        "id": record.id,
        "difficulty": record.difficulty,
        "tags": list(record.tags),
        "conversation": record.conversation,
        "turn": record.turn,
    }
    return {key: value for key, value in told.items() if value not in (None, [])}


def _of_experiment(subject: Subject, record: ItemRecord, conceal: Concealment, dataset_id: str) -> dict[str, str]:
    told = {
        "langfuse.environment": ENVIRONMENT,
        "langfuse.trace.name": subject.manifest["title"],
        "langfuse.experiment.id": subject.experiment_id,
        "langfuse.experiment.name": subject.run_id,
        "langfuse.experiment.description": subject.manifest["title"],
        "langfuse.experiment.metadata": conceal.json(subject.description),
        "langfuse.experiment.dataset.id": dataset_id,
        "langfuse.experiment.item.id": subject.dataset_item_id(record.id),
        "langfuse.experiment.item.metadata": conceal.json(about(record)),
        "langfuse.experiment.item.root_observation_id": subject.observation_id(attempt_of(record), ROOT),
    }
    gold = gold_of(record, conceal)
    if gold is not None:
        told["langfuse.experiment.item.expected_output"] = gold if isinstance(gold, str) else conceal.json(gold)
    return told


@dataclass
class _Steps:
    subject: Subject
    record: ItemRecord
    prompts: Prompts
    conceal: Concealment

    def __post_init__(self) -> None:
        begun = datetime.fromisoformat(self.record.started or self.subject.manifest["started"])
        self._shown: dict[str, str | None] = {}
        self._begun = self._now = round(begun.timestamp() * 1000) * 1_000_000

    @property
    def _parameters(self) -> Mapping[str, Any] | None:
        """What a model is asked with; `None` where one of several is, each with others."""
        identity = self.subject.manifest["identity"]
        parts = (identity.get("model") or {}).get("parts") or {"": identity}
        first, *others = [part.get("parameters") or {} for part in parts.values()]
        return first if all(one == first for one in others) else None

    def root(self) -> Observation:
        record = self.record
        told = {
            **about(record),
            "db_id": record.db_id,
            "extraction": record.extraction,
            "removed": list(record.removed),
            "answered_by": record.answered_by,
            "route": None if record.route is None else record.route.route,
            "history": None if record.history is None else vars(record.history),
            "note": None if record.note is None else self.conceal.row_text(record.note),
            "verdicts": {verdict.strategy: verdict.reason.value for verdict in record.verdicts},
        }
        unscored = any(verdict.status is Status.UNSCORED for verdict in record.verdicts)
        end = max(self._now, self._begun + _nanoseconds(record.seconds))
        attributes = self._attributes(
            "span",
            input=self.conceal.json(question_of(record, self.conceal)),
            output=None if record.sql is None else self.conceal.text(record.sql),
            metadata=told,
            level="WARNING" if unscored else None,
            status="the instrument failed: the item is unscored" if unscored else None,
        )
        return Observation(ROOT, f"question {record.id}", self._begun, end, attributes)

    def all(self) -> Iterator[Observation]:
        """Every step but the root, in the order in which they are done."""
        record = self.record
        for number, call in enumerate(record.calls, start=1):
            if call.answer is not None:
                yield self._call(f"call {number}", f"generate: {call.role}", call, call.answer, self._parameters)
            if call.ran is not None:
                yield self._execution(f"call {number} execution", f"execute: {call.role}", call.ran)
        if record.answer is not None:
            yield from self._rendering(record.answer)
            yield self._generation("generate", "generate", record.answer, {}, self._parameters)
        for number, gold in enumerate(record.golds, start=1):
            yield self._execution(f"gold {number}", "execute gold", gold)
        if record.predicted is not None:
            yield self._execution("prediction", "execute prediction", record.predicted)
        yield from self._evaluations()

    def _evaluations(self) -> Iterator[Observation]:
        """What strategies said, side by side, and below each what it asked of judges, of both attempts."""
        record, begun, ended = self.record, self._now, self._now
        for verdict in record.verdicts:
            self._now, step = begun, f"strategy {verdict.strategy}"
            asked = list(self._judging(verdict.strategy, step))
            yield self._evaluation(step, verdict.strategy, record.sql, verdict, begun)
            yield from asked
            ended = max(ended, self._now)
        self._now = ended
        first = record.first
        if first is not None and (first.sql, first.verdicts) != (record.sql, record.verdicts):
            for verdict in first.verdicts:  # how its statement ran is among the calls
                name = f"{verdict.strategy} ({FIRST})"
                yield self._evaluation(f"first strategy {verdict.strategy}", name, first.sql, verdict, ended)

    def _judging(self, strategy: str, parent: str) -> Iterator[Observation]:
        described = self.subject.manifest["identity"].get("strategies") or ()
        judges = next((one.get(JUDGES) or () for one in described if one.get("label") == strategy), ())
        asked_with = {one["name"]: one.get("parameters") for one in judges}
        for number, call in enumerate(self.record.judging, start=1):
            if call.answer is not None and call.role == strategy:
                name, parameters = f"judge: {call.model}", asked_with.get(call.model)
                yield replace(self._call(f"judge {number}", name, call, call.answer, parameters), parent=parent)

    def _evaluation(self, step: str, name: str, sql: str | None, verdict: VerdictRecord, begun: int) -> Observation:
        attributes = self._attributes(
            "evaluator",
            input=None if sql is None else self.conceal.text(sql),
            output=self.conceal.json(
                {"status": verdict.status.value, "score": verdict.score, "reason": verdict.reason.value}
            ),
            metadata=self.conceal.evidence(verdict.evidence),
            level="WARNING" if verdict.status is Status.UNSCORED else None,
            status=verdict.reason.value,
        )
        return Observation(step, name, begun, self._now, attributes)

    def _rendering(self, answer: AnswerRecord) -> Iterator[Observation]:
        if answer.prompt_sha256:
            told = {
                "prompt": answer.prompt,
                "template_sha256": answer.prompt_template_sha256,
                "sha256": answer.prompt_sha256,
                "schema_left_out": list(answer.schema_left_out),
                "examples": list(answer.examples),
                "withheld": list(answer.withheld),
            }
            messages = self._messages(answer.prompt_sha256)
            attributes = self._attributes(
                "span", input=self.conceal.json(question_of(self.record, self.conceal)), output=messages, metadata=told
            )
            yield self._step("render", "render", 0.0, attributes)

    def _call(
        self, step: str, name: str, call: CallRecord, answer: AnswerRecord, parameters: Mapping[str, Any] | None
    ) -> Observation:
        more = {
            "model_name": call.model,
            "why": self.conceal.row_text(call.why),
            "sql": call.sql and self.conceal.text(call.sql),
        }
        return self._generation(step, name, answer, more, parameters)

    def _generation(
        self,
        step: str,
        name: str,
        answer: AnswerRecord,
        more: Mapping[str, Any],
        parameters: Mapping[str, Any] | None,
    ) -> Observation:
        waited = sum(attempt.seconds + attempt.waited for attempt in answer.attempts)
        failed = answer.finish_reason is None
        told = {
            "finish_reason": answer.finish_reason,
            "request_id": answer.request_id,
            "cached": answer.cached,
            "dropped": list(answer.dropped),
            "prompt": answer.prompt,
            "prompt_sha256": answer.prompt_sha256,
            "chat_format": answer.chat_format,
            "sent_sha256": answer.sent_sha256,
            "attempts": [
                {"error": one.error, "message": self.conceal.row_text(one.message), "status": one.status}
                for one in answer.attempts
            ],
            **more,
        }
        attributes = self._attributes(
            "generation",
            input=self._messages(answer.prompt_sha256),
            output=None if failed else self.conceal.row_text(answer.text),
            metadata=told,
            level="ERROR" if failed else None,
            status=answer.attempts[-1].error if failed and answer.attempts else None,
        )
        asked = more.get("model_name") or self.subject.manifest.get("model_label", "")
        attributes["langfuse.observation.model.name"] = answer.model or str(asked)
        if parameters is not None:
            attributes["langfuse.observation.model.parameters"] = self.conceal.json(parameters)
        usage = _usage(answer)
        if usage:
            attributes["langfuse.observation.usage_details"] = self.conceal.json(usage)
        cost = 0.0 if answer.cached else answer.cost
        if cost is not None:
            attributes["langfuse.observation.cost_details"] = self.conceal.json({"total": cost})
        prompt = _NAMED.fullmatch(answer.prompt.removeprefix("langfuse:"))
        if prompt is not None:
            attributes["langfuse.observation.prompt.name"] = prompt["name"]
            attributes["langfuse.observation.prompt.version"] = int(prompt["version"])
        if answer.first_token_seconds is not None:
            first = self._now + _nanoseconds(waited + answer.first_token_seconds)
            moment = datetime.fromtimestamp(first / 1e9, UTC)
            attributes["langfuse.observation.completion_start_time"] = self.conceal.json(moment.isoformat())
        return self._step(step, name, waited + answer.seconds, attributes)

    def _execution(self, step: str, name: str, ran: ExecutionRecord) -> Observation:
        told = {"truncated": ran.truncated, "cached": ran.cached, "seconds": ran.seconds, "source": ran.source}
        result: dict[str, Any] = {"rows": ran.rows} if ran.failure is None else {"failure": ran.failure}
        if ran.message:
            result["message"] = self.conceal.row_text(ran.message)
        attributes = self._attributes(
            "span",
            input=self.conceal.text(ran.sql),
            output=self.conceal.json(result),
            metadata=told,
            level=None if ran.failure is None else "ERROR",
            status=ran.failure,
        )
        return self._step(step, name, 0.0 if ran.cached else ran.seconds, attributes)

    def _messages(self, sha256: str) -> str | None:
        if sha256 not in self._shown:
            self._shown[sha256] = self._shown_prompt(sha256)
        return self._shown[sha256]

    def _shown_prompt(self, sha256: str) -> str | None:
        prompt = self.prompts(sha256) if sha256 else None
        if prompt is None:
            return None
        return self.conceal.json(
            [{"role": one.role, "content": self.conceal.row_text(one.content)} for one in prompt.messages]
        )

    def _attributes(
        self,
        kind: str,
        *,
        input: str | None,  # noqa: A002 - Langfuse's word
        output: str | None,
        metadata: Mapping[str, Any],
        level: str | None = None,
        status: str | None = None,
    ) -> dict[str, str | int]:
        found: dict[str, str | int | None] = {
            "langfuse.observation.type": kind,
            "langfuse.observation.input": input,
            "langfuse.observation.output": output,
            "langfuse.observation.level": level,
            "langfuse.observation.status_message": status,
        }
        for key, value in metadata.items():
            if value not in (None, [], ""):
                # As JSON, texts included: the server decodes each.
                found[f"langfuse.observation.metadata.{key}"] = self.conceal.json(value)
        return {key: value for key, value in found.items() if value is not None}

    def _step(self, step: str, name: str, seconds: float, attributes: Mapping[str, str | int]) -> Observation:
        start = self._now
        self._now += _nanoseconds(seconds)
        return Observation(step, name, start, self._now, attributes)


def _usage(answer: AnswerRecord) -> dict[str, int]:
    """Tokens by kind, no token in two of them: the server adds kinds up."""
    cached, thought = answer.cached_tokens or 0, answer.reasoning_tokens or 0
    usage = {}
    if answer.input_tokens is not None:
        usage["input"] = max(answer.input_tokens - cached, 0)
    if answer.output_tokens is not None:
        usage["output"] = max(answer.output_tokens - thought, 0)
    if cached:
        usage["input_cached_tokens"] = cached
    if thought:
        usage["output_reasoning_tokens"] = thought
    if answer.input_tokens is not None and answer.output_tokens is not None:
        usage["total"] = answer.input_tokens + answer.output_tokens
    return usage


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1e6) * 1000
