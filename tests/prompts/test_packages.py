"""Prompts of other packages, installed into a folder as pip does it."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
import yaml

from prompts import packages
from prompts.drafting import draft
from prompts.library import SHIPPED, load, refs, refuse_wrong
from prompts.writing import write_version
from sqlassay.errors import UserError
from sqlassay.registry import DuplicateName, Registry

BODY = "messages: [{role: user, content: '{{ question }}'}]\noutput: sql_block\n"


class Site:
    """A folder of installed packages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(self, package: str, *names: str, entry: str = "", target: str = "") -> Path:
        """A package with one version of each prompt; importing it would fail."""
        module = package.replace("-", "_")
        info = self.folder / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", "utf-8")
        entry_point = f"[sqlassay.prompts]\n{entry or module} = {target or module}\n"
        (info / "entry_points.txt").write_text(entry_point, "utf-8")
        inside = self.folder / module
        inside.mkdir()
        (inside / "__init__.py").write_text("raise AssertionError('no code of a prompt package is run')\n", "utf-8")
        for name in names:
            (inside / name).mkdir()
            (inside / name / "v1.yaml").write_text(f"name: {name}\nversion: 1\n{BODY}", "utf-8")
        return inside


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(packages, "PACKAGES", Registry("prompt package", "sqlassay.prompts", object))
    return Site(tmp_path)


def test_prompts_of_a_package_are_found(site: Site) -> None:
    site.install("acme-prompts", "acme_short", "acme_long")
    assert load("acme_short").ref == "acme_short@1"
    assert {"acme_short@1", "acme_long@1", "zero_shot@1"} <= set(refs())
    assert "acme_prompts" not in sys.modules


def test_a_package_within_a_package(site: Site) -> None:
    inside = site.install("acme", target="acme_data.prompts")
    (inside.parent / "acme_data" / "prompts" / "deep").mkdir(parents=True)
    (inside.parent / "acme_data" / "prompts" / "deep" / "v3.yaml").write_text(
        f"name: deep\nversion: 3\n{BODY}", "utf-8"
    )
    assert load("deep").ref == "deep@3"


def test_the_lock_of_a_package_is_held(site: Site) -> None:
    inside = site.install("acme-prompts", "acme_short")
    (inside / "lock.json").write_text(json.dumps({"acme_short@1": "0" * 64}), "utf-8")
    with pytest.raises(UserError, match="prompt acme_short@1 is not what was released under this name"):
        load("acme_short")


@pytest.mark.parametrize("taken", ["zero_shot", "acme_short", "mine"])
def test_one_name_in_two_sources_names_both(site: Site, tmp_path: Path, taken: str) -> None:
    first = site.install("acme-prompts", "acme_short", *(["mine"] if taken == "mine" else []))
    other = SHIPPED if taken == "zero_shot" else first
    folders = []
    if taken == "mine":
        folders = [tmp_path / "folder"]
        (folders[0] / "mine").mkdir(parents=True)
        (folders[0] / "mine" / "v1.yaml").write_text(f"name: mine\nversion: 1\n{BODY}", "utf-8")
        second = folders[0]
    else:
        second = site.install("other-prompts", taken)
    with pytest.raises(UserError, match=f"two prompts are named {taken!r}") as raised:
        load(taken, folders)
    assert str(other / taken) in str(raised.value)
    assert str(second / taken) in str(raised.value)


def test_one_name_of_two_packages(site: Site) -> None:
    site.install("acme-prompts", "a", entry="acme")
    site.install("other-prompts", "b", entry="acme")
    with pytest.raises(
        DuplicateName, match="prompt package 'acme' is offered by 2 packages: acme-prompts, other-prompts"
    ):
        refs()


@pytest.mark.parametrize("target", ["acme_gone", "acme_gone.deeper", "json.decoder", "x:y"])
def test_a_package_that_is_not_there(site: Site, target: str) -> None:
    site.install("acme-prompts", target=target)
    problem = f"prompt package 'acme_prompts' from acme-prompts is broken: there is no package {target!r}"
    for look in (lambda: load("acme_short"), refs):
        with pytest.raises(UserError, match=re.escape(problem)):
            look()


def test_a_broken_package_takes_nothing_from_the_others(site: Site, tmp_path: Path) -> None:
    site.install("acme-prompts", target="acme_gone")
    twice = site.install("twice-prompts", "twice")
    (twice / "twice" / "v01.yaml").write_text(f"name: twice\nversion: 1\n{BODY}", "utf-8")
    site.install("other-prompts", "other_short")
    assert [load(ref).ref for ref in ("zero_shot@1", "other_short")] == ["zero_shot@1", "other_short@1"]
    assert draft("mine", tmp_path / "folder").name == "v1.yaml"
    refuse_wrong([tmp_path / "folder"])


def test_packages_of_one_name_take_nothing_from_what_is_shipped(site: Site) -> None:
    site.install("acme-prompts", "a", entry="acme")
    site.install("other-prompts", "b", entry="acme")
    assert load("zero_shot@1").ref == "zero_shot@1"


def test_the_name_of_a_package_s_prompt_is_taken(site: Site, tmp_path: Path) -> None:
    inside = site.install("acme-prompts", "acme_short")
    folder = tmp_path / "folder"
    for write in (
        lambda: draft("acme_short", folder),
        lambda: write_version("acme_short", folder, yaml.safe_load(BODY), place="there"),
    ):
        with pytest.raises(UserError, match="'acme_short' is the name of a prompt of a package") as raised:
            write()
        assert str(inside / "acme_short") in str(raised.value)
    assert not folder.exists()
    path = tmp_path / "draft.yaml"
    path.write_text(f"name: acme_short\nversion: 2\n{BODY}", "utf-8")
    with pytest.raises(UserError, match="two prompts are named 'acme_short'"):
        load(str(path))


def test_who_writes_a_package_may_go_on(site: Site) -> None:
    inside = site.install("acme-prompts", "acme_short")
    (inside / "notes").mkdir()
    assert load(str(inside / "acme_short" / "v1.yaml")).ref == "acme_short@1"
    assert load(str(draft("acme_short", inside))).ref == "acme_short@2"
    assert write_version("acme_short", inside, yaml.safe_load(BODY), place="there")[0].ref == "acme_short@3"


def test_other_folders_of_a_package_are_no_prompts(site: Site, tmp_path: Path) -> None:
    (site.install("acme-prompts", "acme_short") / "notes").mkdir()
    assert draft("notes", tmp_path / "folder").name == "v1.yaml"
