"""Runs in one file: the same bytes for the same runs, and nothing gets in that is no run."""

from __future__ import annotations

import gzip
import io
import json
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evaluation import archives
from evaluation.archives import export_runs, import_runs
from evaluation.run_log import LOCKS, RunFolder
from sqlassay.errors import UserError
from tests.evaluation.world import World, model_at
from tests.providers.server import ProviderServer

Capture = pytest.CaptureFixture[str]
KINDS = ("tar.gz", "tgz", "zip")

MANIFEST = {
    "run_id": "trial-01",
    "group": "trial",
    "cells": 1,
    "title": "tape",
    "status": "finished",
    "started": "2026-01-01T00:00:00+00:00",
    "experiment": {"name": "trial"},
    "identity": {"dataset": {"questions": 0}},
    "max_instrument_failures": 0,
}


def a_run(runs: Path, name: str = "trial-01", items: bytes = b'{"id":"q0","verdicts":[]}\n') -> RunFolder:
    folder = runs / name
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({**MANIFEST, "run_id": name}))
    (folder / "items.jsonl").write_bytes(items)
    (folder / "prompts.jsonl").write_bytes(b"")
    return RunFolder(folder)


def contents(runs: Path) -> dict[str, bytes]:
    """What is there besides locks."""
    files = [path for path in runs.rglob("*") if path.is_file() and not path.match(LOCKS)]
    return {str(path.relative_to(runs)): path.read_bytes() for path in files}


