"""What the doctor looks at, part by part."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from importlib.metadata import metadata
from pathlib import Path

import pytest
import yaml

from evaluation.doctor import packages
from evaluation.doctor.disk import folder
from evaluation.doctor.examination import Examination, examine
from evaluation.doctor.finding import Finding, State
from evaluation.doctor.imports import ROOMS, imports
from evaluation.doctor.keys import keys
from evaluation.doctor.python import CONDA, environment, python

ROOT = Path(__file__).parents[3]


def test_every_extra_has_a_purpose() -> None:
    declared = {name.replace("-", "_") for name in metadata("sqlassay").get_all("Provides-Extra") or ()}
    assert set(packages.PURPOSES) == declared - {"all", "dev"}


def test_the_name_of_the_environment_is_that_of_the_file() -> None:
    assert yaml.safe_load((ROOT / "environment.yml").read_text())["name"] == CONDA


def test_this_python_is_good_enough() -> None:
    (found,) = python()
    assert (found.state, sys.executable in found.found) == (State.OK, True)


@pytest.mark.parametrize(("name", "state"), [(CONDA, State.OK), ("base", State.WARNING)])
def test_a_conda_environment_is_known_by_its_folder(
    name: str, state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name / "conda-meta").mkdir(parents=True)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / name))
    (found,) = environment()
    assert (found.state, name in found.found, bool(found.remedy)) == (state, True, state is State.WARNING)


def installed(folder: Path, name: str, version: str) -> None:
    """A package, as `pip` leaves it."""
    path = folder / f"{name}-{version}.dist-info"
    path.mkdir()
    (path / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def test_a_version_out_of_range_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, version in (("jinja2", "2.11"), ("ollama", "99.0")):
        installed(tmp_path, name, version)
    monkeypatch.syspath_prepend(tmp_path)
    (found,) = packages.core()
    assert (found.state, found.found) == (State.FAILED, "jinja2 2.11, and <4,>=3.1.4 is needed")
    extra = next(one for one in packages.extras() if one.thing == "extra ollama")
    assert (extra.state, extra.found) == (State.WARNING, "ollama 99.0, and <1,>=0.6 is needed")


def test_an_extra_that_is_missing_says_what_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "sqlassay-0.1.0.dist-info"
    path.mkdir()
    lines = ["Name: sqlassay", "Version: 0.1.0", "Provides-Extra: trino",
             "Requires-Dist: no-such-package>=1; extra == 'trino'", "Requires-Dist: x; python_version < '3'",
             ]  # fmt: skip
    (path / "METADATA").write_text("Metadata-Version: 2.1\n" + "\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert list(packages.extras()) == [
        Finding("extra trino", State.ABSENT, "for databases of Trino: no-such-package", "pip install 'sqlassay[trino]'")
    ]
    assert [one.state for one in packages.core()] == [State.OK]


def test_our_names_mean_ours() -> None:
    assert [(one.thing, one.state) for one in imports([str(ROOT)])] == [("imports", State.OK)]


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("kind", ["package", "module"])
def test_a_foreign_package_of_our_name_is_a_failure(room: str, first: bool, kind: str, tmp_path: Path) -> None:
    path = tmp_path / room / "__init__.py" if kind == "package" else tmp_path / f"{room}.py"
    path.parent.mkdir(exist_ok=True)
    path.touch()
    (found,) = imports([str(tmp_path), str(ROOT)] if first else [str(ROOT), str(tmp_path)])
    place = path.parent if kind == "package" else path
    assert (found.thing, found.state) == (f"import {room}", State.FAILED)
    assert found.found == (f"{place} hides ours at {ROOT / room}" if first else f"ours hides {place}")
    assert "environment of its own" in found.remedy


def test_the_package_to_uninstall_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "__init__.py").touch()
    installed(tmp_path, "prompting", "1.0")
    (tmp_path / "prompting-1.0.dist-info" / "top_level.txt").write_text("prompts\n")
    monkeypatch.syspath_prepend(tmp_path)
    (found,) = imports([str(ROOT), str(tmp_path)])
    assert found.found == f"ours hides {tmp_path / 'prompts'} (prompting)"
    assert found.remedy.startswith("pip uninstall prompting, or ")


def test_a_folder_of_prompts_is_no_package(tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "v1.yaml").touch()
    assert [one.state for one in imports([str(tmp_path), str(ROOT)])] == [State.OK]


def test_a_second_checkout_is_a_warning(tmp_path: Path) -> None:
    for room in ROOMS:
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").touch()
    found = list(imports([str(ROOT), str(tmp_path)]))
    assert (found[0].thing, found[0].state) == ("imports", State.WARNING)
    assert not any(one.state is State.FAILED for one in found)


def test_keys_are_told_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    found = {one.thing: one for one in keys()}
    assert (found["key of openai"].state, found["key of openai"].found) == (
        State.OK,
        "OPENAI_API_KEY from environment",
    )
    assert found["key of anthropic"].state is State.ABSENT
    assert "sk-very-secret" not in repr(found)


def test_folders(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cases = [(tmp_path, 0), (tmp_path / "a" / "b", 0), (tmp_path, 10**18), (tmp_path / "file" / "runs", 0)]
    found = [next(folder("runs", path, enough)) for path, enough in cases]
    assert [one.state for one in found] == [State.OK, State.OK, State.WARNING, State.FAILED]
    assert "is made when it is needed" in found[1].found
    assert not (tmp_path / "a").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_nothing_can_be_written_to() -> None:
    """`/proc` refuses everybody, root too."""
    (found,) = folder("runs", Path("/proc"))
    assert found.state is State.FAILED


def test_what_hangs_is_a_failure_and_holds_nobody_up() -> None:
    gate = threading.Event()

    def hangs() -> Iterator[Finding]:
        gate.wait(60)
        yield Finding("late", State.OK, "")

    def breaks() -> Iterator[Finding]:
        raise ImportError("no name")
        yield

    started = time.monotonic()
    found = examine([Examination("slow", hangs), Examination("broken", breaks), Examination("Python", python)], 0.5)
    gate.set()
    assert time.monotonic() - started < 30
    assert [(one.thing, one.state) for one in found] == [
        ("slow", State.FAILED),
        ("broken", State.FAILED),
        ("Python", State.OK),
    ]
    assert found[0].found == "no answer within 0.5 seconds"
    assert found[1].found == "cannot be looked at: ImportError: no name"
