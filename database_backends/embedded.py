"""What engines that run inside our process share: their database is a file."""

from __future__ import annotations

from pathlib import Path

from database_backends import fingerprint
from database_backends.base import DatabaseBackend
from database_backends.errors import BackendError, FailureKind
from database_backends.result import Limits
from sqlassay.validation import Check, ValidationResult

_CHECK_LIMITS = Limits(seconds=5, rows=1)


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
        checks = [self._check_opens()]
        if checks[0].ok:
            checks += [self._check_reads(), self._check_refuses_writes()]
        return ValidationResult(self.target, tuple(checks))

    def _check_opens(self) -> Check:
        try:
            self.run("SELECT 1", _CHECK_LIMITS)
        except BackendError as error:
            return Check("opens", False, error.message, "close the program that is writing to it")
        return Check("opens", True, f"{self.name} {self.engine_version()}")

    def _check_reads(self) -> Check:
        try:
            tables = self.schema().tables
        except BackendError as error:
            return Check("reads", False, error.message, "restore the file: it is damaged")
        return Check("reads", True, f"{len(tables)} tables and views")

    def _check_refuses_writes(self) -> Check:
        try:
            self.run("CREATE TABLE sqlassay_check (a INTEGER)", _CHECK_LIMITS)
        except BackendError as error:
            return Check("refuses a write", error.kind is FailureKind.WRITE_ATTEMPT, error.message)
        return Check("refuses a write", False, "a table could be created", "report this as a bug of sqlassay")
