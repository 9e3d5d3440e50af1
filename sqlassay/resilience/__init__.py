"""What stands between a call and the failures that pass by themselves: one policy for every provider.

A call goes through the `Endpoint` of its model: it waits for the provider's `Circuit` to let it through, for a place of
`AdaptiveConcurrency`, for the end of a `Pause` and for the `RateLimit`; what fails and may pass is repeated by the
`RetryPolicy`. Each attempt is kept, with its error and what was waited after it.
"""

from sqlassay.resilience.attempt import Attempt, GaveUp, Journal, Outcome, Transience
from sqlassay.resilience.breaker import Circuit, CircuitOpen, CircuitPolicy
from sqlassay.resilience.concurrency import AdaptiveConcurrency
from sqlassay.resilience.endpoint import CallLimits, Endpoint
from sqlassay.resilience.endpoints import Endpoints
from sqlassay.resilience.pause import Pause
from sqlassay.resilience.rate_limit import RateLimit
from sqlassay.resilience.retry import RetryPolicy

__all__ = [
    "AdaptiveConcurrency",
    "Attempt",
    "CallLimits",
    "Circuit",
    "CircuitOpen",
    "CircuitPolicy",
    "Endpoint",
    "Endpoints",
    "GaveUp",
    "Journal",
    "Outcome",
    "Pause",
    "RateLimit",
    "RetryPolicy",
    "Transience",
]
