"""Ollama, through its official client: its chat, or a text in our own chat format that the model is given as it is."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import replace
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

import httpx
import ollama
import pydantic

from adapters import errors
from adapters.base import Completion, Feature, FinishReason, GenerationRequest, ModelInfo, Usage
from adapters.chat_completions import messages
from adapters.failures import Failure
from adapters.remote import Clock, RemoteAdapter, Unusable, checked_seconds, unreachable
from adapters.tool_calls import with_calls
from adapters.untrusted import count, mapping, text
from sqlassay.chat_formats import chat_format as find_format
from sqlassay.errors import UserError

_PORT = 11434
_TOP_LEVEL = ("think", "keep_alive", "logprobs", "top_logprobs")  # what is not the model's own stands outside `options`
_FINISH_REASONS = {"stop": FinishReason.STOP, "length": FinishReason.LENGTH, None: FinishReason.STOP}  # once none came
_KEEP = 4  # tokens of the start that Ollama keeps when it cuts
_MOST_BYTES = 5  # of a token, on average, in any prompt; SQL and English have 3 to 4


class OllamaAdapter(RemoteAdapter):
    """Models that Ollama runs, here or in its cloud.

    Ollama cuts a prompt that is longer than `num_ctx` without a word. Such a prompt is refused: before it is sent, when
    it has more words than there is room for tokens, so that no prompt that fits is refused; and after the answer, when
    the server has read as many tokens as there is room for, or, as newer servers cut, half of that out of a text that
    must have more. What is not noticed: a chat of several turns of which the server left out the first, an answer that
    outgrows the room, and a server that does not say how many tokens it has read.

    Args:
        model: Its name, such as `llama3.2:3b`.
        base_url: Where Ollama is; by default the environment's `OLLAMA_HOST` (a host, a host and a port, or a URL), and
            this machine when that is not set.
        api_key_env: The environment variable that holds a key; only Ollama's cloud and gateways ask for one.
        timeout: Seconds for one whole request, in which the model may have to be loaded first.
        api: `chat` for the chat format that comes with the model, `generate` for `chat_format`.
        chat_format: `phi3`, `llama2`, `llama3`, `chatml` or `mistral`.
        num_ctx: Tokens that there is room for, prompt and answer together; more of them need more memory.
        pull: Whether a model that the server does not have is fetched with the first question.
        pull_timeout: Seconds for that.

    Raises:
        UserError: A setting is wrong.
    """

    provider: ClassVar[str] = "ollama"
    key_env: ClassVar[str | None] = "OLLAMA_API_KEY"
    keyless: ClassVar[bool] = True
    default_url: ClassVar[str] = f"http://127.0.0.1:{_PORT}"
    base_url_env: ClassVar[str | None] = "OLLAMA_HOST"
    supports_seed: ClassVar[bool] = True
    features: ClassVar[frozenset[Feature]] = frozenset(Feature)
    names: ClassVar[Mapping[str, str]] = {
        **{name: name for name in ("temperature", "top_p", "top_k", "seed", "stop")},
        "max_tokens": "num_predict",
    }
    reserved: ClassVar[frozenset[str]] = frozenset(
        {"num_ctx", "options", "format", "raw", "prompt", "system", "template", "context", "suffix", "images", "tools"}
    )

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key_env: str | None = None,
        timeout: float = 300.0,
        api: Literal["chat", "generate"] = "chat",
        chat_format: str | None = None,
        num_ctx: int = 8192,
        pull: bool = False,
        pull_timeout: float = 3600.0,
    ) -> None:
        super().__init__(model, base_url=base_url, api_key_env=api_key_env, timeout=timeout)
        if api not in ("chat", "generate"):
            raise UserError(f"api is {api!r}", remedy="write chat or generate")
        if (api == "generate") != (chat_format is not None):
            raise UserError("api: generate and chat_format go together", remedy="set both, or neither")
        if not num_ctx > 0:
            raise UserError(f"num_ctx is {num_ctx}, but must be more than 0 tokens")
        self.api = api
        self.chat_format = chat_format
        self.num_ctx = self.context_length = num_ctx
        self.pull = pull
        self.pull_timeout = checked_seconds("pull_timeout", pull_timeout)
        self._format = find_format(chat_format) if chat_format is not None else None
        self._room: int | None = None

    @property
    def identity(self) -> Mapping[str, object]:
        """Provider, model, base URL and room; the chat format where it is ours."""
        found = {**super().identity, "num_ctx": self.num_ctx}
        return found if self.chat_format is None else {**found, "chat_format": self.chat_format}

    @property
    def listed_as(self) -> frozenset[str]:
        """Its name; without a tag, the one tagged `latest`."""
        return super().listed_as | ({f"{self.model}:latest"} if ":" not in self.model.rpartition("/")[2] else set())

    @property
    def how_to_get(self) -> str:
        """How to pull the model."""
        if self.pull:
            return "pull: true fetches it with the first question"
        return f"`ollama pull {self.model}` fetches it, and so does the setting pull: true"

    async def generate(self, request: GenerationRequest) -> Completion:
        """Ask once; a model that is missing may be pulled first.

        Raises:
            AdapterError: One of its leaves, by what the provider answered.
        """
        found = None
        try:
            found = await super().generate(request)
        except errors.ModelNotFound:
            if not self.pull:
                raise
        if found is None:
            try:
                await self._within(self._pull, self.pull_timeout)
            except errors.RequestTimeout:
                message = f"the model was not pulled in {self.pull_timeout:g} s (pull_timeout)"
                raise errors.RequestTimeout(self.provider, self.model, message) from None
            found = await super().generate(request)
        if found.usage.input_tokens is not None:
            self._refuse_cut(request, found.usage.input_tokens, await self._within(self._room_for))
        return found

    def _address(self, value: str) -> str:
        value = value.strip().strip("\"'")
        if value == "ollama.com":
            return "https://ollama.com"
        if not value or "://" in value:
            return value
        try:
            parts = urlsplit(f"http://{value}")
            host, port = parts.hostname or "127.0.0.1", parts.port or _PORT
        except ValueError:
            raise UserError(f"{self.base_url_env} is no address", remedy="write a host, host:port or a URL") from None
        if parts.username or parts.password:
            return f"http://{value}"  # to be refused
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - where a server listens, not where it is
        return f"http://{f'[{host}]' if ':' in host else host}:{port}{parts.path}"

    def _open(self, key: str | None) -> ollama.AsyncClient:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        # The time limit is `_within`'s: a model that is loaded or pulled may be silent for long.
        return ollama.AsyncClient(
            self.base_url, headers=headers, timeout=None, event_hooks={"response": [_raise_for_status]}
        )

    async def _shut(self, client: ollama.AsyncClient) -> None:
        await client.close()  # type: ignore[no-untyped-call]

    async def _ask(
        self, client: ollama.AsyncClient, request: GenerationRequest, settings: Mapping[str, Any], clock: Clock
    ) -> Completion:
        words = sum(len(message.content.split()) for message in request.messages)
        if words > self.num_ctx:  # the tokens of no known vocabulary go beyond a word
            raise self._too_long(f"the prompt has {words} words")
        options = {name: value for name, value in settings.items() if name not in _TOP_LEVEL}
        given: dict[str, Any] = {name: settings[name] for name in _TOP_LEVEL if name in settings}
        given |= {"model": self.model, "options": {**options, "num_ctx": self.num_ctx}}
        if request.schema is not None:
            given["format"] = dict(request.schema)
        call: Any = client.chat
        if self._format is None:
            given["messages"] = messages(request)
        else:
            call = client.generate
            try:
                given |= {"prompt": self._format.prompt(request.messages), "raw": True}
            except UserError as error:
                raise errors.BadRequest(self.provider, self.model, str(error)) from None
            given["options"]["stop"] = [*request.stop, *self._format.stop]
        return await _read(_pieces(call, given, request.stream), clock)

    def _refuse_cut(self, request: GenerationRequest, read: int, room: int) -> None:
        """Refuse a prompt of which the server has read no more than a part.

        Older servers leave as many tokens as there is room for, newer ones the first few and about half of the rest. A
        prompt may have that many by chance, so this counts only where its tokens would be longer than tokens are.

        Source: https://github.com/ollama/ollama, `runner.go` of 0.9, `contextShiftPromptLimit` of `llama_server.go`
        """
        size = sum(len(message.content.encode()) for message in request.messages)
        keep = count(request.parameters.get("num_keep"))
        keep = _KEEP if keep is None else keep
        halves = {room - (room - kept) // 2 for kept in (keep, keep + 1)}  # the second: and what begins every text
        # More than the model was trained for is read where a server does not lower the room.
        if read >= self.num_ctx or read == room or (read in halves and size > _MOST_BYTES * read):
            raise self._too_long(f"the server has read only {read} tokens of the prompt")

    def _too_long(self, what: str) -> errors.PromptTooLong:
        message = f"{what}, but there is room for {self._room or self.num_ctx} tokens (num_ctx is {self.num_ctx})"
        return errors.PromptTooLong(self.provider, self.model, message)

    async def _room_for(self, client: ollama.AsyncClient) -> int:
        """Tokens that there is really room for: Ollama lowers `num_ctx` to what the model was trained for."""
        if self._room is None:
            trained = (await self._described(client, ModelInfo(self.model, self.provider))).context_length
            self._room = min(self.num_ctx, trained or self.num_ctx)
        return self._room

    async def _pull(self, client: ollama.AsyncClient) -> None:
        status = None
        async for piece in _pieces(client.pull, {"model": self.model}, stream=True):
            status = piece.status
        if status != "success":
            raise Unusable("the pull ended in the middle")

    async def _list(self, client: ollama.AsyncClient) -> list[ModelInfo]:
        with _understood():
            listed = await client.list()
        found = [_info(self.provider, entry) for entry in listed.models if entry.model]
        return [await self._described(client, info) if info.id in self.listed_as else info for info in found]

    async def _described(self, client: ollama.AsyncClient, info: ModelInfo) -> ModelInfo:
        """With what only a question for this one model tells, where the server answers it."""
        try:
            with _understood():
                shown = await client.show(info.id)
        except (_Rejected, Unusable, pydantic.ValidationError):
            return info
        fields = mapping(shown.modelinfo)
        length = count(fields.get(f"{fields.get('general.architecture')}.context_length"))
        return replace(info, context_length=length, capabilities=tuple(shown.capabilities or ()))

    def _failure(self, error: Exception) -> Failure | None:
        match error:
            case _Rejected():
                how = f"; {self.how_to_get}" if error.status == 404 and not self.pull else ""
                return Failure(error.message + how, error.status, headers=error.headers)
            case ollama.ResponseError():  # in the middle of an answer
                unknown = "file does not exist" in error.error  # what a pull says of a name that nobody has
                return Failure(error.error, kind=errors.ModelNotFound if unknown else None)
            case ConnectionError() | httpx.HTTPError():
                return unreachable(self.base_url, error)
            case pydantic.ValidationError():
                first = error.errors(include_input=False)[0]
                asked = error.title.endswith("Request")
                what = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
                kind = errors.BadRequest if asked else errors.ProviderUnavailable
                return Failure(what if asked else f"the answer is none of Ollama's: {what}", kind=kind)
            case _:
                return None


class _Rejected(Exception):
    """An HTTP error, with its headers, which the SDK's own leaves out."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(response.status_code)
        self.status = response.status_code
        self.headers = dict(response.headers)
        try:
            said = text(mapping(json.loads(response.content)).get("error"))
        except (ValueError, RecursionError):
            said = ""
        self.message = said or response.text or response.reason_phrase


