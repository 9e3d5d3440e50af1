"""Why a provider gave no answer.

```
AdapterError
├── RateLimited            come back later (retry_after)
├── QuotaExhausted         the account is empty; waiting does not help
├── ProviderUnavailable    5xx, overloaded
├── ProviderUnreachable    no connection
├── RequestTimeout         no answer in time
├── AuthFailed             the key is wrong or may not do this
├── ModelNotFound          there is no such model
├── PromptTooLong          the prompt does not fit the model: a failure of the system under test
├── BadRequest             the provider refused the request as malformed
└── AnswerNotRecorded      the file of recorded answers has none for this request
```

A refused or truncated answer is a completion with that finish reason, not an error.
"""

from __future__ import annotations

from typing import ClassVar

from sqlassay.errors import SqlAssayError


class AdapterError(SqlAssayError):
    """A provider gave no answer.

    Attributes:
        provider: The adapter's provider.
        model: The model that was asked.
        message: The provider's own words, without secrets.
        status: The HTTP status, where there was one.
        retry_after: Seconds that the provider asks us to wait, where it says so.
        request_id: The provider's id of the request, where it gives one.
    """

    retryable: ClassVar[bool] = False
    """Whether the same request may succeed later."""
    slows_down: ClassVar[bool] = False
    """Whether it says that there are too many requests at once: fewer are made."""
    breaks_circuit: ClassVar[bool] = False
    """Whether it says that the endpoint is down: after some in a row it is left alone for a while."""
    stops_model: ClassVar[bool] = False
    """Whether every further request to this model must fail as well."""

    def __init__(
        self,
        provider: str,
        model: str,
        message: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        request_id: str | None = None,
    ) -> None:
        self.provider = provider
        self.model = model
        self.message = message
        self.status = status
        self.retry_after = retry_after
        self.request_id = request_id
        super().__init__(provider, model, message)

    def __str__(self) -> str:
        """Provider, model, status and the provider's words, in one line."""
        status = f" (HTTP {self.status})" if self.status is not None else ""
        return " ".join(f"{self.provider} {self.model}{status}: {self.message}".split())


class RateLimited(AdapterError):
    """Too many requests for now."""

    retryable = True
    slows_down = True


class QuotaExhausted(AdapterError):
    """The account has no credit left; waiting does not help."""

    stops_model = True


class ProviderUnavailable(AdapterError):
    """The provider failed on its side (5xx, overloaded)."""

    retryable = True
    breaks_circuit = True


class ProviderUnreachable(AdapterError):
    """No connection could be made, or it broke."""

    retryable = True
    breaks_circuit = True


class RequestTimeout(AdapterError):
    """No answer came in time."""

    retryable = True
    breaks_circuit = True


class AuthFailed(AdapterError):
    """The key is missing, wrong, or not allowed to use the model."""

    stops_model = True


class ModelNotFound(AdapterError):
    """The provider has no model of that name."""

    stops_model = True


class PromptTooLong(AdapterError):
    """The prompt does not fit into the model's context."""


class BadRequest(AdapterError):
    """The provider refused the request as malformed."""


class AnswerNotRecorded(AdapterError):
    """The file of recorded answers has none for this request: the record is incomplete, the model did not fail."""
