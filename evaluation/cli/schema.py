"""`sqlassay schema`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from evaluation.cli import output


class Document(StrEnum):
    """What a JSON Schema is published of."""

    EXPERIMENT = "experiment"
    ITEMS = "items"
    VERDICTS = "verdicts"
    AUDIT = "audit"


def schema(
    document: Annotated[
        Document, typer.Argument(metavar=f"[{'|'.join(Document)}]", help="The file whose schema is wanted.")
    ] = Document.EXPERIMENT,
) -> None:
    """Print the JSON Schema of a file that sqlassay reads or writes.

    `experiment` is for editors: save it and name it in the first line of the YAML file,
    `# yaml-language-server: $schema=experiment.schema.json`. `items` is one line of a run's `items.jsonl`, `verdicts`
    one line of what `sqlassay score --output` writes, `audit` what `sqlassay audit --json` prints.
    """
    from evaluation.schemas import schema_of

    output.print_json(schema_of(document.value))
