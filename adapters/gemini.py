"""Gemini, through Google's API for developers.

Source: https://ai.google.dev/api/generate-content
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from typing import Any, ClassVar

import httpx2
from google import genai
from google.genai import types
from google.genai.errors import APIError
from pydantic import ValidationError

from adapters import errors
from adapters.base import Completion, Feature, FinishReason, GenerationRequest, ModelInfo, Usage
from adapters.failures import Failure
from adapters.remote import Clock, RemoteAdapter, Unusable, json_object, transport_failure
from adapters.tool_calls import with_calls
from adapters.untrusted import array, count, mapping, text

_NO_KEY = "not-needed"  # without one the SDK looks for others in the environment
_ROLES = {"user": "user", "assistant": "model"}
_FINISH_REASONS = {
    "STOP": FinishReason.STOP,
    "MAX_TOKENS": FinishReason.LENGTH,
    **dict.fromkeys(("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"), FinishReason.FILTERED),
}

logging.getLogger("google_genai._api_client").addFilter(  # what it says there is not true: the key is given
    lambda record: "Using GOOGLE_API_KEY" not in record.getMessage()
)


class GeminiAdapter(RemoteAdapter):
    """Gemini's models through the official SDK.

    System messages become the system instruction, one part each. Parameters without a common name are those of the
    SDK's `GenerateContentConfig`, such as `thinking_config: {thinking_budget: 0}`. Thoughts count as output.

    The key is in `GEMINI_API_KEY`. The SDK would also take one from `GOOGLE_API_KEY`, and prefer it; the adapter does
    not, so that it is clear whose quota a run uses. Name it in `api_key_env` if that is where the key is.

    Args:
        model: Google's name of the model, such as `gemini-2.5-flash`.
        base_url: Where the API is, without its version; by default the environment's `GOOGLE_GEMINI_BASE_URL`, and
            Google itself when that is not set.
        api_key_env: The environment variable that holds the key. A server other than Google may need none: when the
            variable is not set, it is sent a placeholder.
        timeout: Seconds for one whole request; then its connection is closed.
        api_version: The version of the API; `v1beta` has what is still being tried out.

    Raises:
        UserError: A setting is wrong, or the key is missing.
    """

    provider: ClassVar[str] = "gemini"
    key_env: ClassVar[str | None] = "GEMINI_API_KEY"
    default_url: ClassVar[str] = "https://generativelanguage.googleapis.com"
    base_url_env: ClassVar[str | None] = "GOOGLE_GEMINI_BASE_URL"
    supports_seed: ClassVar[bool] = True
    features: ClassVar[frozenset[Feature]] = frozenset(Feature)
    names: ClassVar[Mapping[str, str]] = {
        **{name: name for name in ("temperature", "top_p", "top_k", "seed")},
        "max_tokens": "max_output_tokens",
        "stop": "stop_sequences",
    }
    reserved: ClassVar[frozenset[str]] = frozenset(
        {
            "contents",
            "http_options",
            "should_return_http_response",
            "system_instruction",
            "candidate_count",
            "response_mime_type",
            "response_schema",
            "response_json_schema",
            "automatic_continuation",
            "automatic_function_calling",
        }
    )

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key_env: str | None = None,
        timeout: float = 60.0,
        api_version: str = "v1",
    ) -> None:
        super().__init__(model, base_url=base_url, api_key_env=api_key_env, timeout=timeout)
        self.api_version = api_version

    @property
    def identity(self) -> Mapping[str, object]:
        """Provider, model, base URL and the version of the API."""
        return {**super().identity, "api_version": self.api_version}

    def _open(self, key: str | None) -> _Client:
        return _Client(key or _NO_KEY, self.base_url, self.api_version)

    async def _shut(self, client: _Client) -> None:
        await client.close()

    async def _ask(
        self, client: _Client, request: GenerationRequest, settings: Mapping[str, Any], clock: Clock
    ) -> Completion:
        given: Any = {"model": self.model, "contents": _contents(request), "config": self._config(request, settings)}
        if request.stream:
            return await _read_stream(client.pieces(given), clock)
        return _read(await client.whole(given))

    async def _list(self, client: _Client) -> list[ModelInfo]:
        return [_info(self.provider, model) for model in await client.models() if _answers(model)]

    def _failure(self, error: Exception) -> Failure | None:
        return _said(error) if isinstance(error, APIError) else transport_failure(self.base_url, error)

    def _config(self, request: GenerationRequest, settings: Mapping[str, Any]) -> types.GenerateContentConfig:
        system = [types.Part(text=message.content) for message in request.messages if message.role == "system"]
        fields: dict[str, Any] = {
            **settings,
            "automatic_continuation": False,  # one question is one request
            "automatic_function_calling": types.AutomaticFunctionCallingConfig(disable=True),
            "should_return_http_response": not request.stream or None,
        }
        if system:
            fields["system_instruction"] = types.Content(parts=system)
        if request.schema is not None:
            fields |= {"response_mime_type": "application/json", "response_json_schema": dict(request.schema)}
        try:
            return types.GenerateContentConfig(**fields)
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in wrong["loc"])
            message = f"the parameter {place!r} is wrong: {wrong['msg']}"
        raise errors.BadRequest(self.provider, self.model, message)


class _Client:
    """The SDK's client over a connection of ours, as JSON objects that are not yet trusted to look like anything.

    The connection is ours because the SDK would pick one of three libraries, one of which tries again by itself, and
    because this one follows nobody to another host with the key.
    """

    def __init__(self, key: str, base_url: str, api_version: str) -> None:
        # The time limit is for the whole request, and how many are under way at once is not the pool's to say.
        self._http = httpx2.AsyncClient(timeout=None, limits=httpx2.Limits())
        options = types.HttpOptions(base_url=base_url, api_version=api_version, httpx_async_client=self._http)
        self._sdk = genai.Client(vertexai=False, api_key=key, http_options=options)

    async def whole(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """An answer."""
        with _distrust():
            response = (await self._sdk.aio.models.generate_content(**given)).sdk_http_response
        found: Any = response or types.HttpResponse()
        return json_object(found.body or "", (found.headers or {}).get("content-type"), None)

    async def pieces(self, given: Mapping[str, Any]) -> AsyncGenerator[Mapping[str, Any], None]:
        """The pieces of an answer."""
        stream: Any = await self._sdk.aio.models.generate_content_stream(**given)
        async with aclosing(stream):
            with _distrust():
                async for piece in stream:
                    yield piece.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"sdk_http_response"})

    async def models(self) -> list[types.Model]:
        """What the list of models has on its only page."""
        with _distrust():
            return (await self._sdk.aio.models.list(config=types.ListModelsConfig(page_size=1000))).page

    async def close(self) -> None:
        """Close the connections."""
        await self._sdk.aio.aclose()
        self._sdk.close()
        await self._http.aclose()


@contextmanager
def _distrust() -> Iterator[None]:
    """The SDK takes for granted that an answer looks as it should; one that does not is none."""
    try:
        yield
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise Unusable(f"the answer is not what the API sends ({type(error).__name__})") from error


def _contents(request: GenerationRequest) -> list[types.Content]:
    return [
        types.Content(role=_ROLES[message.role], parts=[types.Part(text=message.content)])
        for message in request.messages
        if message.role in _ROLES
    ]


def _read(fields: Mapping[str, Any]) -> Completion:
    """A whole answer.

    Raises:
        Unusable: It has no candidates though nothing was blocked, or its content is no text.
    """
    request_id = text(fields.get("responseId")) or None
    candidates = array(fields.get("candidates"))
    feedback = mapping(fields.get("promptFeedback"))
    if candidates:
        candidate = mapping(candidates[0])
        reason = _FINISH_REASONS.get(str(candidate.get("finishReason")), FinishReason.OTHER)
        said = "".join(_texts(candidate, request_id, thought=False)) or text(candidate.get("finishMessage"))
        answer = with_calls(said, [(call.get("name"), call.get("args")) for call in _calls(candidate)])
    elif feedback.get("blockReason"):
        reason, answer = FinishReason.FILTERED, text(feedback.get("blockReasonMessage"))
    else:
        said = text(mapping(fields.get("error")).get("message")) or "the answer has no candidates"
        raise Unusable(said, request_id)
    used = _usage(mapping(fields.get("usageMetadata")))
    return Completion(answer, reason, used, text(fields.get("modelVersion")), request_id=request_id)


async def _read_stream(pieces: AsyncGenerator[Mapping[str, Any], None], clock: Clock) -> Completion:
    """An answer in pieces, put together to a whole one.

    Raises:
        Unusable: It ended before the model did.
    """
    whole: dict[str, Any] = {}
    last: dict[str, Any] = {}
    said: list[str] = []
    calls: list[Mapping[str, Any]] = []
    async with aclosing(pieces):
        async for piece in pieces:
            whole.update(piece)  # the counts of a piece are those of the whole answer so far
            for candidate in map(mapping, array(piece.get("candidates"))[:1]):
                last.update(candidate)
                answer, thoughts = (_texts(candidate, None, thought=thought) for thought in (False, True))
                said += answer
                made = _calls(candidate)
                calls += made
                if any(answer) or any(thoughts) or made:
                    clock.token()
    if last and "finishReason" not in last:
        raise Unusable("the stream ended in the middle of the answer", text(whole.get("responseId")) or None)
    parts = [{"text": "".join(said)}, *({"functionCall": call} for call in calls)]
    candidates = [{**last, "content": {"parts": parts}}] if last else []
    return _read({**whole, "candidates": candidates})


def _texts(candidate: Mapping[str, Any], request_id: str | None, *, thought: bool) -> list[str]:
    """The parts of what a model said, or of what it thought before."""
    parts = map(mapping, array(mapping(candidate.get("content")).get("parts")))
    found = [part["text"] for part in parts if "text" in part and (part.get("thought") is True) is thought]
    if not all(isinstance(part, str) for part in found):
        raise Unusable("the content of the answer is not text", request_id)
    return found


def _calls(candidate: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The tool calls among the parts."""
    parts = map(mapping, array(mapping(candidate.get("content")).get("parts")))
    return [mapping(part["functionCall"]) for part in parts if mapping(part.get("functionCall"))]


