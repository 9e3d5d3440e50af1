"""Traces and ids, as pure functions of records."""

from __future__ import annotations

import json
from dataclasses import is_dataclass, replace
from enum import Enum
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langfuse import LangfuseOtelSpanAttributes
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from evaluation.prompt_log import RecordedPrompt
from evaluation.records import (
    AnswerRecord,
    AttemptRecord,
    CallRecord,
    ExecutionRecord,
    FirstRecord,
    HistoryRecord,
    ItemRecord,
    RouteRecord,
    VerdictRecord,
)
from evaluation.tracing.concealment import Concealment
from evaluation.tracing.observations import Trace, trace_of
from evaluation.tracing.otlp import spans_of
from evaluation.tracing.scores import item_scores
from evaluation.tracing.subject import Attempt, CopySettings, Subject
from evaluation.verdicts import Reason, Status
from sqlassay.errors import UserError
from sqlassay.messages import Message

MANIFEST: dict[str, Any] = {
    "run_id": "r-01",
    "group": "r",
    "cell": 1,
    "title": "m · p · sqlite",
    "started": "2026-01-31T12:00:00+00:00",
    "experiment": {"name": "r", "sha256": "e" * 64, "text": ""},
    "model_label": "m",
    "identity": {
        "dataset": {"format": "jsonl", "sha256": "d" * 64, "questions": 1},
        "parameters": {"temperature": 0},
    },
    "versions": {"sqlassay": "0.1.0"},
}
ALL: dict[str, Any] = {"max_bytes": 1000, "mask_rows": False}
SUBJECT = Subject(MANIFEST, CopySettings())
ANSWER = AnswerRecord(
    "5" * 64,
    prompt="langfuse:sql team/ask@3",
    text="It is Ann: SELECT 1",
    finish_reason="stop",
    model="m-2026",
    input_tokens=100,
    output_tokens=30,
    cached_tokens=60,
    reasoning_tokens=10,
    cost=0.25,
    seconds=2.0,
    first_token_seconds=0.5,
    attempts=(AttemptRecord("RateLimited", "slow down, Ann", 1.0, 0.5, 429),),
)
RECORD = ItemRecord(
    "q1",
    0,
    "show",
    "How many?",
    evidence="All of them.",
    tags=("count",),
    answer=ANSWER,
    sql="SELECT 1",
    golds=(ExecutionRecord("SELECT 2", 1, seconds=0.25), ExecutionRecord("SELECT 3", 1, seconds=9.0, cached=True)),
    predicted=ExecutionRecord("SELECT 1", seconds=0.5, failure="runtime", message="bad value 'Ann'"),
    verdicts=(
        VerdictRecord("a", Status.INCORRECT, 0.0, Reason.WRONG_ROWS, {"missing": [["Ann"]], "missing_rows": 1}),
        VerdictRecord("b", Status.UNSCORED, 0.0, Reason.GOLD_FAILED, {}),
    ),
    calls=(CallRecord("fallback", "small", "rejected: 'Ann'", replace(ANSWER, cost=None, cached=True), "SELECT 0"),),
    started="2026-01-31T12:00:01.500+00:00",
    seconds=4.0,
)


def prompts(sha256: str) -> RecordedPrompt:
    return RecordedPrompt(sha256, (Message("user", "A row: Ann"),))


def made(record: ItemRecord = RECORD, **conceal: Any) -> dict[str, dict[str, Any]]:
    trace = trace_of(SUBJECT, record, prompts, Concealment(**conceal), "dataset-1")
    short = len("langfuse.observation.")
    return {
        one.step: {
            "start": (one.start - trace.observations[0].start) / 1e9,
            "seconds": (one.end - one.start) / 1e9,
            **{key[short:]: value for key, value in one.attributes.items() if key.startswith("langfuse.observation")},
        }
        for one in trace.observations
    }


