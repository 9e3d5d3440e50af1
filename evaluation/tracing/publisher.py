"""Sends a run, and remembers what has arrived. There is no other way: during a run, after it, and again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from evaluation.prompt_log import PROMPTS, PromptIndex
from evaluation.records import ItemRecord
from evaluation.reports.summary import RunSummary
from evaluation.run_log import MANIFEST, RunFolder
from evaluation.tracing import parts
from evaluation.tracing.acknowledged import AcknowledgedLog, Sent
from evaluation.tracing.concealment import Concealment
from evaluation.tracing.destination import Destination
from evaluation.tracing.observations import about, gold_of, question_of, trace_of
from evaluation.tracing.otlp import spans_of
from evaluation.tracing.scores import item_score_body, item_scores
from evaluation.tracing.server import Refused, Unavailable
from evaluation.tracing.subject import CopySettings, Subject
from sqlassay.errors import UserError

ITEMS_AT_ONCE = 50
"""Items whose parts are made before any of them is sent."""
_AT_ONCE = 8
"""Requests of one thing each that are under way at once."""
_BYTES = 2_000_000
"""Of spans in one request; a larger one has one trace."""
_IDLE = 3
"""Times that nothing of some items arrives, until it is taken to be the server and not they."""
_SCORES = 100
"""In one list, which stays far below the 1 MiB that servers take."""


class _Parcel(NamedTuple):
    sent: Sent
    body: Any


@dataclass
class Publisher:
    """Copies one run to one server.

    Attributes:
        run: The run.
        settings: How it is copied.
        destination: Where to.
        log: What has arrived.
        rejected: Why the server does not take something; all else may arrive later.
    """

    run: RunFolder
    settings: CopySettings
    destination: Destination
    log: AcknowledgedLog
    rejected: dict[Sent, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        manifest, settings = self.run.manifest, self.settings
        self.subject = Subject(manifest, settings)
        self._conceal = Concealment.of(
            str(manifest["experiment"].get("text", "")), max_bytes=settings.max_bytes, mask_rows=settings.mask_rows
        )
        self._prompts = PromptIndex(self.run.path / PROMPTS)
        self._most = ITEMS_AT_ONCE
        self._insists = False
        self._arrivals = 0

    def send(self, items: Sequence[dict[str, Any]]) -> None:
        """Send what has not arrived of some items.

        Args:
            items: As they were written; of two with one id, the later counts.

        Raises:
            Unavailable: The server takes nothing now. What arrived before that is remembered.
            UserError: One of them is no item, or what arrived cannot be written down.
        """
        last = {item["id"]: item for item in items}
        stamped = [(self.run.record(item), self.subject.stamp(item)) for item in last.values()]
        try:
            self._send(stamped)
        except Unavailable:
            self.destination.forget()
            # A proxy may cut the line instead of saying that a request is too large.
            self._most = max(1, self._most // 2)
            raise
        self._most = min(ITEMS_AT_ONCE, 2 * self._most)

    def send_around(self, items: Sequence[dict[str, Any]]) -> bool:
        """Send what can be sent of items that the server stumbles over; what it stumbles over counts as rejected.

        Args:
            items: As for `send`.

        Returns:
            Whether anything of them arrived.

        Raises:
            Unavailable: As `send`.
        """
        before, self._insists = self._arrivals, True
        try:
            self.send(items)
        finally:
            self._insists = False
        return self._arrivals > before

    def remove_replaced(self) -> None:
        """Remove the traces of items that were done again.

        Raises:
            Unavailable: As `send`.
        """
        old = [_Parcel(sent, trace) for sent, trace in parts.replaced(self.run, self.subject).items()]
        self._singly(self._missing(old), self.destination.server.delete_trace)

    def send_run_scores(self, summary: RunSummary) -> None:
        """Send what has not arrived of the scores of the run.

        Raises:
            Unavailable: As `send`.
        """
        self._post_scores(self._missing([_Parcel(*part) for part in parts.of_run(self.subject, summary)]))

    def _send(self, items: Sequence[tuple[ItemRecord, str]]) -> None:
        missing = [one for one in items if any(sent not in self.log for sent in parts.of_item(*one))]
        if not missing:
            return
        dataset = self.destination.dataset(self.subject.dataset, fixed=self.settings.dataset is None)
        asked = [
            _Parcel(Sent(parts.DATASET_ITEM, record.id, stamp), self._dataset_item(record)) for record, stamp in missing
        ]
        asked = self._missing(asked)
        self._arrived([parcel for parcel in asked if dataset.has(parcel.body)])
        for parcel in self._singly(self._missing(asked), self.destination.server.put_dataset_item):
            dataset.put(parcel.body)
        wanted = [(record, Sent(parts.TRACE, record.id, stamp)) for record, stamp in missing]
        traces = [_Parcel(sent, self._spans(record, dataset.id)) for record, sent in wanted if sent not in self.log]
        for chunk in _chunks(traces, self._most, _BYTES):
            self._deliver(chunk, lambda some: self.destination.server.post_traces(b"".join(one.body for one in some)))
        self._post_scores(
            self._missing(
                [
                    _Parcel(parts.of_score(record, score, stamp), item_score_body(self.subject, record, score))
                    for record, stamp in missing
                    for score in item_scores(record)
                ]
            )
        )

    def _spans(self, record: ItemRecord, dataset_id: str) -> bytes:
        return spans_of(self.subject, trace_of(self.subject, record, self._prompts.find, self._conceal, dataset_id))

    def _dataset_item(self, record: ItemRecord) -> dict[str, Any]:
        body = {
            "datasetName": self.subject.dataset,
            "id": self.subject.dataset_item_id(record.id),
            "input": question_of(record, self._conceal),
            "metadata": about(record),
        }
        gold = gold_of(record, self._conceal)
        # Left out, what is there stays: the database may have been missing in this run only.
        body = body if gold is None else {**body, "expectedOutput": gold}
        return dict(self._conceal.without_keys(body))

    def _missing(self, parcels: Sequence[_Parcel]) -> list[_Parcel]:
        return [parcel for parcel in parcels if parcel.sent not in self.log]

    def _post_scores(self, parcels: Sequence[_Parcel]) -> None:
        if not parcels:
            return
        server = self.destination.server
        parcels = [parcel._replace(body=self._conceal.without_keys(parcel.body)) for parcel in parcels]
        if not self.destination.takes_lists:
            self._singly(parcels, server.post_score)
            return
        # In a list a score takes the place of the one with its id and its time; without a time it would be there twice.
        at = {"timestamp": self.subject.manifest["started"]}
        for start in range(0, len(parcels), _SCORES):
            some = parcels[start : start + _SCORES]
            self._deliver(some, lambda chunk: server.post_scores([{**one.body, **at} for one in chunk]))

    def _deliver(self, parcels: Sequence[_Parcel], post: Callable[[Sequence[_Parcel]], None]) -> None:
        """Send some together; where they are refused, find out which: ids make it harmless to send one twice."""
        try:
            self._attempt(post, parcels)
        except Refused as refusal:
            if len(parcels) == 1:
                self.rejected[parcels[0].sent] = str(refusal)
                return
            half = len(parcels) // 2
            self._deliver(parcels[:half], post)
            self._deliver(parcels[half:], post)
        else:
            self._arrived(parcels)

    def _singly(self, parcels: Sequence[_Parcel], post: Callable[[Any], None]) -> list[_Parcel]:
        """Send each by itself, several at once; gives those that arrived."""

        def attempt(parcel: _Parcel) -> Refused | Unavailable | None:
            try:
                self._attempt(post, parcel.body)
            except (Refused, Unavailable) as error:
                return error
            return None

        everything: list[_Parcel] = []
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for start in range(0, len(parcels), 4 * _AT_ONCE):
                some = parcels[start : start + 4 * _AT_ONCE]
                outcomes = list(zip(some, pool.map(attempt, some), strict=True))
                arrived = [parcel for parcel, error in outcomes if error is None]
                self._arrived(arrived)
                everything += arrived
                self.rejected.update((parcel.sent, str(why)) for parcel, why in outcomes if isinstance(why, Refused))
                for _, error in outcomes:
                    if isinstance(error, Unavailable):
                        raise error
        return everything

    def _attempt(self, post: Callable[[Any], None], what: Any) -> None:
        try:
            post(what)
        except Unavailable as error:
            if self._insists and error.stumbled:
                raise Refused(error.why) from None
            raise

    def _arrived(self, parcels: Sequence[_Parcel]) -> None:
        self._arrivals += len(parcels)
        if parcels:
            self.log.add(parcel.sent for parcel in parcels)
            for parcel in parcels:
                self.rejected.pop(parcel.sent, None)


def publish(publisher: Publisher, *, patience: float, sleep: Callable[[float], None] = time.sleep) -> None:
    """Send all that is missing of a run.

    Args:
        publisher: Of the run.
        patience: Seconds that the server may take nothing, in a row.
        sleep: Waits so many seconds.

    Raises:
        Unavailable: It took nothing for longer, or does not take the keys.
        UserError: The run is there no more, or what arrived cannot be written down.
    """
    from evaluation.runs import summarise

    try:
        patience = _publish_items(publisher, patience, sleep)
        _patiently(publisher.remove_replaced, patience, sleep)
        _patiently(partial(publisher.send_run_scores, summarise(publisher.run)), patience, sleep)
        (publisher.run.path / MANIFEST).stat()
    except FileNotFoundError as error:
        raise UserError("was deleted while the run was sent", place=str(error.filename)) from None


def _publish_items(publisher: Publisher, patience: float, sleep: Callable[[float], None]) -> float:
    """Send the items of a run; returns how much patience is left for what is stumbled over."""
    items, idle = publisher.run.raw_items(), 0
    while batch := list(islice(items, ITEMS_AT_ONCE)):
        try:
            _patiently(partial(publisher.send, batch), patience, sleep)
        except Unavailable as error:
            if not error.stumbled:
                raise
            patience = 0.0
            idle = 0 if publisher.send_around(batch) else idle + 1
            if idle == _IDLE:
                raise
    return patience


def _patiently(send: Callable[[], None], patience: float, sleep: Callable[[float], None]) -> None:
    left, wait = patience, 0.5
    while True:
        try:
            return send()
        except Unavailable as error:
            pause = max(wait, error.retry_after)
            if error.keys_refused or pause > left:
                raise
            sleep(pause)
            left -= pause
            wait *= 2


def _chunks(parcels: Sequence[_Parcel], count: int, size: int) -> Iterator[list[_Parcel]]:
    chunk: list[_Parcel] = []
    filled = 0
    for parcel in parcels:
        if chunk and (len(chunk) == count or filled + len(parcel.body) > size):
            yield chunk
            chunk, filled = [], 0
        chunk.append(parcel)
        filled += len(parcel.body)
    if chunk:
        yield chunk
