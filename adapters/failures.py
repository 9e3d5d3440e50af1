"""What a provider's error means: one table for all of them, since they speak HTTP and mean the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from adapters import errors

_FILTERED = frozenset({"content_filter", "content_policy_violation"})
_FILTERED_WORDS = re.compile(  # Anthropic; OpenRouter, with the status of a key that may not do this
    r"blocked by content filtering policy|your input was flagged", re.IGNORECASE
)
_QUOTA = frozenset(
    {
        "insufficient_quota",
        "billing_hard_limit_reached",
        "billing_error",
        "credit_balance_exhausted",
        "contract_spend_limit_reached",
        "enforced_spend_limit_reached",
    }
)
_DAILY = re.compile(r"PerDay")  # in Gemini's names of quotas: GenerateRequestsPerDayPerProjectPerModel-FreeTier
_TOO_LONG = frozenset({"context_length_exceeded", "exceed_context_size_error", "request_too_large"})
_NO_MODEL = frozenset({"model_not_found", "model_not_supported"})  # the second: Hugging Face's router, with status 400
_TOO_LONG_WORDS = re.compile(  # vLLM, Gemini, Anthropic, Ollama and Hugging Face give no code of its own
    r"maximum context length|exceeds the maximum number of tokens|prompt is too long|exceed context limit|"
    r"exceeds the (?:available )?context (?:size|window|length)|payload size exceeds the limit|"
    r"longer than the context length|`inputs` (?:must have less than|tokens \+ `max_new_tokens` must be)",
    re.IGNORECASE,
)
_QUOTA_WORDS = re.compile(
    r"credit balance is too low|reached your specified (?:\w+ )*API usage limits|"  # Anthropic, with status 400
    r"credits are depleted|exceeded its (?:\w+ )*spending cap|"  # Gemini, with the status of a rate limit
    r"exceeded your monthly included credits",  # Hugging Face
    re.IGNORECASE,
)
_NEVER_WORDS = re.compile(  # OpenAI and Groq, of a request that is larger than what the account may use in a minute
    r"request too large for .*tokens per min", re.IGNORECASE
)
_DENIED = frozenset({"API_KEY_INVALID", "organization_on_hold"})  # with status 400
_DENIED_WORDS = re.compile(
    r"API key (?:not valid|expired)|API_KEY_INVALID|location is not supported|organization has been disabled",
    re.IGNORECASE,
)
_BY_CODE: Mapping[str, type[errors.AdapterError]] = {  # where an answer that began well fails, there is no status
    "authentication_error": errors.AuthFailed,
    "permission_error": errors.AuthFailed,
    "not_found_error": errors.ModelNotFound,
    "rate_limit_error": errors.RateLimited,
    "rate_limit_exceeded": errors.RateLimited,
    "invalid_prompt": errors.BadRequest,
    "timeout_error": errors.RequestTimeout,
    # OpenRouter says the status in the body; a key or a name that it refuses now, it has taken before.
    "402": errors.QuotaExhausted,
    "408": errors.RequestTimeout,
    "413": errors.PromptTooLong,
    "429": errors.RateLimited,
}
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
        return bool(self.codes & _FILTERED or _FILTERED_WORDS.search(self.message))

    @property
    def means(self) -> type[errors.AdapterError]:
        """The kind of error that it is."""
        return self.kind or self._kind()

    def error(self, provider: str, model: str) -> errors.AdapterError:
        """The error that it is."""
        waits = self.retry_after if self.retry_after is not None else retry_after(self.headers)
        return self.means(
            provider, model, self.message, status=self.status, retry_after=waits, request_id=self.request_id
        )

    def _kind(self) -> type[errors.AdapterError]:
        if self.codes & _QUOTA or _QUOTA_WORDS.search(self.message) or any(map(_DAILY.search, self.codes)):
            return errors.QuotaExhausted
        if _NEVER_WORDS.search(self.message):
            return errors.BadRequest
        if self.codes & _TOO_LONG or (self.status in (400, 422, None) and _TOO_LONG_WORDS.search(self.message)):
            return errors.PromptTooLong
        if self.codes & _NO_MODEL:
            return errors.ModelNotFound
        if self.codes & _DENIED or (self.status == 400 and _DENIED_WORDS.search(self.message)):
            return errors.AuthFailed
        if self.status is None:
            named = (_BY_CODE[code] for code in sorted(self.codes) if code in _BY_CODE)
            return next(named, errors.ProviderUnavailable)
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
    until = until if until.tzinfo is not None else until.replace(tzinfo=UTC)  # the date of HTTP is in GMT always
    return max(0.0, (until - datetime.now(UTC)).total_seconds())
