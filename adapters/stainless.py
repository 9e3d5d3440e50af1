"""What the SDKs that Stainless generates have in common: OpenAI's and Anthropic's differ in names, not in shape."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from adapters import errors
from adapters.failures import Failure
from adapters.remote import Explained, Unusable, json_object, transport_failure, unreachable
from adapters.untrusted import mapping, text


def fields(response: Any) -> tuple[Mapping[str, Any], str | None]:
    """The JSON object of a raw response, not yet trusted to look like anything, and the request's id.

    Raises:
        Unusable: It is none.
    """
    found = request_id(response)
    return json_object(response.http_response.content, response.headers.get("content-type"), found), found


def request_id(response: Any) -> str | None:
    """The provider's id of the request, from the headers of a response."""
    found: str | None = response.headers.get("x-request-id") or response.headers.get("request-id")
    return found


@asynccontextmanager
async def pieces(sdk: Any, stream: Any) -> AsyncIterator[AsyncIterator[Mapping[str, Any]]]:
    """The pieces of a stream as JSON objects; its connection is closed afterwards, come what may.

    Args:
        sdk: The SDK's module.
        stream: What it gave.
    """

    async def objects() -> AsyncIterator[Mapping[str, Any]]:
        try:
            async for piece in stream:
                if not hasattr(piece, "to_dict"):
                    raise Unusable("a piece of the answer is not a JSON object")
                yield piece.to_dict(mode="json", exclude_unset=True, warnings=False)
        except (ValueError, RecursionError) as error:
            raise Unusable("a piece of the answer is not valid JSON") from error
        except (sdk.APIStatusError, sdk.APIConnectionError):
            raise
        except sdk.APIError as error:
            raise Explained(said(error.body, None, otherwise=error.message)) from error

    try:
        yield objects()
    finally:
        await stream.close()


def failure(sdk: Any, error: Exception, base_url: str) -> Failure | None:
    """What an error says; `None` when it is none of the SDK's.

    Args:
        sdk: The SDK's module.
        error: Any error.
        base_url: Where the request went.
    """
    if isinstance(error, sdk.APIStatusError):
        return said(
            error.body,
            error.status_code,
            otherwise=error.message,
            headers=error.response.headers,
            request_id=request_id(error.response),
        )
    if isinstance(error, sdk.APITimeoutError):
        return Failure(str(error), kind=errors.RequestTimeout)
    if isinstance(error, sdk.APIConnectionError):
        return unreachable(base_url, error)
    if isinstance(error, sdk.APIError.__base__):  # OpenAIError, AnthropicError
        return Failure(str(error), kind=errors.ProviderUnavailable)
    return transport_failure(base_url, error)  # in the middle of a stream


def said(
    body: object,
    status: int | None,
    *,
    otherwise: str,
    headers: Mapping[str, str] | None = None,
    request_id: str | None = None,
) -> Failure:
    """What the body of an error says. OpenAI's SDK gives the inner object of the body, Anthropic's the whole.

    Args:
        body: Of the answer, or the object `error` in it.
        status: The HTTP status; what is no error's is left out.
        otherwise: The message where the body has none.
        headers: Of the answer.
        request_id: The provider's id of the request.
    """
    found = mapping(mapping(body).get("error")) or mapping(body)
    names = [found.get("code"), found.get("type"), mapping(found.get("details")).get("error_code")]
    names += ["content_filter"] if "flagged_input" in mapping(found.get("metadata")) else []  # OpenRouter
    codes = frozenset(str(name) for name in names if isinstance(name, str | int))
    words = text(found.get("message")) or text(found.get("detail")) or text(body)
    failed = status if status is not None and status >= 400 else None  # in the pieces of an answer that began well
    return Failure(words if words.strip() else otherwise, failed, codes, headers or {}, request_id)
