"""Named plug-ins, built-ins and third parties through one door: packaging entry points."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from sqlassay.errors import UnknownName, UserError, located

T = TypeVar("T")
_NUMBERS = ("int", "float", "int | None", "float | None", int, float, int | None, float | None)
OURS = "sqlassay"
"""The distribution of the built-ins, whose extras are named after them."""


class DuplicateName(UserError):
    """Two packages offer a plug-in of one name.

    Attributes:
        kind: What the plug-ins are, such as "strategy".
        name: The name that both claim.
        packages: The distributions that claim it.
    """

    def __init__(self, kind: str, name: str, packages: tuple[str, ...]) -> None:
        self.kind = kind
        self.name = name
        self.packages = packages
        super().__init__(
            f"{kind} {name!r} is offered by {len(packages)} packages: {', '.join(packages)}",
            remedy="uninstall one, or ask its author for another name",
        )


@dataclass(frozen=True)
class Plugin:
    """One registered plug-in, not loaded yet.

    Attributes:
        name: The registered name.
        package: The distribution that brings it.
        target: `module:attribute`.
    """

    name: str
    package: str
    target: str


class Registry(Generic[T]):
    """The plug-ins of one entry-point group, loaded when first asked for.

    Args:
        kind: What they are, in the singular, for messages: "strategy".
        group: The entry-point group, such as `sqlassay.strategies`.
        base: The class that every plug-in must be a subclass of.
    """

    def __init__(self, kind: str, group: str, base: type[T]) -> None:
        self.kind = kind
        self.group = group
        self.base = base
        self._loaded: dict[str, type[T]] = {}

    @cached_property
    def _entry_points(self) -> dict[str, EntryPoint]:
        claims: dict[str, dict[str, EntryPoint]] = {}
        for entry in entry_points(group=self.group):
            claims.setdefault(entry.name, {}).setdefault(_package(entry), entry)
        found = {}
        for name, by_package in claims.items():
            if len(by_package) > 1:
                raise DuplicateName(self.kind, name, tuple(sorted(by_package)))
            (found[name],) = by_package.values()
        return found

    def names(self) -> tuple[str, ...]:
        """The registered names, sorted. Loads nothing."""
        return tuple(sorted({*self._entry_points, *self._loaded}))

    def plugins(self) -> tuple[Plugin, ...]:
        """Every registered plug-in with the package it is from. Loads nothing."""
        return tuple(Plugin(name, _package(entry), entry.value) for name, entry in sorted(self._entry_points.items()))

    def get(self, name: str) -> type[T]:
        """The class registered under `name`.

        Raises:
            UnknownName: There is none; the message suggests the nearest.
            DuplicateName: Two packages offer one name.
            UserError: Its module cannot be imported; the message names the package to install.
        """
        if name not in self._loaded:
            if name not in self._entry_points:
                raise UnknownName(self.kind, name, self.names())
            self._loaded[name] = self._load(self._entry_points[name])
        return self._loaded[name]

    def make(self, name: str, settings: Mapping[str, object] | None = None, *, place: str = "") -> T:
        """A new plug-in, made with keyword settings.

        Args:
            name: The registered name.
            settings: Keyword arguments of its class.
            place: Where the settings were written, for messages.

        Raises:
            UnknownName: There is no such plug-in, or it has no such setting.
            UserError: A setting is missing or of the wrong type.
        """
        with located(place):
            return self._make(name, dict(settings or {}))

    def _make(self, name: str, given: dict[str, object]) -> T:
        plugin = self.get(name)
        parameters = inspect.signature(plugin).parameters
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
            for key in given:
                if key not in parameters:
                    raise UnknownName(f"setting of {self.kind} {name!r}:", key, parameters)
        for key, value in given.items():
            # To Python, true is the number 1.
            if isinstance(value, bool) and key in parameters and parameters[key].annotation in _NUMBERS:
                spelled = str(value).lower()
                raise UserError(f"setting {key!r} of {self.kind} {name!r} is {spelled}", remedy="give a number")
        for key, parameter in parameters.items():
            needed = parameter.default is parameter.empty and parameter.kind in (
                parameter.POSITIONAL_OR_KEYWORD,
                parameter.KEYWORD_ONLY,
            )
            if needed and key not in given:
                raise UserError(f"{self.kind} {name!r} needs the setting {key!r}")
        try:
            return plugin(**given)
        except UserError:
            raise
        except (TypeError, ValueError) as error:
            # Without their values: one of them may be a key.
            shown = ", ".join(given) or "no settings"
            raise UserError(f"{self.kind} {name!r} cannot be made with {shown}: {error}") from error

    def _load(self, entry: EntryPoint) -> type[T]:
        package = _package(entry)
        try:
            loaded = entry.load()
        except Exception as error:
            missing = error.name.partition(".")[0] if isinstance(error, ModuleNotFoundError) and error.name else ""
            if not missing or missing == entry.module.partition(".")[0]:
                raise UserError(
                    f"{self.kind} {entry.name!r} from {package} is broken: {type(error).__name__}: {error}",
                    remedy=f"install {package} again, or uninstall it",
                ) from error
            if package == OURS:
                # Whichever of its packages is missed first, they come together.
                raise UserError(
                    f"{self.kind} {entry.name!r} needs the extra {entry.name!r}, which is not installed",
                    remedy=f"pip install '{package}[{entry.name}]'",
                ) from error
            raise UserError(
                f"{self.kind} {entry.name!r} needs a package that is not installed: {error}",
                remedy=f"install what {package} needs",
            ) from error
        if not (isinstance(loaded, type) and issubclass(loaded, self.base)):
            raise UserError(
                f"{self.kind} {entry.name!r} from {package} is {entry.value},"
                f" which is not a subclass of {self.base.__module__}.{self.base.__qualname__}",
                remedy=f"tell the author of {package}",
            )
        return loaded


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else "unknown package"
