"""What every database backend must do. Subclass it, say how a database is made, and pass."""

from __future__ import annotations

import inspect
import os
import pickle
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

import psutil
import pytest

from database_backends.base import CanExplain, DatabaseBackend
from database_backends.errors import BackendError, FailureKind
from database_backends.result import Limits, ResultTable
from evaluation.sampling import with_samples
from sqlassay.schema import ForeignKey, Table
from tests.servers.world import ServerWorld

LIMITS = Limits(seconds=20, rows=1000, megabytes=256)
IDLE_SECONDS = 15.0
"""How long is looked whether nothing is running any more. A busy machine may take so long to tell."""

STATEMENTS = (
    "CREATE TABLE singer (singer_id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL, age INTEGER, born DATE)",
    "CREATE TABLE concert (concert_id INTEGER PRIMARY KEY, singer_id INTEGER REFERENCES singer (singer_id))",
    "CREATE VIEW adult AS SELECT name FROM singer WHERE age >= 18",
    "INSERT INTO singer VALUES (1, 'Joe', 52, '1970-05-17'), (2, 'Ann', NULL, '2001-12-31'), (3, 'Zoë 😀', 17, NULL)",
    "INSERT INTO concert VALUES (1, 1), (2, 1), (3, 2)",
)

ENDLESS = "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"


