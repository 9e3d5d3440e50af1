"""Where a Langfuse server is, and the keys to it: for prompts that are there, and for runs that are copied there."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from sqlassay.errors import UserError
from sqlassay.secrets import find_key, setting

HOSTS = ("LANGFUSE_BASE_URL", "LANGFUSE_HOST")
"""The variables that say where the server is; the second is the older name."""
PUBLIC_KEY = "LANGFUSE_PUBLIC_KEY"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
SECRET_KEY = "LANGFUSE_SECRET_KEY"  # noqa: S105 - the name of a variable


@dataclass(frozen=True)
class Access:
    """A server and a project of it.

    Attributes:
        host: The address, without a slash at its end.
        public_key: Names the project.
        secret_key: Goes with it.
    """

    host: str
    public_key: str
    secret_key: str = field(repr=False)


def base_url(host: str) -> str:
    """An address of a server, without a slash at its end.

    Raises:
        UserError: It is none, or has a user or a password in it: it is written down and shown, keys are not.
    """
    try:
        parts = urlsplit(host)
        named = parts.hostname and parts.port != 0
    except ValueError:
        named = None
    if not named or parts.scheme not in ("http", "https") or parts.query or parts.fragment:
        shown = repr(host) if "@" not in host else "the address"
        raise UserError(f"{shown} is no base URL of Langfuse", remedy=f"check {HOSTS[0]}")
    if parts.username or parts.password:
        raise UserError("the base URL of Langfuse has a user or a password in it", remedy="give the keys apart")
    return host.rstrip("/")


def is_local(host: str) -> bool:
    """Whether a server is on this machine, where no proxy leads."""
    return urlsplit(host).hostname in _LOOPBACK


def configured_host() -> str | None:
    """Where the server is, as the environment, `.env` or the secrets file says; `None` when none of them does.

    Raises:
        UserError: A file cannot be used.
    """
    return next((found.rstrip("/") for found in map(setting, HOSTS) if found), None)


def access(host: str | None = None, *, public_key: str = PUBLIC_KEY, secret_key: str = SECRET_KEY) -> Access:
    """What is needed to send something.

    Args:
        host: The address; what is configured unless given. There is no other default: what a run holds goes nowhere
            that nobody named.
        public_key: The variable that holds the public key.
        secret_key: The variable that holds the secret key.

    Raises:
        UserError: The address or a key is missing, or the address is none.
    """
    where = host or configured_host()
    if not where:
        raise UserError("no address of Langfuse", remedy=f"set {HOSTS[0]}, such as http://localhost:3000")
    return Access(base_url(where), *(find_key("Langfuse", name) for name in (public_key, secret_key)))
