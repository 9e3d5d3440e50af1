"""A Langfuse server, one request at a time: every answer says what has arrived.

The SDK sends in the background, drops what fails for some seconds, and says so in a log line only. Neither can it post
scores singly, which servers before 4.59 need. So requests are made here, in the forms of its API.

Source: https://api.reference.langfuse.com; https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlassay.errors import UserError
from sqlassay.langfuse import HOSTS, SECONDS, Access, http_client, no_answer
from sqlassay.printable import printable
from sqlassay.secrets import without

if TYPE_CHECKING:
    import httpx

LISTS_SINCE = (4, 59)
"""The first version that takes scores in a list."""
_PAGE = 100
_LATER = (408, 425, 429)
"""Too slow, too early, too many."""
_MULTI = 207
_STUMBLED = 500


class Unavailable(Exception):
    """The server does not take anything now; it may later.

    Attributes:
        why: For people.
        retry_after: Seconds that the server asks to wait.
        keys_refused: Whether it is the keys that it does not take.
        stumbled: Whether it met a mistake of its own, which what it was sent may have led it to.
    """

    def __init__(
        self, why: str, *, retry_after: float = 0.0, keys_refused: bool = False, stumbled: bool = False
    ) -> None:
        self.why = why
        self.retry_after = retry_after
        self.keys_refused = keys_refused
        self.stumbled = stumbled
        super().__init__(why)


class Refused(Exception):
    """The server does not take this request, or not all of it."""


class Server:
    """A server; use it as a context manager.

    Args:
        access: Where it is, and the keys.
        seconds: That an answer may take.

    Raises:
        UserError: The extra is not installed, or a proxy cannot be used.
    """

    def __init__(self, access: Access, *, seconds: float = SECONDS) -> None:
        self.host = access.host
        self.public_key = access.public_key
        self._seconds = seconds
        self._http = http_client(access, seconds=seconds)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def takes_lists(self) -> bool:
        """Whether it takes scores in a list: by its version, and one that says none is old."""
        found = self._json("GET", "/api/public/health")
        version = tuple(map(int, re.findall(r"[0-9]+", str(found.get("version", "")))[:2]))
        return version >= LISTS_SINCE

    def put_dataset(self, name: str, description: str) -> str:
        """Make a dataset, or change what is said of it.

        Returns:
            Its id.
        """
        made = self._json("POST", "/api/public/v2/datasets", {"name": name, "description": description})
        return str(made["id"])

    def dataset_items(self, name: str, version: str | None = None) -> Iterator[Mapping[str, Any]]:
        """The items of a dataset, page by page, now or as they were at a time."""
        more = {} if version is None else {"version": version}
        page = pages = 1
        while page <= pages:
            query = {"datasetName": name, "page": page, "limit": _PAGE, **more}
            found = self._json("GET", "/api/public/dataset-items", query=query)
            yield from found["data"]
            pages = int(found["meta"]["totalPages"])
            page += 1

    def dataset(self, name: str) -> Mapping[str, Any] | None:
        """What is known of a dataset; `None` when there is none."""
        try:
            found: Mapping[str, Any] = self._json("GET", f"/api/public/v2/datasets/{quote(name, safe='')}")
        except Missing:
            return None
        return found

    def datasets(self) -> Iterator[str]:
        """The names of the first datasets."""
        found = self._json("GET", "/api/public/v2/datasets", query={"page": 1, "limit": _PAGE})
        return (str(one["name"]) for one in found["data"])

    def put_dataset_item(self, body: Mapping[str, Any]) -> None:
        """Make an item, or put it into the place of the one with its id."""
        self._json("POST", "/api/public/dataset-items", body)

    def post_traces(self, spans: bytes) -> None:
        """Send spans, all or none.

        Args:
            spans: An `ExportTraceServiceRequest`, serialised.
        """
        headers = {
            "content-type": "application/x-protobuf",
            "content-encoding": "gzip",
            "x-langfuse-ingestion-version": "4",
        }
        content = gzip.compress(spans, 5, mtime=0)
        answer = self._request("POST", "/api/public/otel/v1/traces", content=content, headers=headers)
        rejected = _partial(answer.content)
        if rejected:
            raise Refused(rejected)

    def delete_trace(self, trace_id: str) -> None:
        """Remove a trace with its scores; the server does it a while later. One that is not there is all right."""
        with suppress(Missing):
            self._json("DELETE", f"/api/public/traces/{trace_id}")

    def post_scores(self, bodies: Sequence[Mapping[str, Any]]) -> None:
        """Send scores in a list."""
        answer = self._request("POST", "/api/public/scores", json=list(bodies))
        told = _parsed(answer.content)
        if answer.status_code == _MULTI:
            errors = [str(one.get("message", "")) for one in told.get("errors", ())]
            raise Refused("; ".join(errors) or f"{told.get('rejected')} scores were rejected")

    def post_score(self, body: Mapping[str, Any]) -> None:
        """Send one score by itself."""
        self._json("POST", "/api/public/scores", dict(body))

    def annotations(self, name: str, since: str) -> Iterator[Mapping[str, Any]]:
        """The scores of a name that people gave, the newest pages first, with what each is about."""
        query = {
            **({} if "," in name else {"name": name}),  # several names have one between them
            "source": "ANNOTATION",
            "fields": "details,subject",
            "fromTimestamp": since,
            "limit": _PAGE,
        }
        while True:
            found = self._json("GET", "/api/public/v3/scores", query=query)
            yield from (score for score in found["data"] if score["name"] == name)
            cursor = found["meta"].get("cursor")
            if not cursor:
                return
            query["cursor"] = cursor

    def _json(self, method: str, path: str, body: object = None, *, query: Mapping[str, Any] | None = None) -> Any:
        more = {} if body is None else {"json": body}
        answer = self._request(method, path, params=query, **more)
        return _parsed(answer.content)

    def _request(self, method: str, path: str, **more: Any) -> httpx.Response:
        import httpx

        try:
            answer = self._http.request(method, f"{self.host}{path}", **more)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(f"Langfuse at {self.host} {no_answer(error, self._seconds)}") from None
        return self._checked(answer)

    def _checked(self, answer: httpx.Response) -> httpx.Response:
        status = answer.status_code
        if answer.is_success:
            return answer
        if status in (401, 403):
            raise Unavailable(f"Langfuse at {self.host} does not accept the keys", keys_refused=True)
        if status in _LATER or status >= 500:
            told = answer.headers.get("retry-after", "")
            wait = float(told) if re.fullmatch(r"[0-9]{1,6}", told) else 0.0
            later = f" and asks to wait for {wait:g} s" if wait else ""
            raise Unavailable(
                f"Langfuse at {self.host} answered with the HTTP status {status}{later}",
                retry_after=wait,
                stumbled=status == _STUMBLED,
            )
        if answer.is_redirect:
            raise Unavailable(f"what answers at {self.host} is not Langfuse's API; check {HOSTS[0]}")
        said = printable(without(answer.text))[:200]
        kind = Missing if status == 404 else Refused
        raise kind(f"the HTTP status {status}" + (f": {said}" if said else ""))


class Missing(Refused):
    """There is no such thing."""


@contextmanager
def explained(host: str) -> Iterator[None]:
    """Make one line of what goes wrong with a server."""
    try:
        yield
    except Unavailable as error:
        names = "LANGFUSE_PUBLIC_KEY, LANGFUSE_SECRET_KEY and LANGFUSE_BASE_URL: keys are of one server and project"
        remedy = f"check {names}" if error.keys_refused else f"check {HOSTS[0]} and whether the server is up"
        raise UserError(error.why, remedy=remedy) from None
    except Refused as error:
        raise UserError(f"Langfuse at {host} refused a request with {error}") from None


def _parsed(content: bytes) -> Any:
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Unavailable(f"what answers is not Langfuse's API; check {HOSTS[0]}")
    return found


def _partial(content: bytes) -> str:
    """What an answer to spans says was rejected, in JSON or in protobuf; empty when it was nothing."""
    if content.lstrip().startswith(b"{"):
        told = _parsed(content).get("partialSuccess") or {}
        count, message = int(told.get("rejectedSpans") or 0), str(told.get("errorMessage") or "")
    else:
        from google.protobuf.message import DecodeError
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

        try:
            partial = ExportTraceServiceResponse.FromString(content).partial_success
        except DecodeError:
            raise Unavailable(f"what answers is not Langfuse's API; check {HOSTS[0]}") from None
        count, message = partial.rejected_spans, partial.error_message
    return f"{count} spans were rejected: {printable(without(message))[:200]}" if count else ""
