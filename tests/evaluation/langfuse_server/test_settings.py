"""The settings of a deployment: made once, with secrets, for their owner alone."""

from __future__ import annotations

import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from evaluation.langfuse_server.settings import read, write
from sqlassay.errors import UserError
from sqlassay.secrets import HIDDEN, without

SECRETS = re.compile(r"SECRET|PASSWORD|SALT|ENCRYPTION|KEY")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def test_it_is_the_owners_and_every_secret_is_new(path: Path, tmp_path: Path) -> None:
    assert write(path, {})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (tmp_path / "other").mkdir()
    assert write(tmp_path / "other" / ".env", {})
    here, there = read(path), read(tmp_path / "other" / ".env")
    assert here is not None
    assert there is not None
    secrets = [value for name, value in here.values.items() if SECRETS.search(name)]
    assert len(secrets) == 10
    assert len(set(secrets)) == 10
    assert not {value for name, value in there.values.items() if SECRETS.search(name)} & set(secrets)
    assert "{" not in "".join(here.values.values())
    assert re.fullmatch("[0-9a-f]{64}", here.values["ENCRYPTION_KEY"])
    assert [key[:6] for key in here.keys] == ["pk-lf-", "sk-lf-"]
    assert here.values["COMPOSE_PROJECT_NAME"] != there.values["COMPOSE_PROJECT_NAME"]
    assert {one.name for one in tmp_path.iterdir()} == {".env", "other"}


def test_one_that_is_there_is_never_touched(path: Path) -> None:
    path.write_text("mine")
    assert not write(path, {})
    assert path.read_text() == "mine"


def test_of_many_at_once_one_makes_it(path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: write(path, {}), range(8))) == 1
    assert [one.name for one in path.parent.iterdir()] == [".env"]
    assert read(path) is not None


def test_chosen_values(path: Path) -> None:
    write(path, {"LANGFUSE_PORT": "21999", "LANGFUSE_INIT_PROJECT_NAME": "nightly runs"})
    settings = read(path)
    assert settings is not None
    assert (settings.host, settings.values["LANGFUSE_INIT_PROJECT_NAME"]) == ("http://localhost:21999", "nightly runs")


@pytest.mark.parametrize("value", ["a\nSALT=b", "$HOME", "a'b", "#a", " a", "", "a\\1"])
def test_a_value_that_could_be_read_otherwise_is_refused(path: Path, value: str) -> None:
    with pytest.raises(UserError, match="cannot be LANGFUSE_INIT_PROJECT_NAME"):
        write(path, {"LANGFUSE_INIT_PROJECT_NAME": value})
    assert not path.exists()


def test_none_is_none(path: Path) -> None:
    assert read(path) is None


def test_one_that_others_can_read_is_refused(path: Path) -> None:
    write(path, {})
    path.chmod(0o640)
    with pytest.raises(UserError, match=r"others can read it: its mode is 0640 \(chmod 600"):
        read(path)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (r"^SALT=.*$", "", "has no SALT"),
        (r"^SALT=.*$", "SALT=", "has no SALT"),
        (r"^SALT=.*$", "SALT", "the line is not NAME=value"),
        (r"^LANGFUSE_PORT=.*$", "LANGFUSE_PORT=http", "LANGFUSE_PORT is no port: 'http'"),
        (r"^LANGFUSE_PORT=.*$", "LANGFUSE_PORT=70000", "LANGFUSE_PORT is no port: '70000'"),
    ],
)
def test_one_that_cannot_be_used(path: Path, old: str, new: str, problem: str) -> None:
    write(path, {})
    path.write_text(re.sub(old, new, path.read_text(), flags=re.MULTILINE))
    with pytest.raises(UserError, match=problem) as caught:
        read(path)
    assert caught.value.place.startswith(str(path))


def test_no_message_repeats_a_secret(path: Path) -> None:
    write(path, {})
    settings = read(path)
    assert settings is not None
    for name in ("POSTGRES_PASSWORD", "ENCRYPTION_KEY", "LANGFUSE_INIT_PROJECT_SECRET_KEY", "SALT"):
        assert without(f"it is {settings.values[name]}") == f"it is {HIDDEN}"
