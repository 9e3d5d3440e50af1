"""A model behind a network: key, address, time limit and connection, the same for every provider."""

from __future__ import annotations

import asyncio
import json
import os
import time
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlsplit

from adapters import errors
from adapters.base import GENERIC, Completion, Feature, FinishReason, GenerationRequest, ModelAdapter, ModelInfo
from adapters.failures import Failure
from adapters.probe import probe
from sqlassay.errors import UserError
from sqlassay.secrets import find_key, look_up, without
from sqlassay.secrets_file import checked
from sqlassay.validation import ValidationResult

T = TypeVar("T")

_LONGEST_MESSAGE = 500
_NEVER_ASKED: ContextVar[bool] = ContextVar("never_asked", default=False)
_TRANSPORTS = frozenset({"httpx", "httpx2"})  # by name: which of the two, is for the SDK to say


@contextmanager
def never_asked() -> Iterator[None]:
    """Models that are made within are only looked at, as for an estimate: a key may be missing."""
    token = _NEVER_ASKED.set(True)
    try:
        yield
    finally:
        _NEVER_ASKED.reset(token)


class Unusable(Exception):
    """The provider sent something that is no answer: not JSON, no choices, cut off in the middle.

    Args:
        message: What is wrong with it.
        request_id: The provider's id of the request.
    """

    def __init__(self, message: str, request_id: str | None = None) -> None:
        super().__init__(message)
        self.failure = Failure(message, request_id=request_id, kind=errors.ProviderUnavailable)


class Explained(Unusable):
    """What the provider sent says why it is no answer.

    Args:
        failure: What it says.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Clock:
    """Times one request: the whole of it, and its first token."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self.first_token: float | None = None

    @property
    def seconds(self) -> float:
        """Since the request was sent."""
        return time.perf_counter() - self._started

    def token(self) -> None:
        """A piece of the answer has come."""
        if self.first_token is None:
            self.first_token = self.seconds


@dataclass(frozen=True)
class Settings:
    """What goes with a request besides its messages.

    Attributes:
        values: By the provider's own names.
        dropped: Generic settings that the provider does not know.
    """

    values: Mapping[str, Any]
    dropped: tuple[str, ...] = ()


