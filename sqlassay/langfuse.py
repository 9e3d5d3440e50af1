"""Where a Langfuse server is, and the keys to it: for prompts that are there, and for runs that are copied there."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlassay.errors import UserError
from sqlassay.secrets import find_key, setting

HOSTS = ("LANGFUSE_BASE_URL", "LANGFUSE_HOST")
"""The variables that say where the server is; the second is the older name."""
PUBLIC_KEY = "LANGFUSE_PUBLIC_KEY"
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
        UserError: The address or a key is missing.
    """
    where = host or configured_host()
    if not where:
        raise UserError("no address of Langfuse", remedy=f"set {HOSTS[0]}, such as http://localhost:3000")
    return Access(where.rstrip("/"), *(find_key("Langfuse", name) for name in (public_key, secret_key)))
