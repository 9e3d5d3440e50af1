"""The schema of one database as prompts show it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from prompts.schema_text.pruning import left_out, prune
from prompts.schema_text.relevance import Relevance
from prompts.schema_text.style import FORMATS, PLAIN, SchemaStyle
from sqlassay.schema import Schema
from sqlassay.tokens import count


@dataclass(frozen=True)
class Shown:
    """What a prompt shows of a schema.

    Attributes:
        text: What the model reads.
        left_out: What is not in it for want of space: `table`, or `table.column` where the table is.
    """

    text: str
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class SchemaText:
    """A schema in one style, whole or as much of it as a question needs.

    Attributes:
        schema: With the descriptions, values and rows that the style asks for.
        style: What it looks like.
        dialect: The sqlglot dialect whose quotes are used.
    """

    schema: Schema
    style: SchemaStyle = PLAIN
    dialect: str = ""

    @cached_property
    def whole(self) -> str:
        """Everything."""
        return self._written(self.schema)

    def about(self, question: str, max_tokens: int | None = None, model: str = "") -> Shown:
        """As much as fits; see `prune` for what goes first, and for what is shown when even the least does not fit.

        Args:
            question: The question and its evidence.
            max_tokens: The most that the text may be; the style's own bound holds besides.
            model: Whose tokens they are.
        """
        bounds = [bound for bound in (max_tokens, self.style.max_tokens) if bound is not None]
        if not bounds or count(self.whole, model).tokens <= min(bounds):
            return Shown(self.whole)
        bound = min(bounds)
        shown = prune(
            self.schema,
            self._relevance.of(question),
            lambda part: count(self._written(part), model).tokens <= bound,
        )
        return Shown(self._written(shown), left_out(self.schema, shown))

    def _written(self, schema: Schema) -> str:
        return FORMATS[self.style.format].write(schema, self.dialect)

    @cached_property
    def _relevance(self) -> Relevance:
        return Relevance(self.schema)
