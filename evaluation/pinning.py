"""What the labels of prompts stand for, asked once, at the start of a run: a label may move while the run goes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from evaluation.environment import Location
from evaluation.experiment import ExperimentFile
from prompts import langfuse


def pin(file: ExperimentFile) -> ExperimentFile:
    """The experiment with the version of every label; those that a resumed run has recorded are not asked for again.

    Raises:
        UserError: There is no such prompt or label, or nobody answers.
    """
    pinned = dict(file.pinned)
    for at, ref in _refs(file):
        if langfuse.is_ref(ref) and ref not in pinned:
            with file.at(*at):
                pinned[ref] = langfuse.pinned(ref)
    return replace(file, pinned=pinned)


def _refs(file: ExperimentFile) -> Iterator[tuple[Location, str]]:
    for index, ref in enumerate(file.experiment.prompts):
        yield ("prompts", index), ref
    for number, model in enumerate(file.experiment.models):
        for below, ref in model.prompts():
            yield ("models", number, *below), ref
