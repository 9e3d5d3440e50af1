"""OpenAI's batches: half the price, and answers within a day.

Source: https://platform.openai.com/docs/guides/batch
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

import openai

from adapters import errors, stainless
from adapters.base import Completion, Feature, GenerationRequest
from adapters.batch_folder import Batch, BatchFolder, lines
from adapters.failures import Failure
from adapters.openai import OpenAIAdapter
from adapters.probe import probe
from adapters.remote import Clock, Explained, Unusable, checked_seconds
from adapters.untrusted import array, count, mapping, text
from sqlassay.errors import UserError
from sqlassay.secrets import without
from sqlassay.validation import ValidationResult

MAX_REQUESTS = 50_000
"""Of one batch, as the API has it."""
MAX_BYTES = 200_000_000
"""Of its file."""
_URL: Final = "/v1/chat/completions"
_WINDOW: Final = "24h"
_CALL_SECONDS = 60.0
_UPLOAD_SECONDS = 600.0  # of up to 200 MB
_ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
_LOOK_BACK = 1000  # batches of the account among which one is looked for whose id was not noted


class OpenAIBatchAdapter(OpenAIAdapter):
    """Collects requests and sends them together, by the files and batches API.

    A batch holds the requests that came until there was no other for `collect_seconds`. Its id is in the folder `path`
    before its answers are waited for: a request that was sent by a process that died finds its batch there.

    Args:
        model: The provider's name of the model.
        path: The folder of batches under way. Only one process may use it at a time.
        base_url: Where the API is; by default the environment's `OPENAI_BASE_URL`, and OpenAI itself when that is not
            set.
        api_key_env: The environment variable that holds the key.
        timeout: Seconds for one answer, from the request on; by default 26 hours. The batch goes on: when the request
            is repeated, its answer is still there.
        collect_seconds: A batch is sent when no request has come for so long.
        poll_seconds: Between two looks at a batch.
        max_requests: A batch with so many is sent at once.

    Raises:
        UserError: A setting is wrong, the key is missing, or the folder cannot be read.
    """

    provider: ClassVar[str] = "openai_batch"
    features: ClassVar[frozenset[Feature]] = frozenset({Feature.SCHEMA})
    price_share: ClassVar[float] = 0.5

    def __init__(
        self,
        model: str,
        *,
        path: str | Path,
        base_url: str | None = None,
        api_key_env: str | None = None,
        timeout: float = 93_600.0,
        collect_seconds: float = 30.0,
        poll_seconds: float = 60.0,
        max_requests: int = MAX_REQUESTS,
    ) -> None:
        self._answer_seconds = checked_seconds("timeout", timeout)
        super().__init__(model, base_url=base_url, api_key_env=api_key_env, timeout=min(timeout, _CALL_SECONDS))
        self.collect_seconds = checked_seconds("collect_seconds", collect_seconds)
        self.poll_seconds = checked_seconds("poll_seconds", poll_seconds)
        if not 1 <= max_requests <= MAX_REQUESTS:
            raise UserError(f"max_requests is {max_requests}, but a batch holds 1 to {MAX_REQUESTS}")
        self.max_requests = max_requests
        self._folder = BatchFolder(Path(path))
        self._folder.read()
        self._collected: dict[str, bytes] = {}
        self._bytes = 0
        self._waiting: dict[str, asyncio.Future[Mapping[str, Any]]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def answer_seconds(self) -> float:
        """A batch takes up to a day."""
        return self._answer_seconds

    async def check(self) -> ValidationResult:
        """As of the same model without batches: nobody waits a day for a check."""
        direct = _Direct(self.model, base_url=self.base_url, api_key_env=self.api_key_env, timeout=self.timeout)
        try:
            return ValidationResult(f"{self.provider} {self.model}", await probe(direct, self._key_source()))
        finally:
            await direct.close()

    async def close(self) -> None:
        """Stop waiting and close the connections; batches that were sent go on, and a later request finds them."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        tasks, self._tasks = self._tasks, {}
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        for future in self._waiting.values():
            future.cancel()
        self._waiting.clear()
        self._collected, self._bytes = {}, 0
        self._folder.save()
        await super().close()

    async def _ask(
        self, client: openai.AsyncOpenAI, request: GenerationRequest, settings: Mapping[str, Any], clock: Clock
    ) -> Completion:
        given, body = self._fields(request, settings)
        line = {"method": "POST", "url": _URL, "body": {**given, **body}}
        digest = self._digest(request, line)
        future = self._waiting.get(digest)
        if future is None:  # otherwise the same question is asked twice at a time, or again after a timeout
            future = self._waiting[digest] = asyncio.get_running_loop().create_future()
            self._place(client, digest, json.dumps({"custom_id": digest, **line}).encode() + b"\n")
        answer = await asyncio.shield(future)  # others may wait for it as well
        # Only now: until a request takes its answer, which its caller keeps before any other does, the folder has it.
        self._waiting.pop(digest, None)
        self._folder.answered(digest)
        return self._format.read(*_fields(answer))  # type: ignore[no-any-return]

    def _digest(self, request: GenerationRequest, line: Mapping[str, Any]) -> str:
        """Of all that makes a request another one; 64 characters."""
        content = json.dumps([self.base_url, request.repeat, line], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    def _place(self, client: openai.AsyncOpenAI, digest: str, line: bytes) -> None:
        """Find the batch that a request was sent with, or put it into the one that is being collected."""
        batch = self._folder.find(digest)
        if batch is not None:
            if batch.name not in self._tasks:
                self._start(batch.name, {digest}, lambda: self._resume(client, batch))
            return
        if self._bytes + len(line) > MAX_BYTES:
            self._send(client)
        self._collected[digest] = line
        self._bytes += len(line)
        if self._timer is not None:
            self._timer.cancel()
        if len(self._collected) >= self.max_requests:
            self._send(client)
        else:
            self._timer = asyncio.get_running_loop().call_later(self.collect_seconds, self._send, client)

    def _send(self, client: openai.AsyncOpenAI) -> None:
        """Close the batch that is being collected, and send it."""
        collected, self._collected, self._bytes = self._collected, {}, 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        name = uuid.uuid4().hex
        self._start(name, set(collected), lambda: self._first(client, name, collected))

    def _start(self, name: str, digests: set[str], work: Callable[[], Awaitable[None]]) -> None:
        """Work on a batch in the background; what breaks it, breaks all of its requests that are waited for."""

        def fail(error: Exception) -> None:
            joined = {digest for digest in self._waiting if (one := self._folder.find(digest)) and one.name == name}
            for digest in digests | joined:
                self._fail(digest, error)

        async def guarded() -> None:
            try:
                await work()
            except UserError as error:
                fail(Explained(Failure(str(error), kind=errors.BadRequest)))
            except openai.APITimeoutError:  # of one call: the request itself has time left
                fail(Explained(Failure(f"no answer from {self.base_url} in time", kind=errors.ProviderUnreachable)))
            except Exception as error:  # noqa: BLE001 - each request that waits is told
                fail(error)
            finally:
                self._tasks.pop(name, None)

        self._tasks[name] = asyncio.get_running_loop().create_task(guarded())

    async def _first(self, client: openai.AsyncOpenAI, name: str, collected: Mapping[str, bytes]) -> None:
        content = b"".join(collected.values())
        file, _ = stainless.fields(
            await client.files.with_raw_response.create(
                file=(f"{name}.jsonl", content), purpose="batch", timeout=_UPLOAD_SECONDS
            )
        )
        batch = Batch(name, _id(file), set(collected))
        await self._make(client, batch)
        await self._answer(client, batch)

    async def _make(self, client: openai.AsyncOpenAI, batch: Batch) -> None:
        """Create the batch; the folder knows its file before, and its id at once."""
        try:
            self._folder.add(batch)
            made, _ = stainless.fields(
                await client.batches.with_raw_response.create(
                    input_file_id=batch.input_file, endpoint=_URL, completion_window=_WINDOW
                )
            )
            batch.id = _id(made)
            self._folder.add(batch)
        except openai.APIStatusError as error:
            if error.status_code < 500:  # refused: there is no such batch
                self._folder.forget(batch)
            raise

    async def _resume(self, client: openai.AsyncOpenAI, batch: Batch) -> None:
        """Go on with a batch of the folder; one without an id may have been made nevertheless."""
        if not batch.id and batch.answers is None:
            batch.id = await self._look_for(client, batch.input_file)
            if batch.id:
                self._folder.add(batch)
            else:
                await self._make(client, batch)
        await self._answer(client, batch)

    async def _look_for(self, client: openai.AsyncOpenAI, input_file: str) -> str:
        """The id of the batch that was made of a file; empty when there is none."""
        seen = 0
        async for made in client.batches.list(limit=100):
            if made.input_file_id == input_file:
                return made.id
            seen += 1
            if seen >= _LOOK_BACK:
                break
        return ""

    async def _answer(self, client: openai.AsyncOpenAI, batch: Batch) -> None:
        """Wait for the end of a batch, keep its answers, and give them."""
        if batch.answers is None:
            ended = await self._end(client, batch)
            found = {**await self._lines(client, ended, "output_file_id")}
            found |= await self._lines(client, ended, "error_file_id")
            without_answer = _failure_of(batch, ended)
            failed = {
                digest: _failure_in(found[digest]) if digest in found else without_answer for digest in batch.requests
            }
            self._folder.fetched(batch, [found[digest] for digest, failure in failed.items() if failure is None])
            for digest, failure in failed.items():
                if failure is not None:
                    self._lose(digest, failure)
        for digest in batch.requests:
            future = self._waiting.get(digest)
            if future is not None and not future.done():
                future.set_result(batch.answers[digest])  # type: ignore[index]

    async def _lines(
        self, client: openai.AsyncOpenAI, ended: Mapping[str, Any], name: str
    ) -> dict[str, Mapping[str, Any]]:
        """The lines of one of the files of a batch that has ended; none when it has no such file."""
        file = text(ended.get(name))
        if not file:
            return {}
        response = await self._patiently(lambda: client.files.content(file))
        # A server that repeats the key, be it in its answer, must not get it into the folder.
        return lines(without(response.content.decode("utf-8", "replace"), data=True))

    async def _end(self, client: openai.AsyncOpenAI, batch: Batch) -> Mapping[str, Any]:
        """What the API says of a batch that has ended."""

        async def look() -> Mapping[str, Any]:
            fields, _ = stainless.fields(await client.batches.with_raw_response.retrieve(batch.id))
            return fields

        while True:
            try:
                fields = mapping(await self._patiently(look))
            except openai.NotFoundError:
                gone = Failure(f"batch {batch.id} is gone", kind=errors.ProviderUnavailable)
                for digest in sorted(batch.requests):
                    self._lose(digest, gone)
                raise
            if fields.get("status") in _ENDED:
                return fields
            await asyncio.sleep(self.poll_seconds)

    async def _patiently(self, call: Callable[[], Awaitable[Any]]) -> Any:
        """A call that asks for what is paid already: while an error may pass, it is repeated."""
        while True:
            try:
                return await call()
            except Exception as error:
                failure = error.failure if isinstance(error, Unusable) else self._failure(error)
                if failure is None or not failure.means.retryable:
                    raise
            await asyncio.sleep(self.poll_seconds)

    def _lose(self, digest: str, failure: Failure) -> None:
        """A request that was sent has no answer, and will have none: it may be sent anew."""
        self._folder.answered(digest)
        self._fail(digest, Explained(failure))

    def _fail(self, digest: str, error: Exception) -> None:
        future = self._waiting.get(digest)
        if future is not None and not future.done():  # an answer that came before stays
            del self._waiting[digest]
            future.set_exception(error)
            future.exception()  # seen: perhaps nobody waits any more


class _Direct(OpenAIAdapter):
    """The same model, without batches."""

    provider: ClassVar[str] = OpenAIBatchAdapter.provider
    features: ClassVar[frozenset[Feature]] = OpenAIBatchAdapter.features


def _id(fields: Mapping[str, Any]) -> str:
    found = text(fields.get("id"))
    if not found:
        raise Unusable("the answer has no id")
    return found


def _fields(line: Mapping[str, Any]) -> tuple[Mapping[str, Any], str | None]:
    """The body of an answer and the id of its request."""
    response = mapping(line.get("response"))
    return mapping(response.get("body")), text(response.get("request_id")) or None


def _failure_in(line: Mapping[str, Any]) -> Failure | None:
    """What a line says instead of an answer; `None` when it is one."""
    body, request_id = _fields(line)
    status = count(mapping(line.get("response")).get("status_code"))
    if status is not None and status < 400 and not line.get("error"):
        return None
    return stainless.said(line.get("error") or body, status, otherwise="the request failed", request_id=request_id)


def _failure_of(batch: Batch, ended: Mapping[str, Any]) -> Failure:
    """Why a batch that has ended holds no answer to a request."""
    first = [*array(mapping(ended.get("errors")).get("data")), None][0]
    status = f"batch {batch.id} is {ended.get('status')}"
    said = stainless.said(first, None, otherwise="it holds no answer to this request")
    return Failure(f"{status}: {said.message}", codes=said.codes)
