"""A trace of one span, as the SDK sends it, and its score: written, and read back."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from evaluation.langfuse_server.connection import LangfuseServer, NoAnswer
from sqlassay.errors import UserError
from sqlassay.langfuse import ONCE, SECONDS, Access, no_answer, require_extra, sdk
from sqlassay.validation import Check

if TYPE_CHECKING:
    from langfuse.api import LangfuseAPI

PATH = "/api/public/otel/v1/traces"
NAME = "sqlassay validate"
ENVIRONMENT = "sqlassay-validate"
"""Where what was written is found, and out of the way of everything else."""
_PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Seconds before each further look; the last one again and again."""
_WEB = "see the log of langfuse-web"
_WORKER = "look at the log of langfuse-worker: it writes what was sent"


class Written(NamedTuple):
    """What was made: ids in hexadecimal digits, and the request that writes the span."""

    trace: str
    span: str
    request: bytes


def made() -> Written:
    """One span, which nobody else knows of.

    Raises:
        UserError: The SDK is not installed.
    """
    require_extra()
    from langfuse import LangfuseOtelSpanAttributes as Names
    from opentelemetry.context import Context
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from opentelemetry.sdk.trace.sampling import ALWAYS_ON

    tracer = TracerProvider(sampler=ALWAYS_ON, shutdown_on_exit=False).get_tracer("sqlassay")
    span = tracer.start_span(
        NAME,
        context=Context(),
        attributes={
            Names.TRACE_NAME: NAME,
            Names.OBSERVATION_TYPE: "span",
            Names.ENVIRONMENT: ENVIRONMENT,
            Names.OBSERVATION_INPUT: "was this written?",
        },
    )
    span.end()
    if not isinstance(span, ReadableSpan):
        raise UserError("OpenTelemetry is turned off", remedy="unset OTEL_SDK_DISABLED")
    ids = span.get_span_context()
    return Written(f"{ids.trace_id:032x}", f"{ids.span_id:016x}", encode_spans([span]).SerializeToString())


def write(server: LangfuseServer, written: Written, seconds: float) -> Check:
    """Send the span."""
    headers = {
        "Content-Type": "application/x-protobuf",
        "Content-Encoding": "gzip",
        "x-langfuse-ingestion-version": "4",
    }
    try:
        answer = server.request(PATH, body=gzip.compress(written.request), headers=headers, seconds=seconds)
    except NoAnswer as error:
        return Check("trace written", False, str(error), _WEB)
    if not 200 <= answer.status < 300:
        return Check("trace written", False, f"answers with HTTP {answer.status}", _WEB)
    return Check("trace written", True, f"in {answer.seconds * 1000:.0f} ms", seconds=answer.seconds)


def write_score(server: LangfuseServer, written: Written) -> Check:
    """Send a score of the trace, by the SDK."""
    from langfuse.api import CreateScoreRequest
    from langfuse.api.scores import CreateScoreBatchResults

    started = time.monotonic()
    score = CreateScoreRequest(
        id=score_id(written), trace_id=written.trace, name=NAME, value=1.0, environment=ENVIRONMENT
    )
    try:
        with _api(server) as api:
            answer = api.scores.create(request=[score], request_options=ONCE)
    except NoAnswer as error:
        return Check("score written", False, str(error), _WEB)
    if isinstance(answer, CreateScoreBatchResults):
        return Check("score written", False, "the server rejects it", _WEB)
    seconds = time.monotonic() - started
    return Check("score written", True, f"in {seconds * 1000:.0f} ms", seconds=seconds)


def score_id(written: Written) -> str:
    """Of the trace's score; the same each time."""
    return f"sqlassay-validate-{written.trace}"


def read_back(server: LangfuseServer, written: Written, seconds: float) -> Check:
    """Wait for span and score: a server that has taken them lets them be read a while later.

    Args:
        server: Who has taken them.
        written: What is looked for.
        seconds: How long to wait.
    """
    started, looks = time.monotonic(), 0
    while True:
        try:
            missing = _missing(server, written)
            problem, remedy = f"{' and '.join(missing)} cannot be read", _WORKER
        except NoAnswer as error:
            missing, problem, remedy = [NAME], str(error), _WEB
        took = time.monotonic() - started
        if not missing:
            return Check("read back", True, f"after {took:.1f} s", seconds=took)
        if took >= seconds:
            return Check("read back", False, f"{problem} after {took:.0f} s", remedy, seconds=took)
        time.sleep(min(_PAUSES[min(looks, len(_PAUSES) - 1)], seconds - took))
        looks += 1


def _missing(server: LangfuseServer, written: Written) -> list[str]:
    """What cannot be read yet.

    Raises:
        NoAnswer: The server did not answer properly, this time.
    """
    recently = datetime.now(UTC) - timedelta(hours=1)
    with _api(server) as api:
        spans = api.observations.get_many(
            trace_id=written.trace, from_start_time=recently, limit=10, request_options=ONCE
        ).data
        scores = api.scores.get_many(id=score_id(written), limit=10, request_options=ONCE).data
    missing = [] if any(one.id == written.span for one in spans) else ["the trace"]
    return missing if any(one.id == score_id(written) for one in scores) else [*missing, "its score"]


@contextmanager
def _api(server: LangfuseServer) -> Iterator[LangfuseAPI]:
    """The SDK's client.

    Raises:
        NoAnswer: There was no proper answer. What the server wrote is not repeated.
    """
    import httpx
    from langfuse.api.core import ApiError
    from pydantic import ValidationError

    try:
        with sdk(Access(server.host, *(server.keys or ("", "")))) as api:
            yield api
    except UserError as error:
        raise NoAnswer(str(error)) from None
    except ApiError as error:
        raise NoAnswer(f"answers with HTTP {error.status_code}") from None
    except httpx.HTTPError as error:
        raise NoAnswer(no_answer(error, SECONDS)) from None
    except (ValidationError, ValueError):
        raise NoAnswer("answers with something that the SDK does not understand") from None
