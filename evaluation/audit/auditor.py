"""The audit: every probe over every gold."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from evaluation.audit.base import Needs, Probe
from evaluation.audit.questions import asked
from evaluation.audit.report import AuditLine
from evaluation.audit.subject import Bench, Entry, Subject
from evaluation.databases import Databases
from evaluation.datasets.base import Dataset


def entries_of(dataset: Dataset) -> list[Entry]:
    """The questions of a dataset with the file's own ids, also where two have the same.

    Args:
        dataset: Opened with ids by position.

    Raises:
        UserError: It cannot be read.
    """
    return [
        Entry(position, question if own is None else replace(question, id=own))
        for position, (question, own) in enumerate(zip(dataset.questions(), dataset.own_ids(), strict=True))
    ]


@dataclass(frozen=True)
class Auditor:
    """Looks for flaws in golds.

    Attributes:
        databases: Where the questions' databases are.
        bench: Where golds are executed.
        probes: What to look for.
        in_flight: How many golds may be looked into at once.
    """

    databases: Databases
    bench: Bench
    probes: Sequence[Probe]
    in_flight: int = 16

    async def run(
        self, entries: Sequence[Entry], chosen: Sequence[Entry], on_lines: Callable[[Sequence[AuditLine]], None]
    ) -> None:
        """Examine the golds of some questions of a dataset.

        Args:
            entries: All questions: ids and questions that come twice are looked for among them.
            chosen: Those to examine.
            on_lines: Called with the answers about each gold, as they come.
        """
        places = asyncio.Semaphore(self.in_flight)
        async with asyncio.TaskGroup() as group:
            for subject in self._subjects(entries, chosen):
                await places.acquire()
                task = group.create_task(self._examine(subject, on_lines))
                task.add_done_callback(lambda _: places.release())

    async def _examine(self, subject: Subject, on_lines: Callable[[Sequence[AuditLine]], None]) -> None:
        lines = []
        for probe in self.probes:
            if probe.needs is Needs.QUESTION and subject.number > 1:
                continue
            lines.append(AuditLine.of(subject, probe, await probe.answer(subject)))
        on_lines(lines)

    def _subjects(self, entries: Sequence[Entry], chosen: Sequence[Entry]) -> Iterator[Subject]:
        by_id: defaultdict[str, list[Entry]] = defaultdict(list)
        by_words: defaultdict[object, list[Entry]] = defaultdict(list)
        for entry in entries:
            by_id[entry.question.id].append(entry)
            by_words[asked(entry.question)].append(entry)
        for entry in chosen:
            question = entry.question
            words = asked(question)
            namesakes = tuple(other for other in by_id[question.id] if other is not entry)
            repeated = () if words is None else tuple(other for other in by_words[words] if other is not entry)
            target = self.databases.target(question.db_id)
            golds = question.golds(self.bench.backend.dialect) or (None,)
            for number, sql in enumerate(golds, start=1):
                yield Subject(entry, number, sql, target, self.bench, namesakes, repeated)
