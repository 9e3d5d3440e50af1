"""Gold results: each gold runs once per content of its database, and is then known."""

from __future__ import annotations

import asyncio
import io
import pickle
from collections import OrderedDict
from dataclasses import dataclass
from importlib.metadata import version

from database_backends.errors import BackendError
from database_backends.result import ExecutionFailure, Limits, Outcome, ResultTable
from database_backends.runner import Runner, Statement
from database_backends.timing import Plan, Times, Timing
from evaluation.base.case import Executed
from evaluation.databases import Databases
from evaluation.datasets.base import GoldResult
from evaluation.gold_result import read_result
from evaluation.gold_text import GoldTexts
from evaluation.records import ExecutionRecord
from evaluation.store import Store, digest

FORMAT = 2
"""Part of every key in the store: changes whenever results are packed, read from a driver or cut in another way."""
KEPT_IN_MEMORY = 2_000_000
"""Cells of gold results that stay in memory."""
KEPT_ON_DISK = 16 * 2**20
"""Bytes up to which one gold result is kept on disk."""


@dataclass(frozen=True)
class Gold:
    """One gold, its outcome, and whether that was known from before.

    Attributes:
        sql: The statement; empty for a result from a file.
        outcome: What came of it.
        cached: Whether that was known.
        result: The gold result that was read; `None` for a statement.
    """

    sql: str
    outcome: Outcome
    cached: bool
    result: GoldResult | None = None

    @property
    def executed(self) -> Executed:
        """As strategies see it."""
        return Executed(self.sql, self.outcome, self.result)

    @property
    def record(self) -> ExecutionRecord:
        """As it is written down."""
        source = None if self.result is None else self.result.path.name
        return ExecutionRecord.of(self.sql, self.outcome, cached=self.cached, source=source)


class GoldStore:
    """Runs golds, each once, whoever asks and however often.

    Args:
        runner: Runs the statements.
        databases: Says which content a database has.
        limits: For golds; they may be wider than those of predictions, and their time is never charged to one.
        store: Keeps results from run to run; `None` keeps them in memory only.
    """

    def __init__(self, runner: Runner, databases: Databases, limits: Limits, store: Store | None) -> None:
        self._runner = runner
        self._databases = databases
        self._limits = limits
        self._store = store
        self.texts = GoldTexts(store)
        """What the texts of golds say, kept where their results are."""
        self._version = version("sqlassay")
        self._known: OrderedDict[bytes, ResultTable] = OrderedDict()
        self._cells = 0
        self._running: dict[bytes, asyncio.Task[Outcome]] = {}

    async def run(self, sql: str, target: str) -> Gold:
        """The outcome of one gold on one database."""
        try:
            fingerprint = self._databases.fingerprint(target)
            engine = self._databases.engine_version(target)
        except BackendError as error:
            return Gold(sql, ExecutionFailure.of(error), cached=False)
        backend = self._databases.backend
        key = digest(
            kind="gold",
            format=FORMAT,
            sqlassay=self._version,
            backend=backend.name,
            engine=engine,
            database=fingerprint,
            sql=sql,
            rows=self._limits.rows,
        )
        table = self._recall(key)
        if table is not None:
            return Gold(sql, table, cached=True)
        task = self._running.get(key)
        if task is None:
            task = asyncio.create_task(self._execute(key, sql, target))
            self._running[key] = task
        # Shielded: one item that is given up must not take the gold from the others that wait for it.
        return Gold(sql, await asyncio.shield(task), cached=False)

    async def read(self, result: GoldResult) -> Gold:
        """The rows of one gold result; it is small beside what made it, so it is read whenever it is asked for."""
        return Gold("", await asyncio.to_thread(read_result, result, self._limits.rows), cached=False, result=result)

    async def time(self, gold: str, predicted: str, target: str, plan: Plan) -> Times | ExecutionFailure:
        """How long a gold and another statement take beside each other, each run within the limits of golds."""
        return await self._runner.run(Timing(self._databases.backend.name, target, gold, predicted, plan, self._limits))

    async def _execute(self, key: bytes, sql: str, target: str) -> Outcome:
        try:
            outcome = await self._runner.run(Statement(self._databases.backend.name, target, sql, self._limits))
            if isinstance(outcome, ResultTable):
                self._keep(key, outcome)
                if self._store is not None:
                    packed = pickle.dumps(outcome, protocol=pickle.HIGHEST_PROTOCOL)
                    if len(packed) <= KEPT_ON_DISK:
                        self._store.put(key, packed)
            return outcome
        finally:
            del self._running[key]

    def _recall(self, key: bytes) -> ResultTable | None:
        table = self._known.get(key)
        if table is not None:
            self._known.move_to_end(key)
            return table
        packed = self._store.get(key) if self._store is not None else None
        table = _unpack(packed) if packed is not None else None
        if table is not None:
            self._keep(key, table)
        return table

    def _keep(self, key: bytes, table: ResultTable) -> None:
        self._known[key] = table
        self._cells += _cells(table)
        while self._cells > KEPT_IN_MEMORY and len(self._known) > 1:
            _, oldest = self._known.popitem(last=False)
            self._cells -= _cells(oldest)


def _cells(table: ResultTable) -> int:
    return len(table.rows) * len(table.columns) + 1


class _ResultUnpickler(pickle.Unpickler):
    """Reads results and nothing else: a cache file that somebody tampered with runs no code."""

    ALLOWED = frozenset(
        {
            ("database_backends.result", "ResultTable"),
            ("datetime", "date"),
            ("datetime", "datetime"),
            ("datetime", "time"),
            ("datetime", "timedelta"),
            ("datetime", "timezone"),
            ("decimal", "Decimal"),
            ("uuid", "UUID"),
            ("uuid", "SafeUUID"),
        }
    )

    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a result")
        return super().find_class(module, name)


def _unpack(packed: bytes) -> ResultTable | None:
    """The result; `None` when the entry cannot be read: it is then made again."""
    try:
        table = _ResultUnpickler(io.BytesIO(packed)).load()
    except Exception:  # noqa: BLE001 - a damaged entry can raise anything, and costs no more than a new execution
        return None
    return table if isinstance(table, ResultTable) else None
