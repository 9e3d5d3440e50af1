"""What a model would be sent for a question, made as a run makes it and not sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from adapters.base import Completion, GenerationRequest, ModelAdapter, ModelInfo
from adapters.errors import AdapterError
from adapters.model_table import in_table, table
from evaluation.catalogue import Catalogue
from evaluation.databases import Databases
from evaluation.datasets.base import Question
from evaluation.generation import ModelSource, no_text
from evaluation.history import GoldHistory, Window, shows_history
from prompts.template import PromptTemplate, RenderedPrompt
from sqlassay import tokens
from sqlassay.chat_formats import ChatFormat, chat_format
from sqlassay.errors import UserError
from sqlassay.resilience import CallLimits, Circuit, Endpoint, RetryPolicy
from sqlassay.tokens import TokenCount
from sqlassay.validation import ValidationResult


@dataclass(frozen=True)
class Room:
    """How much a model can read and say.

    Attributes:
        tokens: Of prompt and answer together; `None` where nobody knows.
        source: Who says it: `setting`, `provider`, or the name and version of a table, such as `genai-prices 0.2.3`;
            empty where nobody does.
    """

    tokens: int | None = None
    source: str = ""


@dataclass(frozen=True)
class Preview:
    """One request, not sent.

    Attributes:
        question: The question.
        template: The prompt's template.
        prompt: What it became.
        request: What would be sent.
        adapter: To whom.
    """

    question: Question
    template: PromptTemplate
    prompt: RenderedPrompt
    request: GenerationRequest
    adapter: ModelAdapter

    @property
    def max_tokens(self) -> int:
        """Of the answer, where the request limits it; else 0."""
        found = self.request.parameters.get("max_tokens")
        return found if isinstance(found, int) else 0

    def text(self, name: str | None) -> str | None:
        """The one text that the messages become in a chat format; the adapter's own unless another is named.

        Raises:
            UserError: There is no such format, or it has no place for these messages.
        """
        found = self._format(name)
        return None if found is None else found.prompt(self.prompt.messages)

    def stop(self, name: str | None) -> list[str]:
        """Where the model would be told to stop, in a chat format as well.

        Raises:
            UserError: There is no such format.
        """
        found = self._format(name)
        return [*self.request.stop, *(() if found is None else found.stop)]

    def _format(self, name: str | None) -> ChatFormat | None:
        name = name or self.adapter.chat_format
        return None if name is None else chat_format(name)

    def count(self, text: str) -> TokenCount:
        """The tokens of a text, as the model counts them where that is known."""
        return tokens.count(text, self.adapter.model)

    async def room(self, catalogue: Catalogue) -> Room:
        """The room that the model has, as a setting says, else its provider, else a table."""
        adapter = self.adapter
        if adapter.context_length is not None:
            return Room(adapter.context_length, "setting")
        told = None if adapter.offline else await self._offered(catalogue)
        if told is not None:
            return Room(told, "provider")
        known = in_table(adapter, adapter.model)
        return Room() if known is None or known.context_window is None else Room(known.context_window, table())

    async def _offered(self, catalogue: Catalogue) -> int | None:
        """Tokens that there is room for, as the provider says."""
        try:
            offered = await catalogue.models(self.adapter)
        except AdapterError:
            return None
        finally:
            await self.adapter.close()
        return next((one.context_length for one in offered if one.id == self.adapter.model), None)


class Nobody(ModelAdapter):
    """Stands where a model would, when none is named or its key is not there; it is never asked.

    Args:
        model: Whose tokens are counted; may be empty.
        place: The name of the adapter in whose place it stands.
    """

    provider: ClassVar[str] = "nobody"
    offline: ClassVar[bool] = True

    def __init__(self, model: str, place: str = provider) -> None:
        super().__init__(model)
        self.place = place

    @property
    def identity(self) -> Mapping[str, object]:
        """In whose place it stands; nothing else changes an answer that never comes."""
        return {"provider": self.place}

    async def generate(self, request: GenerationRequest) -> Completion:
        """Never called."""
        raise NotImplementedError

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """None."""
        return ()

    async def check(self) -> ValidationResult:
        """Never called."""
        raise NotImplementedError


def previews(
    source: ModelSource,
    template: PromptTemplate,
    question: Question,
    target: str,
    variables: Mapping[str, object] | None = None,
) -> Iterator[Preview]:
    """What a source would send: the prompt that links, where there is one, and the prompt with the whole schema.

    Raises:
        BackendError: The database whose schema is shown cannot be read.
        UserError: The prompt lacks a variable, or cannot be sent to anybody.
    """
    if template.linker is not None:
        yield from previews(source, template.linker, question, target)
    prompt, request, _ = source.request(template, question, target, variables=variables)
    odd = no_text(prompt)
    if odd is not None:
        raise UserError(odd, place=f"question {question.id}")
    yield Preview(question, template, prompt, request, source.adapter)


def preview_alone(
    template: PromptTemplate, question: Question, databases: Databases, adapter: ModelAdapter
) -> list[Preview]:
    """What a model would be sent in an experiment with nothing but the defaults; of earlier turns, the golds.

    Raises:
        BackendError: The database cannot be read.
        UserError: It is not there, or the prompt lacks a variable.
    """
    if template.shots:
        raise UserError(
            f"prompt {template.ref} shows examples",
            place=str(template.path),
            remedy="give --experiment FILE, whose `examples` says from where",
        )
    endpoint = Endpoint(Circuit(adapter.endpoint), RetryPolicy(), CallLimits(1))
    source = ModelSource(adapter, template, databases, endpoint)
    if shows_history(template):
        question = GoldHistory(Window(), databases.backend.dialect).foreseen(question)
    return list(previews(source, template, question, databases.require(question.db_id)))