def tar_of(path: Path, entries: Iterable[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for entry, content in entries:
            entry.size = len(content) if entry.type == tarfile.REGTYPE else 0
            archive.addfile(entry, io.BytesIO(content))
    return path


def file(name: str) -> tarfile.TarInfo:
    return tarfile.TarInfo(name)


def of_type(kind: bytes, name: str, target: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry


WHOLE = (file("trial-01/manifest.json"), json.dumps(MANIFEST).encode())


def refused(runs: Path, *paths: Path) -> str:
    """What an import is refused with; nothing is there after it, not even what was on the way."""
    before = contents(runs)
    with pytest.raises(UserError) as caught:
        import_runs(paths, runs)
    assert contents(runs) == before
    assert [path.name for path in runs.iterdir() if path.name.startswith(".unfinished-")] == []
    told = str(caught.value)
    assert "is damaged" not in told or "import files of" not in told  # one reason, one remedy
    return told


@pytest.mark.parametrize("kind", KINDS)
def test_there_and_back(kind: str, world: World, server: ProviderServer, capsys: Capture) -> None:
    world.questions(3)
    assert world.run("run", world.experiment(models=[model_at(server.base_url)], cache="run", repeats=2), "-q") == 0
    capsys.readouterr()
    archive = world.folder / f"runs.{kind}"
    assert world.run("runs", "export", "latest", "--output", archive, "--runs", world.runs) == 0
    assert f"runs.{kind}: 2 runs, {archive.stat().st_size:,} bytes" in capsys.readouterr().err
    copy = world.folder / "copy"
    assert world.run("runs", "import", archive, "--runs", copy) == 0
    assert "2 runs imported into" in capsys.readouterr().err
    original = {name: content for name, content in contents(world.runs).items() if not name.endswith(".lock")}
    assert contents(copy) == original
    assert {Path(name).name for name in original} == {
        *("manifest.json", "items.jsonl", "prompts.jsonl", "responses.sqlite")
    }
    assert world.run("report", "latest", "--runs", copy) == 0
    capsys.readouterr()
    assert world.run("runs", "import", archive, "--runs", copy) == 0
    assert "0 runs imported into" in (told := capsys.readouterr().err)
    assert "2 there already" in told
    assert contents(copy) == original


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_runs_are_the_same_bytes(kind: str, tmp_path: Path) -> None:
    one, other = a_run(tmp_path / "a"), a_run(tmp_path / "b")
    for path in other.path.iterdir():
        path.chmod(0o600)
        os.utime(path, (1, 1))
    for name in (".lock", ".langfuse.lock", "manifest.json.tmp", "responses.sqlite-shm"):
        (other.path / name).write_text("passing")
    paths = tmp_path / f"one.{kind}", tmp_path / f"other.{kind}"
    export_runs([one], paths[0])
    export_runs([other], paths[1])
    assert paths[0].read_bytes() == paths[1].read_bytes()
    both = a_run(tmp_path / "a", "trial-02")
    export_runs([one, both], paths[0])
    export_runs([both, one], paths[1])
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no archive has this ending \(end it in one of .tar.gz, .tgz, .zip\)"):
        export_runs([a_run(tmp_path)], tmp_path / "runs.rar")
    with pytest.raises(UserError, match="cannot be written"):
        export_runs([RunFolder(tmp_path / "trial-01")], tmp_path / "nowhere" / "runs.zip")


def test_what_is_being_written_is_not_exported(tmp_path: Path) -> None:
    from filelock import FileLock

    run = a_run(tmp_path)
    with FileLock(run.path / ".lock"), pytest.raises(UserError, match="another process is writing this run"):
        export_runs([run], tmp_path / "runs.zip")
    assert not (tmp_path / "runs.zip").exists()


def test_what_came_later_does_not_make_another_run(tmp_path: Path) -> None:
    """What was published since is noted in the run's folder, and importing it once more is fine."""
    run = a_run(tmp_path / "runs")
    export_runs([run], tmp_path / "a.zip")
    (run.path / "langfuse.jsonl").write_text("{}\n")
    assert import_runs([tmp_path / "a.zip"], tmp_path / "runs") == ([], ["trial-01"])
    assert (run.path / "langfuse.jsonl").exists()


def test_a_run_with_other_content_stays(tmp_path: Path) -> None:
    export_runs([a_run(tmp_path / "other", items=b"")], tmp_path / "a.zip")
    a_run(tmp_path / "runs")
    line = refused(tmp_path / "runs", tmp_path / "a.zip")
    assert line == (
        f"{tmp_path}/runs/trial-01: {tmp_path}/a.zip holds another run of this name"
        " (import into another folder with --runs)"
    )


def test_two_archives_that_disagree_are_refused(tmp_path: Path) -> None:
    export_runs([a_run(tmp_path / "a")], tmp_path / "a.zip")
    export_runs([a_run(tmp_path / "b", items=b"")], tmp_path / "b.tar.gz")
    assert "holds another run of this name" in refused(tmp_path / "runs", tmp_path / "a.zip", tmp_path / "b.tar.gz")


def test_one_bad_archive_spoils_all(tmp_path: Path) -> None:
    export_runs([a_run(tmp_path / "a")], tmp_path / "a.zip")
    (tmp_path / "b.zip").write_bytes((tmp_path / "a.zip").read_bytes()[:-30])
    assert "b.zip: is damaged, or no archive: " in refused(tmp_path / "runs", tmp_path / "a.zip", tmp_path / "b.zip")


HOSTILE_NAMES = (
    *("../evil", "/etc/evil", "trial-01/../../evil", "trial-01/..", "trial-01/a/b", "evil", "trial-01", "trial-01/"),
    *("./trial-01/items.jsonl", "trial-01//items.jsonl", "trial-01\\..\\evil", "C:/evil", ".git/config"),
    *("trial-01/.lock", "trial-01/a\nb", "trial-01/é", "", "-rf/x", "trial-01/" + "x" * 101),
)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_names_that_lead_elsewhere_are_refused(name: str, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    path = tar_of(tmp_path / "a.tar.gz", [WHOLE, (file(name), b"x")])
    assert "which is no file of a run" in refused(runs, path)
    if name:
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr("trial-01/manifest.json", WHOLE[1])
            archive.writestr(zipfile.ZipInfo(name), b"x")
        assert "which is no file of a run" in refused(runs, tmp_path / "a.zip")
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE, tarfile.GNUTYPE_SPARSE],
)
def test_links_and_devices_are_refused(kind: bytes, tmp_path: Path) -> None:
    entry = of_type(kind, "trial-01/items.jsonl", "/etc/passwd")
    assert "which is no file of a run" in refused(tmp_path / "runs", tar_of(tmp_path / "a.tgz", [WHOLE, (entry, b"")]))


def test_links_in_a_zip_file_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("trial-01/items.jsonl")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("trial-01/manifest.json", WHOLE[1])
        archive.writestr(link, "/etc/passwd")
    assert "which is no file of a run" in refused(tmp_path / "runs", tmp_path / "a.zip")


def test_what_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_BYTES", 1 << 20)
    bomb = b"0" * (1 << 20)
    path = tar_of(tmp_path / "a.tar.gz", [WHOLE, (file("trial-01/items.jsonl"), bomb)])
    assert path.stat().st_size < 5_000
    assert "is more than 1 MiB when unpacked" in refused(tmp_path / "runs", path)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("trial-01/manifest.json", WHOLE[1])
        archive.writestr("trial-01/items.jsonl", bomb)
    assert "is more than 1 MiB when unpacked" in refused(tmp_path / "runs", tmp_path / "a.zip")


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_FILES", 10)
    path = tar_of(tmp_path / "a.tar.gz", [WHOLE, *((file(f"trial-01/f{n}"), b"") for n in range(10))])
    assert "holds more than 10 files" in refused(tmp_path / "runs", path)


def test_a_header_without_end_is_refused(tmp_path: Path) -> None:
    """Python's tarfile reads a header into memory, however long it says that it is."""
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 1 << 33
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + b"0" * 4096))
    assert "a header is too long" in refused(tmp_path / "runs", tmp_path / "a.tar.gz")


