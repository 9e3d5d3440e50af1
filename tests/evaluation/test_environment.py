"""What an experiment takes from the environment is written nowhere, and still tells one run from another."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from evaluation.environment import fill_in
from evaluation.experiment import read_experiment
from evaluation.grid import Grid
from sqlassay.errors import UserError
from tests.evaluation.world import World, model_at
from tests.providers.server import ProviderServer

CANARIES = {
    "CANARY_KEY": "c4n4ry-key-1",
    "CANARY_USER": "c4n4ry user/2",
    "CANARY_TEAM": "c4n4ry-team-3",
    "CANARY_PATH": "c4n4ry-path-4",
    "CANARY_FOLDER": "c4n4ry-folder-5",
    "CANARY_WORD": "c4n4ry-word-6",
}


@pytest.fixture
def world(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    for name, value in CANARIES.items():
        monkeypatch.setenv(name, value)
    return world


def test_a_full_run_writes_none_of_it(
    world: World, server: ProviderServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CANARY_URL", server.base_url)
    folder = world.folder / "databases" / CANARIES["CANARY_FOLDER"]
    folder.mkdir()
    (folder / "show.sqlite").write_bytes(world.database.read_bytes())
    (folder / "torn.sqlite").write_bytes(b"no database at all" * 100)
    world.questions([{"id": "q0"}, {"id": "q1", "db_id": "torn"}, {"id": "q2", "db_id": "nowhere"}])
    settings = {"base_url": "${CANARY_URL}", "api_key_env": "CANARY_KEY"}
    parameters = {"user": "${CANARY_USER}", "metadata": {"teams": ["a", "b ${CANARY_TEAM}"]}}
    path = world.experiment(
        models=[
            {"adapter": "openai", "model": "good", "settings": settings, "parameters": parameters},
            {"adapter": "openai", "model": "broken", "settings": settings},
            {"adapter": "openai", "model": "bad_key", "settings": settings},
            model_at("http://127.0.0.1:9/${CANARY_PATH}/v1/", "away", parameters={"stop": "${CANARY_WORD}"}),
        ],
        backends=[{"backend": "sqlite", "target": str(folder.parent) + "/${CANARY_FOLDER}/{db_id}.sqlite"}],
        retry={"attempts": 2, "initial": 0},
        cache="run",
    )
    inputs = {file for file in world.folder.rglob("*") if file.is_file()}

    assert world.run("run", path) == 2
    assert world.run("report", "latest", "--runs", world.runs, "--show", "unscored") == 0
    assert world.run("runs", "show", "latest", "--runs", world.runs) == 0
    assert world.run("run", "--resume", "--runs", world.runs) == 2

    assert {request.get("user") for request in server.requests} >= {CANARIES["CANARY_USER"]}
    cache = Path(os.environ["SQLASSAY_CACHE"])
    written = {file for file in [*world.folder.rglob("*"), *cache.rglob("*")] if file.is_file()} - inputs
    assert len(written) > 8
    shown = capfd.readouterr()
    texts = {str(file): file.read_bytes().decode("latin-1") for file in written}
    texts |= {"stdout": shown.out, "stderr": shown.err}
    values = [*CANARIES.values(), server.base_url, "c4n4ry"]
    assert [(place, value) for place, text in texts.items() for value in values if value in text] == []
    manifest = json.loads((world.run_folders()[0] / "manifest.json").read_text())
    assert manifest["identity"]["model"]["base_url"].startswith("${CANARY_URL sha256:")
    assert manifest["identity"]["parameters"]["metadata"]["teams"][1].startswith("b ${CANARY_TEAM sha256:")


def identity(world: World, **model: object) -> dict[str, object]:
    world.questions(1)
    grid = Grid(read_experiment(world.experiment(models=[{"adapter": "openai", "model": "m", **model}])))
    return grid.identity(grid.cells[0])


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ({"settings": {"base_url": "https://h/${CANARY_PATH}/v1"}}, "model"),
        ({"settings": {"base_url": "https://h/v1"}, "parameters": {"user": "${CANARY_PATH}"}}, "parameters"),
        ({"settings": {"base_url": "https://h/v1"}, "parameters": {"n": {"m": ["${CANARY_PATH}"]}}}, "parameters"),
    ],
)
def test_another_value_is_another_run(
    section: dict[str, object], key: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = identity(world, **section)
    assert identity(world, **section) == before
    monkeypatch.setenv("CANARY_PATH", "another")
    after = identity(world, **section)
    assert [name for name in before if before[name] != after[name]] == [key]
    assert "another" not in json.dumps(after)


MASKED = {
    # Our own words, as they are written somewhere in the code.
    "wrong": ("the string for PostgreSQL is wrong: it is 'wrong'", "the string for PostgreSQL is wrong: it is '***'"),
    "postgres": ("backend 'postgres' is a server: postgres", "backend 'postgres' is a server: ***"),
    # What servers say whenever they let nobody in.
    "password": ("password authentication failed for user \"password\"",
                 "password authentication failed for user \"***\""),
    "user": ("Access denied for user 'user'@'h' (using password: YES)",
             "Access denied for user '***'@'h' (using password: YES)"),
    # More than fixed text, or a single word.
    "is wrong: s3": ("the string is wrong: s3cret", "the string ***cret"),
    "denied": ("it was denied by them", "it was *** by them"),
    "abcabc": ("xabcabcabcx", "x***x"),
}  # fmt: skip


@pytest.mark.parametrize(("value", "text", "told"), [(value, *texts) for value, texts in MASKED.items()])
def test_values_are_taken_out_and_fixed_text_stays(
    value: str, text: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY_WORD", value)
    environment = fill_in({"backends": [{"target": "//${CANARY_WORD}@h/a"}]}, lambda _, name: UserError(name))
    assert environment.without(text).replace(environment.values[value], "***") == told


def test_a_mark_is_not_masked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY_WORD", "CANARY_TEAM")
    monkeypatch.setenv("CANARY_TEAM", CANARIES["CANARY_TEAM"])
    target = "//${CANARY_WORD}:${CANARY_TEAM}@h"
    environment = fill_in({"backends": [{"target": target}]}, lambda _, name: UserError(name))
    told = environment.without(f"{CANARIES['CANARY_TEAM']} CANARY_TEAM")
    assert told == " ".join(environment.values[value] for value in (CANARIES["CANARY_TEAM"], "CANARY_TEAM"))


def test_a_default_is_no_secret(world: World) -> None:
    told = identity(world, settings={"base_url": "https://${NO_SUCH_HOST:-h}/v1"})["model"]
    assert told == {"provider": "openai", "model": "m", "base_url": "https://h/v1"}


def test_a_mistake_does_not_tell_the_value(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.questions(1)
    for settings in (
        {"base_url": "${CANARY_WORD}"},
        {"base_url": "https://u:${CANARY_WORD}@h/v1"},
        {"base_url": "https://h/v1?key=${CANARY_WORD}"},
        {"base_url": "https://[${CANARY_WORD}/v1"},
        {"base_url": "https://h/v1", "timeout": "${CANARY_WORD}"},
    ):
        assert (
            world.run("run", world.experiment(models=[{"adapter": "openai", "model": "m", "settings": settings}])) == 2
        )
        told = capsys.readouterr().err
        assert told.startswith(f"error: {world.folder}/trial.yaml:")
        assert told.count("\n") == 1
        assert "c4n4ry" not in told
