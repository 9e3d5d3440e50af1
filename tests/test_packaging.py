"""What is declared about the project agrees with itself: package, extras, locks, environments, versions."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import sqlassay

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements-core.lock", "requirements.lock", "requirements-dev.lock")


@cache
def project() -> dict[str, Any]:
    content: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return content


def requirements(*extras: str) -> dict[str, Requirement]:
    """What the package needs with these extras, their references to each other followed."""
    found: dict[str, Requirement] = {}
    lines = list(project()["dependencies"]) if not extras else []
    for extra in extras:
        lines += project()["optional-dependencies"][extra]
    for requirement in map(Requirement, lines):
        if requirement.name == project()["name"]:
            found |= requirements(*requirement.extras)
        else:
            found[canonicalize_name(requirement.name)] = requirement
    return found


@cache
def pins(lock: str) -> dict[str, str]:
    text = (ROOT / lock).read_text("utf-8")
    return {canonicalize_name(name): version for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.M)}


@pytest.mark.parametrize(
    "name",
    [
        "duckdb",
        "google-genai",
        "langfuse",
        "ollama",
        "psycopg",
        "pymysql",
        "pytest",
        "pytest-docker",
        "sqlglot",
        "trino",
        "typer",
    ],
)
def test_the_packages_that_were_asked_for_are_declared(name: str) -> None:
    assert name in requirements() | requirements("all", "dev")


def test_all_brings_every_extra_but_dev() -> None:
    extras = project()["optional-dependencies"]
    (everything,) = map(Requirement, extras["all"])
    assert everything.extras == set(extras) - {"all", "dev"}


@pytest.mark.parametrize(
    ("lock", "extras"),
    [("requirements-core.lock", ()), ("requirements.lock", ("all",)), ("requirements-dev.lock", ("all", "dev"))],
)
def test_a_lock_satisfies_what_the_package_declares(lock: str, extras: tuple[str, ...]) -> None:
    for name, requirement in (requirements() | (requirements(*extras) if extras else {})).items():
        assert name in pins(lock), f"{name} is not in {lock}: run `make lock`"
        assert requirement.specifier.contains(pins(lock)[name]), f"{name} in {lock}: run `make lock`"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash_and_the_locks_agree(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    for block in re.split(r"^(?=[\w])", text, flags=re.M)[1:]:
        assert "--hash=sha256:" in block, block.splitlines()[0]
    assert pins(lock).items() <= pins("requirements-dev.lock").items()


def test_the_conda_environment_installs_the_checkout_with_everything() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    assert environment["name"] == "sql_fine_tuning"
    assert "python=3.11" in environment["dependencies"]
    (pip,) = (part["pip"] for part in environment["dependencies"] if isinstance(part, dict))
    (editable,) = (line.removeprefix("--editable ") for line in pip if line.startswith("--editable "))
    assert editable == ".[all,dev]"


def test_the_version_is_one() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert sqlassay.__version__ == project()["version"]
    newest = re.search(r"^(?:## |The next version is )(\d[\d.]*\d)", changelog, re.M)
    assert newest is not None
    assert newest[1] == sqlassay.__version__


def test_every_room_is_typed_and_is_packed() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    rooms = settings["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert settings["mypy"]["packages"] == rooms
    assert settings["importlinter"]["root_packages"] == rooms
    for room in rooms:
        assert (ROOT / room / "py.typed").is_file()


def test_tracked_files_name_no_package_index() -> None:
    hosts = [".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("anaconda", "org"))]
    for path, text in tracked().items():
        found = [word for word in (*hosts, "index" + "-url =") if word in text]
        assert not found, f"{path}: {found}"


def test_only_the_ci_script_looks_outside_the_checkout() -> None:
    outside = "../" + "shared"
    assert [str(path) for path, text in tracked().items() if outside in text] == [".ci/run"]


@cache
def tracked() -> dict[Path, str]:
    """The text of every file that is in the repository."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    paths = [Path(name) for name in listed.stdout.split("\0") if name]
    return {path: (ROOT / path).read_text("utf-8", "replace") for path in paths if (ROOT / path).is_file()}
