"""What one line or entry of a prediction file says."""

from __future__ import annotations

from dataclasses import dataclass

from evaluation.datasets.record import Record, kind
from sqlassay.errors import UserError

BIRD_MARK = "\t----- bird -----\t"
"""What BIRD writes between the SQL and the `db_id`."""

ID_KEYS = ("id", "question_id")
"""Keys of the question's id; the first that is there counts."""

SQL_KEYS = ("predicted_sql", "prediction", "pred", "sql", "query")
"""Keys of the SQL; the first that is there counts. `query` is last: it may be a gold that the file carries along."""


@dataclass(frozen=True)
class Prediction:
    """One entry of a prediction file, not yet matched to a question.

    Attributes:
        place: File and line, entry or key, for messages.
        sql: The text as it is in the file; blank text becomes empty, which stands for no SQL.
        db_id: The database that the entry says it is for; `None` when it says none.
        label: What the entry calls its question; `None` when it goes by order.
        may_be_position: Whether the label may be a position from 0 rather than an id.
    """

    place: str
    sql: str
    db_id: str | None = None
    label: str | None = None
    may_be_position: bool = False

    def __post_init__(self) -> None:
        if not self.sql.strip():
            object.__setattr__(self, "sql", "")


def from_value(value: object, place: str, label: str | None = None, *, may_be_position: bool = False) -> Prediction:
    """The prediction that a JSON value stands for.

    Text is SQL, with or without BIRD's mark. `null`, `true`, `false` and numbers are what harnesses write where
    generation failed (BIRD's own evaluator expects 0): no SQL.

    Raises:
        UserError: A list or an object.
    """
    if isinstance(value, list | dict):
        raise UserError(f"is {kind(value)}, not SQL", place=place, remedy="write the SQL as text")
    text = value if isinstance(value, str) else ""
    sql, mark, db_id = text.rpartition(BIRD_MARK)
    if not mark:
        sql = text
    return Prediction(place, sql, db_id.strip() or None if mark else None, label, may_be_position)


def from_record(record: Record) -> Prediction:
    """The prediction that an object or a row of a table stands for.

    Raises:
        UserError: None of `SQL_KEYS` is there, or what is there is not SQL.
    """
    sql_key = next((key for key in SQL_KEYS if key in record.fields), None)
    if sql_key is None:
        raise UserError("has no 'sql'", place=record.place, remedy=f"name the SQL one of {', '.join(sorted(SQL_KEYS))}")
    label = next((record.identifier(key) for key in ID_KEYS if record.has(key)), None)
    return from_value(record.fields[sql_key], record.place, label)
