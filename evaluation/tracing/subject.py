"""Which run is copied, and the ids of everything that is made of it.

Every id is a digest of what it stands for, so that whatever is sent a second time takes the place of itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, NamedTuple

from sqlassay.errors import UserError
from sqlassay.langfuse import HOSTS, PUBLIC_KEY, SECRET_KEY, Access, access, base_url, configured_host, is_local

_OF_MAPPING = 2
"""Raised when the same record is sent as something else: what was sent before is then sent anew."""


@dataclass(frozen=True)
class CopySettings:
    """How a run is copied.

    Attributes:
        host: The server; what is configured unless given.
        public_key_env: The variable that holds the project's public key.
        secret_key_env: The variable that holds the project's secret key.
        dataset: The dataset's name there; told from its format and digest unless given.
        mask_rows: Whether nothing is sent that may hold contents of rows.
        max_bytes: Of one input or output.
    """

    host: str | None = None
    public_key_env: str = PUBLIC_KEY
    secret_key_env: str = SECRET_KEY
    dataset: str | None = None
    mask_rows: bool = False
    max_bytes: int = 100_000

    @classmethod
    def of(cls, manifest: Mapping[str, Any], **changes: Any) -> CopySettings:
        """Those of a run, with changes that are not `None`; runs that were not to be copied have none of their own."""
        given = {key: value for key, value in changes.items() if value is not None}
        return cls(**{**(manifest.get("langfuse") or {}), **given})

    @classmethod
    def named(cls, manifest: Mapping[str, Any], *, host: str | None = None, **changes: Any) -> CopySettings:
        """As `of`, for a command that sends keys: a run may come from anywhere, and so may the address in it.

        Raises:
            UserError: The run names a server that nobody else names, and that is not on this machine.
        """
        settings = cls.of(manifest, host=host, **changes)
        if host is None and settings.host is not None and not is_local(base_url(settings.host)):
            told = configured_host()
            if told is None or base_url(told) != base_url(settings.host):
                raise UserError(
                    f"the run names the server {settings.host}, and nobody else does",
                    remedy=f"if your keys may be sent there: --host {settings.host}, or set {HOSTS[0]}",
                )
        return settings

    def access(self) -> Access:
        """The server, and the keys.

        Raises:
            UserError: The address or a key is missing, or the address is none.
        """
        return access(self.host, public_key=self.public_key_env, secret_key=self.secret_key_env)


class Attempt(NamedTuple):
    """One time that an item was done.

    Done again, it has a trace of its own, and the one before is removed: steps that there are no more would stay
    otherwise, and the server takes a step that begins at another time for another step.

    Attributes:
        item_id: The item.
        started: When it was begun, as its record says.
    """

    item_id: str
    started: str


@dataclass(frozen=True)
class Subject:
    """A run that is copied.

    Attributes:
        manifest: The run's.
        settings: How it is copied.
    """

    manifest: Mapping[str, Any]
    settings: CopySettings

    @property
    def run_id(self) -> str:
        """The run."""
        return str(self.manifest["run_id"])

    @property
    def group(self) -> str:
        """The execution of the experiment that the run is of: its repeats are runs of their own."""
        return str(self.manifest["group"])

    @property
    def dataset(self) -> str:
        """The dataset's name at Langfuse."""
        of = self.manifest["identity"]["dataset"]
        return self.settings.dataset or f"{of['format']}-{of['sha256'][:12]}"

    @property
    def description(self) -> dict[str, Any]:
        """What is said of the experiment."""
        identity = self.manifest["identity"]
        return {
            "run_id": self.run_id,
            "group": self.group,
            "cell": self.manifest.get("cell"),
            "title": self.manifest["title"],
            "experiment": self.manifest["experiment"]["name"],
            "experiment_sha256": self.manifest["experiment"]["sha256"],
            "model": self.manifest.get("model_label"),
            "prompt": identity.get("prompt"),
            "backend": identity.get("backend"),
            "repeat": identity.get("repeat"),
            "dataset": identity["dataset"],
            "sqlassay": self.manifest.get("versions", {}).get("sqlassay"),
        }

    @cached_property
    def _seed(self) -> str:
        """Tells the run from one of the same name on another machine."""
        kept = ("run_id", "started", "experiment", "versions")
        return _digest(32, *(self.manifest.get(key) for key in kept))

    @cached_property
    def experiment_id(self) -> str:
        """Of the experiment; 16 hexadecimal digits, as the SDK makes them."""
        return _digest(16, "experiment", self._seed)

    def trace_id(self, attempt: Attempt) -> str:
        """Of an item's trace; 32 hexadecimal digits."""
        return _digest(32, "trace", self._seed, attempt)

    def observation_id(self, attempt: Attempt, step: str) -> str:
        """Of a step of an item; 16 hexadecimal digits."""
        return _digest(16, "observation", self._seed, attempt, step)

    def score_id(self, attempt: Attempt | None, name: str) -> str:
        """Of a score of an item, or of the run."""
        return _digest(32, "score", self._seed, attempt, name)

    def dataset_item_id(self, item_id: str) -> str:
        """Of a question: the same in every run over a dataset of this name."""
        return _digest(32, "dataset item", self.dataset, item_id)

    def stamp(self, content: object) -> str:
        """What something is sent from: content, and how it is copied. Another stamp, and it is sent again."""
        settings = asdict(self.settings)
        return _digest(16, _OF_MAPPING, [settings[key] for key in ("dataset", "mask_rows", "max_bytes")], content)


def _digest(length: int, *parts: object) -> str:
    return hashlib.sha256(_JSON.encode(parts).encode()).hexdigest()[:length]


_JSON = json.JSONEncoder(separators=(",", ":"), sort_keys=True)
