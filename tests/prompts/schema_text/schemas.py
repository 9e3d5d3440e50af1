"""Schemas of every shape, for properties."""

from __future__ import annotations

from hypothesis import strategies as st

from sqlassay.schema import Column, ForeignKey, Schema, Table

_WORDS = ("singer", "concert", "birth", "date", "name", "id", "stadium", "cust", "Order", "year")


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    """Up to six tables with keys, references (some of them to nowhere, or in other letters), values and rows."""
    names = draw(st.lists(st.sampled_from(_WORDS), min_size=1, max_size=6, unique=True))
    tables = []
    for name in names:
        columns = draw(st.lists(st.sampled_from(_WORDS), min_size=1, max_size=6, unique=True))
        made = tuple(
            Column(
                column,
                draw(st.sampled_from(["", "INTEGER", "TEXT"])),
                primary_key=draw(st.booleans()),
                description=draw(st.sampled_from(["", "when it was born"])),
                values=draw(st.sampled_from([(), ("'Paris'", "2014")])),
            )
            for column in columns
        )
        keys = draw(
            st.lists(
                st.builds(
                    ForeignKey,
                    st.tuples(st.sampled_from([*columns, columns[0].upper()])),
                    st.sampled_from([*names, names[0].upper(), "nowhere"]),
                    st.one_of(st.just(()), st.tuples(st.sampled_from(_WORDS))),
                ),
                max_size=3,
            )
        )
        rows = tuple(tuple("1" for _ in columns) for _ in range(draw(st.integers(0, 2))))
        tables.append(Table(name, made, tuple(keys), rows=rows))
    return Schema(tuple(tables))


QUESTIONS = st.lists(st.sampled_from([*_WORDS, "customers", "born", "Paris", "the"]), max_size=6).map(" ".join)
"""Some of whose words are in schemas."""
