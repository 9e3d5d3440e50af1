"""SQLite of one release behind HTTP. It keeps databases on a volume, builds them and answers queries.

POST /build {"database": NAME, "statements": [SQL, ...]}   makes the database anew
POST /drop {"database": NAME}                              removes it
POST /digest {"database": NAME}                            gives {"digest": ...} of its file
POST /query {"database": NAME, "sql": SQL}                 gives {"columns": [...], "rows": [[...], ...]}

A query may bring "bindings", and limits: "seconds", at most ten, "rows" and "megabytes"; the answer has "truncated"
where there were more rows. Bytes are {"hex": "..."}. What fails gives status 400 and {"error": WORDS, "code": NUMBER},
with SQLite's number, and with "denied", the action that the authorizer did not allow. A query has a connection of its
own, which can only read. With --check, ask a running server one query, for the container's health check.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import time
import urllib.request
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import apsw

DATA = Path("/data")
PORT = 8000
SECONDS = 10
ROWS = 1_000_000
MEGABYTES = 256
READING_PRAGMA = re.compile(r"\w+_(?:list|x?info)|compile_options|data_version|page_size")
READING = {apsw.SQLITE_SELECT, apsw.SQLITE_READ, apsw.SQLITE_FUNCTION, apsw.SQLITE_RECURSIVE}


def file_of(name: str) -> Path:
    """The file of a database, which is always on the volume."""
    if not re.fullmatch(r"\w+", name):
        raise ValueError(f"not the name of a database: {name!r}")
    return DATA / f"{name}.sqlite"


def build(database: str, statements: list[str]) -> dict[str, object]:
    """Make the database beside the old one, then put it into its place."""
    target = file_of(database)
    new = DATA / f"{database}.{os.urandom(4).hex()}"
    connection = apsw.Connection(str(new))
    try:
        for statement in statements:
            connection.execute(statement)
        connection.close()
        new.replace(target)
    finally:
        connection.close(True)
        new.unlink(missing_ok=True)
    return {"database": database}


def drop(database: str) -> dict[str, object]:
    """Remove a database."""
    file_of(database).unlink(missing_ok=True)
    return {"database": database}


def digest(database: str) -> dict[str, object]:
    """What changes with the file."""
    return {"digest": hashlib.sha256(file_of(database).read_bytes()).hexdigest()}


class Denied(Exception):
    """The authorizer did not allow an action."""


def query(
    database: str,
    sql: str,
    bindings: Sequence[object] = (),
    seconds: float = SECONDS,
    rows: int = ROWS,
    megabytes: int = MEGABYTES,
) -> dict[str, object]:
    """Run one query on a connection that can do nothing but read."""
    connection = apsw.Connection(str(file_of(database)), flags=apsw.SQLITE_OPEN_READONLY)
    denied: list[tuple[object, ...]] = []

    def authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
        # A table-valued function asks for the update of the schema that its table would be.
        if action in READING or (action, first) == (apsw.SQLITE_UPDATE, "sqlite_master"):
            return apsw.SQLITE_OK
        if action == apsw.SQLITE_PRAGMA and READING_PRAGMA.fullmatch(first or ""):
            return apsw.SQLITE_OK
        denied.append((action, first, second))
        return apsw.SQLITE_DENY

    try:
        deadline = time.monotonic() + min(seconds, SECONDS)
        connection.limit(apsw.SQLITE_LIMIT_LENGTH, min(megabytes << 20, connection.limit(apsw.SQLITE_LIMIT_LENGTH)))
        connection.set_progress_handler(lambda: time.monotonic() > deadline, 2_000)
        connect_virtual_tables(connection)
        connection.authorizer = authorize
        cursor = connection.cursor()
        columns: list[str] = []

        def starting(running: apsw.Cursor, *_: object) -> bool:
            columns[:] = [name for name, _ in running.get_description()]
            return True

        cursor.exec_trace = starting  # once the first row is asked for, a result without rows has no description
        found: list[list[object]] = []
        room = megabytes << 20
        for row in cursor.execute(sql, tuple(bindings)):
            if len(found) >= rows:
                return {"columns": columns, "rows": found, "truncated": True}
            room -= sum(map(sys.getsizeof, row)) + 64
            if room < 0:
                raise apsw.exception_for(apsw.SQLITE_NOMEM)
            found.append(list(map(plain, row)))
        return {"columns": columns, "rows": found, "truncated": False}
    except apsw.AuthError as error:
        raise Denied(str(error), denied[0] if denied else None) from error
    finally:
        connection.close(True)


def connect_virtual_tables(connection: apsw.Connection) -> None:
    """Before there is an authorizer: R*Tree compiles its write statements even when only read."""
    for (name,) in connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage = 0"
    ).fetchall():
        connection.execute(f'SELECT * FROM "{name}" LIMIT 0').fetchall()


def plain(value: object) -> object:
    """A value as JSON can carry it."""
    return {"hex": value.hex()} if isinstance(value, bytes) else value


class Handler(BaseHTTPRequestHandler):
    """One request: a JSON object in, a JSON object out."""

    def do_POST(self) -> None:
        """Build or query."""
        try:
            work = {"/build": build, "/drop": drop, "/digest": digest, "/query": query}[self.path]
            status, answer = 200, work(**json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        except Denied as error:
            message, action = error.args
            status, answer = 400, {"error": message, "code": apsw.SQLITE_AUTH, "denied": action}
        except Exception as error:  # noqa: BLE001 - whatever it is, the client is told
            status, answer = 400, {"error": f"{type(error).__name__}: {error}", "code": getattr(error, "result", 0)}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, *_: object) -> None:
        """The log is for what goes wrong."""


def check() -> None:
    """Fail unless the server answers a query with this release."""
    body = json.dumps({"database": "health", "sql": "SELECT release FROM health"}).encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/query", body, timeout=5) as answer:
        assert json.load(answer)["rows"] == [[apsw.sqlite_lib_version()]]


if __name__ == "__main__":
    if "--check" in sys.argv:
        check()
    else:
        build("health", ["CREATE TABLE health AS SELECT sqlite_version() AS release"])
        ThreadingHTTPServer(("", PORT), Handler).serve_forever()
