"""What engines that run inside our process share: their database is a file."""

from __future__ import annotations

from pathlib import Path

from database_backends import fingerprint
from database_backends.base import DatabaseBackend
from database_backends.errors import BackendError, FailureKind
from database_backends.result import Limits
from sqlassay.validation import Check, ValidationResult


class EmbeddedBackend(DatabaseBackend):
    """One database file of an engine that runs inside our process.

    Args:
        target: The file.

    Raises:
        BackendError: `database_missing` when there is no such file, `connection` when it cannot be opened.
    """

    embedded = True

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.path = Path(target)
        if not self.path.is_file():
            what = "is not a file" if self.path.exists() else "does not exist"
            raise BackendError(FailureKind.DATABASE_MISSING, f"the database {target} {what}")

    def fingerprint(self) -> str:
        """A digest of the file's content."""
        try:
            return fingerprint.of_file(self.path)
        except OSError as error:
            raise BackendError(FailureKind.CONNECTION, f"cannot read {self.target}: {error}") from error

    def check(self) -> ValidationResult:
        """Whether the database can be opened, read, and not written."""
        return ValidationResult(self.target, (self._check_opens(), self._check_reads(), self._check_refuses_writes()))

    def _check_opens(self) -> Check:
        return Check("opens", True, f"{self.name} {self.engine_version()}")

    def _check_reads(self) -> Check:
        try:
            tables = self.schema().tables
        except BackendError as error:
            return Check("reads", False, error.message, "check that the file is a whole database of this engine")
        return Check("reads", True, f"{len(tables)} tables and views")

    def _check_refuses_writes(self) -> Check:
        try:
            self.run("CREATE TABLE sqlassay_check (a INTEGER)", Limits(seconds=5, rows=1, megabytes=256))
        except BackendError as error:
            return Check("refuses a write", error.kind is FailureKind.WRITE_ATTEMPT, error.message)
        return Check("refuses a write", False, "a table could be created", "report this as a bug of sqlassay")
