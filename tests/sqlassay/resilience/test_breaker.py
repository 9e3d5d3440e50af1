"""The circuit: closed, open, half-open, whatever calls tell it and in whatever order."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from sqlassay.errors import SqlAssayError, UserError
from sqlassay.resilience import Circuit, CircuitOpen, CircuitPolicy
from sqlassay.resilience.breaker import State

POLICY = CircuitPolicy(failures=3, recovery=2.0, maximum=10.0)


class Down(SqlAssayError):
    """The endpoint is down."""

    def __init__(self, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__("no\nluck")


class Clock:
    """Time that a test lets pass."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def opened(clock: Clock, error: Exception | None = None) -> Circuit:
    """A circuit that has just opened."""
    circuit = Circuit("somewhere", POLICY, clock=clock)
    for _ in range(POLICY.failures):
        ticket = circuit.admit()
        assert ticket is not None
        circuit.failed(ticket, error or Down())
    assert circuit.state is State.OPEN
    return circuit


class Circuits(RuleBasedStateMachine):
    """Calls come and end in any order, at any time."""

    tickets = Bundle("tickets")

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.told: list[CircuitOpen] = []
        self.circuit = Circuit("somewhere", POLICY, clock=self.clock, tell=self.told.append)
        self.row = 0
        self.probe: int | None = None
        self.times_opened = 0

    @rule(target=tickets)
    def admit(self) -> int | None:
        state, due = self.circuit.state, self.circuit.due_in
        ticket = self.circuit.admit()
        assert (ticket is not None) == (state is State.CLOSED or (state is State.OPEN and due == 0))
        if state is State.OPEN and ticket is not None:
            self.probe = ticket
            assert self.circuit.state is State.HALF_OPEN
        return ticket

    @rule(ticket=consumes(tickets), ends=st.sampled_from(["answered", "failed", "abandoned"]))
    def end(self, ticket: int | None, ends: str) -> None:
        if ticket is None:
            return
        before = self.circuit.state
        counts = self.circuit.holds(ticket)
        if ends == "answered":
            self.circuit.answered(ticket)
        elif ends == "failed":
            self.circuit.failed(ticket, Down())
        self.circuit.abandon(ticket)
        after = self.circuit.state
        if not counts:
            assert after is before
        elif before is State.HALF_OPEN:
            assert ticket == self.probe
            assert after is (State.CLOSED if ends == "answered" else State.OPEN)
            assert (self.circuit.due_in == 0) == (ends != "failed")
            self.row = 0
        elif ends != "abandoned":
            self.row = self.row + 1 if ends == "failed" else 0
            assert after is (State.OPEN if self.row == POLICY.failures else State.CLOSED)
            if after is State.OPEN:
                self.row = 0
                self.times_opened += 1
                assert self.circuit.due_in == POLICY.recovery

    @rule(seconds=st.sampled_from([0.5, 2.0, 10.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.now += seconds

    @invariant()
    def a_probe_is_never_further_away_than_the_longest_wait(self) -> None:
        assert 0 <= self.circuit.due_in <= POLICY.maximum

    @invariant()
    def it_was_told_once_per_opening(self) -> None:
        assert len(self.told) == self.times_opened


TestCircuits = Circuits.TestCase


def test_waits_double_up_to_the_maximum_and_begin_anew() -> None:
    clock = Clock()
    circuit = opened(clock)
    waits = []
    for _ in range(5):
        waits.append(circuit.due_in)
        clock.now += circuit.due_in
        probe = circuit.admit()
        assert probe is not None
        assert circuit.admit() is None
        circuit.failed(probe, Down())
    assert waits == [2, 4, 8, 10, 10]
    assert circuit.down == sum(waits)
    clock.now += circuit.due_in
    probe = circuit.admit()
    assert probe is not None
    circuit.answered(probe)
    assert (circuit.state, circuit.down) == (State.CLOSED, 0)
    assert opened(clock).due_in == 2


def test_a_probe_that_nobody_waits_for_any_more_makes_room_for_another() -> None:
    clock = Clock()
    circuit = opened(clock)
    clock.now += 2
    probe = circuit.admit()
    assert probe is not None
    circuit.abandon(probe)
    assert circuit.admit() is not None


def test_what_the_provider_asks_for_is_waited() -> None:
    assert opened(Clock(), Down(retry_after=45)).due_in == 45
    assert opened(Clock(), Down(retry_after=0.5)).due_in == 2


def test_the_error_names_the_endpoint_and_what_it_said_last() -> None:
    clock = Clock()
    circuit = opened(clock)
    clock.now += 61
    assert str(circuit.error()) == "somewhere has been failing for 61 s; last: Down: no luck"


@pytest.mark.parametrize("settings", [{"failures": 0}, {"recovery": 0}, {"maximum": float("nan")}], ids=str)
def test_settings_are_checked(settings: dict[str, float]) -> None:
    (name,) = settings
    with pytest.raises(UserError, match=name):
        CircuitPolicy(**settings)  # type: ignore[arg-type]
