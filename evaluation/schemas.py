"""The JSON Schemas of the files that other programs read and write."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from evaluation.experiment import Experiment
from evaluation.records import ItemRecord, VerdictLine

DOCUMENTS: dict[str, type] = {"experiment": Experiment, "items": ItemRecord, "verdicts": VerdictLine}


def schema_of(document: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of one document; a key of `DOCUMENTS`."""
    mode = "validation" if document == "experiment" else "serialization"
    schema = TypeAdapter(DOCUMENTS[document]).json_schema(mode=mode)  # type: ignore[arg-type]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
