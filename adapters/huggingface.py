"""Hugging Face: its router, which passes a question on to one of many providers, and dedicated endpoints."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from copy import copy
from dataclasses import is_dataclass
from typing import Any, ClassVar

from huggingface_hub import AsyncInferenceClient, get_async_session, hf_raise_for_status
from huggingface_hub import errors as sdk_errors
from huggingface_hub.errors import HfHubHTTPError, TextGenerationError

from adapters import chat_completions
from adapters.base import Completion, Feature, GenerationRequest, ModelInfo
from adapters.failures import Failure
from adapters.remote import Clock, RemoteAdapter, Unusable, unreachable
from adapters.untrusted import array, count, mapping, text
from sqlassay.errors import UserError

_HTTPError: type[Exception] = vars(sdk_errors)["HTTPError"]  # httpx's or httpx2's, by the version of the SDK
_NO_KEY = "not-needed"  # without one the SDK would send the one that the user is logged in with
_POLICIES = frozenset({"fastest", "cheapest", "preferred"})


class HuggingFaceAdapter(RemoteAdapter):
    """Chat completions through the official client.

    A dedicated endpoint is sent a JSON schema in the form of Hugging Face's own server, text generation inference; for
    one that runs vLLM or llama.cpp, take the adapter `openai` with the endpoint's address.

    Args:
        model: Its name at the Hub, and the provider or how to choose one: `org/name`, `org/name:together`,
            `org/name:cheapest`. A dedicated endpoint has one model, whatever the name.
        base_url: The address of a dedicated endpoint; by default the router.
        api_key_env: The environment variable that holds the token. An endpoint of your own may need none: when the
            variable is not set, it is sent a placeholder.
        timeout: Seconds for one whole request; then its connection is closed.

    Raises:
        UserError: A setting is wrong, or the token is missing.
    """

    provider: ClassVar[str] = "huggingface"
    key_env: ClassVar[str | None] = "HF_TOKEN"
    default_url: ClassVar[str] = "https://router.huggingface.co/v1"
    supports_seed: ClassVar[bool] = True
    features: ClassVar[frozenset[Feature]] = frozenset(Feature)
    names: ClassVar[Mapping[str, str]] = chat_completions.NAMES
    reserved: ClassVar[frozenset[str]] = frozenset({"n", "stream_options", "response_format"})

    @property
    def listed_as(self) -> frozenset[str]:
        """Its name; without the policy that chooses its provider."""
        name, _, policy = self.model.rpartition(":")
        return frozenset({name}) if policy in _POLICIES else super().listed_as

    def key(self) -> str | None:
        """The token; `None` where there is none and none is needed.

        Raises:
            UserError: It is missing, or cannot be one.
        """
        key = super().key()
        if key is not None and self._is_router and not key.startswith("hf_"):
            remedy = "make one at https://huggingface.co/settings/tokens; it begins with hf_"
            raise UserError(f"what is in {self.api_key_env} is no token of Hugging Face", remedy=remedy)
        return key

    @property
    def _is_router(self) -> bool:
        return self.base_url == self.default_url

    def _open(self, key: str | None) -> AsyncInferenceClient:
        url = None if self._is_router else self.base_url
        return AsyncInferenceClient(base_url=url, token=key or _NO_KEY, timeout=self.timeout)

    async def _shut(self, client: AsyncInferenceClient) -> None:
        await client.close()  # type: ignore[no-untyped-call]

    async def _ask(
        self, client: AsyncInferenceClient, request: GenerationRequest, settings: Mapping[str, Any], clock: Clock
    ) -> Completion:
        given: dict[str, Any] = {
            "messages": chat_completions.messages(request),
            "model": self.model,
            "extra_body": {**settings, **chat_completions.features(request)},
        }
        if request.stream:
            async with _for_one_stream(client) as one:
                with _understood():
                    stream = await one.chat_completion(**given, stream=True)
                return await chat_completions.read_stream(_pieces(stream), None, clock)
        with _understood():
            answer = await client.chat_completion(**given)
        return chat_completions.read(_fields(answer), None)

    async def _list(self, client: AsyncInferenceClient) -> list[ModelInfo]:
        url = f"{self.base_url}/models" if self.base_url.endswith("/v1") else f"{self.base_url}/v1/models"
        async with get_async_session() as session:  # the SDK's, which has no call for this
            response = await session.get(url, headers={"authorization": f"Bearer {client.token}"})
            hf_raise_for_status(response)
        with _understood():
            entries = array(mapping(response.json()).get("data"))
        return [info for entry in entries for info in _infos(self.provider, mapping(entry))]

    def _failure(self, error: Exception) -> Failure | None:
        match error:
            case HfHubHTTPError():
                return _http_failure(error)
            case TextGenerationError():  # in the middle of an answer
                said = error.args[0] if error.args else None
                return Failure(text(mapping(said).get("message")) or str(error) or "the server failed")
            case ConnectionError() | _HTTPError():
                return unreachable(self.base_url, error)
            case _:
                return None


@asynccontextmanager
async def _for_one_stream(client: AsyncInferenceClient) -> AsyncIterator[AsyncInferenceClient]:
    """A copy with the same connections: the SDK holds on to the answer of each stream until its client is closed."""
    one = copy(client)
    one.exit_stack = AsyncExitStack()
    async with one:
        yield one


async def _pieces(stream: Any) -> AsyncIterator[Mapping[str, Any]]:
    chunks = aiter(stream)
    while True:
        with _understood():
            chunk = await anext(chunks, None)
        if chunk is None:
            return
        yield _fields(chunk)


def _fields(value: Any) -> Any:
    """An object of the SDK as JSON; fields that it does not know are only among its attributes."""
    if is_dataclass(value):
        return {name: _fields(found) for name, found in vars(value).items()}
    return [_fields(found) for found in value] if isinstance(value, list) else value


@contextmanager
def _understood() -> Iterator[None]:
    """What the SDK does with an answer that is no JSON, or not what it expects."""
    try:
        yield
    except HfHubHTTPError:  # some are a ValueError besides
        raise
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise Unusable(f"the answer cannot be read: {error}") from None


def _http_failure(error: HfHubHTTPError) -> Failure:
    response = error.response
    try:
        body = mapping(json.loads(response.content))
    except (ValueError, RecursionError, RuntimeError):  # the last: it was not read
        body = {}
    inner = mapping(body.get("error"))
    codes = (inner.get("code"), inner.get("type"), body.get("error_type"))
    said = text(inner.get("message")) or text(body.get("error")) or text(body.get("message"))
    waits = body.get("estimated_time")  # until a model is loaded
    known = isinstance(waits, int | float) and 0 <= waits < float("inf")
    return Failure(
        said or error.server_message or str(error),
        response.status_code,
        frozenset(code for code in codes if isinstance(code, str)),
        response.headers,
        error.request_id,
        retry_after=waits if known else None,
    )


def _infos(provider: str, entry: Mapping[str, Any]) -> Iterator[ModelInfo]:
    """A model, and the same at each of its providers."""
    name = text(entry.get("id"))
    if not name:
        return
    live = [mapping(found) for found in array(entry.get("providers")) if mapping(found).get("status") == "live"]
    lengths = {text(found.get("provider")): count(found.get("context_length")) for found in live}
    known = [length for length in lengths.values() if length]
    yield ModelInfo(name, provider, context_length=max(known, default=None) or count(entry.get("max_model_len")))
    yield from (ModelInfo(f"{name}:{host}", provider, context_length=length) for host, length in lengths.items())
