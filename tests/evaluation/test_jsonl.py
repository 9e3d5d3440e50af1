"""JSON Lines: what is written can be read by everybody, and a crash costs the last line at most."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.jsonl import line_of, mend_tail, read_lines
from sqlassay.errors import UserError

TEXT = st.text(st.characters(exclude_categories=()) | st.sampled_from('\\ud\udc80\ud83d\ude00\x00\n\r\u2028"'))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)


def without_surrogates(value: object) -> object:
    """A lone surrogate as the six characters that stand for it."""
    if isinstance(value, str):
        return "".join(f"\\u{ord(c):04x}" if 0xD800 <= ord(c) <= 0xDFFF else c for c in value)
    if isinstance(value, list):
        return [without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {without_surrogates(key): without_surrogates(item) for key, item in value.items()}
    return value


@given(VALUES)
def test_any_value_is_one_line_of_strict_json(value: object) -> None:
    line = line_of(value)
    assert line.index(b"\n") == len(line) - 1
    assert json.loads(line.decode("utf-8", "strict")) == without_surrogates(value)


def test_a_backslash_beside_a_lone_surrogate_stays_one() -> None:
    assert json.loads(line_of("C:\\udata \udc80")) == "C:\\udata \\udc80"


@dataclass
class Pair:
    left: int
    right: tuple[str, ...]


def test_dataclasses_are_objects() -> None:
    assert line_of([Pair(1, ("a", "b"))]) == b'[{"left":1,"right":["a","b"]}]\n'


@pytest.mark.parametrize("value", [float("nan"), [float("inf")]])
def test_nan_is_no_json(value: object) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        line_of(value)


def test_a_set_is_no_json() -> None:
    with pytest.raises(TypeError, match="set is no JSON type"):
        line_of({"a": {1}})


LINES = [line_of({"n": 1, "text": "é"}), line_of({"n": 2}), line_of({"n": 3, "rows": [[1, None]]})]


@pytest.mark.parametrize("cut", range(len(b"".join(LINES)) + 1))
def test_a_crash_at_any_byte_costs_the_last_line_at_most(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    path.write_bytes(b"".join(LINES)[:cut])
    complete = b"".join(LINES)[:cut].count(b"\n")

    assert [value["n"] for value in read_lines(path)] == [1, 2, 3][:complete]

    mend_tail(path)
    assert path.read_bytes() == b"".join(LINES[:complete])
    with path.open("ab") as file:
        file.write(line_of({"n": 4}))
    assert [value["n"] for value in read_lines(path)] == [*[1, 2, 3][:complete], 4]


def test_a_torn_line_that_happens_to_be_json_is_torn_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    path.write_bytes(b'{"n":1}\n{"n":2}')
    assert list(read_lines(path)) == [{"n": 1}]


@pytest.mark.parametrize("kept", [b"", b'{"n":1}\n'])
def test_a_torn_line_longer_than_one_read_is_cut_off(kept: bytes, tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    path.write_bytes(kept + b'{"text":"' + b"x" * 200_000)
    mend_tail(path)
    assert path.read_bytes() == kept


@pytest.mark.parametrize(
    ("line", "problem"),
    [(b"{oops}\n", "not JSON"), (b"[1]\n", "not a JSON object"), (b"\xff\n", "not JSON"), (b"\n", "not JSON")],
)
def test_a_damaged_line_within_the_file_is_named(line: bytes, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    path.write_bytes(b'{"n":1}\n' + line + b'{"n":3}\n')
    with pytest.raises(UserError) as caught:
        list(read_lines(path))
    assert str(caught.value).startswith(f"{path}:2: {problem}")
