"""Which server is meant."""

from __future__ import annotations

from pathlib import Path

from evaluation.langfuse_server.connection import LangfuseServer
from evaluation.langfuse_server.deployment import Deployment
from sqlassay.errors import UserError
from sqlassay.langfuse import HOSTS, PUBLIC_KEY, SECRET_KEY, configured_host
from sqlassay.secrets import look_up


def chosen(host: str | None = None, folder: Path | None = None) -> LangfuseServer:
    """The server of a folder, or that of the environment, `.env` or the secrets file, or one's own in its usual place.

    Args:
        host: A base URL instead of the one that the environment names.
        folder: Of a deployment.

    Returns:
        The server, without keys where there are none.

    Raises:
        UserError: None is known, or what is known of it cannot be used.
    """
    if folder is not None:
        if host is not None:
            raise UserError("--host and --folder are two servers", remedy="give one")
        return Deployment(folder).settings().server
    public, secret = look_up(PUBLIC_KEY), look_up(SECRET_KEY)
    keys = (public, secret) if public and secret else None
    named, own = host or configured_host(), Deployment().known_settings()
    if named is None and (own is None or keys is not None):
        # Keys alone may be of any server: they are sent to none that nobody named.
        remedy = f"set {HOSTS[0]}, {PUBLIC_KEY} and {SECRET_KEY}, or run `sqlassay langfuse up`"
        raise UserError("no Langfuse server is known", remedy=remedy)
    if own is not None and (named is None or named.rstrip("/") == own.host):
        # Also where only the address is named: whoever can read the folder has the keys.
        return LangfuseServer(own.host, keys or own.keys)
    return LangfuseServer(named or "", keys)
