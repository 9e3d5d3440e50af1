from __future__ import annotations

from pathlib import Path

import pytest

from evaluation.datasets.text_file import read_lines, read_text
from sqlassay.errors import UserError

GOOD = {
    "empty": (b"", ""),
    "byte order mark": (b"\xef\xbb\xbfa\n", "a\n"),
    "carriage returns are kept": (b"a\r\nb\r\n", "a\r\nb\r\n"),
    "no last newline": (b"a\nb", "a\nb"),
    "characters outside ASCII": ("ä\u2028😀\n".encode(), "ä\u2028😀\n"),
    "mark in the middle": (b"a\n\xef\xbb\xbfb", "a\n\ufeffb"),
}

BAD = {
    "latin-1": (b"a\nbl\xf6d\n", "{file}, line 2: byte 0xf6 is not UTF-8 text (save the file as UTF-8)"),
    "cut character": (b"a\n\xc3", "{file}, line 2: byte 0xc3 is not UTF-8 text (save the file as UTF-8)"),
    "zero byte": (
        b"a\n\nb\0",
        "{file}, line 3: holds a zero byte: this is binary, not text (save the file as UTF-8 text)",
    ),
    "gzip": (b"\x1f\x8b\x08\0", "{file}: is a gzip archive, not UTF-8 text (unpack it first)"),
    "zip": (b"PK\x03\x04\x14", "{file}: is a zip archive, not UTF-8 text (unpack it first)"),
    "sqlite": (
        b"SQLite format 3\0\x10",
        "{file}: is a SQLite database, not UTF-8 text (give the file of questions or predictions)",
    ),
    "parquet": (b"PAR1\x15", "{file}: is a Parquet file, not UTF-8 text (write it as JSON Lines first)"),
    "utf-16": ("a\n".encode("utf-16"), "{file}: is UTF-16 text, not UTF-8 text (save it as UTF-8)"),
}


@pytest.mark.parametrize(("raw", "text"), GOOD.values(), ids=GOOD)
def test_text_is_read(tmp_path: Path, raw: bytes, text: str) -> None:
    file = tmp_path / "a"
    file.write_bytes(raw)
    assert read_text(file) == text
    assert list(read_lines(file)) == [line + "\n" for line in text.split("\n")[:-1]] + (
        [text.split("\n")[-1]] if text.split("\n")[-1] else []
    )


@pytest.mark.parametrize(("raw", "message"), BAD.values(), ids=BAD)
def test_what_is_not_text_is_one_line(tmp_path: Path, raw: bytes, message: str) -> None:
    file = tmp_path / "a"
    file.write_bytes(raw)
    for read in (read_text, lambda file: list(read_lines(file))):
        with pytest.raises(UserError) as caught:
            read(file)
        assert str(caught.value) == message.format(file=file)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "dev.json").touch()
    near, far = tmp_path / "dev.jsn", tmp_path / "gone" / "x"
    with pytest.raises(UserError) as caught:
        read_text(near)
    assert str(caught.value) == f"{near}: no such file or folder (did you mean '{tmp_path / 'dev.json'}'?)"
    with pytest.raises(UserError) as caught:
        read_text(far)
    assert str(caught.value) == f"{far}: no such file or folder (check the path)"


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        read_text(tmp_path)
    assert str(caught.value) == f"{tmp_path}: is a folder, not a file (give the file in it)"
