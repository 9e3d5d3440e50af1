"""Where things are in a YAML file, and files whose aliases would make them endless."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from evaluation.experiment import parse_experiment
from prompts.lint import lint_file
from prompts.template import read
from sqlassay.errors import UserError
from sqlassay.yaml_places import compose, lines

LEVELS = 30


def laughs(first: str, of_the_last: str) -> str:
    """Each level is the last one, ten times."""
    levels = (f"a{n}: &a{n} {of_the_last.format(', '.join([f'*a{n - 1}'] * 10))}\n" for n in range(1, LEVELS))
    return f"a0: &a0 {first}\n{''.join(levels)}"


@pytest.mark.parametrize("text", [laughs("x", "[{}]"), laughs("{k: v}", "{{<<: [{}]}}")], ids=["lists", "merged"])
def test_what_its_aliases_would_make_endless_is_refused(text: str, tmp_path: Path) -> None:
    expected = "its aliases stand for more than 100,000 values"
    with pytest.raises(yaml.YAMLError, match=expected):
        compose(text)
    path = tmp_path / "v1.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(UserError, match=expected):
        read(path)
    with pytest.raises(UserError, match=expected):
        parse_experiment(text, path)
    assert [problem.text for problem in lint_file(path)] == [f"not YAML: {expected}"]


def test_aliases_are_placed_where_they_are_said() -> None:
    tree = compose("base: &base\n  a: 1\nother: *base\n")
    assert tree is not None
    assert dict(lines(tree)) == {(): 1, ("base",): 1, ("base", "a"): 2, ("other",): 3, ("other", "a"): 2}


def test_a_long_file_is_none_of_these() -> None:
    assert compose("[" + "1, " * 120_000 + "]") is not None
    assert compose("") is None
