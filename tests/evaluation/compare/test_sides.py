"""From names to sides."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from evaluation.compare.sides import names_of

PARTS = st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(tuple)


@given(st.lists(PARTS, min_size=1, max_size=5, unique=True))
def test_files_have_names_of_their_own_and_no_longer_ones_than_needed(paths: list[tuple[str, ...]]) -> None:
    names = names_of([Path("/", *parts) for parts in paths])
    assert len(set(names)) == len(paths)
    for name, parts in zip(names, paths, strict=True):
        assert ("/", *parts)[-len(name.split("/")) :] == tuple(name.split("/")) or name.startswith("/")
    if len(paths) == 1:
        assert names == [paths[0][-1]]


def test_names() -> None:
    assert names_of([Path("/x/a.sql"), Path("/x/b.sql")]) == ["a.sql", "b.sql"]
    assert names_of([Path("/x/a.sql"), Path("/y/a.sql"), Path("/y/c.sql")]) == ["x/a.sql", "y/a.sql", "c.sql"]
