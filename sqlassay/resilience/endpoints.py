"""Every endpoint that a program talks to, each made once."""

from __future__ import annotations

from collections.abc import Callable

from sqlassay.resilience.breaker import Circuit, CircuitOpen, CircuitPolicy
from sqlassay.resilience.endpoint import CallLimits, Endpoint
from sqlassay.resilience.retry import RetryPolicy


class Endpoints:
    """What is known of endpoints, kept for all who talk to them.

    Args:
        retry: How often and how patiently a failing call is repeated.
        circuit: When circuits open, and when they are probed.
        tell: Told once whenever a circuit opens.
    """

    def __init__(
        self,
        retry: RetryPolicy,
        circuit: CircuitPolicy,
        tell: Callable[[CircuitOpen], None] | None = None,
    ) -> None:
        self._retry = retry
        self._policy = circuit
        self._tell = tell
        self._circuits: dict[str, Circuit] = {}
        self._endpoints: dict[tuple[str, str, CallLimits], Endpoint] = {}

    def of(self, endpoint: str, model: str, limits: CallLimits) -> Endpoint:
        """What the calls of a model go through.

        Args:
            endpoint: Names the endpoint; whatever goes down together has one name and one circuit.
            model: The model, by which providers count.
            limits: Of the model.
        """
        key = (endpoint, model, limits)
        if key not in self._endpoints:
            circuit = self._circuits.setdefault(endpoint, Circuit(endpoint, self._policy, tell=self._tell))
            self._endpoints[key] = Endpoint(circuit, self._retry, limits)
        return self._endpoints[key]
