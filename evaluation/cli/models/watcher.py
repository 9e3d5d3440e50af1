"""Models, checked once or again and again."""

from __future__ import annotations

import asyncio
import json as json_module
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from adapters.base import ModelAdapter
from evaluation.cli import output
from evaluation.watch import Alert, History, Observation
from evaluation.webhook import Webhook, WebhookFailed
from sqlassay.errors import ExitCode
from sqlassay.validation import ValidationResult


@dataclass(frozen=True)
class Watcher:
    """Checks models, writes the history, and tells what has changed.

    Attributes:
        adapters: The models.
        history: Of their checks; `None` keeps none.
        webhook: Who is told.
    """

    adapters: Sequence[ModelAdapter]
    history: History | None
    webhook: Webhook | None
    _untold: defaultdict[tuple[str, str], list[Alert]] = field(default_factory=lambda: defaultdict(list), init=False)
    """What the webhook did not take, by model and endpoint."""

    async def once(self) -> list[ValidationResult]:
        """One round."""
        try:
            results = await asyncio.gather(*(adapter.check() for adapter in self.adapters))
            for adapter, result in zip(self.adapters, results, strict=True):
                await self._observed(adapter, result)
            return results
        finally:
            await self._close()

    async def watch(self, every: float, times: int | None, *, until_alert: bool, json: bool) -> int:
        """Round after round.

        Returns:
            The exit code.
        """
        code, rounds = ExitCode.OK, 0
        try:
            while times is None or rounds < times:
                started = time.monotonic()
                # Each on its own: one that hangs does not keep back what is known of the others.
                checks = [asyncio.create_task(self._round(adapter, json=json)) for adapter in self.adapters]
                found = await asyncio.gather(*checks)
                rounds += 1
                if not all(observation.ok for observation, _ in found):
                    code = ExitCode.UNUSABLE
                if until_alert and any(alert is not None and alert.event == "unhealthy" for _, alert in found):
                    break
                if times is None or rounds < times:
                    await asyncio.sleep(max(0.0, every - (time.monotonic() - started)))
            return code
        finally:
            await self._close()

    async def _round(self, adapter: ModelAdapter, *, json: bool) -> tuple[Observation, Alert | None]:
        observation, alert = await self._observed(adapter, await adapter.check())
        if json:
            sys.stdout.write(json_module.dumps(asdict(observation)) + "\n")
            sys.stdout.flush()
        else:
            output.data().print(_line(observation), soft_wrap=True)
        return observation, alert

    async def _observed(self, adapter: ModelAdapter, result: ValidationResult) -> tuple[Observation, Alert | None]:
        observation = Observation.of(adapter, result)
        alert = None if self.history is None else self.history.add(observation)
        if alert is not None:
            output.talk().print(str(alert), style="bold red" if alert.event == "unhealthy" else "green")
        if self.webhook is not None:
            await self._tell(self.webhook, self._untold[observation.model, observation.endpoint], alert)
        return observation, alert

    async def _tell(self, webhook: Webhook, untold: list[Alert], alert: Alert | None) -> None:
        """Tell what has changed; what is not taken is told again after the next check of the model."""
        untold += [alert] if alert is not None else []
        while untold:
            try:
                await asyncio.to_thread(webhook.post, untold[0].to_json())
            except WebhookFailed as error:
                output.talk().print(str(error), style="yellow")
                return
            del untold[0]

    async def _close(self) -> None:
        for adapter in self.adapters:
            await adapter.close()


def _line(one: Observation) -> str:
    word = "ok" if one.ok else "failed"
    more = one.problem or ("" if one.seconds is None else f"{one.seconds * 1000:.0f} ms")
    return f"{one.time}  {word:6}  {one.model}  {more}".rstrip()
