"""How much memory this process holds, and the most it may hold."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from database_backends.errors import BackendError, FailureKind
from database_backends.result import Limits, Row

if sys.platform != "win32":
    import resource

_STATM = Path("/proc/self/statm")
_SLACK_MEGABYTES = 256
"""What a worker may take beyond the cap: a second engine that is open, and the copy of a result on its way out."""


def resident() -> int:
    """Bytes of memory that this process holds now; 0 where the system does not tell."""
    try:
        return _pages(1)
    except OSError:
        return 0


def cap(megabytes: int) -> None:
    """Let this process take `megabytes` MiB more than it holds now, and dump no core.

    The system then refuses the allocation, and the engine reports that it is out of memory. Only Linux counts all
    private memory under `RLIMIT_DATA`; elsewhere the engines' own limits are all there is. (`RLIMIT_AS` would count
    address space that is only reserved, of which allocators with many arenas take gigabytes.)
    """
    if sys.platform == "win32":
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "linux":
        return
    _, ceiling = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = _pages(5) + ((megabytes + _SLACK_MEGABYTES) << 20)
    if ceiling != resource.RLIM_INFINITY:
        wanted = min(wanted, ceiling)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, wanted))


def _pages(field: int) -> int:
    """A field of `/proc/self/statm` in bytes: 1 is the resident set, 5 is data and stack."""
    return int(_STATM.read_bytes().split()[field]) * resource.getpagesize()


def collect(rows: Iterable[Row], limits: Limits) -> tuple[list[Row], bool]:
    """Take rows up to the row limit.

    Returns:
        The rows, and whether there were more.

    Raises:
        BackendError: `memory`: the rows alone take more than the limit.
    """
    kept: list[Row] = []
    room = limits.megabytes << 20
    size = sys.getsizeof
    for row in rows:
        if len(kept) >= limits.rows:
            return kept, True
        room -= sum(map(size, row)) + 64
        if room < 0:
            raise BackendError(FailureKind.MEMORY, f"the rows take more than {limits.megabytes} MiB")
        kept.append(row)
    return kept, False
