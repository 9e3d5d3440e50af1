"""OpenAI, and every server that speaks its chat completions: vLLM, llama.cpp, LM Studio, OpenRouter, Azure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import openai

from adapters import chat_completions, responses, stainless
from adapters.base import Completion, Feature, GenerationRequest, ModelInfo
from adapters.failures import Failure
from adapters.remote import Clock, RemoteAdapter
from adapters.untrusted import array, count, mapping, text
from sqlassay.errors import UserError

_NO_KEY = "not-needed"  # the SDK wants one
_APIS: Mapping[str, Any] = {"chat": chat_completions, "responses": responses}


class OpenAIAdapter(RemoteAdapter):
    """Chat completions, or responses, through the official SDK.

    Azure is reached by a `base_url` that ends in `/openai/v1`; where only dated versions of its API are offered, by
    the resource's address and `api_version`.

    Args:
        model: The provider's name of the model; on Azure, of the deployment.
        base_url: Where the API is, usually ending in `/v1`; by default the environment's `OPENAI_BASE_URL`, and
            OpenAI itself when that is not set.
        api_key_env: The environment variable that holds the key. A server other than OpenAI may need none: when the
            variable is not set, it is sent a placeholder.
        timeout: Seconds for one whole request; then its connection is closed.
        api: `chat` for chat completions, `responses` for OpenAI's newer way of asking.
        api_version: A dated version of Azure's API, such as `2024-10-21`.

    Raises:
        UserError: A setting is wrong, or the key is missing.
    """

    provider: ClassVar[str] = "openai"
    key_env: ClassVar[str | None] = "OPENAI_API_KEY"
    default_url: ClassVar[str] = "https://api.openai.com/v1"
    base_url_env: ClassVar[str | None] = "OPENAI_BASE_URL"
    supports_seed: ClassVar[bool] = True
    features: ClassVar[frozenset[Feature]] = frozenset(Feature)
    reserved: ClassVar[frozenset[str]] = frozenset({"n", "input", "stream_options", "response_format"})

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key_env: str | None = None,
        timeout: float = 60.0,
        api: Literal["chat", "responses"] = "chat",
        api_version: str | None = None,
    ) -> None:
        super().__init__(model, base_url=base_url, api_key_env=api_key_env, timeout=timeout)
        if api not in _APIS:
            raise UserError(f"api is {api!r}", remedy=f"write one of {', '.join(_APIS)}")
        self.api = api
        self.api_version = api_version
        self._format = _APIS[api]

    @property
    def names(self) -> Mapping[str, str]:  # type: ignore[override]
        """As the format has them; chat completions of OpenAI have renamed one, which other servers understand too."""
        return {**self._format.NAMES, **({"max_tokens": "max_completion_tokens"} if self.api == "chat" else {})}

    @property
    def identity(self) -> Mapping[str, object]:
        """Provider, model and base URL; the API where it is not the usual one."""
        unusual = {"api": self.api if self.api != "chat" else None, "api_version": self.api_version}
        return {**super().identity, **{name: value for name, value in unusual.items() if value is not None}}

    def _open(self, key: str | None) -> openai.AsyncOpenAI:
        common: Any = {"api_key": key or _NO_KEY, "timeout": self.timeout, "max_retries": 0}
        if self.api_version is not None:
            return openai.AsyncAzureOpenAI(azure_endpoint=self.base_url, api_version=self.api_version, **common)
        return openai.AsyncOpenAI(base_url=self.base_url, **common)

    async def _shut(self, client: openai.AsyncOpenAI) -> None:
        await client.close()

    async def _ask(
        self, client: openai.AsyncOpenAI, request: GenerationRequest, settings: Mapping[str, Any], clock: Clock
    ) -> Completion:
        given, body = self._fields(request, settings)
        call: Any = client.chat.completions if self.api == "chat" else client.responses
        if request.stream:
            stream = await call.create(**given, stream=True, extra_body=body)
            request_id = stainless.request_id(stream.response)
            async with stainless.pieces(openai, stream) as pieces:
                streamed: Completion = await self._format.read_stream(pieces, request_id, clock)
                return streamed
        response = await call.with_raw_response.create(**given, extra_body=body)
        whole: Completion = self._format.read(*stainless.fields(response))
        return whole

    def _fields(self, request: GenerationRequest, settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Of the request's body: what the SDK asks for, and what goes past it.

        The SDK would look through every message for fields to rename, which takes a tenth of the time of a request.
        """
        prompt = "messages" if self.api == "chat" else "input"
        given = {"model": self.model, prompt: []}
        return given, {prompt: chat_completions.messages(request), **settings, **self._format.features(request)}

    async def _list(self, client: openai.AsyncOpenAI) -> list[ModelInfo]:
        fields, _ = stainless.fields(await client.models.with_raw_response.list())
        return [_info(self.provider, mapping(entry)) for entry in array(fields.get("data")) if text(entry.get("id"))]

    def _failure(self, error: Exception) -> Failure | None:
        return stainless.failure(openai, error, self.base_url)


def _info(provider: str, entry: Mapping[str, Any]) -> ModelInfo:
    """What a server says of a model: OpenAI only its name, vLLM, OpenRouter and llama.cpp more."""
    meta = mapping(entry.get("meta"))
    length = entry.get("context_length") or entry.get("max_model_len") or meta.get("n_ctx") or meta.get("n_ctx_train")
    weights = count(meta.get("n_params"))
    return ModelInfo(
        entry["id"],
        provider,
        context_length=count(length),
        parameters=str(weights) if weights else None,
        size_bytes=count(meta.get("size")),
    )
