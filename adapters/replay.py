"""Recorded answers: the model that needs no network, no key and no money."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from adapters.answers_file import AnswersFile, Key
from adapters.base import Completion, GenerationRequest, ModelAdapter, ModelInfo
from adapters.errors import AnswerNotRecorded, ModelNotFound
from sqlassay.errors import UserError
from sqlassay.validation import Check, ValidationResult


class ReplayAdapter(ModelAdapter):
    """Answers with what was recorded in a JSON Lines file.

    A line is `{"question_id", "answer"}` and, where they matter, `"model"`, `"prompt"` (such as `zero_shot@1`),
    `"dialect"` and `"repeat"`: a field that is left out matches anything. Of the lines that match a request, the one
    with the most fields answers; among as many, the one that names the model, then the prompt, then the dialect.
    `"finish_reason"` is `stop` unless given, `"usage"` holds `input_tokens`, `output_tokens`, `cached_tokens` and
    `reasoning_tokens`, and `"note"` is for people. A `question_id` may be text or a whole number.

    Args:
        model: Whose answers to give; lines that name another model are passed over.
        path: The file.

    Raises:
        UserError: The file cannot be read, a line is wrong, or two lines answer the same requests.
    """

    provider: ClassVar[str] = "replay"
    supports_seed: ClassVar[bool] = True
    offline: ClassVar[bool] = True

    def __init__(self, model: str, *, path: str | Path) -> None:
        super().__init__(model)
        self._file = AnswersFile(Path(path), model)

    @property
    def identity(self) -> Mapping[str, object]:
        """Provider, model and the digest of the file; not where the file is."""
        return {"provider": self.provider, "model": self.model, "sha256": self._file.sha256}

    async def generate(self, request: GenerationRequest) -> Completion:
        """The recorded answer; the parameters are not looked at.

        Raises:
            AnswerNotRecorded: No line matches the request, or the file was changed in the meantime.
            ModelNotFound: No line at all is for this model.
        """
        if not len(self._file):
            raise ModelNotFound(self.provider, self.model, f"{self._file.path} holds no answers of this model")
        key = Key(request.question_id, self.model, request.prompt, request.dialect, request.repeat)
        try:
            answer = self._file.find(key)
        except UserError as error:
            raise AnswerNotRecorded(self.provider, self.model, str(error)) from error
        if answer is None:
            asked = ", ".join(f"{name} {value!r}" for name, value in key._asdict().items())
            raise AnswerNotRecorded(self.provider, self.model, f"{self._file.path} has no answer for {asked}")
        return Completion(answer.text, answer.finish_reason, answer.usage, model=self.model)

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """The models that the file names; this one too when a line is for any model."""
        names = {*self._file.models, *([self.model] if len(self._file) else [])}
        return tuple(ModelInfo(name, self.provider) for name in sorted(names))

    async def check(self) -> ValidationResult:
        """Whether the file holds answers of this model."""
        known = ", ".join(info.id for info in await self.list_models()) or "no model"
        found = Check(
            "model",
            ok=len(self._file) > 0,
            detail=f"{len(self._file)} answers in {self._file.path}",
            remedy=f"the file holds answers of {known}",
        )
        return ValidationResult(f"{self.provider} {self.model}", (found,))
