"""OpenAI, and every server that speaks its chat completions: vLLM, Ollama, LM Studio, gateways."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar
from urllib.parse import urlsplit

import openai

from adapters import errors
from adapters.base import Completion, FinishReason, GenerationRequest, ModelAdapter, Usage
from sqlassay.errors import UserError
from sqlassay.secrets import find_key
from sqlassay.validation import Check, ValidationResult

_OPENAI = "https://api.openai.com/v1"
_NO_KEY = "not-needed"
_LONGEST_MESSAGE = 500

_RENAMED = {"max_tokens": "max_completion_tokens"}
_OURS = frozenset({"messages", "model", "n", "stream"})

_FINISH_REASONS = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "content_filter": FinishReason.REFUSED,
}
_FILTERED = frozenset({"content_filter", "content_policy_violation"})
_QUOTA = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
_TOO_LONG = frozenset({"context_length_exceeded", "exceed_context_size_error"})
_TOO_LONG_WORDS = "maximum context length"  # vLLM gives no code
_BY_STATUS: Mapping[int, type[errors.AdapterError]] = {
    401: errors.AuthFailed,
    402: errors.QuotaExhausted,
    403: errors.AuthFailed,
    404: errors.ModelNotFound,
    408: errors.RequestTimeout,
    409: errors.ProviderUnavailable,
    413: errors.PromptTooLong,
    429: errors.RateLimited,
}


@dataclass(frozen=True)
class _Answer:
    """A JSON object that the server sent, not yet trusted to look like anything."""

    fields: Mapping[str, Any]
    request_id: str | None


class _Filtered(Exception):
    """The provider's filter refused the prompt: an HTTP error there, a refusal here."""


