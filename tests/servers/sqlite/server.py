"""SQLite of one release behind HTTP. It keeps databases on a volume, builds them and answers queries.

POST /build {"database": NAME, "statements": [SQL, ...]}   makes the database anew
POST /query {"database": NAME, "sql": SQL}                 gives {"columns": [...], "rows": [[...], ...]}

Bytes are {"hex": "..."}; what fails gives status 400 and {"error": MESSAGE}. A query has a connection of its own, which
can only read, and ten seconds. With --check, ask a running server one query, for the container's health check.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import apsw

DATA = Path("/data")
PORT = 8000
SECONDS = 10
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


def query(database: str, sql: str) -> dict[str, object]:
    """Run one query on a connection that can do nothing but read."""
    connection = apsw.Connection(str(file_of(database)), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        deadline = time.monotonic() + SECONDS
        connection.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
        connection.authorizer = lambda action, *_: apsw.SQLITE_OK if action in READING else apsw.SQLITE_DENY
        cursor = connection.cursor()
        columns: list[str] = []

        def starting(running: apsw.Cursor, *_: object) -> bool:
            columns[:] = [name for name, _ in running.get_description()]
            return True

        cursor.exec_trace = starting  # once the first row is asked for, a result without rows has no description
        rows = [list(map(plain, row)) for row in cursor.execute(sql)]
        return {"columns": columns, "rows": rows}
    finally:
        connection.close(True)


def plain(value: object) -> object:
    """A value as JSON can carry it."""
    return {"hex": value.hex()} if isinstance(value, bytes) else value


class Handler(BaseHTTPRequestHandler):
    """One request: a JSON object in, a JSON object out."""

    def do_POST(self) -> None:
        """Build or query."""
        try:
            work = {"/build": build, "/query": query}[self.path]
            status, answer = 200, work(**json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        except Exception as error:  # noqa: BLE001 - whatever it is, the client is told
            status, answer = 400, {"error": f"{type(error).__name__}: {error}"}
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