class RemoteAdapter(ModelAdapter):
    """What the adapters of providers share. A subclass says how its SDK is opened, asked and understood.

    Parameters of a request that have no common name are sent as they are.

    Args:
        model: The provider's name of the model.
        base_url: Where the API is; by default what the environment says in `base_url_env`, else `default_url`.
        api_key_env: The variable that holds the key, see `sqlassay.secrets`; by default `key_env`.
        timeout: Seconds for one whole request; then its connection is closed.

    Raises:
        UserError: A setting is wrong, or the key is missing.
    """

    default_url: ClassVar[str]
    """The provider's own address."""
    base_url_env: ClassVar[str | None] = None
    """The environment variable that names another."""
    names: ClassVar[Mapping[str, str]]
    """The provider's names of the `GENERIC` settings that it knows."""
    reserved: ClassVar[frozenset[str]] = frozenset()
    """What only the adapter sets, beside messages and model."""
    keyless: ClassVar[bool] = False
    """Whether the provider itself asks for no key."""

    def __init__(
        self, model: str, *, base_url: str | None = None, api_key_env: str | None = None, timeout: float = 60.0
    ) -> None:
        super().__init__(model)
        fromenv = os.environ.get(self.base_url_env, "") if self.base_url_env else ""
        self.base_url = checked_url(base_url or self._address(fromenv) or self.default_url)
        self.api_key_env = api_key_env or self.key_env or ""
        self.timeout = checked_seconds("timeout", timeout)
        self._client: Any = None
        if not _NEVER_ASKED.get():
            self.key()

    @property
    def identity(self) -> Mapping[str, object]:
        """Provider, model and base URL."""
        return {"provider": self.provider, "model": self.model, "base_url": self.base_url}

    @property
    def endpoint(self) -> str:
        """Provider, address, and the name of the key: who counts our requests together."""
        return f"{self.provider} {self.base_url} {self.api_key_env}".rstrip()

    @property
    def answer_seconds(self) -> float:
        """How long one answer may take."""
        return self.timeout

    @property
    def listed_as(self) -> frozenset[str]:
        """The names under which the server may list the model."""
        return frozenset({self.model})

    @property
    def how_to_get(self) -> str:
        """What makes the server offer the model, where something does."""
        return ""

    def key(self) -> str | None:
        """The key; `None` where there is none and none is needed: a server other than the provider's may ask for none.

        Raises:
            UserError: It is missing, or cannot be one.
        """
        needed = self.base_url == self.default_url and not self.keyless
        if not needed and not self.api_key_env:
            return None
        if needed:
            key: str | None = find_key(self.provider, self.api_key_env, usual=self.api_key_env == self.key_env)
        else:
            key = look_up(self.api_key_env)
        return None if key is None else checked(key, self.api_key_env)

    async def generate(self, request: GenerationRequest) -> Completion:
        """Ask once.

        Raises:
            AdapterError: One of its leaves, by what the provider answered.
        """
        self._require(Feature.STREAM, request.stream)
        self._require(Feature.SCHEMA, request.schema is not None)
        settings = self._settings(request.parameters)
        clock = Clock()
        try:
            found = await self._within(
                lambda client: self._ask(client, request, settings.values, clock), self.answer_seconds
            )
        except _Refused:
            found = Completion("", FinishReason.FILTERED)
        # A server that repeats the key, be it in its answer, must not get it into the record.
        return replace(
            found,
            text=without(found.text, data=True),
            model=without(found.model, data=True) or self.model,
            seconds=clock.seconds,
            first_token_seconds=clock.first_token if request.stream else None,
            dropped=settings.dropped,
        )

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """The models that the server offers, sorted by id.

        Raises:
            AdapterError: One of its leaves.
        """
        found = {info.id: info for info in await self._within(self._list)}
        return tuple(found[name] for name in sorted(found))

    async def check(self) -> ValidationResult:
        """Whether the server is reached, the key is accepted, the model is there, and the smallest request works."""
        return ValidationResult(f"{self.provider} {self.model}", await probe(self, self._key_source()))

    async def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await self._shut(client)

    @abstractmethod
    def _open(self, key: str | None) -> Any:
        """A client of the SDK, its own retries switched off."""

    @abstractmethod
    async def _shut(self, client: Any) -> None:
        """Close a client's connections."""

    @abstractmethod
    async def _ask(
        self,
        client: Any,
        request: GenerationRequest,
        settings: Mapping[str, Any],
        clock: Clock,
    ) -> Completion:
        """Send the request and read the answer.

        Args:
            client: From `_open`.
            request: Its features are those that the adapter has.
            settings: The request's parameters by the provider's own names.
            clock: To be told of the first token.

        Raises:
            Unusable: The answer is none.
        """

    @abstractmethod
    async def _list(self, client: Any) -> list[ModelInfo]:
        """Ask for the models."""

    @abstractmethod
    def _failure(self, error: Exception) -> Failure | None:
        """What an error of the SDK says; `None` when it is not one of its own."""

    def _address(self, value: str) -> str:
        """The base URL that the environment's value stands for."""
        return value

    def _settings(self, parameters: Mapping[str, object]) -> Settings:
        names, reserved = self.names, {"messages", "model", "stream"} | self.reserved
        values: dict[str, object] = {}
        dropped = []
        for name, value in parameters.items():
            if name in reserved:
                raise errors.BadRequest(self.provider, self.model, f"the parameter {name!r} is not the user's to set")
            if value is None or value in ((), []):
                continue
            if name in GENERIC and name not in names:
                dropped.append(name)
            else:
                one_stop = name == "stop" and isinstance(value, str)  # some providers understand only a list
                values[names.get(name, name)] = [value] if one_stop else value
        return Settings(values, tuple(dropped))

    def _require(self, feature: Feature, wanted: bool) -> None:
        if wanted and feature not in self.features:
            known = ", ".join(sorted(self.features)) or "none"
            message = f"it cannot do {feature.value!r} (its features: {known})"
            raise errors.BadRequest(self.provider, self.model, message)

    async def _within(self, call: Callable[[Any], Awaitable[T]], seconds: float | None = None) -> T:
        """A call within a time limit, by default the usual one. Its errors are ours, without the key.

        `from None` everywhere, because the SDKs' errors hold the request and with it the key.
        """
        client = self._opened()
        limit = seconds or self.timeout
        try:
            # The SDKs' own limit starts anew with each piece that arrives; this one is for the whole request.
            async with asyncio.timeout(limit):
                return await call(client)
        except TimeoutError:
            raise self._late(limit) from None
        except Unusable as error:
            failure = error.failure
        except Exception as error:
            known = self._failure(error)
            if known is None:
                raise
            failure = known
        failure = replace(failure, message=self._without_key(failure.message))
        if failure.kind is errors.RequestTimeout and failure.status is None:
            raise self._late(limit)
        if failure.is_refusal:
            raise _Refused
        if failure.means is errors.ModelNotFound:  # or the address is wrong
            failure = replace(failure, message=f"{failure.message} (at {self.base_url})")
        raise failure.error(self.provider, self.model)

    def _opened(self) -> Any:
        if self._client is None:
            try:
                key = self.key()
            except UserError as error:
                raise errors.AuthFailed(self.provider, self.model, str(error)) from error
            self._client = self._open(key)
        return self._client

    def _key_source(self) -> str:
        try:
            return self.api_key_env if self.key() else ""
        except UserError:
            return self.api_key_env

    def _late(self, seconds: float) -> errors.RequestTimeout:
        return errors.RequestTimeout(self.provider, self.model, f"no answer in {seconds:g} s")

    def _without_key(self, message: str) -> str:
        """The message without our key, which some servers repeat, and no longer than a line or two."""
        return without(message)[:_LONGEST_MESSAGE]


