"""What a judge may say is wrong: a closed list, counted beside the reasons that execution gives."""

from __future__ import annotations

from enum import StrEnum


class Category(StrEnum):
    """Where the fault lies, in the words of a judge."""

    WRONG_INTENT = "wrong_intent"
    WRONG_FILTER = "wrong_filter"
    WRONG_JOIN = "wrong_join"
    WRONG_AGGREGATION = "wrong_aggregation"
    WRONG_COLUMNS = "wrong_columns"
    WRONG_ORDER = "wrong_order"
    PRESENTATION = "presentation"
    AMBIGUOUS_QUESTION = "ambiguous_question"
    GOLD_MAY_BE_WRONG = "gold_may_be_wrong"
    OTHER = "other"

    @property
    def words(self) -> str:
        """As a person reads it."""
        return self.value.replace("_", " ")

    @property
    def description(self) -> str:
        """What belongs to it, for the judge."""
        return _DESCRIPTIONS[self]


_DESCRIPTIONS = {
    Category.WRONG_INTENT: "another question is answered than the one that is asked",
    Category.WRONG_FILTER: "rows are kept or left out by a wrong, missing or superfluous condition or value",
    Category.WRONG_JOIN: "tables are joined wrongly, or one is missing or too many, so that rows are lost or doubled",
    Category.WRONG_AGGREGATION: "counted, summed, grouped or made distinct wrongly",
    Category.WRONG_COLUMNS: "columns that are not asked for, or not those that are",
    Category.WRONG_ORDER: "a wrong order of rows, or a wrong choice of the first ones",
    Category.PRESENTATION: "right, but rounded, formatted, named or arranged otherwise than asked for",
    Category.AMBIGUOUS_QUESTION: "the question can be read in more than one way",
    Category.GOLD_MAY_BE_WRONG: "the reference statement does not answer the question",
    Category.OTHER: "something else",
}
