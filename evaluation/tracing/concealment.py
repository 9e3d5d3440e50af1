"""What of a record may leave the machine: no keys, by option no contents of rows, and nothing without end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from evaluation.environment import VARIABLE, Environment, fill_in
from sqlassay.errors import UserError
from sqlassay.secrets import look_up, variables
from sqlassay.yaml_places import compose

_NAMES_A_SECRET = re.compile(
    r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?)(_|$)|_(PASS|PWD)(_|$)", re.IGNORECASE
)


@dataclass(frozen=True)
class Concealment:
    """Makes what is sent of what was recorded.

    Attributes:
        max_bytes: Of one text in UTF-8, before the mark.
        mask_rows: Whether texts that may hold contents of rows are replaced.
        environment: Its values leave no more than keys do.
    """

    max_bytes: int = 100_000
    mask_rows: bool = False
    environment: Environment = field(default_factory=Environment)

    @classmethod
    def of(cls, experiment: str, *, max_bytes: int, mask_rows: bool) -> Concealment:
        """With every key that this machine knows, and what an experiment takes from the environment.

        Args:
            experiment: Its text, as a run recorded it.
            max_bytes: Of one text.
            mask_rows: Whether contents of rows are masked.
        """
        for name in variables():
            if _NAMES_A_SECRET.search(name):
                look_up(name)
        # What is not set any more cannot be in a text that is made now.
        text = VARIABLE.sub(lambda found: found[0] if found[2] is not None else f"${{{found[1]}:-}}", experiment)
        try:
            compose(text)  # a run's folder may come from anywhere
            content = yaml.safe_load(text) or {}
        except (yaml.YAMLError, RecursionError) as error:
            raise UserError(
                "the experiment in a run's manifest.json is no YAML of ours", remedy="restore it"
            ) from error
        return cls(max_bytes, mask_rows, fill_in(content, lambda at, name: UserError(f"{name} is not set")))

    def text(self, text: str) -> str:
        """A text without keys, cut to its size."""
        return self._cut(self.environment.without(text, data=True))

    def without_keys(self, value: Any) -> Any:
        """Whatever is about to leave, without keys: also what a provider or a dataset put where none is expected."""
        together = "\0".join(_texts(value))  # as a rule there are none, and one look is quicker than many
        return value if self._without(together) == together else self._without(value)

    def _without(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.environment.without(value, data=True)
        if isinstance(value, Mapping):
            return {key: self._without(item) for key, item in value.items()}
        return [self._without(item) for item in value] if isinstance(value, list) else value

    def row_text(self, text: str) -> str:
        """As `text`, for one that may hold contents of rows, as prompts, answers and messages of engines do."""
        return f"[masked: {len(text):,} characters]" if self.mask_rows else self.text(text)

    def evidence(self, value: Any) -> Any:
        """A verdict's evidence: numbers stay, texts and rows may hold contents of rows."""
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            return {str(key): self.evidence(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return f"[masked: {len(value):,} entries]" if self.mask_rows else [self.evidence(item) for item in value]
        return self.row_text(str(value))

    def json(self, value: Any) -> str:
        """JSON of values whose texts have been seen to; as a whole no longer than one text."""
        return self._cut(_JSON.encode(value))

    def _cut(self, text: str) -> str:
        if len(text) * 4 <= self.max_bytes:
            return text
        encoded = text.encode("utf-8", "surrogatepass")
        if len(encoded) <= self.max_bytes:
            return text
        kept = encoded[: self.max_bytes].decode("utf-8", "ignore")
        return f"{kept}… [cut: {self.max_bytes:,} of {len(encoded):,} bytes]"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(item)


_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