def test_steps_come_one_after_another() -> None:
    steps = made()
    assert {step: (one["start"], one["seconds"]) for step, one in steps.items()} == {
        "item": (0, 7.75),
        "call 1": (0, 3.5),
        "render": (3.5, 0),
        "generate": (3.5, 3.5),
        "gold 1": (7, 0.25),
        "gold 2": (7.25, 0),  # known from before: nobody waited for it
        "prediction": (7.25, 0.5),
        "strategy a": (7.75, 0),
        "strategy b": (7.75, 0),
    }


def test_a_generation() -> None:
    told = made()["generate"]
    assert json.loads(told["usage_details"]) == {
        "input": 40,
        "output": 20,
        "input_cached_tokens": 60,
        "output_reasoning_tokens": 10,
        "total": 130,
    }
    assert json.loads(told["cost_details"]) == {"total": 0.25}
    assert json.loads(told["model.parameters"]) == {"temperature": 0}
    assert (told["model.name"], told["prompt.name"], told["prompt.version"]) == ("m-2026", "sql team/ask", 3)
    assert json.loads(told["completion_start_time"]) == "2026-01-31T12:00:07+00:00"
    assert json.loads(made()["call 1"]["cost_details"]) == {"total": 0.0}  # from the cache: nothing was paid
    failed = made(replace(RECORD, answer=replace(ANSWER, finish_reason=None)))["generate"]
    assert (failed["level"], failed["status_message"], "output" in failed) == ("ERROR", "RateLimited", False)


def test_the_names_are_those_of_the_sdk() -> None:
    known = {value for name, value in vars(LangfuseOtelSpanAttributes).items() if name.isupper()}
    trace = trace_of(SUBJECT, RECORD, prompts, Concealment(), "dataset-1")
    used = {key for one in trace.observations for key in one.attributes} | trace.shared.keys()
    assert {key for key in used if not key.startswith("langfuse.observation.metadata.")} <= known


def test_rows_are_masked_wherever_they_may_be() -> None:
    assert "Ann" in json.dumps(made())
    masked = made(mask_rows=True)
    assert "Ann" not in json.dumps(masked)
    assert "SELECT 1" in masked["item"]["output"]
    assert json.loads(masked["strategy a"]["metadata.missing_rows"]) == 1


def test_keys_do_not_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "sk-0123456789abcdefgh")
    monkeypatch.setenv("PLACE", "/home/of/somebody")
    text = "models: [{settings: {path: '${PLACE}', gone: '${NOT_SET_ANY_MORE}'}}]"
    conceal = Concealment.of(text, max_bytes=1000, mask_rows=False)
    said = conceal.text("with sk-0123456789abcdefgh in /home/of/somebody")
    assert said.startswith("with *** in ${PLACE sha256:")


