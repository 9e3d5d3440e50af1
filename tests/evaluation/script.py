"""A model that says what it is told to: for tests of what is made of answers."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.base import Completion, GenerationRequest, ModelAdapter, ModelInfo
from sqlassay.validation import ValidationResult


class Script(ModelAdapter):
    """Says its lines one after another; a line that is an error is raised.

    Args:
        lines: Text is an answer that has nothing but itself.
        model: The model's name.

    Attributes:
        heard: The requests so far.
    """

    provider = "script"

    def __init__(self, *lines: str | Completion | Exception, model: str = "m") -> None:
        super().__init__(model)
        self.lines = list(lines)
        self.heard: list[GenerationRequest] = []

    @property
    def identity(self) -> Mapping[str, object]:
        return {"provider": self.provider, "model": self.model}

    async def generate(self, request: GenerationRequest) -> Completion:
        self.heard.append(request)
        line = self.next_line()
        if isinstance(line, Exception):
            raise line
        return Completion(line) if isinstance(line, str) else line

    def next_line(self) -> str | Completion | Exception:
        """The next of the lines; asking once more than there are is a mistake of the test's."""
        return self.lines.pop(0)

    async def list_models(self) -> tuple[ModelInfo, ...]:
        return (ModelInfo(self.model, self.provider),)

    async def check(self) -> ValidationResult:
        return ValidationResult(f"{self.provider} {self.model}")
