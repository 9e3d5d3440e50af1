"""The models of an experiment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from evaluation.doctor.examination import Examination
from evaluation.doctor.finding import Finding, of_checks

if TYPE_CHECKING:
    from evaluation.environment import Location
    from evaluation.experiment import ExperimentFile, ModelSection


def models(file: ExperimentFile) -> list[Examination]:
    """One examination for every model, judges among them."""
    from evaluation.models import model_sections

    found: dict[str, Examination] = {}
    for at, section in model_sections(file):
        thing = f"model {section.adapter}:{section.model}"
        endpoint = repr(sorted(section.settings.items(), key=str))
        found.setdefault(thing + endpoint, _of(file, at, section, thing))
    return list(found.values())


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
