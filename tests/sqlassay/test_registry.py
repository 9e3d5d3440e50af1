"""Plug-ins through entry points, as `pip` would have installed them: real distributions in a folder on the path."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sqlassay.errors import UnknownName, UserError
from sqlassay.registry import DuplicateName, Plugin, Registry

GROUP = "sqlassay.test_animals"


class Animal:
    """What plug-ins must be."""

    def __init__(self, name: str = "", *, legs: int = 4) -> None:
        self.name = name
        self.legs = legs


Install = Callable[..., str]
_MODULES = itertools.count()


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Installs a distribution with one module; gives the module's name."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def installed(package: str, source: str = "", /, folder: Path = tmp_path, **plugins: str) -> str:
        module = f"animals_{next(_MODULES)}"
        folder.mkdir(exist_ok=True)
        (folder / f"{module}.py").write_text(f"from {__name__} import Animal\n{source}")
        info = folder / f"{package.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = "".join(f"{name} = {target.format(module=module)}\n" for name, target in plugins.items())
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{lines}")
        return module

    # The plug-ins import this module by its name.
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    return installed


def registry() -> Registry[Animal]:
    return Registry("animal", GROUP, Animal)


CAT = "class Cat(Animal):\n    pass\n"


def test_a_plugin_is_found_and_made(install: Install) -> None:
    module = install("zoo", CAT, cat="{module}:Cat")
    animals = registry()
    assert animals.names() == ("cat",)
    assert animals.plugins() == (Plugin("cat", "zoo", f"{module}:Cat"),)
    assert animals.get("cat").__name__ == "Cat"
    assert animals.get("cat") is animals.get("cat")
    cat = animals.make("cat", {"name": "Tom", "legs": 3})
    assert isinstance(cat, Animal)
    assert (cat.name, cat.legs) == ("Tom", 3)


def test_nothing_is_loaded_before_it_is_asked_for(install: Install) -> None:
    module = install("zoo", "raise RuntimeError('loaded')", cat="{module}:Cat")
    assert registry().names() == ("cat",)
    assert registry().plugins()[0].package == "zoo"
    assert module not in sys.modules


def test_an_unknown_name_suggests_the_nearest(install: Install) -> None:
    install("zoo", CAT, cat="{module}:Cat", horse="{module}:Cat")
    with pytest.raises(UnknownName) as caught:
        registry().get("hrose")
    assert str(caught.value) == "unknown animal 'hrose' (did you mean 'horse'?)"
    with pytest.raises(UnknownName) as caught:
        registry().make("hrose", place="zoo.yaml:7")
    assert str(caught.value) == "zoo.yaml:7: unknown animal 'hrose' (did you mean 'horse'?)"


def test_two_packages_that_claim_one_name_are_both_named(install: Install) -> None:
    install("zoo", CAT, cat="{module}:Cat")
    install("farm-animals", CAT, cat="{module}:Cat", cow="{module}:Cat")
    for use in (lambda r: r.get("cat"), lambda r: r.get("cow"), lambda r: r.names(), lambda r: r.plugins()):
        with pytest.raises(DuplicateName) as caught:
            use(registry())
        assert str(caught.value) == (
            "animal 'cat' is offered by 2 packages: farm-animals, zoo"
            " (uninstall one, or ask its author for another name)"
        )


def test_one_package_that_is_on_the_path_twice_is_one(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = install("zoo", CAT, cat="{module}:Cat")
    install("zoo", CAT, folder=tmp_path / "again", cat="{module}:Cat")
    monkeypatch.syspath_prepend(str(tmp_path / "again"))
    monkeypatch.syspath_prepend(str(tmp_path))
    assert registry().plugins() == (Plugin("cat", "zoo", f"{module}:Cat"),)


BROKEN = {
    "a missing dependency": (
        "zoo",
        "import no_such_sdk",
        "animal 'cat' needs a package that is not installed: No module named 'no_such_sdk' (install what zoo needs)",
    ),
    "a missing dependency of ours": (
        "sqlassay",
        "import no_such_sdk.client",
        "animal 'cat' needs the extra 'cat', which is not installed (pip install 'sqlassay[cat]')",
    ),
    "a name that is not there": (
        "zoo",
        "from sqlassay.errors import NoSuchThing",
        "animal 'cat' from zoo is broken: ImportError: cannot import name 'NoSuchThing' from 'sqlassay.errors'",
    ),
    "no such class": ("zoo", "", "animal 'cat' from zoo is broken: AttributeError: module "),
    "an error": ("zoo", "1/0", "animal 'cat' from zoo is broken: ZeroDivisionError: division by zero (install zoo"),
    "no Python": ("zoo", "class", "animal 'cat' from zoo is broken: SyntaxError: invalid syntax"),
    "another class": (
        "zoo",
        "class Cat: pass",
        "which is not a subclass of {here}.Animal (tell the author of zoo)",
    ),
    "no class": ("zoo", "def Cat(): return Animal()", "which is not a subclass of {here}.Animal"),
}


@pytest.mark.parametrize(("package", "source", "expected"), BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_loaded_says_why_in_one_line(package: str, source: str, expected: str, install: Install) -> None:
    install(package, source, cat="{module}:Cat")
    with pytest.raises(UserError) as caught:
        registry().get("cat")
    assert expected.format(here=__name__) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_module_that_is_not_there_is_the_packages_fault(install: Install) -> None:
    install("zoo", cat="no_such_module:Cat")
    with pytest.raises(UserError, match="animal 'cat' from zoo is broken: ModuleNotFoundError"):
        registry().get("cat")


SETTINGS = """
class Cat(Animal):
    def __init__(self, colour, *, legs: int = 4, wild: bool = False):
        if not legs > 0:
            raise ValueError(f"a cat with {legs} legs")
