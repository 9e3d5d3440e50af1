"""The contract that every provider fulfils."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from sqlassay.messages import Message
from sqlassay.registry import Registry
from sqlassay.validation import ValidationResult


class FinishReason(StrEnum):
    """Why the model stopped."""

    STOP = "stop"
    """It had said all."""
    LENGTH = "length"
    """It was cut off: the answer is truncated."""
    REFUSED = "refused"
    """The model declined to answer."""
    FILTERED = "filtered"
    """The provider's filter withheld the question or the answer."""
    OTHER = "other"


@dataclass(frozen=True)
class Usage:
    """Tokens of one request; `None` where the provider does not say, which is not zero."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class Feature(StrEnum):
    """What a request may need beyond text in, text out; an adapter without it refuses the request."""

    STREAM = "stream"
    """The answer comes piece by piece, so that the time to its first token is known."""
    SCHEMA = "schema"
    """The answer is held to a JSON schema."""


GENERIC = ("temperature", "top_p", "top_k", "max_tokens", "seed", "stop")
"""Sampling settings in common words; where a provider does not know one, it is dropped, and the record says so."""


@dataclass(frozen=True)
class GenerationRequest:
    """One question to one model.

    Attributes:
        messages: The rendered prompt.
        parameters: Sampling settings in common words, `GENERIC`; others are the provider's own and sent as they are.
        question_id: Whose question this is; only recorded answers need it.
        prompt: Name and version of the prompt, such as `zero_shot@1`.
        dialect: The SQL dialect that was asked for.
        repeat: 0 for the first time the question is asked, 1 for the second, …
        schema: The JSON schema that the answer has to follow; `None` for free text.
        stream: Whether the answer is to come piece by piece.
    """

    messages: tuple[Message, ...]
    parameters: Mapping[str, object] = field(default_factory=dict)
    question_id: str = ""
    prompt: str = ""
    dialect: str = ""
    repeat: int = 0
    schema: Mapping[str, object] | None = None
    stream: bool = False

    @property
    def stop(self) -> tuple[str, ...]:
        """The strings at which the model is to stop, one or several as the parameters have them."""
        given = self.parameters.get("stop")
        return (given,) if isinstance(given, str) else tuple(given) if isinstance(given, Sequence) else ()


@dataclass(frozen=True)
class Completion:
    """What a model answered.

    Attributes:
        text: The answer; empty when it was refused without words.
        finish_reason: Why the model stopped.
        usage: Tokens, as far as known.
        model: The model that really answered, as the provider names it.
        seconds: Wall-clock time of the request that was answered.
        request_id: The provider's id of the request.
        dropped: Generic settings that this provider does not know and that were left out.
        first_token_seconds: Of `seconds`, until the first piece came; `None` when the answer did not come in pieces.
    """

    text: str
    finish_reason: FinishReason = FinishReason.STOP
    usage: Usage = Usage()
    model: str = ""
    seconds: float = 0.0
    request_id: str | None = None
    dropped: tuple[str, ...] = ()
    first_token_seconds: float | None = None


@dataclass(frozen=True)
class ModelInfo:
    """What a provider says about one of its models; `None` where it does not say.

    Attributes:
        id: The name that requests use.
        provider: The adapter's registered name.
        context_length: Tokens of prompt and answer together.
        parameters: How many weights, as the provider writes it, such as `8.0B`.
        quantization: Of the weights, such as `Q4_K_M`.
        size_bytes: Of the files.
        capabilities: What it can do, in the provider's words.
    """

    id: str
    provider: str
    context_length: int | None = None
    parameters: str | None = None
    quantization: str | None = None
    size_bytes: int | None = None
    capabilities: tuple[str, ...] = ()


class ModelAdapter(ABC):
    """One model of one provider.

    Subclasses take `model` and keyword settings of their own, each documented in `Args`, and raise
    `sqlassay.errors.UserError` from `__init__` when a setting is wrong or a key is missing.

    Args:
        model: The provider's name of the model.
    """

    provider: ClassVar[str]
    """The registered name."""
    key_env: ClassVar[str | None] = None
    """The environment variable that holds the key; `None` when none is needed."""
    supports_seed: ClassVar[bool] = False
    """Whether the same seed asks for the same answer."""
    features: ClassVar[frozenset[Feature]] = frozenset()
    """What it can do beyond text in, text out."""
    offline: ClassVar[bool] = False
    """Whether it answers without a network, so that its answers are not worth caching."""
    price_share: ClassVar[float] = 1.0
    """What its requests cost, of what the table of prices says of the model."""
    chat_format: str | None = None
    """The format of ours in which its messages are sent as one text; `None` where they are sent as messages."""
    context_length: int | None = None
    """Tokens that there is room for, prompt and answer together, where a setting says it."""

    def __init__(self, model: str) -> None:
        self.model = model

    @property
    @abstractmethod
    def identity(self) -> Mapping[str, object]:
        """All settings that can change an answer (provider, model, base URL, …) and no other: the cache key."""

    @property
    def endpoint(self) -> str:
        """What fails and recovers as one: models of the same endpoint share its circuit breaker."""
        return self.provider

    @abstractmethod
    async def generate(self, request: GenerationRequest) -> Completion:
        """Ask the model once; retries are not the adapter's business.

        Raises:
            AdapterError: One of its leaves; nothing else. `BadRequest` where a feature is asked for that it lacks.
        """

    @abstractmethod
    async def list_models(self) -> tuple[ModelInfo, ...]:
        """The models that the provider offers, sorted by id.

        Raises:
            AdapterError: One of its leaves; nothing else.
        """

    @abstractmethod
    async def check(self) -> ValidationResult:
        """Whether the provider can be reached, the key is accepted and the model exists. Never raises."""

    async def close(self) -> None:
        """Let go of connections. Calling it twice is fine."""
        return


ADAPTERS: Registry[ModelAdapter] = Registry("adapter", "sqlassay.adapters", ModelAdapter)
