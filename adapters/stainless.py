"""What the SDKs that Stainless generates have in common: OpenAI's and Anthropic's differ in names, not in shape."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from adapters import errors
from adapters.failures import Failure
from adapters.remote import Unusable, json_object, transport_failure, unreachable
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
            raise Unusable(error.message) from error

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
        return _said(error)
    if isinstance(error, sdk.APITimeoutError):
        return Failure(str(error), kind=errors.RequestTimeout)
    if isinstance(error, sdk.APIConnectionError):
        return unreachable(base_url, error)
    if isinstance(error, sdk.APIError.__base__):  # OpenAIError, AnthropicError
        return Failure(str(error), kind=errors.ProviderUnavailable)
    return transport_failure(base_url, error)  # in the middle of a stream


def _said(error: Any) -> Failure:
    """OpenAI's SDK gives the inner object of the body, Anthropic's the whole."""
    said = mapping(mapping(error.body).get("error")) or mapping(error.body)
    found = (said.get("code"), said.get("type"), mapping(said.get("details")).get("error_code"))
    codes = frozenset(code for code in found if isinstance(code, str))
    words = text(said.get("message")) or text(said.get("detail")) or text(error.body)
    return Failure(
        words if words.strip() else error.message,
        error.status_code if error.status_code >= 400 else None,  # in the pieces of an answer that began well
        codes,
        error.response.headers,
        request_id(error.response),
    )
