"""What a run may spend: it stops before the request that would pass the limit."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from adapters.base import GenerationRequest, Usage
from adapters.prices import Prices
from evaluation.answers import RunStopped
from sqlassay.tokens import BYTES_PER_TOKEN

USUAL_OUTPUT = 512
"""Tokens of an answer as long as none has come and no `max_tokens` is set."""
_BOUNDS = ("max_tokens", "max_completion_tokens", "max_output_tokens", "num_predict")
"""What bounds an answer: in common words, or in those of a provider, which a user may write as well."""


def estimate(request: GenerationRequest, output: int = USUAL_OUTPUT) -> Usage:
    """What a request will use at most, as far as can be told before it is sent.

    Args:
        request: The request; its `max_tokens`, by whatever name, bound the answer.
        output: Tokens of the answer where the request sets no bound.
    """
    size = sum(len(message.content.encode("utf-8", "surrogateescape")) + 16 for message in request.messages)
    given = (request.parameters.get(name) for name in _BOUNDS)
    bound = next((one for one in given if isinstance(one, int) and one > 0), output)  # Ollama's -1 is no bound
    return Usage(math.ceil(size / BYTES_PER_TOKEN), bound)


def total(usage: Usage) -> int | None:
    """Prompt and answer together; `None` where the provider does not say."""
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    return usage.input_tokens + usage.output_tokens


def together(used: Sequence[Usage]) -> Usage:
    """Several answers to one request as one; what the last does not say is unknown, what another does not is nothing.

    Args:
        used: The tokens of each, one at least.
    """
    return Usage(
        **{
            name: None if last is None else sum(getattr(one, name) or 0 for one in used)
            for name, last in vars(used[-1]).items()
        }
    )


class OverBudget(RunStopped):
    """The next request would pass the limit."""

    at_once = False


@dataclass
class Budget:
    """Money and tokens, counted over all models of one command.

    Requests under way hold what they may cost; one that finds too little left waits until they are done, and stops
    the run when there is none to wait for.

    Args:
        cost: In the currency of the prices; `None` for any.
        tokens: Prompt and answer together; `None` for any.
    """

    cost: float | None = None
    tokens: int | None = None
    spent_cost: float = field(default=0.0, init=False)
    spent_tokens: int = field(default=0, init=False)
    _held: dict[int, tuple[float, int]] = field(default_factory=dict, init=False)
    _next: int = field(default=0, init=False)
    _longest: int = field(default=0, init=False)
    _freed: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    @property
    def is_limited(self) -> bool:
        """Whether there is any limit."""
        return self.cost is not None or self.tokens is not None

    async def hold(self, request: GenerationRequest, prices: Prices) -> int:
        """Set aside what a request may cost.

        Returns:
            What `settle` is told.

        Raises:
            OverBudget: There is not enough left.
        """
        if not self.is_limited:
            return -1
        usage = estimate(request, self._longest or USUAL_OUTPUT)
        cost, tokens = prices.cost(usage) or 0.0, total(usage) or 0
        while not self._fits(cost, tokens):
            if not self._held:
                raise OverBudget(self._words())
            self._freed.clear()
            await self._freed.wait()
        self._next += 1
        self._held[self._next] = (cost, tokens)
        return self._next

    def settle(self, held: int, used: Iterable[Usage], prices: Prices) -> None:
        """Count what a request has used in the place of what was set aside.

        Args:
            held: From `hold`.
            used: The tokens of each answer to it, those that a filter withheld included; none when it failed. What the
                provider did not say counts as estimated.
            prices: Of its model.
        """
        cost, tokens = self._held.pop(held, (0.0, 0))
        self._freed.set()
        for usage in used if held >= 0 else ():
            self._longest = max(self._longest, usage.output_tokens or 0)
            counted = total(usage)
            known = prices.cost(usage)
            self.spent_cost += cost if known is None else known
            self.spent_tokens += tokens if counted is None else counted

    def _fits(self, cost: float, tokens: int) -> bool:
        held_cost = sum(held for held, _ in self._held.values())
        held_tokens = sum(held for _, held in self._held.values())
        return (self.cost is None or self.spent_cost + held_cost + cost <= self.cost) and (
            self.tokens is None or self.spent_tokens + held_tokens + tokens <= self.tokens
        )

    def _words(self) -> str:
        limits = []
        if self.cost is not None:
            limits.append(f"cost {self.spent_cost:.4f} of {self.cost:g}")
        if self.tokens is not None:
            limits.append(f"{self.spent_tokens:,} of {self.tokens:,} tokens")
        return f"the next request would pass the budget ({', '.join(limits)} spent)"
