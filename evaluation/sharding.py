"""Shards: the questions of one experiment, divided among machines that know nothing of each other."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from evaluation.datasets.base import Question
from sqlassay.errors import UserError

_SHARD = re.compile(r"([0-9]{1,9})/([0-9]{1,9})", re.ASCII)


@dataclass(frozen=True)
class Shard:
    """One part of the questions. Each question is in exactly one, whichever others are selected and in whatever order.

    Attributes:
        number: Which part, from 1.
        of: How many parts there are.
    """

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """The shard that is written `2/4`.

        Raises:
            UserError: Not of this form, or there is no such part.
        """
        found = _SHARD.fullmatch(text)
        if found is None or not 1 <= int(found[1]) <= int(found[2]):
            raise UserError(f"--shard {text!r} is no shard", remedy="number them from 1: 1/4, 2/4, 3/4, 4/4")
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of_identity(cls, identity: Mapping[str, Any]) -> Self | None:
        """The shard that a run has recorded; `None` where it was about all questions."""
        recorded = identity.get("shard")
        return None if recorded is None else cls(recorded["number"], recorded["of"])

    def __str__(self) -> str:
        """As it is written: `2/4`."""
        return f"{self.number}/{self.of}"

    def __contains__(self, question: Question) -> bool:
        return self.has(question.id, question.conversation)

    def has(self, question_id: str, conversation: str | None) -> bool:
        """Whether a question is in this part; the turns of a conversation are all in one.

        Args:
            question_id: The question's id.
            conversation: Which conversation it is a turn of.
        """
        # By a digest, since Python's own hash of a text is another in each process.
        key = question_id if conversation is None else conversation
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest) % self.of == self.number - 1
