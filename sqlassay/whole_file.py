"""Files that are replaced as a whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlassay.errors import UserError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Write a file at once or not at all, also where the machine stops. The last of several processes wins.

    Args:
        path: The file; its folder is there.

    Yields:
        A new file beside it, to be written; it takes the place of the other once it is whole.

    Raises:
        UserError: It cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", place=str(path)) from error
    finally:
        with suppress(OSError):  # such as that there is no folder either
            temporary.unlink(missing_ok=True)


@contextmanager
def private_file(path: Path, content: str) -> Iterator[Path]:
    """Have a file at hand that nobody else may read, to be moved or linked to where it belongs.

    Args:
        path: Beside which it is to be; its folder is there.
        content: All of it, on disk before it is given.

    Yields:
        A new file, with 0600; at the end it is gone, unless it was moved.

    Raises:
        OSError: It cannot be written.
    """
    import tempfile

    number, name = tempfile.mkstemp(prefix=f".{path.name.removeprefix('.')}.", dir=path.parent)
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def replace_file(path: Path, content: str | bytes) -> None:
    """Write a file that is at hand, as `whole_file` does.

    Args:
        path: The file; its folder is there.
        content: All of it.

    Raises:
        UserError: It cannot be written.
    """
    with whole_file(path) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)
