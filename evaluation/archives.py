"""Runs in one file, to be carried to another machine and back."""

from __future__ import annotations

import filecmp
import gzip
import re
import shutil
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

from evaluation.prompt_log import PROMPTS
from evaluation.run_log import ITEMS, LOCKS, MANIFEST, RunFolder, held, staging
from sqlassay.errors import UserError
from sqlassay.whole_file import whole_file

ENDINGS = (".tar.gz", ".tgz", ".zip")
MOST_FILES = 10_000
"""In one archive."""
MOST_BYTES = 8 << 30
"""Of the files in one archive together, as they are on disk."""
_CHUNK = 1 << 16
_LONGEST_HEADER = 1 << 20
"""Bytes that are taken from an archive at once; `tarfile` would read a header of any length."""
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}", re.ASCII)
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
_RECORD = (MANIFEST, ITEMS, PROMPTS)
"""The files that are the run; others are about it, and may have changed since."""
_DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
    NotImplementedError,  # a zip file that is packed in a way that Python does not know
    RuntimeError,  # or with a password
)


@dataclass(frozen=True)
class _Entry:
    """One file of an archive.

    Attributes:
        name: As the archive has it.
        stream: Its content; `None` when it is no plain file.
    """

    name: str
    stream: IO[bytes] | None


def export_runs(runs: Sequence[RunFolder], path: Path) -> int:
    """Write runs into one file, at once or not at all. The same runs give the same bytes.

    Args:
        runs: What it is to hold.
        path: The file; its ending is one of `ENDINGS`.

    Returns:
        How many bytes it has.

    Raises:
        UserError: A run is being written, the ending is another, or the file cannot be written.
    """
    if not path.name.endswith(ENDINGS):
        remedy = f"end it in one of {', '.join(ENDINGS)}"
        raise UserError("no archive has this ending", place=str(path), remedy=remedy)
    with ExitStack() as stack:
        for run in runs:
            stack.enter_context(held(run.path))
        files = sorted((f"{run.run_id}/{file.name}", file) for run in runs for file in _files(run.path))
        with whole_file(path) as temporary, temporary.open("wb") as target:
            write = _write_zip if path.suffix == ".zip" else _write_tar
            write(files, target)
    return path.stat().st_size


def import_runs(paths: Sequence[Path], runs: Path) -> tuple[list[RunFolder], list[str]]:
    """Take the runs out of archives. Every archive is looked through before the first run appears, each as a whole.

    Args:
        paths: The archives.
        runs: The folder that the runs go to.

    Returns:
        The runs that are new, and the ids of those that were there already.

    Raises:
        UserError: A file is no archive, is damaged, holds what is no run or more than it may, or a run is there with
            another content. Nothing is imported then.
    """
    with staging(runs) as folder:
        found: dict[str, Path] = {}
        for number, path in enumerate(paths):
            for run in _unpacked(path, folder / str(number)):
                _refuse_other(run, found.setdefault(run.name, run), path)
                _refuse_other(run, runs / run.name, path)
        known = [name for name in found if (runs / name).exists()]
        new = [RunFolder(found[name].replace(runs / name)) for name in found if name not in known]
    return new, known


def _files(run: Path) -> Iterator[Path]:
    """What is carried: no locks, no half-written files, nothing that SQLite keeps beside a store for its processes."""
    for path in run.iterdir():
        if path.is_file() and not (path.match(LOCKS) or path.suffix == ".tmp" or path.name.endswith("-shm")):
            yield path


