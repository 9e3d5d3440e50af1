"""CoSQL (Yu et al. 2019, https://yale-lily.github.io/cosql): its SQL-grounded state tracking has SParC's shape."""

from __future__ import annotations

from pathlib import Path

from evaluation.datasets.sparc import SparcDataset


class CosqlDataset(SparcDataset):
    """As `sparc`, in the layout of CoSQL's folder: `sql_state_tracking/cosql_dev.json` beside `database/`."""

    name = "cosql"
    file_patterns = (
        "cosql_dev.json",
        "cosql_test.json",
        "cosql_train.json",
        "sql_state_tracking/cosql_dev.json",
    )
    default_file = "cosql_dev.json"
    database_folders = ("../database", "database", "databases")

    @property
    def _tables_file(self) -> Path:
        beside = super()._tables_file
        return beside if beside.is_file() else beside.parent / "../tables.json"
