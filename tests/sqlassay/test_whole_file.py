"""A file is replaced as a whole or left as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from sqlassay.errors import UserError
from sqlassay.whole_file import replace_file, whole_file


@pytest.mark.parametrize("content", ["é\n", b"\xff\x00"])
def test_a_file_is_replaced(tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "file"
    path.write_text("before")
    replace_file(path, content)
    assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_given_up_half_way_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("before")
    with pytest.raises(ZeroDivisionError), whole_file(path) as temporary:
        assert temporary.write_text("half") // 0
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    path = tmp_path / "none" / "file"
    with pytest.raises(UserError, match=r"cannot be written: No such file or directory") as caught:
        replace_file(path, "")
    assert caught.value.place == str(path)
