"""Which prediction belongs to which question.

Entries with an id go by id, entries without go by their order. The keys of a JSON object may be either: they are
ids when at least as many of them are ids as are positions `0` to `n - 1`, except that in a tie a file with BIRD's
marks goes by position, as BIRD's own evaluator does. So a mini-dev file with keys from 0 to 499 goes by position
although its questions' ids start at 1471.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from evaluation.datasets.unknown_id import unknown_id
from evaluation.predictions.prediction import Prediction
from sqlassay.counted import counted
from sqlassay.errors import UserError

_NAMED = 3
"""How many missing questions a message names."""

_EMPTY = {"line": "an empty line", "entry": "empty text"}

_UNITS = {"line": ("line", "lines"), "entry": ("entry", "entries")}


def match(predictions: Sequence[Prediction], db_ids: Mapping[str, str], file: Path, unit: str) -> dict[str, str]:
    """The SQL for every question, in the order of the questions; empty text where there is no SQL.

    Args:
        predictions: All entries of the file.
        db_ids: The database of every question of the dataset, by the question's id, in order.
        file: The prediction file.
        unit: What the entries of the file are called: "line" or "entry".

    Raises:
        UserError: Too few or too many entries, two for one question, none for a question, or one for another
            database than the question's.
        UnknownName: An entry for a question that is not there.
    """
    found: dict[str, Prediction] = {}
    for question_id, prediction in _addressed(predictions, list(db_ids), file, unit):
        if question_id in found:
            first = found[question_id].place.removeprefix(f"{file}, ")
            raise UserError(
                f"is a second prediction for question {question_id!r}",
                place=prediction.place,
                remedy=f"the first is at {first}; keep one",
            )
        if prediction.db_id not in (None, db_ids[question_id]):
            raise UserError(
                f"is for database {prediction.db_id!r}, but question {question_id!r} is about {db_ids[question_id]!r}",
                place=prediction.place,
                remedy="is this the dataset that the predictions were made for, in its order?",
            )
        found[question_id] = prediction
    missing = [question_id for question_id in db_ids if question_id not in found]
    if missing:
        named = ", ".join(map(repr, missing[:_NAMED])) + (", …" if len(missing) > _NAMED else "")
        raise UserError(
            f"has no prediction for {len(missing):,} of {counted(len(db_ids), 'question')}: {named}",
            place=str(file),
            remedy="give every question of the dataset an entry, with empty SQL where there is none",
        )
    return {question_id: found[question_id].sql for question_id in db_ids}


def _addressed(
    predictions: Sequence[Prediction], ids: Sequence[str], file: Path, unit: str
) -> Iterator[tuple[str, Prediction]]:
    """Every prediction with the id of its question."""
    if all(prediction.label is None for prediction in predictions):
        if len(predictions) != len(ids):
            raise UserError(
                f"has {counted(len(predictions), *_UNITS[unit])}, the dataset {counted(len(ids), 'question')}",
                place=str(file),
                remedy=f"one for each question, in the order of the dataset; {_EMPTY[unit]} where there is no SQL",
            )
        yield from zip(ids, predictions, strict=True)
        return
    by_label = _by_label(predictions, ids)
    for prediction in predictions:
        if prediction.label is None:
            raise UserError(
                "has no id, but other entries have one",
                place=prediction.place,
                remedy="give every entry an id, or none",
            )
        if prediction.label not in by_label:
            raise unknown_id(prediction.label, list(by_label), place=prediction.place)
        yield by_label[prediction.label], prediction


def _by_label(predictions: Sequence[Prediction], ids: Sequence[str]) -> Mapping[str, str]:
    """The ids by what entries call them: themselves, or their positions."""
    by_id = {question_id: question_id for question_id in ids}
    by_position = {str(position): question_id for position, question_id in enumerate(ids)}
    keys = [prediction.label for prediction in predictions if prediction.may_be_position]
    surplus = sum(key in by_position for key in keys) - sum(key in by_id for key in keys)
    bird = any(prediction.db_id is not None for prediction in predictions)
    return by_position if surplus > 0 or (keys and surplus == 0 and bird) else by_id
