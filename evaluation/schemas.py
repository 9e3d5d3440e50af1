"""The JSON Schemas of the files that other programs read and write."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from evaluation.audit.report import AuditReport
from evaluation.experiment import Experiment
from evaluation.records import ItemRecord, VerdictLine

DOCUMENTS: dict[str, type] = {
    "experiment": Experiment,
    "items": ItemRecord,
    "verdicts": VerdictLine,
    "audit": AuditReport,
}


def schema_of(document: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of one document; a key of `DOCUMENTS`."""
    if document == "experiment":
        schema = TypeAdapter(DOCUMENTS[document]).json_schema(mode="validation")
    else:
        schema = TypeAdapter(DOCUMENTS[document]).json_schema(mode="serialization")
        for described in (schema, *schema.get("$defs", {}).values()):
            if "properties" in described:
                described["required"] = list(described["properties"])  # we leave nothing out
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