class Any(Animal):
    def __init__(self, **settings):
        self.settings = settings
"""
WRONG = {
    "a setting too many": (
        {"colour": "red", "leggs": 3},
        "a.yaml:5: unknown setting of animal 'cat': 'leggs' (did you mean 'legs'?)",
    ),
    "a setting too few": ({"legs": 3}, "a.yaml:5: animal 'cat' needs the setting 'colour'"),
    "a wrong type": (
        {"colour": "red", "legs": "many"},
        "a.yaml:5: animal 'cat' cannot be made with colour, legs: "
        "'>' not supported between instances of 'str' and 'int'",
    ),
    "a wrong value": (
        {"colour": "red", "legs": 0},
        "a.yaml:5: animal 'cat' cannot be made with colour, legs: a cat with 0 legs",
    ),
}


@pytest.mark.parametrize(("settings", "expected"), WRONG.values(), ids=WRONG)
def test_wrong_settings_say_where_they_were_written(
    settings: dict[str, object], expected: str, install: Install
) -> None:
    install("zoo", SETTINGS, cat="{module}:Cat")
    with pytest.raises(UserError) as caught:
        registry().make("cat", settings, place="a.yaml:5")
    assert str(caught.value) == expected


def test_true_is_no_number(install: Install) -> None:
    install("zoo", CAT, cat="{module}:Cat")
    with pytest.raises(UserError, match=r"^a\.yaml:3: setting 'legs' of animal 'cat' is true \(give a number\)$"):
        registry().make("cat", {"legs": True}, place="a.yaml:3")


def test_a_plugin_may_take_any_setting(install: Install) -> None:
    install("zoo", SETTINGS, any="{module}:Any")
    made = registry().make("any", {"x": 1})
    assert vars(made) == {"settings": {"x": 1}}


def test_a_third_partys_strategy_comes_in_through_our_own_door(install: Install, tmp_path: Path) -> None:
    source = """
from evaluation.base.strategy import EvaluationStrategy
from evaluation.verdicts import Reason, Verdict
class Yes(EvaluationStrategy):
    name, version = "yes", "1"
    async def evaluate(self, case):
        return Verdict.of(Reason.MATCH)
"""
    module = install("yes-strategy", source, yes="{module}:Yes")
    info = tmp_path / "yes_strategy-1.0.dist-info" / "entry_points.txt"
    info.write_text(f"[sqlassay.strategies]\nyes = {module}:Yes\n")
    from evaluation.base.strategy import EvaluationStrategy

    strategies: Registry[EvaluationStrategy] = Registry("strategy", "sqlassay.strategies", EvaluationStrategy)
    assert {"yes", "execution_match"} <= set(strategies.names())
    assert strategies.make("yes").label == "yes"
