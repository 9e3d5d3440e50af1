"""Traces in the protobuf messages of OpenTelemetry.

Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp, with the official classes
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.metadata import version

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from evaluation.tracing.observations import ROOT, Observation, Trace
from evaluation.tracing.subject import Attempt, Subject


def spans_of(subject: Subject, trace: Trace) -> bytes:
    """One trace as a request of its own. Requests of several traces are these, one after another.

    Serialised messages that are joined are the message with the repeated fields of both: so says protobuf.
    """
    # Read from bytes in C: by far the most attributes are those that all have.
    shared = Span(attributes=_pairs(trace.shared.items())).SerializeToString()
    spans = [_span(subject, trace.attempt, observation) for observation in trace.observations]
    for span in spans:
        span.MergeFromString(shared)
    scope = ScopeSpans(scope=InstrumentationScope(name="sqlassay", version=_version()), spans=spans)
    resource = Resource(attributes=_pairs({"service.name": "sqlassay"}.items()))
    request = ExportTraceServiceRequest(resource_spans=[ResourceSpans(resource=resource, scope_spans=[scope])])
    serialised: bytes = request.SerializeToString()
    return serialised


@cache
def _version() -> str:
    return version("sqlassay")


def _span(subject: Subject, attempt: Attempt, observation: Observation) -> Span:
    def own(step: str) -> bytes:
        return bytes.fromhex(subject.observation_id(attempt, step))

    return Span(
        trace_id=bytes.fromhex(subject.trace_id(attempt)),
        span_id=own(observation.step),
        parent_span_id=b"" if observation.step == ROOT else own(observation.parent),
        name=observation.name,
        kind=Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=observation.start,
        end_time_unix_nano=observation.end,
        attributes=_pairs(observation.attributes.items()),
    )


def _pairs(attributes: Iterable[tuple[str, str | int]]) -> list[KeyValue]:
    return [
        KeyValue(
            key=key,
            value=AnyValue(int_value=value) if isinstance(value, int) else AnyValue(string_value=_whole(value)),
        )
        for key, value in attributes
    ]


def _whole(text: str) -> str:
    """A text that protobuf takes: lone surrogates are in no UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()