class _Refused(Exception):
    """The provider's filter refused the prompt: an HTTP error there, an answer here."""


def unreachable(base_url: str, error: BaseException) -> Failure:
    """No connection: the cause of an SDK's error in words."""
    cause = error.__cause__ or error
    return Failure(
        f"no connection to {base_url}: {str(cause) or type(cause).__name__}", kind=errors.ProviderUnreachable
    )


def transport_failure(base_url: str, error: Exception) -> Failure | None:
    """What an error of httpx or httpx2 says, which SDKs let through; `None` when it is none of theirs."""
    kinds = {kind.__name__ for kind in type(error).__mro__ if kind.__module__.partition(".")[0] in _TRANSPORTS}
    if "TimeoutException" in kinds:
        return Failure(str(error), kind=errors.RequestTimeout)
    if "TransportError" in kinds:
        return unreachable(base_url, error)
    return Failure(str(error) or type(error).__name__, kind=errors.ProviderUnavailable) if kinds else None


def json_object(body: str | bytes, content_type: str | None, request_id: str | None) -> Mapping[str, Any]:
    """The JSON object of an answer, not yet trusted to look like anything.

    Args:
        body: Of the answer.
        content_type: As its header says.
        request_id: The provider's id of the request.

    Raises:
        Unusable: It is none.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        message = f"the answer is not valid JSON but {content_type or 'no content type'}"
        raise Unusable(message, request_id) from None
    if not isinstance(found, dict):
        raise Unusable("the answer is not a JSON object", request_id)
    return found


def checked_seconds(name: str, seconds: float) -> float:
    """A time limit.

    Raises:
        UserError: It is none.
    """
    if not seconds > 0:
        raise UserError(f"{name} is {seconds}, but must be more than 0 seconds")
    return seconds


def checked_url(url: str) -> str:
    """A base URL without a trailing slash.

    Raises:
        UserError: It is none, or holds what may be a secret.
    """
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
