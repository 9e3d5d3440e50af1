"""The examples that come with sqlassay."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import sqlassay
from sqlassay.errors import SqlAssayError, UserError


def demo_source() -> Path:
    """The folder of the demo: inside the installed package, or in the checkout.

    Raises:
        SqlAssayError: It is in neither.
    """
    package = Path(sqlassay.__file__).parent
    for folder in (package / "examples" / "demo", package.parent / "examples" / "demo"):
        if folder.is_dir():
            return folder
    raise SqlAssayError(f"the demo's files are missing beside {package}; install sqlassay again")


def lay_out_demo(folder: Path) -> Path:
    """Put the demo into a folder, where a user can read and change it, and build its databases.

    Files that are there already stay as they are.

    Args:
        folder: Made when it is not there.

    Returns:
        The experiment file.

    Raises:
        UserError: The folder cannot be made or written.
    """
    source = demo_source()
    try:
        for path in source.rglob("*"):
            target = folder / path.relative_to(source)
            if path.is_file() and "__pycache__" not in path.parts and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
        _module(source / "build_database.py").build(folder / "databases")
    except OSError as error:
        raise UserError(
            f"the demo cannot be written: {error.strerror}", place=str(folder), remedy="name another folder"
        ) from error
    return folder / "demo.yaml"


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("sqlassay_demo_build_database", path)
    assert spec is not None  # noqa: S101 - a path that ends in .py always has one
    assert spec.loader is not None  # noqa: S101
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