def _usage(fields: Mapping[str, Any]) -> Usage:
    """The token counts; Google counts what is answered and what is thought apart, and a cached prompt as prompt.

    Where nothing was answered, as to a prompt that is blocked, only the total says so.
    """
    asked, answered, thought, both = (
        count(fields.get(f"{kind}TokenCount")) for kind in ("prompt", "candidates", "thoughts", "total")
    )
    silent = answered is None and thought is None
    nothing = None if asked is None or both != asked else 0
    return Usage(
        input_tokens=asked,
        output_tokens=nothing if silent else (answered or 0) + (thought or 0),
        cached_tokens=count(fields.get("cachedContentTokenCount")),
        reasoning_tokens=thought,
    )


def _answers(model: types.Model) -> bool:
    """Whether it is one to ask; others only embed, or paint."""
    return bool(model.name) and "generateContent" in (model.supported_actions or ["generateContent"])


def _info(provider: str, model: types.Model) -> ModelInfo:
    """What Google says of a model: `context_length` is that of the prompt, the answer has a limit of its own."""
    return ModelInfo(
        str(model.name).removeprefix("models/"),
        provider,
        context_length=model.input_token_limit,
        capabilities=tuple(sorted(model.supported_actions or ())),
    )


def _said(error: APIError) -> Failure:
    """What Google's error says; its details name the quota that is used up, and how long to wait.

    Source: https://google.aip.dev/193
    """
    body = mapping(error.details)
    details = [mapping(detail) for detail in array(mapping(body.get("error")).get("details"))]
    codes = [error.status, *(detail.get("reason") for detail in details)]
    codes += [mapping(quota).get("quotaId") for detail in details for quota in array(detail.get("violations"))]
    delays = [_seconds(detail["retryDelay"]) for detail in details if "retryDelay" in detail]
    headers = getattr(error.response, "headers", None)  # none within the pieces of an answer
    return Failure(
        text(error.message).strip() or f"error {error.code}",
        error.code,
        frozenset(code for code in codes if isinstance(code, str)),
        headers if headers is not None else {},
        retry_after=next((delay for delay in delays if delay is not None), None),
    )


def _seconds(duration: object) -> float | None:
    """A duration as Google writes it, such as `7s` or `0.5s`."""
    try:
        seconds = float(text(duration).removesuffix("s"))
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None