def _write_tar(files: Sequence[tuple[str, Path]], target: BinaryIO) -> None:
    with (
        gzip.GzipFile("", "wb", compresslevel=6, fileobj=target, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name, path in files:
            entry = tarfile.TarInfo(name)
            entry.mode = 0o644
            with path.open("rb") as file:
                entry.size = path.stat().st_size
                archive.addfile(entry, file)


def _write_zip(files: Sequence[tuple[str, Path]], target: BinaryIO) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, path in files:
            entry = zipfile.ZipInfo(name)
            entry.create_system = 3  # as everywhere else, also on Windows
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            with path.open("rb") as file, archive.open(entry, "w", force_zip64=True) as packed:
                shutil.copyfileobj(file, packed, _CHUNK)


def _unpacked(path: Path, folder: Path) -> list[Path]:
    """The runs of an archive, each in a folder below `folder`."""
    folder.mkdir()
    room = MOST_BYTES
    try:
        with _opened(path) as entries:
            for count, entry in enumerate(entries, start=1):
                if count > MOST_FILES:
                    raise _refused(path, f"holds more than {MOST_FILES:,} files")
                place = folder / _placed(path, entry)
                if place.exists():
                    raise _refused(path, f"holds {entry.name} twice")
                place.parent.mkdir(exist_ok=True)
                room -= _copied(path, cast("IO[bytes]", entry.stream), place, room)
    except UserError:  # which is a ValueError
        raise
    except _DAMAGED as error:
        raise UserError(
            f"is damaged, or no archive: {error}", place=str(path), remedy="export the runs again"
        ) from error
    found = sorted(folder.iterdir())
    if not found:
        raise _refused(path, "holds no run")
    for run in found:
        try:
            manifest = RunFolder(run).manifest
        except UserError as error:
            raise _refused(path, f"{run.name}: {error.problem}") from error
        if manifest["run_id"] != run.name:
            raise _refused(path, f"{run.name} is the record of {manifest['run_id']}")
        # The names of the runs that a resumed group begins are made of its own.
        if not run.name.startswith(f"{manifest['group']}-"):
            raise _refused(path, f"{run.name} says that it is of the group {manifest['group']}")
    return found


@contextmanager
def _opened(path: Path) -> Iterator[Iterator[_Entry]]:
    try:
        opened = path.open("rb")
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", place=str(path)) from error
    with opened as file:
        kind = file.read(4)
        file.seek(0)
        if kind.startswith(b"\x1f\x8b"):
            with gzip.GzipFile(fileobj=file) as stream:
                yield _tar_entries(_Bounded(stream))
        elif kind.startswith(b"PK"):
            with zipfile.ZipFile(file) as archive:
                yield _zip_entries(archive)
        else:
            raise UserError("is no archive", place=str(path), remedy="give a file of `sqlassay runs export`")


def _tar_entries(stream: _Bounded) -> Iterator[_Entry]:
    with tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r:") as archive:
        for entry in archive:
            plain = entry.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not entry.issparse()
            yield _Entry(entry.name, archive.extractfile(entry) if plain else None)
    while stream.read(_CHUNK):  # to the checksum at the end
        pass


def _zip_entries(archive: zipfile.ZipFile) -> Iterator[_Entry]:
    for entry in archive.infolist():
        if entry.comment:  # a wrong length makes one of the entries that follow
            raise zipfile.BadZipFile(f"{entry.filename} has a comment")
        kind = entry.external_attr >> 28
        if entry.is_dir() or kind not in (0, 0o10):
            yield _Entry(entry.filename, None)
        else:
            with archive.open(entry) as stream:
                yield _Entry(entry.filename, stream)


class _Bounded:
    """A stream of which nobody takes more at once than a header may have, or more in all than there may be."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        if not 0 <= size <= _LONGEST_HEADER:
            raise tarfile.ReadError("a header is too long")
        return self._within(self._stream.read(size))

    def seek(self, position: int) -> int:
        """Go there; what is between is unpacked."""
        if position > MOST_BYTES + MOST_FILES * _LONGEST_HEADER:
            raise tarfile.ReadError("is longer than an archive may be")
        return self._stream.seek(position)

    def tell(self) -> int:
        """Where it is."""
        return self._stream.tell()

    def _within(self, content: bytes) -> bytes:
        if self._stream.tell() > MOST_BYTES + MOST_FILES * _LONGEST_HEADER:
            raise tarfile.ReadError("is longer than an archive may be")
        return content


def _placed(path: Path, entry: _Entry) -> Path:
    """Where an entry goes: `RUN/FILE`, and nowhere else."""
    run, _, file = entry.name.partition("/")
    if entry.stream is None or not (_RUN.fullmatch(run) and _FILE.fullmatch(file)):
        raise _refused(path, f"holds {entry.name!r}, which is no file of a run")
    return Path(run, file)


def _copied(path: Path, stream: IO[bytes], place: Path, room: int) -> int:
    size = 0
    with place.open("xb") as file:
        while content := stream.read(_CHUNK):
            size += len(content)
            if size > room:
                raise _refused(path, f"is more than {MOST_BYTES >> 20:,} MiB when unpacked")
            file.write(content)
    return size


def _record(*runs: Path) -> list[str]:
    """The files of the record that any of some runs has."""
    return [name for name in _RECORD if any((run / name).exists() for run in runs)]


def _refuse_other(run: Path, there: Path, path: Path) -> None:
    """A run that is there already must be the same.

    Raises:
        UserError: It is not.
    """
    if there.exists() and any(filecmp.cmpfiles(run, there, _record(run, there), shallow=False)[1:]):
        raise UserError(
            f"{path} holds another run of this name",
            place=str(there),
            remedy="import into another folder with --runs",
        )


def _refused(path: Path, problem: str) -> UserError:
    return UserError(problem, place=str(path), remedy="import files of `sqlassay runs export` only")