def test_a_hole_without_end_is_refused(tmp_path: Path) -> None:
    entry = file("trial-01/items.jsonl")
    entry.size = 1 << 40
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(entry.tobuf(tarfile.GNU_FORMAT) + b"0" * 4096))
    assert "is damaged, or no archive" in refused(tmp_path / "runs", tmp_path / "a.tar.gz")


NO_RUNS: dict[str, Callable[[Path], object]] = {
    "is no archive": lambda path: path.write_bytes(b"hello"),
    "cannot be read: No such file or directory": lambda path: None,
    "cannot be read: Is a directory": lambda path: path.mkdir(),
    "holds no run": lambda path: tar_of(path, []),
    "trial-01: is not a run: it has no manifest.json": lambda path: tar_of(path, [(file("trial-01/x"), b"")]),
    "trial-01: not JSON": lambda path: tar_of(path, [(file("trial-01/manifest.json"), b"{")]),
    "trial-01: is not the manifest of a run": lambda path: tar_of(path, [(file("trial-01/manifest.json"), b"{}")]),
    "trial-02 is the record of trial-01": lambda path: tar_of(path, [(file("trial-02/manifest.json"), WHOLE[1])]),
    "trial-01 says that it is of the group ../trial": lambda path: tar_of(
        path, [(file("trial-01/manifest.json"), json.dumps({**MANIFEST, "group": "../trial"}).encode())]
    ),
    "holds trial-01/manifest.json twice": lambda path: tar_of(path, [WHOLE, WHOLE]),
}


@pytest.mark.parametrize(("problem", "make"), NO_RUNS.items(), ids=NO_RUNS)
def test_what_is_no_archive_of_runs_is_one_line(problem: str, make: Callable[[Path], object], tmp_path: Path) -> None:
    make(tmp_path / "a.tar.gz")
    assert f"{tmp_path / 'a.tar.gz'}: {problem}" in refused(tmp_path / "runs", tmp_path / "a.tar.gz")


@pytest.fixture(scope="module", params=["a.tar.gz", "a.zip"])
def packed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    folder = tmp_path_factory.mktemp("packed")
    path = folder / request.param
    export_runs([a_run(folder / "runs", items=b'{"id":"q0","verdicts":[]}\n' * 50)], path)
    return path, path.read_bytes()


def test_no_file_of_a_zip_is_lost_in_the_comment_of_another(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    export_runs([a_run(tmp_path / "runs")], path)
    content = bytearray(path.read_bytes())
    last = content.rindex(b"PK\x01\x02")
    before = content.rindex(b"PK\x01\x02", 0, last)
    content[before + 32 : before + 34] = (len(content) - last).to_bytes(2, "little")  # the length of its comment
    path.write_bytes(content)
    with pytest.raises(UserError, match="is damaged"):
        import_runs([path], tmp_path / "elsewhere")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.data())
def test_a_damaged_archive_is_refused_or_whole(
    packed: tuple[Path, bytes], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Cut off anywhere, or with any byte changed: one clear line, or the run as it was."""
    path, content = packed
    place = data.draw(st.integers(0, len(content) - 1))
    cut = data.draw(st.booleans())
    changed = content[:place] + (b"" if cut else bytes([content[place] ^ data.draw(st.integers(1, 255))]))
    folder = tmp_path_factory.mktemp("damaged")
    (folder / path.name).write_bytes(changed + (b"" if cut else content[place + 1 :]))
    try:
        import_runs([folder / path.name], folder / "runs")
    except UserError as error:
        told = str(error)
    else:
        told = ""
    if told:
        assert told.startswith(str(folder / path.name))
        assert "\n" not in told
        assert list((folder / "runs").glob("*/")) == []
    else:
        assert contents(folder / "runs") == contents(path.parent / "runs")
        assert not (cut and place < len(content) - 12)
