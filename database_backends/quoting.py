"""Names as every engine of a dialect reads them, whatever they are."""

from __future__ import annotations


def quoted(name: str, dialect: str) -> str:
    """A name in the quotes of a sqlglot dialect."""
    mark = "`" if dialect == "mysql" else '"'
    return mark + name.replace(mark, mark * 2) + mark
