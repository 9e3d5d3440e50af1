"""The models of an experiment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.doctor.examination import Examination
from evaluation.doctor.finding import Finding, of_checks

if TYPE_CHECKING:
    from evaluation.environment import Location
    from evaluation.experiment import ExperimentFile, ModelSection


def models(file: ExperimentFile) -> list[Examination]:
    """One examination for every model, judges among them; models of one name tell their lines."""
    from evaluation.models import model_sections

    found: dict[str, dict[str, tuple[Location, ModelSection]]] = {}
    for at, section in model_sections(file):
        settings = repr(sorted(section.settings.items(), key=str))
        found.setdefault(f"model {section.adapter}:{section.model}", {}).setdefault(settings, (at, section))
    return [
        _of(file, at, section, thing if len(alike) == 1 else f"{thing} ({Path(file.place(*at)).name})")
        for thing, alike in found.items()
        for at, section in alike.values()
    ]


def _of(file: ExperimentFile, at: Location, section: ModelSection, thing: str) -> Examination:
    def look() -> Iterator[Finding]:
        import asyncio

        from evaluation.models import make_adapter

        async def asked() -> list[Finding]:
            adapter = make_adapter(file, at, section)
            try:
                return list(of_checks(thing, await adapter.check()))
            finally:
                await adapter.close()

        yield from asyncio.run(asked())

    return Examination(thing, look)
