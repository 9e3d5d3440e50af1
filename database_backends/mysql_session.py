"""A session of a MySQL server: what PyMySQL has no call for, and what cells become."""

from __future__ import annotations

import datetime
import json
import os
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pymysql
from pymysql.connections import Connection
from pymysql.constants import COMMAND, FIELD_TYPE
from pymysql.converters import conversions, convert_time, convert_timedelta
from pymysql.err import raise_mysql_exception
from pymysql.protocol import MysqlPacket

from database_backends.result import Row

_COM_RESET_CONNECTION = 0x1F  # PyMySQL has no name for it, nor for this type:
_VECTOR = 242
_PREPARED = struct.Struct("<BIHHBH")
"""The answer to COM_STMT_PREPARE: OK, a number, how many columns, how many parameters, nothing, warnings."""

_NAMES = {
    FIELD_TYPE.DECIMAL: "decimal",
    FIELD_TYPE.TINY: "tinyint",
    FIELD_TYPE.SHORT: "smallint",
    FIELD_TYPE.LONG: "int",
    FIELD_TYPE.FLOAT: "float",
    FIELD_TYPE.DOUBLE: "double",
    FIELD_TYPE.NULL: "null",
    FIELD_TYPE.TIMESTAMP: "timestamp",
    FIELD_TYPE.LONGLONG: "bigint",
    FIELD_TYPE.INT24: "mediumint",
    FIELD_TYPE.DATE: "date",
    FIELD_TYPE.TIME: "time",
    FIELD_TYPE.DATETIME: "datetime",
    FIELD_TYPE.YEAR: "year",
    FIELD_TYPE.VARCHAR: "varchar",
    FIELD_TYPE.BIT: "bit",
    _VECTOR: "vector",
    FIELD_TYPE.JSON: "json",
    FIELD_TYPE.NEWDECIMAL: "decimal",
    FIELD_TYPE.VAR_STRING: "varchar",
    FIELD_TYPE.STRING: "char",
    FIELD_TYPE.GEOMETRY: "geometry",
}
_HEADER = 4
"""Bytes before a packet: three are its length."""
_ERROR, _END = 0xFF, 0xFE

_BINARY_NAMES = {"varchar": "varbinary", "char": "binary", "text": "blob"}
_BINARY = 63
"""The character set of what is no text."""


def _time(text: str) -> datetime.time | datetime.timedelta | str:
    """A TIME: a time of day, or a duration where it is none."""
    found = convert_time(text)
    return found if isinstance(found, datetime.time) else convert_timedelta(text)