async def _raise_for_status(response: httpx.Response) -> None:
    if response.is_error:
        await response.aread()
        raise _Rejected(response)


@contextmanager
def _understood() -> Iterator[None]:
    """What the SDK does with an answer that is not a JSON object."""
    try:
        yield
    except (json.JSONDecodeError, RecursionError):
        raise Unusable("the answer is not valid JSON") from None
    except (TypeError, AttributeError):
        raise Unusable("the answer is not a JSON object") from None


async def _pieces(call: Any, given: Mapping[str, Any], stream: bool) -> AsyncGenerator[Any, None]:
    """An answer in pieces; a whole one is one piece."""
    with _understood():
        found = await call(**given, stream=stream)
    if not stream:
        yield found
        return
    async with aclosing(found):
        while True:
            with _understood():
                piece = await anext(found, None)
            if piece is None:
                return
            yield piece


async def _read(pieces: AsyncGenerator[Any, None], clock: Clock) -> Completion:
    said: list[str] = []
    calls: list[tuple[object, object]] = []
    last = None
    async with aclosing(pieces):
        async for piece in pieces:
            chat = isinstance(piece, ollama.ChatResponse)
            content = piece.message.content if chat else piece.response
            made = (
                [(call.function.name, call.function.arguments) for call in piece.message.tool_calls or ()]
                if chat
                else []
            )
            if content or made or (piece.message if chat else piece).thinking:
                clock.token()
            said.append(content or "")
            calls += made
            last = piece
    if last is None or not last.done:
        raise Unusable("the answer ended in the middle")
    return Completion(
        with_calls("".join(said), calls),
        _FINISH_REASONS.get(last.done_reason, FinishReason.OTHER),
        Usage(input_tokens=count(last.prompt_eval_count), output_tokens=count(last.eval_count)),
        last.model or "",
    )


def _info(provider: str, entry: ollama.ListResponse.Model) -> ModelInfo:
    details = entry.details
    return ModelInfo(
        entry.model or "",
        provider,
        parameters=(details and details.parameter_size) or None,
        quantization=(details and details.quantization_level) or None,
        size_bytes=int(entry.size) if entry.size is not None else None,
    )