@pytest.mark.parametrize(
    ("name", "is_secret"),
    [
        *((name, True) for name in ("OPENAI_API_KEY", "HF_TOKEN", "aws_secret_access_key", "DB_PASS", "MYSQL_PWD")),
        *((name, True) for name in ("SSH_PASSPHRASE", "GOOGLE_APPLICATION_CREDENTIALS", "PGPASSWORD")),
        *((name, False) for name in ("PWD", "OLDPWD", "TOKENIZERS_PARALLELISM", "KEYBOARD", "COMPASS")),
    ],
)
def test_what_names_a_secret(name: str, is_secret: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    value = f"the value of the variable {name}"
    monkeypatch.setenv(name, value)
    assert Concealment.of("", **ALL).text(value) == ("***" if is_secret else value)


def test_no_key_leaves_in_any_field(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a provider, a dataset or an experiment says may have one in it, wherever it is."""
    key = "sk-0123456789abcdefgh"
    monkeypatch.setenv("SOME_API_KEY", key)

    def planted(value: Any) -> Any:
        if isinstance(value, Enum) or value == RECORD.started:
            return value
        if isinstance(value, str):
            return f"{value} {key}"
        if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{name: planted(part) for name, part in vars(value).items()})
        if isinstance(value, dict):
            return {name: planted(part) for name, part in value.items()}
        return type(value)(map(planted, value)) if isinstance(value, list | tuple) else value

    route, call = RouteRecord("r", "classifier"), replace(RECORD.calls[0], ran=RECORD.predicted)
    more = {
        "difficulty": "d",
        "conversation": "c",
        "extraction": "e",
        "removed": ("r",),
        "answered_by": "a",
        "note": "n",
        "judging": (replace(call, role="a"),),
        "first": FirstRecord("SELECT 4", RECORD.predicted, RECORD.verdicts),
        "history": HistoryRecord("own", 1),
    }
    answer = replace(ANSWER, request_id="r", dropped=("d",), schema_left_out=("s",), examples=("e",), chat_format="c")
    record = planted(replace(RECORD, route=route, calls=(call,), answer=answer, **more))
    manifest = {**planted(MANIFEST), "started": MANIFEST["started"]}
    trace = trace_of(Subject(manifest, CopySettings()), record, prompts, Concealment.of("", **ALL), planted("d"))
    sent = repr([trace.shared, *((one.name, one.attributes) for one in trace.observations)])
    assert key not in sent
    assert sent.count("***") > 50


def test_a_run_from_elsewhere_is_read_with_care() -> None:
    many = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in pairwise("abcdefgh")
    )
    with pytest.raises(UserError, match=r"manifest\.json is no YAML of ours"):
        Concealment.of(many, **ALL)


@given(st.text(max_size=300), st.integers(4, 400))
def test_a_text_is_cut_with_a_mark_and_never_within_a_character(text: str, size: int) -> None:
    cut = Concealment(max_bytes=size).text(text)
    whole = text.encode("utf-8", "surrogatepass")
    if len(whole) <= size:
        assert cut == text
    else:
        kept, mark, _ = cut.rpartition("… [cut: ")
        assert mark
        assert text.startswith(kept)
        assert size - 4 < len(kept.encode()) <= size


@given(st.text(), st.text(), st.text(max_size=20))
def test_ids_are_told_from_what_they_stand_for(first: str, second: str, step: str) -> None:
    one, other = Attempt(first, "now"), Attempt(second, "now")
    assert (SUBJECT.trace_id(one) == SUBJECT.trace_id(other)) is (one == other)
    assert SUBJECT.trace_id(one) != SUBJECT.trace_id(one._replace(started="later"))
    assert len(SUBJECT.trace_id(one)) == 32
    assert len(SUBJECT.observation_id(one, step)) == 16
    again = Subject(json.loads(json.dumps(MANIFEST)), CopySettings())
    assert again.observation_id(one, step) == SUBJECT.observation_id(one, step)
    assert again.score_id(one, step) == SUBJECT.score_id(one, step) != SUBJECT.score_id(None, step)


def test_runs_are_told_apart_and_datasets_are_not() -> None:
    elsewhere = Subject({**MANIFEST, "started": "2026-01-31T12:00:01+00:00"}, CopySettings())
    attempt = Attempt("q1", "now")
    assert elsewhere.trace_id(attempt) != SUBJECT.trace_id(attempt)
    assert elsewhere.dataset_item_id("q1") == SUBJECT.dataset_item_id("q1")
    ended = Subject({**MANIFEST, "status": "finished", "ended": "later"}, CopySettings())
    assert ended.experiment_id == SUBJECT.experiment_id


@given(st.text(max_size=50))
def test_any_text_can_be_sent(text: str) -> None:
    record = replace(RECORD, question=text, sql=text, answer=replace(ANSWER, text=text + "\udc80"))
    traces = [trace_of(SUBJECT, one, prompts, Concealment(), "d") for one in (record, replace(record, id="q2"))]
    joined = ExportTraceServiceRequest.FromString(b"".join(spans_of(SUBJECT, trace) for trace in traces))
    spans = [span for resource in joined.resource_spans for scope in resource.scope_spans for span in scope.spans]
    assert [span.span_id.hex() for span in spans] == [_id(trace, one) for trace in traces for one in range(9)]


def _id(trace: Trace, number: int) -> str:
    return SUBJECT.observation_id(trace.attempt, trace.observations[number].step)


def test_scores() -> None:
    told = {score.name: score.value for score in item_scores(RECORD)}
    assert told == {"a status": "incorrect", "a": 0.0, "b status": "unscored"}