def _bits(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _vector(data: bytes) -> list[float]:
    return list(struct.unpack(f"<{len(data) // 4}f", data))


_CELLS: dict[Any, Any] = {**conversions, FIELD_TYPE.TIME: _time, FIELD_TYPE.JSON: json.loads, FIELD_TYPE.BIT: _bits}


class MySQLSession(Connection):
    """A connection that can be reset, that takes statements apart, and gives rows one by one.

    Args:
        arguments: As of `pymysql.connect`.
    """

    if TYPE_CHECKING:  # what the stubs leave out
        _sock: socket.socket
        _result: Any
        _read_timeout: float | None
        _write_timeout: float | None
        _current_timeout: float | None

        def _read_bytes(self, number: int) -> bytes: ...
        def _write_bytes(self, data: bytes) -> None: ...
        def thread_id(self) -> int: ...  # noqa: D102

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments, charset="utf8mb4", autocommit=None, conv=_CELLS)

    def be_patient(self, seconds: float) -> None:
        """Take a server for dead that says nothing for so long."""
        self._read_timeout = self._write_timeout = self._current_timeout = seconds
        self._sock.settimeout(seconds)

    def rows(self, sql: str) -> list[Row]:
        """What a statement of our own gives."""
        self.query(sql)
        return list(self._result.rows or ())

    def renew(self, commands: bytes, sql: str) -> str:
        """Make the session ready and have a statement taken apart, in one trip.

        Args:
            commands: What makes it ready, from `readiness`.
            sql: A statement. It is not run; `columns` tells what the server says of it.

        Returns:
            What the session says of its settings.
        """
        self._write_bytes(commands + _packet(COMMAND.COM_STMT_PREPARE, sql))
        self._answers(5)  # done, done, how many columns, the column, its end
        text: bytes | None = MysqlPacket(self._answer(), self.encoding).read_length_coded_string()  # type: ignore[no-untyped-call]
        self._answer()
        return text.decode() if text is not None else ""

    def columns(self) -> int:
        """How many columns the statement would give that was taken apart."""
        answer = self._answer()
        if len(answer) < _PREPARED.size:  # what MySQL says of a SET that the account may not do
            return 0
        _, _, columns, parameters, _, _ = _PREPARED.unpack_from(answer)
        for _ in filter(None, (parameters, columns)):
            while not _is_end(self._answer()):  # the numbers have 16 bits, and there may be more
                pass
        return int(columns)

    def _answers(self, number: int) -> None:
        for _ in range(number):
            self._answer()

    def _answer(self) -> bytes:
        """A packet: of PyMySQL's own way to read one, most is for what is never in these."""
        header = self._read_bytes(_HEADER)
        answer = self._read_bytes(int.from_bytes(header[:3], "little"))
        if answer[0] == _ERROR:
            raise_mysql_exception(answer)
        return answer

    def stream(self, sql: str) -> tuple[list[tuple[str, str]], Iterator[Row]]:
        """Run a statement that gives rows: the names and types of its columns, and the rows as they come."""
        self.query(sql, unbuffered=True)
        result = self._result
        for place, field in enumerate(result.fields):
            if field.type_code == _VECTOR:
                result.converters[place] = (None, _vector)  # PyMySQL takes it for text
        columns = [(field.name, _type(field)) for field in result.fields]
        return columns, iter(result._read_rowdata_packet_unbuffered, None)

    def read_on(self, seconds: float) -> bool:
        """Read for so long what is left of a result, and say whether its end was reached."""
        self.be_patient(seconds)
        deadline = time.monotonic() + seconds
        with suppress(pymysql.Error):
            while time.monotonic() < deadline:
                if _is_end(self._answer()):
                    self._result.unbuffered_active = False
                    return True
        return False

    def cut(self) -> None:
        """Have the thread that waits for the server learn at once that nothing will come."""
        with socket.socket(fileno=os.dup(self._sock.fileno())) as line, suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close it, also in the middle of a result."""
        if self._result is not None:
            self._result.unbuffered_active = False  # or PyMySQL would read it to its end
        with suppress(pymysql.Error):  # it is closed
            super().close()


def readiness(setting: str, asking: str) -> bytes:
    """The commands that undo all that statements have left, change settings, and ask for them.

    What they may have left is settings, variables, locks, temporary tables, prepared statements, an open transaction.

    Args:
        setting: A SET.
        asking: A SELECT of one text.
    """
    commands = (_COM_RESET_CONNECTION, ""), (COMMAND.COM_QUERY, setting), (COMMAND.COM_QUERY, asking)
    return b"".join(_packet(command, sql) for command, sql in commands)


def _is_end(answer: bytes) -> bool:
    """Whether no more columns or rows follow; a cell may begin with that byte, too, if it is long."""
    return answer[0] == _END and len(answer) <= _HEADER + 1


def _packet(command: int, sql: str) -> bytes:
    text = sql.encode()
    return struct.pack("<IB", len(text) + 1, command) + text


def _type(field: Any) -> str:
    """The type of a column; ENUM and SET are told as CHAR, LONGTEXT as TEXT."""
    name = _NAMES.get(field.type_code, "text")
    return _BINARY_NAMES.get(name, name) if field.charsetnr == _BINARY else name
