"""Names as a query has to write them."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN_IF_FOLDED = re.compile(r"[a-z_][a-z0-9_]*")

# Words that at least one of the supported engines refuses as a bare name. Quoting one too many does no harm.
_RESERVED = frozenset(
    """
    add all alter analyse analyze and any array as asc asymmetric authorization between binary both by case cast
    check collate collation column commit concurrently constraint create cross cube current current_date
    current_time current_timestamp current_user database default deferrable deferred delete desc describe
    distinct div do drop else end escape except exists explain extract fetch false filter for force foreign freeze
    from full function glob grant group grouping groups having if ilike in index initially inner insert intersect
    interval into is isnull join key keys lag lateral lead leading left like limit localtime localtimestamp lock
    match mod natural not notnull null of offset on only or order outer over overlaps partition percent placing
    pragma primary procedure qualify range rank read recursive references regexp rename replace returning right
    rollback row row_number rows schema select session_user set show similar some symmetric system table tablesample
    then to top trailing transaction trigger true union unique unnest update use user using values variadic verbose
    view when where window with write
    """.split()  # noqa: SIM905 - 150 words in quotes are not read by anyone
)


class Names:
    """Puts quotes around the names that need them.

    Args:
        dialect: The dialect whose quotes are used: `"` unless it is "mysql", which has backticks. "postgres" also
            quotes names with capital letters, which it would fold otherwise.
    """

    def __init__(self, dialect: str) -> None:
        self._mark = "`" if dialect == "mysql" else '"'
        self._plain = _PLAIN_IF_FOLDED if dialect == "postgres" else _PLAIN

    def one(self, name: str) -> str:
        """One name."""
        if self._plain.fullmatch(name) and name.lower() not in _RESERVED:
            return name
        return self._mark + name.replace(self._mark, self._mark * 2) + self._mark

    def some(self, names: Iterable[str]) -> str:
        """Several, with commas."""
        return ", ".join(map(self.one, names))

    def group(self, names: tuple[str, ...]) -> str:
        """One as it is, several in parentheses."""
        return self.one(names[0]) if len(names) == 1 else f"({self.some(names)})"
