"""Errors: one line that says where, what and what to do; they travel between processes unharmed."""

from __future__ import annotations

import copy
import pickle

import pytest

from sqlassay.errors import ExitCode, SqlAssayError, UnknownName, UserError, located
from sqlassay.registry import DuplicateName

LINES = {
    "no file": UserError("no file"),
    "a.yaml:3: no file": UserError("no file", place="a.yaml:3"),
    "no file (make one)": UserError("no file", remedy="make one"),
    "a.yaml:3: no file (make one)": UserError("no file", place="a.yaml:3", remedy="make one"),
    "a b: two lines (and tabs)": UserError("two\nlines", place="a\nb", remedy="and\ttabs"),
}


@pytest.mark.parametrize(("line", "error"), LINES.items())
def test_a_mistake_is_one_line(line: str, error: UserError) -> None:
    assert str(error) == line


SUGGESTIONS = {
    "spyder": "unknown dataset 'spyder' (did you mean 'spider'?)",
    "Spider": "unknown dataset 'Spider' (did you mean 'spider'?)",
    "jsonlines": "unknown dataset 'jsonlines' (did you mean 'jsonl'?)",
    "SPIDER": "unknown dataset 'SPIDER' (did you mean 'spider'?)",
    "bindery": "unknown dataset 'bindery' (known: bird, jsonl, spider)",
    "js": "unknown dataset 'js' (did you mean 'jsonl'?)",
    "xyzzy": "unknown dataset 'xyzzy' (known: bird, jsonl, spider)",
    "": "unknown dataset '' (known: bird, jsonl, spider)",
}


@pytest.mark.parametrize(("name", "line"), SUGGESTIONS.items())
def test_the_nearest_name_is_suggested(name: str, line: str) -> None:
    assert str(UnknownName("dataset", name, ["spider", "jsonl", "bird"])) == line


@pytest.mark.parametrize(
    ("count", "end"), [(10, "n08, n09)"), (11, "n08, n09 and 1 more)"), (2_000, "and 1,990 more)")]
)
def test_a_long_list_is_cut(count: int, end: str) -> None:
    line = str(UnknownName("run", "zzzz", [f"n{number:02d}" for number in range(count)]))
    assert line.startswith("unknown run 'zzzz' (known: n00, n01, ")
    assert line.endswith(end)


def test_nothing_is_known() -> None:
    assert str(UnknownName("run", "a", ())) == "unknown run 'a' (known: none)"


@pytest.mark.parametrize(
    "error",
    [
        UserError("problem", place="p", remedy="r"),
        UnknownName("strategy", "a", ["b", "c"], place="p"),
        DuplicateName("strategy", "a", ("x", "y")),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("through", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy], ids=["pickle", "copy"])
def test_errors_travel(error: UserError, through: object) -> None:
    arrived = through(error)  # type: ignore[operator]
    assert type(arrived) is type(error)
    assert str(arrived) == str(error)
    assert vars(arrived) == vars(error)


def test_a_mistake_of_the_users_is_ours_and_a_wrong_value() -> None:
    assert issubclass(UserError, SqlAssayError)
    assert issubclass(UserError, ValueError)


def test_a_place_is_given_to_those_who_have_none() -> None:
    with pytest.raises(UserError, match=r"^a\.yaml:3: no file$"), located("a.yaml:3"):
        raise UserError("no file")
    with pytest.raises(UserError, match=r"^b\.json: no file$"), located("a.yaml:3"):
        raise UserError("no file", place="b.json")
    with pytest.raises(KeyError), located("a.yaml:3"):
        raise KeyError


def test_exit_codes_are_the_published_ones() -> None:
    assert {code.name: code.value for code in ExitCode} == {
        "OK": 0,
        "UNUSABLE": 1,
        "USER_ERROR": 2,
        "GATE_FAILED": 3,
        "INTERRUPTED": 130,
        "READER_GONE": 141,
    }
