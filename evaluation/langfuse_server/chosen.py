"""Which server is meant."""

from __future__ import annotations

from pathlib import Path

from evaluation.langfuse_server.deployment import Deployment
from sqlassay.errors import UserError
from sqlassay.langfuse import CLOUD, HOSTS, PUBLIC_KEY, SECRET_KEY, LangfuseServer


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
    keys, named = LangfuseServer.named_keys(), host or LangfuseServer.named_host()
    own = Deployment().known_settings()
    if own is not None and (named or (own.host if keys is None else CLOUD)).rstrip("/") == own.host:
        # Also where only the address is named: whoever can read the folder has the keys.
        return LangfuseServer(own.host, keys or own.keys)
    if named is None and keys is None:
        remedy = f"set {HOSTS[0]}, {PUBLIC_KEY} and {SECRET_KEY}, or run `sqlassay langfuse up`"
        raise UserError("no Langfuse server is known", remedy=remedy)
    return LangfuseServer(named or CLOUD, keys)
