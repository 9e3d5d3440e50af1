"""Keys: where they are found, in which order, how they are kept, and how they are kept out of what is written."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlassay import secrets
from sqlassay.errors import UserError
from sqlassay.secrets import Found, find_key, look_up, whereabouts, without
from sqlassay.secrets_file import checked, read_secrets, remove_secret, save_secret, secrets_path

NAME = "ACME_API_KEY"


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The secrets file, not there yet; `.env` is read in an empty current folder."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setattr(secrets, "DOTENV", Path(".env"))
    monkeypatch.setattr(secrets, "_given", set())
    monkeypatch.delenv(NAME, raising=False)
    path = tmp_path / "configuration" / "secrets"
    monkeypatch.setenv("SQLASSAY_SECRETS", str(path))
    return path


def write(path: Path, text: str, mode: int = 0o600) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def test_a_key_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, " sk-123\n")
    assert find_key("acme", NAME) == "sk-123"


@pytest.mark.parametrize("value", [None, "", "  \n"])
def test_a_missing_key_says_where_to_put_it(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if value is not None:
        monkeypatch.setenv(NAME, value)
    assert look_up(NAME) is None
    with pytest.raises(UserError) as caught:
        find_key("acme", NAME, usual=True)
    assert str(caught.value) == (
        "no key for acme (set the environment variable ACME_API_KEY or run `sqlassay keys set acme`)"
    )
    with pytest.raises(UserError, match="`sqlassay keys set MY_KEY`"):
        find_key("acme", "MY_KEY")


def test_the_environment_comes_before_dotenv_and_that_before_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_secret(NAME, "of-the-file")
    assert (look_up(NAME), whereabouts(NAME)) == ("of-the-file", Found(str(file)))
    Path(".env").write_text(f"{NAME}=of-dotenv\n")
    assert (look_up(NAME), whereabouts(NAME)) == ("of-dotenv", Found(".env", (str(file),)))
    monkeypatch.setenv(NAME, "of-the-environment")
    assert (look_up(NAME), whereabouts(NAME)) == ("of-the-environment", Found("environment", (".env", str(file))))
    assert whereabouts("OTHER") is None


def test_what_files_say_never_goes_into_the_environment() -> None:
    save_secret(NAME, "of-the-file")
    Path(".env").write_text("OTHER_API_KEY=of-dotenv\n")
    before = dict(os.environ)
    assert (look_up(NAME), look_up("OTHER_API_KEY")) == ("of-the-file", "of-dotenv")
    assert dict(os.environ) == before


def test_dotenv_of_a_folder_above_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text(f"{NAME}=of-dotenv\n")
    Path("below").mkdir()
    monkeypatch.chdir("below")
    assert look_up(NAME) is None


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("K=v", "v"),
        ("  export K = v  ", "v"),
        ("K='a b'", "a b"),
        ('K="a # b" # why', "a # b"),
        ("K=v # why", "v"),
        ("K=v#w", "v#w"),
        ("K=a=b==", "a=b=="),
        ("K=", None),
        ("# K=v", None),
        ("K=old\nK=new", "new"),
        ("\ufeffK=v", "v"),
        ("a line of another tool\nK=v", "v"),
    ],
)
def test_lines(line: str, value: str | None) -> None:
    Path(".env").write_text(f"{line}\n", "utf-8")
    assert look_up("K") == value


def test_an_environment_in_a_folder_called_dotenv_is_no_mistake() -> None:
    Path(".env").mkdir()
    assert look_up(NAME) is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o620, 0o601])
def test_a_file_that_others_can_use_is_refused_with_the_remedy(mode: int, file: Path) -> None:
    write(file, f"{NAME}=canary\n", mode)
    for use in (lambda: look_up(NAME), lambda: save_secret("B", "key-b"), lambda: remove_secret(NAME)):
        with pytest.raises(UserError, match=f"its mode is {mode:04o} .chmod 600 {file}") as caught:
            use()
        assert "canary" not in str(caught.value)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_of_ones_own_is_read(mode: int, file: Path) -> None:
    write(file, f"{NAME}=key\n", mode)
    assert look_up(NAME) == "key"


def test_a_file_that_is_not_needed_is_not_looked_at(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(file, "", 0o644)
    monkeypatch.setenv(NAME, "key")
    assert look_up(NAME) == "key"


def test_a_line_that_is_none_is_named_without_its_words(file: Path) -> None:
    write(file, f"# fine\n\n{NAME}=a\ncanary\n")
    with pytest.raises(UserError) as caught:
        look_up(NAME)
    assert str(caught.value) == f"{file}:4: the line is not NAME=value (mend or delete it)"


def test_what_is_no_file_of_text(file: Path) -> None:
    file.mkdir(parents=True)
    with pytest.raises(UserError, match="cannot be read: Is a directory"):
        look_up(NAME)
    file.rmdir()
    file.write_bytes(b"\xff\xfe")
    file.chmod(0o600)
    with pytest.raises(UserError, match="is not text in UTF-8"):
        look_up(NAME)


def test_the_file_is_made_for_its_owner_alone(file: Path) -> None:
    before = os.umask(0)
    try:
        assert save_secret(NAME, "key") == file
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_the_users_own_folder_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SQLASSAY_SECRETS")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    folder = secrets_path().parent
    assert tmp_path in folder.parents
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    save_secret(NAME, "key")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert look_up(NAME) == "key"


def test_other_lines_stay(file: Path) -> None:
    write(file, "# mine\nexport A='x'\n\nB=2 # two\nA_B=3")
    save_secret("C", "4")
    save_secret("A", "new")
    assert file.read_text() == "# mine\n\nB=2 # two\nA_B=3\nC=4\nA=new\n"
    remove_secret("B")
    assert file.read_text() == "# mine\n\nA_B=3\nC=4\nA=new\n"
    with pytest.raises(UserError, match="holds no B"):
        remove_secret("B")


def test_a_write_that_fails_leaves_the_old_file_and_no_other(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_secret(NAME, "old")

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="cannot be written: No space left on device"):
        save_secret(NAME, "new")
    assert look_up(NAME) == "old"
    assert {path.name for path in file.parent.iterdir()} <= {"secrets", ".secrets.lock"}


def test_a_link_stays_a_link(file: Path, tmp_path: Path) -> None:
    write(tmp_path / "elsewhere", "A=1\n")
    file.parent.mkdir()
    file.symlink_to(tmp_path / "elsewhere")
    save_secret("B", "2")
    assert file.is_symlink()
    assert (tmp_path / "elsewhere").read_text() == "A=1\nB=2\n"


def test_no_key_is_lost_when_several_write(file: Path) -> None:
    threads = [threading.Thread(target=save_secret, args=(f"K{n}", f"key-{n}")) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert dict(read_secrets()) == {f"K{n}": f"key-{n}" for n in range(8)}


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_what_is_written_is_read_again(key: str) -> None:
    try:
        save_secret("ANY", key)
    except UserError as error:
        assert key not in str(error) or len(key) < 4  # noqa: PT017 - a few have no way to be written
        assert "'" in key or '"' in key
    else:
        assert look_up("ANY") == key


@pytest.mark.parametrize("name", ["", "1A", "A B", "A=B", "a-b", "A\n"])
def test_names_are_checked(name: str) -> None:
    with pytest.raises(UserError, match="is not the name of a variable"):
        save_secret(name, "key")


@pytest.mark.parametrize("key", ["", "kéy", "a\x00b", "a\nb", "\x1b[2J"])
def test_what_no_key_has(key: str) -> None:
    with pytest.raises(UserError, match="the key in ACME_API_KEY has characters that no key has"):
        checked(key, NAME)


def test_keys_that_were_looked_up_are_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", "sk-0123456789abcdef")
    monkeypatch.setenv("B_KEY", "sk-0123456789abcdef-and-more")
    monkeypatch.setenv("PLACEHOLDER", "EMPTY")
    monkeypatch.setenv("TINY", "x")
    said = "sk-0123456789abcdef-and-more and sk-0123456789abcdef; EMPTY x"
    assert without(said) == said
    for name in ("A_KEY", "B_KEY", "PLACEHOLDER", "TINY"):
        look_up(name)
    assert without(said) == "*** and ***; *** x"
    assert without(said, data=True) == "*** and ***; EMPTY x", "an answer may mean the word"
