"""`metadata/<db_name>.json`: what Defog says about the columns of a database.

Source of the form: https://github.com/defog-ai/defog-data.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evaluation.datasets.json_file import load_json
from sqlassay.errors import UserError


def read_metadata(path: Path) -> dict[str, dict[str, str]]:
    """The descriptions by table and column.

    Raises:
        UserError: The file cannot be read, or is not of this form.
    """
    content: Any = load_json(path)
    try:
        tables: Mapping[str, list[Mapping[str, Any]]] = content["table_metadata"]
        return {
            table: {
                str(column["column_name"]): " ".join(str(column.get("column_description") or "").split())
                for column in columns
            }
            for table, columns in tables.items()
        }
    except (TypeError, LookupError, AttributeError) as error:
        raise UserError(
            f"does not describe a database as Defog does: {type(error).__name__}: {error}", place=str(path)
        ) from None
