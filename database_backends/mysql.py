"""MySQL: one database of a server, through PyMySQL, in read-only transactions."""

from __future__ import annotations

import re
import ssl
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any, ClassVar

import pymysql

from database_backends import memory
from database_backends.errors import BackendError, FailureKind
from database_backends.loading.base import CanLoad, Loader
from database_backends.mysql_session import MySQLSession, readiness
from database_backends.quoting import quoted
from database_backends.result import Limits
from database_backends.server import (
    CONNECT_SECONDS,
    AccessDenied,
    Fetched,
    ServerBackend,
    SessionDrifted,
    SessionLost,
    TlsRefused,
    application,
)
from sqlassay.schema import Column, ForeignKey, Schema, Table

_Settings = tuple[tuple[str, str | int], ...]
_SESSION: _Settings = (("transaction_read_only", 1), ("autocommit", 1), ("time_zone", "+00:00"))
"""The settings of a session, to which every statement comes back; `sql_mode` is the server's."""
_OTHER_QUOTES = frozenset({"ANSI", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES"})
"""Modes of SQL in which a string ends elsewhere than the guard thinks."""

_TLS_MODES = ("disabled", "preferred", "required", "verify_ca", "verify_identity")

_NUMBERS = {
    FailureKind.SYNTAX: (1064, 1065, 1116, 1117, 1436, 1473),  # also too many tables or columns, too deeply nested
    FailureKind.UNKNOWN_TABLE: (1049, 1051, 1109, 1146),
    FailureKind.UNKNOWN_COLUMN: (1054,),
    FailureKind.WRITE_ATTEMPT: (1792,),
    FailureKind.NOT_A_QUERY: (1295,),  # cannot be prepared: no query is among those
    FailureKind.PERMISSION: (1044, 1045, 1142, 1143, 1227, 1290),  # not 1370: any function that is not there is denied
    FailureKind.TIMEOUT: (1317, 3024),
    FailureKind.MEMORY: (1037, 1038, 1041, 1114, 1135, 1153, 3950, 4081, 4082),
    FailureKind.CONNECTION: (1040, 1053, 1158, 1159, 1160, 1161, 2006, 2013, 2014, 3169, 4031),
}
_KIND_OF_NUMBER = {number: kind for kind, numbers in _NUMBERS.items() for number in numbers}
_ACCESS_DENIED = (1044, 1045, 1698, 1862, 3118)
_UNKNOWN_DATABASE = 1049

_NEAR = re.compile(r"near '(.*)' at line (\d+)$", re.DOTALL)
_NAMED = re.compile(r"(?:Unknown column|Unknown table|Table) '(.+?)'(?: in | doesn't|$)")

_GRANT = re.compile(r"GRANT (?P<names>.+?) ON (?P<where>.+?) TO .+?(?P<option> WITH GRANT OPTION)?")
_ROLES = re.compile(r"GRANT (?P<names>`.+`) TO .+")
_READING = frozenset({"USAGE", "SELECT", "SHOW VIEW", "SHOW DATABASES", "SHOW_ROUTINE", "PROCESS"})
_IN_DATABASE = {
    "change rows": frozenset({"INSERT", "UPDATE", "DELETE"}),
    "change tables": frozenset(
        {"CREATE", "ALTER", "DROP", "INDEX", "REFERENCES", "CREATE VIEW", "CREATE TEMPORARY TABLES"}
    ),
    "lock tables": frozenset({"LOCK TABLES"}),
    "run stored code": frozenset({"EXECUTE"}),
    "change stored code": frozenset({"CREATE ROUTINE", "ALTER ROUTINE", "EVENT", "TRIGGER"}),
}
_POWERS = {
    **_IN_DATABASE,
    "hand on what it may": frozenset({"GRANT OPTION"}),
    "use the server's files": frozenset({"FILE"}),
}
"""What privileges are good for; all others are for whoever administers the server."""
_ALL = "ALL PRIVILEGES"
"""How SHOW GRANTS sums up what there is of them for a database or a table; FILE and the server are not in it."""
_LONGEST = 4_000_000
"""Characters of a statement that fit into a packet, whatever they are."""
_OWN_LIMITS = Limits(seconds=600)
_PATIENCE_SECONDS = 7200.0
"""How long a server may say nothing. Statements have the alarm; what we ask ourselves may take long."""
_GRACE_SECONDS = 1.0
_REST_SECONDS = 0.02
"""How long the rest of a result is read; to end the session and open another takes as long."""


class MySQLBackend(ServerBackend, CanLoad):
    """A database of a MySQL server: `//user:password@host:3306/database?ssl-mode=preferred&ssl-ca=file`.

    Cells are what PyMySQL makes of them: `Decimal`, `date`, `datetime`, `bytes`; and what JSON holds. BIT and YEAR are
    whole numbers, as booleans are, VECTOR is a list, and what is in a geometry are the server's bytes. A TIME is a
    `time`, or a `timedelta` where it is no time of day. Dates that Python has no value for (`0000-00-00`) are text.

    The session's time zone is UTC. Its `sql_mode` is the server's, but quotes mean what they mean by default: `"x"` is
    a string, and a backslash escapes.
    """

    name = "mysql"
    title = "MySQL"
    dialect = "mysql"
    paramstyle = "pyformat"
    null_order = "first"
    native_bool = False
    native_dates = True

    oldest = (8, 0)
    schemes = ("mysql",)
    default_port = 3306
    path_parts = ("database",)
    dsn_options: ClassVar[Mapping[str, Collection[str]]] = {"ssl-mode": _TLS_MODES, "ssl-ca": ()}
    tls_remedy = "correct ssl-mode and ssl-ca in the connection string, or the server's certificate"
    explaining = "EXPLAIN FORMAT=TREE"

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self._session: MySQLSession | None = None
        self._settings = _SESSION
        self._database = ""

    def _is_open(self) -> bool:
        return self._session is not None

    def _open(self) -> None:
        session = self.connect()
        try:
            ((version, modes, database),) = session.rows("SELECT VERSION(), @@GLOBAL.sql_mode, DATABASE()")
        except pymysql.Error as error:
            session.close()
            raise BackendError(FailureKind.CONNECTION, f"cannot read {self.dsn}: {_words(error)}") from error
        if "MariaDB" in str(version):
            session.close()
            raise BackendError(FailureKind.CONNECTION, f"{self.dsn} is {version}, which is not MySQL")
        kept = [mode for mode in str(modes).split(",") if mode not in _OTHER_QUOTES]
        self._settings = (*_SESSION, ("sql_mode", ",".join(kept)))
        self._database = str(database)  # its case may be the server's
        session.be_patient(_PATIENCE_SECONDS)
        self._session = session

    def connect(self, *, to_database: bool = True) -> MySQLSession:
        """A connection of its own to the server, with the server's settings.

        Args:
            to_database: Whether it is one to the database, which has to be there then.

        Raises:
            BackendError: `connection` or `database_missing`.
        """
        try:
            return MySQLSession(
                host=self.dsn.host,
                port=self.dsn.port,
                user=self.dsn.user or None,
                password=self.dsn.password.encode(),
                database=self.dsn.path[0] if to_database else None,
                program_name=application(),
                connect_timeout=CONNECT_SECONDS,
                read_timeout=CONNECT_SECONDS,
                write_timeout=CONNECT_SECONDS,
                **self._tls(),
            )
        except pymysql.Error as error:
            raise _refusal(error, f"cannot connect to {self.dsn}: {_words(error)}") from None
        except RuntimeError as error:  # a package that PyMySQL needs
            raise BackendError(FailureKind.CONNECTION, f"cannot connect to {self.dsn}: {error}") from None

    def _tls(self) -> dict[str, Any]:
        mode = self.dsn.options.get("ssl-mode", "preferred")
        if mode in ("disabled", "preferred"):
            return {"ssl_disabled": mode == "disabled"}
        try:
            context = ssl.create_default_context(cafile=self.dsn.options.get("ssl-ca"))
        except OSError as error:
            raise TlsRefused(FailureKind.CONNECTION, f"cannot read the ssl-ca of {self.dsn}: {error}") from None
        context.check_hostname = mode == "verify_identity"
        context.verify_mode = ssl.CERT_NONE if mode == "required" else ssl.CERT_REQUIRED
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # the certificates that MySQL makes itself are not so strict
        return {"ssl": context}

    def _make_ready(self, limits: Limits) -> None:
        """All of it is done in one trip with what the server's parser is asked."""

    def _renew(self, limits: Limits, sql: str) -> MySQLSession:
        """The session, made ready, and having been given a statement to take apart.

        Raises:
            SessionLost: It is dead.
            SessionDrifted: Its settings are not ours.
        """
        session = self._live()
        if len(sql) > _LONGEST:
            raise BackendError(FailureKind.SYNTAX, f"the statement has more than {_LONGEST:,} characters")
        # Ours is the limit that says so: to MySQL, a SLEEP that its own has cut short is finished.
        milliseconds = round((limits.seconds + _GRACE_SECONDS) * 1000)
        settings = (*self._settings, ("max_execution_time", milliseconds))
        commands, expected = _readiness(settings, self._database)
        try:
            found = session.renew(commands, sql)
        except pymysql.Error as error:
            raise SessionLost(FailureKind.CONNECTION, _words(error)) from error
        if found != expected:
            names = (*dict(settings), "database")
            pairs = zip(names, expected.split("|"), found.split("|"), strict=False)
            drifted = ", ".join(name for name, wanted, other in pairs if wanted != other)
            raise SessionDrifted(FailureKind.CONNECTION, f"the session has other settings than ours: {drifted}")
        return session

    def _fetch(self, sql: str, limits: Limits) -> Fetched:
        """Run one statement, once the server's own parser has said that it gives a table.

        A read-only transaction keeps nobody from `SET GLOBAL`, `KILL` or `INTO OUTFILE`, but none of those gives one.
        """
        session = self._renew(limits, sql.removeprefix(f"{self.explaining} "))
        try:
            gives_rows = session.columns() > 0
            columns, rows = session.stream(sql) if gives_rows else ([], iter(()))
            kept, truncated = memory.collect(rows, limits)
        except pymysql.Error as error:
            raise self._failure(error, sql) from error
        except (BackendError, MemoryError):
            self._end(session)  # the server would learn of a closed line only with the next row
            raise
        except BaseException:
            self.close()  # in the middle of a result
            raise
        if not gives_rows:
            raise BackendError(FailureKind.WRITE_ATTEMPT, "it gives no table: all it could do is change something")
        if truncated:
            self._end(session)
        return columns, kept, truncated

    def _end(self, session: MySQLSession) -> None:
        """Stop a statement of which no more rows are wanted, unless there are only a few more."""
        if session.read_on(_REST_SECONDS):
            session.be_patient(_PATIENCE_SECONDS)
            return
        with suppress(BackendError, pymysql.Error):  # MySQL's own limit would be the last to stop it
            self._kill("CONNECTION")
        self.close()

    def _failure(self, error: pymysql.Error, sql: str) -> BackendError:
        number, message = _number(error), _words(error)
        kind = _KIND_OF_NUMBER.get(number, FailureKind.OTHER)
        if kind is FailureKind.CONNECTION or not self._live().open:
            return SessionLost(FailureKind.CONNECTION, message)
        line, column = _place(message, sql)
        return BackendError(kind, message, sqlstate=getattr(error, "sqlstate", None), line=line, column=column)

    def _cancel(self) -> None:
        self._kill("QUERY")

    def _sever(self) -> None:
        self._live().cut()
        self._kill("CONNECTION")

    def _kill(self, what: str) -> None:
        number = self._live().thread_id()
        with closing(self.connect()) as other:
            other.query(f"KILL {what} {number}")

    def schema(self) -> Schema:
        """The tables and views of the database by name: when they were created, MySQL does not tell."""
        tables = self._rows(
            "SELECT table_name, table_type <> 'BASE TABLE' FROM information_schema.tables"
            " WHERE table_schema = DATABASE() ORDER BY table_name"
        )
        columns = self._rows(
            "SELECT table_name, column_name, column_type, is_nullable = 'YES', column_key = 'PRI'"
            " FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position"
        )
        keys = self._rows(
            "SELECT table_name, constraint_name, referenced_table_name, column_name, referenced_column_name"
            " FROM information_schema.key_column_usage"
            " WHERE table_schema = DATABASE() AND referenced_table_schema = DATABASE()"
            " ORDER BY table_name, constraint_name, ordinal_position"
        )
        columns_of: dict[object, list[Column]] = {}
        for table, name, type_, nullable, primary_key in columns:
            columns_of.setdefault(table, []).append(Column(name, type_, bool(nullable), bool(primary_key)))
        keys_of: dict[object, list[ForeignKey]] = {}
        for (table, _, other), parts in groupby(keys, itemgetter(0, 1, 2)):
            names, references = zip(*(part[3:] for part in parts), strict=True)
            keys_of.setdefault(table, []).append(ForeignKey(names, other, references))
        return Schema(
            tuple(
                Table(name, tuple(columns_of[name]), tuple(keys_of.get(name, ())), is_view=bool(is_view))
                for name, is_view in tables
            )
        )

    def _contents(self, schema: Schema) -> Iterator[object]:
        """The definitions of the views, and what the rows of each table add up to, whatever their order."""
        own = f"{quoted(self.dsn.path[0], self.dialect)}."  # MySQL writes it before every name
        views = "SELECT table_name, view_definition FROM information_schema.views WHERE table_schema = DATABASE()"
        yield [(name, definition.replace(own, "")) for name, definition in self._rows(f"{views} ORDER BY table_name")]
        if tables := ", ".join(quoted(table.name, self.dialect) for table in schema.tables if not table.is_view):
            yield [checksum for _, checksum in self._rows(f"CHECKSUM TABLE {tables} EXTENDED")]

    def engine_version(self) -> str:
        """The version of the server."""
        ((version,),) = self._rows("SELECT VERSION()")
        return str(version)

    def _read(self, table: Table) -> None:
        self._rows(f"SELECT 1 FROM {quoted(table.name, self.dialect)} LIMIT 0")  # noqa: S608

    def _powers(self) -> list[str]:
        grants = [grant for (grant,) in self._rows("SHOW GRANTS")]
        roles = [found["names"] for found in map(_ROLES.fullmatch, grants) if found]
        if roles:  # it may take them on, whether it has or not
            using = self._rows(f"SHOW GRANTS FOR CURRENT_USER() USING {', '.join(roles)}")
            grants = [grant for (grant,) in using]
        return powers(grants)

    def _rows(self, sql: str) -> list[Any]:
        """What a statement of our own gives."""
        self._take(_OWN_LIMITS)
        try:
            session = self._renew(_OWN_LIMITS, "DO 0")
            session.columns()
            return session.rows(sql)
        except pymysql.Error as error:
            raise BackendError(FailureKind.CONNECTION, f"cannot read {self.dsn}: {_words(error)}") from error

    def _live(self) -> MySQLSession:
        if self._session is None:
            raise SessionLost(FailureKind.CONNECTION, "the session is closed")
        return self._session

    @classmethod
    def loader(cls, target: str) -> Loader:
        """Fills the database."""
        from database_backends.loading.mysql import MySQLLoader

        database = cls(target)
        session = database.connect(to_database=False)
        session.be_patient(_PATIENCE_SECONDS)
        return MySQLLoader(session, database.dsn.path[0])

    def close(self) -> None:
        """Close the session; the next statement would open another."""
        session, self._session = self._session, None
        if session is not None:
            session.close()


@lru_cache(maxsize=64)
def _readiness(settings: _Settings, database: str) -> tuple[bytes, str]:
    """The commands that make a session ready, and what it says when it is."""
    given = ", ".join(f"SESSION {name} = {value!r}" for name, value in settings)
    asked = ", ".join(f"@@SESSION.{name}" for name, _ in settings)
    expected = "|".join((*(str(value) for _, value in settings), database))
    return readiness(f"SET NAMES utf8mb4, {given}", f"SELECT CONCAT_WS('|', {asked}, DATABASE())"), expected


def _number(error: pymysql.Error) -> int:
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0


def _words(error: pymysql.Error) -> str:
    return str(error.args[-1]) if error.args and error.args[-1] else "the session is closed"


def _refusal(error: pymysql.Error, message: str) -> BackendError:
    """Why a connection was refused."""
    number = _number(error)
    if number in _ACCESS_DENIED:
        return AccessDenied(FailureKind.CONNECTION, message)
    if "[SSL" in message:
        return TlsRefused(FailureKind.CONNECTION, message)
    return BackendError(
        FailureKind.DATABASE_MISSING if number == _UNKNOWN_DATABASE else FailureKind.CONNECTION, message
    )


def _place(message: str, sql: str) -> tuple[int | None, int | None]:
    """The line and column of an error: MySQL quotes what it could not read, or names what it could not find."""
    start: int | None = None
    line: int | None = None
    if near := _NEAR.search(message):
        rest, line = near[1], int(near[2])
        start = sql.rfind(rest)
        if start < 0 or sql.count("\n", 0, start) + 1 != line:
            start = None
    elif named := _NAMED.match(message):
        start = _only(named[1], sql) or _only(named[1].rpartition(".")[2], sql)
    if start is None:
        return line, None
    return sql.count("\n", 0, start) + 1, start - (sql.rfind("\n", 0, start) + 1) + 1


def _only(name: str, sql: str) -> int | None:
    """Where a name stands in a statement, if there is only one place where it does."""
    parts = "`?[.]`?".join(map(re.escape, name.split(".")))
    places = [found.start() for found in re.finditer(rf"(?<![\w$`])`?{parts}`?(?![\w$`])", sql, re.IGNORECASE)]
    return places[0] if len(places) == 1 else None


def powers(grants: Iterable[str]) -> list[str]:
    """What lines of SHOW GRANTS let an account do besides reading."""
    granted = {name for grant in grants for name in _privileges(grant)} - _READING
    if _ALL in granted:
        return ["do everything (it has all privileges on the server)"]
    found = [power for power, names in _POWERS.items() if granted & names]
    return found + ["administer the server"] * bool(granted.difference(*_POWERS.values()))


def _privileges(grant: str) -> set[str]:
    """The privileges in a line of SHOW GRANTS, without the columns that they are for."""
    found = _GRANT.fullmatch(re.sub(r" \([^)]*\)", "", grant))
    if found is None:
        return set()
    names = set(re.split(r",\s*", found["names"]))
    if _ALL in names and found["where"] != "*.*":
        names = names.difference([_ALL]).union(*_IN_DATABASE.values())
    return names | ({"GRANT OPTION"} if found["option"] else set())
