"""The Langfuse server, where there is one."""

from __future__ import annotations

from collections.abc import Iterator

from evaluation.doctor.finding import Finding, State, of_checks


def langfuse() -> Iterator[Finding]:
    """Whether the server that is configured can be used; nothing is written there."""
    from evaluation.langfuse_server.chosen import chosen
    from evaluation.langfuse_server.deployment import Deployment
    from evaluation.langfuse_server.validation import validate
    from sqlassay.langfuse import HOSTS, configured_host

    if configured_host() is None and Deployment().known_settings() is None:
        yield Finding("Langfuse", State.ABSENT, "no server is known", f"set {HOSTS[0]}, or sqlassay langfuse up")
        return
    server = chosen()
    yield from of_checks(f"Langfuse at {server.host}", validate(server, write=False))