class OpenAIAdapter(ModelAdapter):
    """Chat completions through the official SDK.

    Parameters of a request that have no common name are sent as they are, such as `reasoning_effort`.

    Args:
        model: The provider's name of the model.
        base_url: Where the API is, usually ending in `/v1`; by default the environment's `OPENAI_BASE_URL`, and
            OpenAI itself when that is not set.
        api_key_env: The environment variable that holds the key. A server other than OpenAI may need none: when the
            variable is not set, it is sent a placeholder.
        timeout: Seconds for one whole request; then its connection is closed.

    Raises:
        UserError: A setting is wrong, or the key is missing.
    """

    provider: ClassVar[str] = "openai"
    key_env: ClassVar[str | None] = "OPENAI_API_KEY"
    supports_seed: ClassVar[bool] = True

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key_env: str = "OPENAI_API_KEY",
        timeout: float = 60.0,
    ) -> None:
        super().__init__(model)
        self.base_url = _checked_url(base_url or os.environ.get("OPENAI_BASE_URL") or _OPENAI)
        self.api_key_env = api_key_env
        if not timeout > 0:
            raise UserError(f"timeout is {timeout}, but must be more than 0 seconds")
        self.timeout = timeout
        self._client: openai.AsyncOpenAI | None = None
        self._key()

    @property
    def identity(self) -> Mapping[str, object]:
        """Provider, model and base URL."""
        return {"provider": self.provider, "model": self.model, "base_url": self.base_url}

    async def generate(self, request: GenerationRequest) -> Completion:
        """Ask once.

        Raises:
            AdapterError: One of its leaves, by the status and the code of the provider's answer.
        """
        body = self._body(request.parameters)
        messages: Any = [{"role": message.role, "content": message.content} for message in request.messages]
        started = time.perf_counter()
        try:
            answer = await self._send(
                lambda client: client.chat.completions.with_raw_response.create(
                    model=self.model, messages=messages, extra_body=body
                )
            )
        except _Filtered:
            return Completion("", FinishReason.REFUSED, model=self.model, seconds=time.perf_counter() - started)
        return self._completion(answer, time.perf_counter() - started)

    async def list_models(self) -> tuple[str, ...]:
        """The models that the server offers, sorted.

        Raises:
            AdapterError: One of its leaves.
        """
        answer = await self._send(lambda client: client.models.with_raw_response.list())
        entries = _list(answer.fields.get("data"))
        names = (_mapping(entry).get("id") for entry in entries)
        return tuple(sorted(name for name in names if isinstance(name, str)))

    async def check(self) -> ValidationResult:
        """Whether the server can be reached, the key is accepted and the model is one of its models."""
        return ValidationResult(f"{self.provider} {self.model}", await self._checks())

    async def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _checks(self) -> tuple[Check, ...]:
        reachable = Check("reachable", True, self.base_url)
        try:
            models = await self.list_models()
        except errors.AuthFailed as error:
            return reachable, Check("key", False, str(error), f"set {self.api_key_env} to a key that is valid here")
        except errors.ModelNotFound as error:
            return reachable, Check("models", False, str(error), "is base_url right? it usually ends in /v1")
        except (errors.ProviderUnreachable, errors.RequestTimeout) as error:
            return (Check("reachable", False, str(error), "is base_url right, and does the server run?"),)
        except errors.AdapterError as error:
            return reachable, Check("models", False, str(error), "the server answers, but not this; try again later")
        key = "none is set and none is asked for" if self._key() == _NO_KEY else f"from {self.api_key_env}"
        found = self.model in models
        offered = f"the server offers {', '.join(models[:20]) or 'no model'}"
        return reachable, Check("key", True, key), Check("model", found, self.model, "" if found else offered)

    def _key(self) -> str:
        if self.base_url != _OPENAI and not os.environ.get(self.api_key_env, "").strip():
            return _NO_KEY
        key = find_key(self.provider, self.api_key_env)
        if not (key.isascii() and key.isprintable()):
            raise UserError(f"the key in {self.api_key_env} has characters that no key has", remedy="copy it again")
        return key

    def _body(self, parameters: Mapping[str, object]) -> dict[str, object]:
        for name in parameters:
            if name in _OURS:
                raise errors.BadRequest(self.provider, self.model, f"the parameter {name!r} is not the user's to set")
        given = {name: value for name, value in parameters.items() if value is not None and value not in ((), [])}
        return {_RENAMED.get(name, name): value for name, value in given.items()}

    def _open(self) -> openai.AsyncOpenAI:
        if self._client is None:
            try:
                key = self._key()
            except UserError as error:
                raise errors.AuthFailed(self.provider, self.model, str(error)) from error
            self._client = openai.AsyncOpenAI(api_key=key, base_url=self.base_url, timeout=self.timeout, max_retries=0)
        return self._client

    async def _send(self, call: Callable[[openai.AsyncOpenAI], Awaitable[Any]]) -> _Answer:
        client = self._open()
        # The SDK's own timeout starts anew with each piece that arrives; this one is for the whole request.
        # `from None`, because the SDK's errors hold the request and with it the key.
        try:
            async with asyncio.timeout(self.timeout):
                response = await call(client)
        except TimeoutError:
            raise errors.RequestTimeout(self.provider, self.model, f"no answer in {self.timeout:g} s") from None
        except openai.APIStatusError as error:
            raise self._status_error(error) from None
        except openai.APITimeoutError:
            raise errors.RequestTimeout(self.provider, self.model, f"no answer in {self.timeout:g} s") from None
        except openai.APIConnectionError as error:
            cause = str(error.__cause__) or type(error.__cause__).__name__
            message = self._without_key(f"no connection to {self.base_url}: {cause}")
            raise errors.ProviderUnreachable(self.provider, self.model, message) from None
        except openai.OpenAIError as error:
            raise errors.ProviderUnavailable(self.provider, self.model, self._without_key(str(error))) from None
        request_id = response.headers.get("x-request-id")
        try:
            fields = json.loads(response.content)
        except (ValueError, RecursionError):
            kind = response.headers.get("content-type", "no content type")
            raise self._unusable(f"the answer is not valid JSON but {kind}", request_id) from None
        if not isinstance(fields, dict):
            raise self._unusable("the answer is not a JSON object", request_id)
        return _Answer(fields, request_id)

    def _completion(self, answer: _Answer, seconds: float) -> Completion:
        choices = _list(answer.fields.get("choices"))
        if not choices:
            said = _mapping(answer.fields.get("error")).get("message") or "the answer has no choices"
            raise self._unusable(str(said), answer.request_id)
        choice = _mapping(choices[0])
        message = _mapping(choice.get("message"))
        text, refusal = message.get("content") or "", message.get("refusal") or ""
        if not (isinstance(text, str) and isinstance(refusal, str)):
            raise self._unusable("the content of the answer is not text", answer.request_id)
        reason = _FINISH_REASONS.get(str(choice.get("finish_reason")), FinishReason.OTHER)
        return Completion(
            text=text or refusal,
            finish_reason=FinishReason.REFUSED if refusal else reason,
            usage=_usage(_mapping(answer.fields.get("usage"))),
            model=str(answer.fields.get("model") or self.model),
            seconds=seconds,
            request_id=answer.request_id,
        )

    def _status_error(self, error: openai.APIStatusError) -> Exception:
        codes = {error.code, error.type}
        if codes & _FILTERED:
            return _Filtered()
        message = self._without_key(_message(error))
        kind = _kind(error.status_code, codes, message)
        if kind is errors.ModelNotFound:
            message += f" (at {self.base_url})"
        return kind(
            self.provider,
            self.model,
            message,
            status=error.status_code,
            retry_after=_retry_after(error.response.headers),
            request_id=error.request_id,
        )

    def _unusable(self, message: str, request_id: str | None) -> errors.ProviderUnavailable:
        return errors.ProviderUnavailable(self.provider, self.model, self._without_key(message), request_id=request_id)

    def _without_key(self, message: str) -> str:
        """The message without our key, which some servers repeat, and no longer than a line or two."""
        key = self._client.api_key if self._client else ""
        return (message.replace(key, "***") if key else message)[:_LONGEST_MESSAGE]


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise UserError("base_url is not a URL") from None  # without its words: they repeat what may be a password
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError("base_url must begin with http:// or https:// and name a host")
    if parts.username or parts.password:
        raise UserError("base_url must not hold a password", remedy="put the key into api_key_env")
    if parts.query or parts.fragment:
        raise UserError("base_url must not hold a query", remedy="put the key into api_key_env, and leave out the rest")
    return url.rstrip("/")