class BackendConformance(ABC):
    """The suite. A subclass says which backend it tests, how to make a database, and what the engine cannot do."""

    backend: type[DatabaseBackend]

    typed: ClassVar[Sequence[tuple[str, object]]]
    """Expressions of the engine's own types, and the value that the driver gives for each."""
    memory_bombs: ClassVar[Sequence[str]]
    """Queries that would take more than 64 MiB."""
    endless: ClassVar[Sequence[str]] = (f"{ENDLESS} SELECT count(*) FROM c",)
    """Queries that never end and can be interrupted."""
    endless_rows: ClassVar[str]
    """A query that never stops giving rows."""
    writes: ClassVar[Sequence[str]]
    """Statements that would change the database, a file or the engine if they could; `{new}` is a file's path."""
    session_changes: ClassVar[Sequence[str]]
    """Statements that would change what a later statement sees."""
    session_probes: ClassVar[Sequence[str]]
    """Queries whose result tells whether one of the session changes got through."""

    checks: ClassVar[Sequence[str]]
    """What `check` looks at, in this order."""

    tells_types: ClassVar[bool] = True
    tells_place_of_errors: ClassVar[bool] = True
    exact_decimals: ClassVar[bool] = True
    tells_views: ClassVar[bool] = True
    backslash: ClassVar[str] = "\\"
    """How a backslash is written in a string."""

    @abstractmethod
    def make_database(self, folder: Path, statements: Sequence[str]) -> str:
        """Make a database from trusted statements and give its target."""

    @pytest.fixture
    def target(self, tmp_path: Path) -> str:
        return self.make_database(tmp_path, STATEMENTS)

    @pytest.fixture
    def database(self, target: str) -> Iterator[DatabaseBackend]:
        with self.backend(target) as database:
            yield database

    def cannot(self, request: pytest.FixtureRequest, fact: bool, reason: str) -> None:
        """What the engine's declared facts say it cannot do fails strictly: the day it can, the build says so."""
        if not fact:
            request.applymarker(pytest.mark.xfail(strict=True, reason=f"{self.backend.name}: {reason}"))

    # Results.

    def test_rows_columns_and_order(self, database: DatabaseBackend) -> None:
        table = database.execute("SELECT name, age FROM singer ORDER BY singer_id DESC", LIMITS)
        assert table.columns == ("name", "age")
        assert table.rows == [("Zoë 😀", 17), ("Ann", None), ("Joe", 52)]
        assert not table.truncated
        assert 0 <= table.seconds < 5

    @pytest.mark.parametrize(
        ("expression", "value"),
        [
            ("1", 1),
            ("9007199254740993", 9007199254740993),
            ("-9223372036854775807", -9223372036854775807),
            ("CAST(0.1 AS DOUBLE PRECISION)", 0.1),
            ("CAST(1e300 AS DOUBLE PRECISION)", 1e300),
            ("NULL", None),
            ("''", ""),
            ("'it''s Zoë 😀'", "it's Zoë 😀"),
            ("'two\nlines'", "two\nlines"),
        ],
    )
    def test_values_that_every_engine_has(self, database: DatabaseBackend, expression: str, value: object) -> None:
        self.assert_value(database, expression, value)

    def test_values_of_its_own_types(self, database: DatabaseBackend) -> None:
        for expression, value in self.typed:
            self.assert_value(database, expression, value)

    def assert_value(self, database: DatabaseBackend, expression: str, value: object) -> None:
        ((found,),) = database.execute(f"SELECT {expression}", LIMITS).rows
        assert (type(found), found) == (type(value), value), expression

    def test_results_travel_between_processes(self, database: DatabaseBackend) -> None:
        for expression, _ in self.typed:
            table = database.execute(f"SELECT {expression}", LIMITS)
            assert pickle.loads(pickle.dumps(table)) == table

    def test_duplicate_column_names_are_kept(self, database: DatabaseBackend) -> None:
        table = database.execute("SELECT name AS a, age AS a, singer_id AS b FROM singer WHERE singer_id = 1", LIMITS)
        assert (table.columns, table.rows) == (("a", "a", "b"), [("Joe", 52, 1)])

    def test_column_names_are_kept_to_the_letter(self, database: DatabaseBackend) -> None:
        assert database.execute('SELECT 1 AS "Größe in % [cm]"', LIMITS).columns == ("Größe in % [cm]",)

    def test_empty_results_keep_their_columns(self, database: DatabaseBackend) -> None:
        table = database.execute("SELECT name, age FROM singer WHERE 1 = 0", LIMITS)
        assert (table.columns, len(table.types), table.rows) == (("name", "age"), 2, [])

    def test_types_are_told(self, database: DatabaseBackend, request: pytest.FixtureRequest) -> None:
        self.cannot(request, self.tells_types, "values have types, columns have none")
        assert all(database.execute("SELECT singer_id, name FROM singer", LIMITS).types)

    def test_no_text_is_a_parameter(self, database: DatabaseBackend) -> None:
        text = "100% %s %(a)s :b ? $1 @c {d} \\"
        written = text.replace("\\", self.backslash)
        assert database.execute(f"SELECT '{written}'", LIMITS).rows == [(text,)]
        assert database.execute("SELECT name FROM singer WHERE name LIKE '%o%' ORDER BY 1", LIMITS).rows[0] == ("Joe",)

    def test_comments_and_trailing_semicolons_are_fine(self, database: DatabaseBackend) -> None:
        for sql in (
            "SELECT 1;",
            "SELECT 1 ; ;; ",
            "SELECT 1; -- done",
            "/* a */ SELECT 1; /* b */ ;\n-- c",
            "-- a\nSELECT 1",
        ):
            assert database.execute(sql, LIMITS).rows == [(1,)], sql

    # Declared facts.

    def test_null_order(self, database: DatabaseBackend) -> None:
        ages = [age for (age,) in database.execute("SELECT age FROM singer ORDER BY age", LIMITS).rows]
        assert ages.index(None) == (0 if self.backend.null_order == "first" else 2)

    def test_booleans_come_back_as_booleans(self, database: DatabaseBackend, request: pytest.FixtureRequest) -> None:
        self.cannot(request, self.backend.native_bool, "has no boolean type")
        assert type(database.execute("SELECT 1 = 1", LIMITS).rows[0][0]) is bool

    def test_dates_come_back_as_dates(self, database: DatabaseBackend, request: pytest.FixtureRequest) -> None:
        self.cannot(request, self.backend.native_dates, "has no date type")
        born = database.execute("SELECT born FROM singer WHERE singer_id = 1", LIMITS).rows[0][0]
        assert not isinstance(born, str)

    def test_decimals_are_exact(self, database: DatabaseBackend, request: pytest.FixtureRequest) -> None:
        self.cannot(request, self.exact_decimals, "has no decimal type")
        sum_of_tenths = "CAST(0.1 AS DECIMAL(10, 2)) + CAST(0.2 AS DECIMAL(10, 2))"
        assert str(database.execute(f"SELECT {sum_of_tenths}", LIMITS).rows[0][0]) == "0.30"

    def test_signatures_are_those_of_the_base(self) -> None:
        for name, method in inspect.getmembers(DatabaseBackend, inspect.isroutine):
            if not name.startswith("_"):
                assert inspect.signature(getattr(self.backend, name)) == inspect.signature(method), name

    # Limits.

    def test_the_row_cap_cuts_and_says_so(self, database: DatabaseBackend) -> None:
        table = database.execute(self.endless_rows, Limits(seconds=20, rows=1234, megabytes=256))
        assert (len(table.rows), table.truncated) == (1234, True)

    def test_a_result_of_just_the_row_cap_is_whole(self, database: DatabaseBackend) -> None:
        for cap, kept, truncated in ((2, 2, True), (3, 3, False), (4, 3, False), (0, 0, True)):
            table = database.execute("SELECT singer_id FROM singer", Limits(rows=cap))
            assert (len(table.rows), table.truncated) == (kept, truncated), cap
        assert not database.execute("SELECT 1 WHERE 1 = 0", Limits(rows=0)).truncated

    def test_the_time_limit_stops_the_work(self, database: DatabaseBackend) -> None:
        for sql in self.endless:
            started = time.monotonic()
            self.assert_fails(database, sql, FailureKind.TIMEOUT, Limits(seconds=0.3, megabytes=512))
            assert time.monotonic() - started < 15  # it would run for ever; a busy machine is no failure
            self.assert_idle()

    def assert_idle(self) -> None:
        deadline = time.monotonic() + IDLE_SECONDS
        while (spent := _spent()) >= 0.15:
            assert time.monotonic() < deadline, f"{spent} s of 0.2 s"

    def test_the_row_cap_stops_the_work(self, database: DatabaseBackend) -> None:
        database.execute(self.endless_rows, Limits(seconds=20, rows=10, megabytes=256))
        self.assert_idle()

    def test_the_memory_cap_stops_the_work(self, database: DatabaseBackend) -> None:
        for sql in self.memory_bombs:
            self.assert_fails(database, sql, FailureKind.MEMORY, Limits(seconds=20, rows=10**9, megabytes=64))
            self.assert_idle()

    def test_a_limit_of_one_statement_is_not_the_next_ones(self, database: DatabaseBackend) -> None:
        with pytest.raises(BackendError):
            database.execute(self.endless[0], Limits(seconds=0.1, megabytes=64))
        with pytest.raises(BackendError):
            database.execute(self.memory_bombs[0], Limits(seconds=5, rows=10, megabytes=64))
        assert database.execute("SELECT count(*) FROM singer", LIMITS).rows == [(3,)]

    # Failures.

    @pytest.mark.parametrize(
        ("sql", "kind"),
        [
            ("", FailureKind.NO_SQL),
            ("-- nothing\n;", FailureKind.NO_SQL),
            ("SELECT 1; SELECT 2", FailureKind.MULTIPLE_STATEMENTS),
            ("I cannot answer that.", FailureKind.NOT_A_QUERY),
            ("EXPLAIN SELECT 1", FailureKind.NOT_A_QUERY),
            ("BEGIN", FailureKind.NOT_A_QUERY),
            ("DELETE FROM singer", FailureKind.WRITE_ATTEMPT),
            ("SELECT name FROM singer WHERE", FailureKind.SYNTAX),
            ("SELECT name, FROM FROM singer", FailureKind.SYNTAX),
            ("SELECT 'open", FailureKind.SYNTAX),
            ("SELECT '\udc80'", FailureKind.SYNTAX),
            ("SELECT name FROM singers", FailureKind.UNKNOWN_TABLE),
            ("SELECT nickname FROM singer", FailureKind.UNKNOWN_COLUMN),
            ("SELECT s.nickname FROM singer AS s", FailureKind.UNKNOWN_COLUMN),
            ("SELECT name FROM singer WHERE nickname = 1", FailureKind.UNKNOWN_COLUMN),
            ("SELECT no_such_function(1)", FailureKind.OTHER),
        ],
    )
    def test_failures_are_told_apart(self, database: DatabaseBackend, sql: str, kind: FailureKind) -> None:
        error = self.assert_fails(database, sql, kind)
        assert error.message
        assert pickle.loads(pickle.dumps(error)).args == error.args

    def assert_fails(
        self, database: DatabaseBackend, sql: str, kind: FailureKind, limits: Limits = LIMITS
    ) -> BackendError:
        with pytest.raises(BackendError) as raised:
            database.execute(sql, limits)
        assert raised.value.kind is kind, raised.value
        return raised.value

    def test_the_place_of_an_error_is_told(self, database: DatabaseBackend, request: pytest.FixtureRequest) -> None:
        self.cannot(request, self.tells_place_of_errors, "tells no line")
        error = self.assert_fails(database, "SELECT name,\n  nickname\nFROM singer", FailureKind.UNKNOWN_COLUMN)
        assert (error.line, error.column) == (2, 3)

    def test_it_works_on_after_failures(self, database: DatabaseBackend) -> None:
        for sql in ("SELECT nope", "SELECT * FROM nope", "SELECT (", "DROP TABLE singer"):
            with pytest.raises(BackendError):
                database.execute(sql, LIMITS)
            assert database.execute("SELECT count(*) FROM singer", LIMITS).rows == [(3,)]

    # Three walls, each alone.

    def test_the_guard_alone_keeps_writes_out(
        self, database: DatabaseBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def unreachable(sql: str, limits: Limits) -> ResultTable:
            pytest.fail(f"the guard let through: {sql}")

        monkeypatch.setattr(database, "run", unreachable)
        for sql in self.writes:
            with pytest.raises(BackendError) as raised:
                database.execute(sql.format(new=tmp_path / "new"), LIMITS)
            assert raised.value.kind in (FailureKind.WRITE_ATTEMPT, FailureKind.NOT_A_QUERY), sql

    def test_the_session_alone_keeps_writes_out(
        self, database: DatabaseBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "work").mkdir()
        monkeypatch.chdir(tmp_path / "work")
        before = self.contents(tmp_path, database)
        for sql in self.writes:
            with pytest.raises(BackendError):
                database.run(sql.format(new=tmp_path / "new"), LIMITS)
            assert self.contents(tmp_path, database) == before, sql
        assert database.execute("SELECT count(*) FROM singer", LIMITS).rows == [(3,)]

    def contents(self, folder: Path, database: DatabaseBackend) -> object:
        """What no statement may change."""
        return contents(folder)

    def test_no_statement_changes_the_session_of_the_next(self, database: DatabaseBackend) -> None:
        before = [database.run(probe, LIMITS).rows for probe in self.session_probes]
        for sql in self.session_changes:
            with suppress(BackendError):
                database.run(sql, LIMITS)
            assert [database.run(probe, LIMITS).rows for probe in self.session_probes] == before, sql

    # Schema, fingerprint, check.

    def test_schema(self, database: DatabaseBackend) -> None:
        tables = self.tables(database)
        assert sorted(tables) == ["adult", "concert", "singer"]
        assert [column.name for column in tables["singer"].columns] == ["singer_id", "name", "age", "born"]
        assert [column.nullable for column in tables["singer"].columns] == [False, False, True, True]
        assert all(column.type for column in tables["singer"].columns)
        assert [column.name for column in tables["adult"].columns] == ["name"]

    def test_schema_tells_keys(self, database: DatabaseBackend, request: pytest.FixtureRequest) -> None:
        self.cannot(request, self.backend.has_keys, "knows no keys")
        tables = self.tables(database)
        assert [column.primary_key for column in tables["singer"].columns] == [True, False, False, False]
        assert tables["concert"].foreign_keys == (ForeignKey(("singer_id",), "singer", ("singer_id",)),)

    def test_schema_tells_views(self, database: DatabaseBackend, request: pytest.FixtureRequest) -> None:
        self.cannot(request, self.tells_views, "takes the views of other databases for tables")
        tables = self.tables(database)
        assert [tables[name].is_view for name in sorted(tables)] == [True, False, False]

    def test_rows_and_values_for_prompts(self, database: DatabaseBackend) -> None:
        sampled = with_samples(database, database.schema(), rows=2, values=2)
        tables = {table.name: table for table in sampled.tables}
        assert tables["singer"].rows == (("1", "'Joe'", "52", "'1970-05-17'"), ("2", "'Ann'", "NULL", "'2001-12-31'"))
        assert [column.values for column in tables["singer"].columns][1:3] == [("'Joe'", "'Ann'"), ("52", "17")]
        assert tables["concert"].rows == (("1", "1"), ("2", "1"))
        assert tables["adult"].rows == (("'Joe'",),)

    def tables(self, database: DatabaseBackend) -> dict[str, Table]:
        """What the schema holds, by name."""
        return {table.name: table for table in database.schema().tables}

    def test_schema_of_an_empty_database(self, tmp_path: Path) -> None:
        with self.backend(self.make_database(tmp_path, ["CREATE TABLE t (a INTEGER)", "DROP TABLE t"])) as database:
            assert database.schema().tables == ()

    def test_check_finds_all_right(self, database: DatabaseBackend) -> None:
        result = database.check()
        assert result.ok, result
        assert [check.name for check in result.checks] == list(self.checks)

    def test_a_plan_is_told(self, database: DatabaseBackend) -> None:
        assert isinstance(database, CanExplain)
        plan = database.explain("SELECT name FROM singer WHERE age > 18")
        assert "singer" in plan.lower()
        assert plan == "\n".join(line.rstrip() for line in plan.rstrip().splitlines())
        with pytest.raises(BackendError) as raised:
            database.explain("SELECT no_such_column FROM singer")
        assert raised.value.kind is FailureKind.UNKNOWN_COLUMN

    def test_engine_version(self, database: DatabaseBackend) -> None:
        assert database.engine_version()[0].isdigit()

    def test_it_can_be_closed_twice(self, target: str) -> None:
        database = self.backend(target)
        database.close()
        database.close()

    def test_two_can_read_one_database(self, target: str) -> None:
        with self.backend(target) as one, self.backend(target) as other:
            assert one.execute("SELECT 1", LIMITS).rows == other.execute("SELECT 1", LIMITS).rows == [(1,)]


class EmbeddedConformance(BackendConformance):
    """What engines must do besides whose database is a file."""

    checks = ("opens", "reads", "refuses a write")
    file_names: ClassVar[Sequence[str]] = ("a b.db", "50%20.db", "what?mode=rwc.db", "x#y.db", "größe'\".db")

    def test_a_missing_file_is_not_made(self, tmp_path: Path) -> None:
        with pytest.raises(BackendError) as raised:
            self.backend(str(tmp_path / "missing.db"))
        assert raised.value.kind is FailureKind.DATABASE_MISSING
        assert "missing.db" in str(raised.value)
        assert list(tmp_path.iterdir()) == []

    def test_a_folder_is_no_database(self, tmp_path: Path) -> None:
        with pytest.raises(BackendError) as raised:
            self.backend(str(tmp_path))
        assert raised.value.kind is FailureKind.DATABASE_MISSING

    def test_a_file_of_something_else_is_no_database(self, tmp_path: Path) -> None:
        file = tmp_path / "notes.db"
        file.write_text("dear diary, " * 1000)
        with pytest.raises(BackendError) as raised:
            self.backend(str(file))
        assert raised.value.kind is FailureKind.CONNECTION
        assert "notes.db" in str(raised.value)

    def test_any_file_name_is_only_a_name(self, tmp_path: Path) -> None:
        file = Path(self.make_database(tmp_path, STATEMENTS))
        for name in self.file_names:
            file = file.rename(tmp_path / name)
            with self.backend(str(file)) as database:
                assert database.execute("SELECT count(*) FROM singer", LIMITS).rows == [(3,)], name
            assert [path.name for path in tmp_path.iterdir()] == [name]

    def test_a_read_only_file_in_a_read_only_folder(self, tmp_path: Path) -> None:
        target = Path(self.make_database(tmp_path, STATEMENTS))
        target.chmod(0o444)
        tmp_path.chmod(0o555)
        try:
            with self.backend(str(target)) as database:
                assert database.check().ok
        finally:
            tmp_path.chmod(0o755)

    def test_the_fingerprint_is_that_of_the_content(self, tmp_path: Path) -> None:
        target = self.make_database(tmp_path, STATEMENTS)
        with self.backend(target) as database:
            first = database.fingerprint()
            assert database.fingerprint() == first
        os.utime(target, (1, 1))
        with self.backend(target) as database:
            assert database.fingerprint() == first
        Path(target).unlink()
        self.make_database(tmp_path, [*STATEMENTS, "INSERT INTO concert VALUES (4, 3)"])
        with self.backend(target) as database:
            assert database.fingerprint() != first


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, with what it holds."""
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


class ServerConformance(BackendConformance):
    """What engines must do besides whose databases are behind a connection string."""

    checks = ("connection string", "connection", "authentication", "version", "reads", "refuses a write", "account")

    world: ServerWorld

    owner_may_write: ClassVar[Sequence[str]] = ()
    """Of the `writes`, those that a read-only session of the owner does not refuse: only the account does."""

    @pytest.fixture(autouse=True)
    def _server(self, world: ServerWorld) -> Iterator[None]:
        self.world = world
        yield
        world.close()

    def make_database(self, folder: Path, statements: Sequence[str]) -> str:
        return self.world.make(statements)

    def contents(self, folder: Path, database: DatabaseBackend) -> object:
        return contents(folder), self.backend(database.target).fingerprint()

    def assert_idle(self) -> None:
        super().assert_idle()
        deadline = time.monotonic() + IDLE_SECONDS
        while (busy := self.world.busy()) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not busy

    def test_the_session_alone_keeps_the_owner_out(self, target: str, tmp_path: Path) -> None:
        with self.backend(self.world.owners(target)) as database:
            before = self.contents(tmp_path, database)
            for sql in self.writes:
                if sql in self.owner_may_write:
                    continue
                with pytest.raises(BackendError):
                    database.run(sql.format(new=tmp_path / "new"), LIMITS)
                assert self.contents(tmp_path, database) == before, sql

    def test_an_account_that_could_write_is_a_warning(self, target: str) -> None:
        with self.backend(self.world.owners(target)) as database:
            result = database.check()
        assert result.ok, result
        assert result.checks[-1].warning

    def test_the_fingerprint_is_that_of_the_content(self, tmp_path: Path) -> None:
        fingerprints = []
        for more in ((), (), ("INSERT INTO concert VALUES (4, 3)",), ("UPDATE singer SET age = 53 WHERE age = 52",)):
            with self.backend(self.make_database(tmp_path, [*STATEMENTS, *more])) as database:
                fingerprints.append(database.fingerprint())
                assert database.fingerprint() == fingerprints[-1]
        assert fingerprints[0] == fingerprints[1]
        assert len(set(fingerprints)) == 3

    def test_it_comes_back_when_its_session_has_ended(self, database: DatabaseBackend) -> None:
        for _ in range(3):
            assert database.execute("SELECT count(*) FROM singer", LIMITS).rows == [(3,)]
            self.world.end_sessions()

    def test_a_session_with_other_settings_is_not_used(
        self, database: DatabaseBackend, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        database.execute("SELECT 1", LIMITS)
        self.drift(database)
        assert database.execute("SELECT count(*) FROM singer", LIMITS).rows == [(3,)]
        self.drift_always(monkeypatch)
        with pytest.raises(BackendError) as raised:
            self.backend(database.target).run("SELECT 1", LIMITS)
        assert raised.value.kind is FailureKind.CONNECTION
        assert "settings" in raised.value.message

    @abstractmethod
    def drift(self, database: DatabaseBackend) -> None:
        """Change a setting of the session behind the backend's back, so that it cannot simply be set back."""

    @abstractmethod
    def drift_always(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have every new session come with a setting that is not ours."""

    @pytest.mark.parametrize(
        ("change", "word"),
        [
            (lambda target: target.replace("@127.0.0.1:", "@127.0.0.1:x"), "port"),
            (lambda target: "nonsense" + target[target.index(":") :], "scheme"),
            (lambda target: target.partition("://")[0] + ":///", "host"),
            (lambda target: target.partition("?")[0] + "/a/b/c", "path"),
            (lambda target: target.partition("?")[0] + "?nonsense=1", "option"),
        ],
    )
    def test_each_part_of_a_connection_string_is_named(
        self, target: str, change: Callable[[str], str], word: str
    ) -> None:
        with pytest.raises(BackendError) as raised:
            self.backend(change(target))
        assert raised.value.kind is FailureKind.CONNECTION
        assert word in raised.value.message
        assert_hidden(target, raised.value.message)

    def test_a_server_that_is_not_there(self, target: str) -> None:
        elsewhere = re.sub(r"@127\.0\.0\.1:\d+", "@127.0.0.1:9", target)
        with self.backend(elsewhere) as database:
            error = self.assert_fails(database, "SELECT 1", FailureKind.CONNECTION)
            result = database.check()
        assert "127.0.0.1" in error.message
        assert [(check.name, check.ok) for check in result.checks] == [
            ("connection string", True),
            ("connection", False),
        ]
        assert_hidden(target, repr(error), repr(result))

    def test_the_password_is_never_shown(self, target: str) -> None:
        with self.backend(target) as database:
            assert_hidden(target, str(database.dsn), repr(database.dsn), repr(database.check()))  # type: ignore[attr-defined]


def _spent() -> float:
    """Seconds of processor time that this process takes in a fifth of a second."""
    process = psutil.Process()
    before = process.cpu_times()
    time.sleep(0.2)
    after = process.cpu_times()
    return after.user + after.system - before.user - before.system


def assert_hidden(target: str, *texts: str) -> None:
    """No text shows the password of a connection string."""
    password = urlsplit(target).password
    assert not password or not any(password in text for text in texts)
