"""What a provider's error means: one table for all of them, since they speak HTTP and mean the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from adapters import errors

_FILTERED = frozenset({"content_filter", "content_policy_violation"})
_QUOTA = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_error", "credit_balance_exhausted"})
_TOO_LONG = frozenset({"context_length_exceeded", "exceed_context_size_error", "request_too_large"})
_NO_MODEL = frozenset({"model_not_found", "model_not_supported"})  # the second: Hugging Face's router, with status 400
_TOO_LONG_WORDS = re.compile(  # vLLM, Gemini, Anthropic, Ollama and Hugging Face give no code of its own
    r"maximum context length|exceeds the maximum number of tokens|prompt is too long|"
    r"exceeds the (?:available )?context (?:size|window|length)|"
    r"longer than the context length|`inputs` (?:must have less than|tokens \+ `max_new_tokens` must be)",
    re.IGNORECASE,
)
_QUOTA_WORDS = re.compile(r"credit balance is too low|exceeded your monthly included credits", re.IGNORECASE)
_BAD_KEY_WORDS = re.compile(r"API key (?:not valid|expired)|API_KEY_INVALID", re.IGNORECASE)  # Gemini, with status 400
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
class Failure:
    """What a provider said instead of an answer.

    Attributes:
        message: Its words.
        status: The HTTP status; `None` when there was no whole HTTP answer.
        codes: Its own names for what is wrong.
        headers: Of the HTTP answer, names in lower case.
        request_id: Its id of the request.
        retry_after: Seconds that its body asks us to wait; the headers are looked at besides.
        kind: What it means, where the adapter knows better than the table.
    """

    message: str
    status: int | None = None
    codes: frozenset[str] = frozenset()
    headers: Mapping[str, str] = field(default_factory=dict)
    request_id: str | None = None
    retry_after: float | None = None
    kind: type[errors.AdapterError] | None = None

    @property
    def is_refusal(self) -> bool:
        """Whether the provider's filter refused the prompt: an HTTP error there, a refused answer here."""
        return bool(self.codes & _FILTERED)

    def error(self, provider: str, model: str) -> errors.AdapterError:
        """The error that it is."""
        waits = self.retry_after if self.retry_after is not None else retry_after(self.headers)
        kind = self.kind or self._kind()
        return kind(provider, model, self.message, status=self.status, retry_after=waits, request_id=self.request_id)

    def _kind(self) -> type[errors.AdapterError]:
        if self.codes & _QUOTA or _QUOTA_WORDS.search(self.message):
            return errors.QuotaExhausted
        if self.codes & _TOO_LONG or (self.status in (400, 422) and _TOO_LONG_WORDS.search(self.message)):
            return errors.PromptTooLong
        if self.codes & _NO_MODEL:
            return errors.ModelNotFound
        if self.status == 400 and _BAD_KEY_WORDS.search(self.message):
            return errors.AuthFailed
        if self.status is None:
            return errors.ProviderUnavailable
        return _BY_STATUS.get(self.status, errors.ProviderUnavailable if self.status >= 500 else errors.BadRequest)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from `retry-after-ms`, or `retry-after` in seconds or as a date; `None` when none is asked."""
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
