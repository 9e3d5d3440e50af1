"""What the calls of a model go through, from the first attempt to the record of the last."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import uniform
from typing import Generic, TypeVar

from sqlassay.resilience.attempt import Attempt, Journal, Outcome, Transience
from sqlassay.resilience.breaker import Circuit, CircuitOpen, State
from sqlassay.resilience.concurrency import AdaptiveConcurrency
from sqlassay.resilience.pause import Pause
from sqlassay.resilience.rate_limit import RateLimit
from sqlassay.resilience.retry import RetryPolicy

T = TypeVar("T")


@dataclass(frozen=True)
class CallLimits:
    """What a model's provider allows.

    Attributes:
        concurrency: Calls under way at once.
        requests_per_minute: `None` is no limit.
        tokens_per_minute: `None` is no limit.
    """

    concurrency: int = 8
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None


@dataclass(frozen=True)
class _Call(Generic[T]):
    function: Callable[[], Awaitable[T]]
    tokens: int
    used: Callable[[T], int | None] | None


class Endpoint:
    """A model at an endpoint: the circuit of the endpoint, and the limits that the provider counts by model.

    A call that meets an open circuit waits for the probe, or becomes the probe. It waits as long as its patience lasts,
    and no longer than the endpoint has been down for that patience: after that, calls fail at once until a probe
    succeeds. A failure that leaves the circuit open uses up no attempt. While a call waits for the circuit or for a
    retry, it keeps no place from others. When a call is refused because there are too many, all of the model's pause.

    Args:
        circuit: Of the endpoint, shared by all models there.
        retry: How often and how patiently a failing call is repeated.
        limits: Of the model.
    """

    def __init__(self, circuit: Circuit, retry: RetryPolicy, limits: CallLimits) -> None:
        self.circuit = circuit
        self.retry = retry
        self.places = AdaptiveConcurrency(limits.concurrency)
        self.pause = Pause(retry.initial, retry.maximum, retry.patience)
        limited = limits.requests_per_minute is not None or limits.tokens_per_minute is not None
        self.rate = RateLimit(limits.requests_per_minute, limits.tokens_per_minute) if limited else None

    async def call(
        self,
        function: Callable[[], Awaitable[T]],
        *,
        tokens: int = 0,
        used: Callable[[T], int | None] | None = None,
    ) -> Outcome[T]:
        """Call until it succeeds, an error is not worth a retry, or attempts or patience are used up.

        Args:
            function: Makes the call anew each time.
            tokens: An estimate of what it takes.
            used: Tells from the value what it really took; `None` is unknown.

        Raises:
            GaveUp: The call failed with an error that is a `Transience`; `CircuitOpen` where the endpoint was down for
                too long. Others pass through.
        """
        call = _Call(function, tokens, used)
        return await self.retry.repeat(lambda journal: self._attempt(call, journal))

    async def _attempt(self, call: _Call[T], journal: Journal) -> T:
        """One attempt, and further ones while the circuit is open: it decides when, and they do not count."""
        circuit = self.circuit
        while True:
            await self.pause.over()  # or it might be the probe for all models of the provider, and not ask
            ticket = circuit.admit()
            if ticket is None:
                ticket = await self._wait(journal)
            try:
                return await self._in_turn(call, ticket, journal)
            except CircuitOpen:  # while it waited for its turn
                continue
            except Exception as error:
                if not _is_down(error) or circuit.state is State.CLOSED:
                    raise
            finally:
                circuit.abandon(ticket)

    async def _wait(self, journal: Journal) -> int:
        """Wait for an open circuit; gives a ticket."""
        circuit, patience = self.circuit, self.retry.patience
        error, begun = circuit.error(), circuit.now()
        while (ticket := circuit.admit()) is None:
            now = circuit.now()
            left = patience - max(journal.waited + now - begun, now - circuit.since)
            if left <= 0 or circuit.due_in > left:
                error = circuit.error()
                journal.note(Attempt.of(error, waited=circuit.now() - begun))
                raise error
            await circuit.change(left)
        if circuit.state is State.CLOSED:  # all who waited know it at the same time
            await self.retry.sleep(uniform(0, self.retry.initial))  # noqa: S311
        journal.note(Attempt.of(error, waited=circuit.now() - begun))
        return ticket

    async def _in_turn(self, call: _Call[T], ticket: int, journal: Journal) -> T:
        """Make the call when there is a place for it and the rate allows it."""
        await self.places.acquire()
        try:
            await self.pause.over()
            if self.rate is None:
                return await self._send(call, ticket, journal)
            await self.rate.acquire(call.tokens)
            took: int | None = 0
            try:
                value = await self._send(call, ticket, journal)
                took = call.tokens if call.used is None else call.used(value)
                return value
            finally:
                self.rate.correct(call.tokens, call.tokens if took is None else took)
        finally:
            self.places.release()

    async def _send(self, call: _Call[T], ticket: int, journal: Journal) -> T:
        """Make the call, and tell what its end says about the endpoint."""
        if not self.circuit.holds(ticket):
            raise self.circuit.error()
        flight = self.places.flight
        try:
            value = await journal.run(call.function)
        except Exception as error:
            if isinstance(error, Transience):
                if error.slows_down:
                    self.pause.refused(error.retry_after, first=flight == self.places.flight)
                    self.places.refused(flight)
                elif not error.breaks_circuit:
                    self.pause.answered()
                if error.breaks_circuit:
                    self.circuit.failed(ticket, error)
                else:
                    self.circuit.answered(ticket)
            raise
        self.places.succeeded()
        self.pause.answered()
        self.circuit.answered(ticket)
        return value


def _is_down(error: Exception) -> bool:
    return isinstance(error, Transience) and error.retryable and error.breaks_circuit
