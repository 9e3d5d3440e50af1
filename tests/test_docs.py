"""The pages tell the truth: their examples run, their output is current, their links lead somewhere."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
import typer.main

from evaluation.cli.app import app

ROOT = Path(__file__).resolve().parent.parent


def _renew() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_renew", ROOT / "docs" / "renew.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGES: tuple[Path, ...] = _renew().PAGES
PROSE = (*PAGES, ROOT / "CHANGELOG.md", ROOT / "examples" / "demo" / "README.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_run_and_print_what_the_page_says(page: Path) -> None:
    assert page.read_text("utf-8") == _renew().renewed(page), f"{page.name} is out of date: run `make docs`"


@pytest.mark.parametrize("page", PROSE, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http:", "https:")):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in _anchors(file), f"{page.name} links to {target}"


def test_who_asks_how_to_renew_the_pages_renews_none() -> None:
    before = [page.stat().st_mtime_ns for page in PAGES]
    command = [sys.executable, ROOT / "docs" / "renew.py", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0
    assert done.stdout.startswith("usage: renew.py [-h]\n\nWrite all pages anew.\n")
    assert [page.stat().st_mtime_ns for page in PAGES] == before


def test_every_command_has_its_help_on_the_page() -> None:
    text = (ROOT / "docs" / "cli.md").read_text("utf-8")
    for command in _commands(typer.main.get_command(app), "sqlassay"):
        assert f"\n```bash\n{command} --help\n```\n" in text, command


@pytest.mark.parametrize("page", ["README.md", "docs/ground-floor.md"])
def test_every_group_of_plugins_is_on_the_pages_that_list_them(page: str) -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
    rows = re.findall(r"^\|.*`(sqlassay\.\w+)`", (ROOT / page).read_text("utf-8"), re.M)
    assert {*rows} == {*groups, "sqlassay.prompts"}


@pytest.mark.parametrize(
    ("room", "pages"),
    [
        ("sqlassay", ["ground-floor"]),
        ("prompts", ["prompts"]),
        ("adapters", ["adapters"]),
        ("database_backends", ["database_backends"]),
        ("evaluation", ["*"]),
    ],
)
def test_what_is_in_a_room_is_in_a_list_of_files(room: str, pages: list[str]) -> None:
    """Its modules and its folders; what is in a folder is told where it is worth it."""
    texts = [path.read_text("utf-8") for page in pages for path in (ROOT / "docs").glob(f"{page}.md")]
    lists = "".join(part for text in texts for part in re.findall(r"^## Files\n(.*?)(?=^## |\Z)", text, re.M | re.S))
    told = {re.sub(r".*/(?=.)", "", name) for name in re.findall(r"`([^`]+)`", lists)}
    modules = {path.name for path in (ROOT / room).glob("*.py")} - {"__init__.py"}
    folders = {f"{path.parent.name}/" for path in (ROOT / room).glob("*/__init__.py")}
    assert modules | folders <= told, f"in no list of files: {sorted((modules | folders) - told)}"


def test_every_page_is_reached_from_the_readme() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        assert f"](docs/{page.name})" in text, page.name


def _commands(command: object, name: str) -> list[str]:
    below: dict[str, object] = getattr(command, "commands", {})
    return [name, *(found for key, value in below.items() for found in _commands(value, f"{name} {key}"))]


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