def _kind(status: int, codes: set[str | None], message: str) -> type[errors.AdapterError]:
    if codes & _QUOTA:
        return errors.QuotaExhausted
    if codes & _TOO_LONG or (status == 400 and _TOO_LONG_WORDS in message):
        return errors.PromptTooLong
    if "model_not_found" in codes:
        return errors.ModelNotFound
    return _BY_STATUS.get(status, errors.ProviderUnavailable if status >= 500 else errors.BadRequest)


def _message(error: openai.APIStatusError) -> str:
    body = error.body
    said = body.get("message") or body.get("detail") if isinstance(body, dict) else body
    return said if isinstance(said, str) and said.strip() else error.message


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from `retry-after-ms`, or `retry-after` in seconds or as a date."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) * unit
        except (KeyError, ValueError):
            continue
        return seconds if 0 <= seconds < float("inf") else None
    try:
        until = parsedate_to_datetime(headers["retry-after"])
    except (KeyError, ValueError):
        return None
    return max(0.0, (until.astimezone(UTC) - datetime.now(UTC)).total_seconds())


def _usage(fields: Mapping[str, Any]) -> Usage:
    return Usage(
        input_tokens=_count(fields.get("prompt_tokens")),
        output_tokens=_count(fields.get("completion_tokens")),
        cached_tokens=_count(_mapping(fields.get("prompt_tokens_details")).get("cached_tokens")),
        reasoning_tokens=_count(_mapping(fields.get("completion_tokens_details")).get("reasoning_tokens")),
    )


def _count(value: object) -> int | None:
    return value if type(value) is int else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
