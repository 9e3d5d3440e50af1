"""Whether a server can be used: from its address to a trace that is written and read back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from evaluation.langfuse_server import trace
from evaluation.langfuse_server.connection import Answer, LangfuseServer
from evaluation.langfuse_server.health import answered, asked, authentication, reachable
from sqlassay.errors import UserError
from sqlassay.langfuse import SECONDS
from sqlassay.validation import Check, ValidationResult

ENDPOINTS = {
    "prompts": "/api/public/v2/prompts?limit=1",
    "datasets": "/api/public/v2/datasets?limit=1",
    "dataset items": "/api/public/dataset-items?limit=1",
    "scores": "/api/public/v3/scores?limit=1",
    "observations": "/api/public/v2/observations?limit=1&fromStartTime={recently}",
}
"""What prompts, runs and their scores are read from; all of them answer with a list under `data`. What is written to is
tried with a trace, which is removed again, and with a dataset of one item."""
DATASET = "sqlassay-validate"
NEEDS = {5: (4, 59, 0)}
"""The oldest server that each major version of the SDK is made for: https://langfuse.com/docs/compatibility."""
_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")


def validate(
    server: LangfuseServer, *, project: str = "", write: bool = True, seconds: float = 60.0
) -> ValidationResult:
    """Look at a server as those parts that use it will.

    Args:
        server: With the keys of a project.
        project: The id or name of the project that is expected; any is all right unless given.
        write: Whether to write a trace and a score, into the environment `sqlassay-validate`, read them back, and have
            them removed; and a dataset of that name with an item, which are the same each time and stay.
        seconds: How long to wait until they can be read.

    Returns:
        The checks, up to the first that leaves nothing more to look at.
    """
    checks: list[Check] = []
    check, version = reachable(server, SECONDS)
    checks.append(check)
    if check.ok:
        checks.append(_version(version))
        if server.in_the_clear:
            remedy = "name an address with https://"
            checks.append(Check("transport", True, "keys and traces go over http:// unencrypted", remedy, warning=True))
        check, projects = authentication(server, SECONDS)
        checks.append(check)
        if check.ok:
            checks.append(_project(projects, project))
            checks += [asked(f"reads {name}", server, _path(path), SECONDS, _list) for name, path in ENDPOINTS.items()]
            if write:
                checks += [*_dataset(server), *_trace(server, seconds)]
    return ValidationResult(f"Langfuse at {server.host}", tuple(checks))


def _version(found: str) -> Check:
    """Whether SDK and server are made for each other."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        sdk = installed("langfuse")
    except PackageNotFoundError:
        remedy = "pip install 'sqlassay[langfuse]'"
        return Check("version", False, f"server {found}; the SDK is not installed", remedy)
    said = f"server {found}, SDK {sdk}"
    match, needed = _VERSION.match(found), NEEDS.get(int(sdk.split(".")[0]))
    if match is None or needed is None:
        return Check("version", True, f"{said}: whether they fit is not known", warning=True)
    have = (int(match[1]), int(match[2]), int(match[3]))
    if have < needed:
        oldest = ".".join(map(str, needed))
        remedy = f"update the server: LANGFUSE_VERSION={oldest} in the .env of your own"
        return Check("version", False, f"{said}, which needs {oldest} or newer", remedy)
    if have[0] > needed[0]:
        return Check("version", True, f"{said}: that server is newer than what this was made for", warning=True)
    return Check("version", True, said)


def _project(projects: list[dict[str, Any]], expected: str) -> Check:
    if not projects:
        return Check("project", False, "the keys open no project", "make keys in the settings of a project")
    names = [f"{one.get('name')} ({one.get('id')})" for one in projects]
    if expected and not any(expected in (one.get("id"), one.get("name")) for one in projects):
        remedy = f"use the keys of {expected!r}"
        return Check("project", False, f"the keys are of {', '.join(names)}, not of {expected!r}", remedy)
    return Check("project", True, ", ".join(names))


def _path(template: str) -> str:
    recently = datetime.now(UTC) - timedelta(hours=1)
    return template.replace("{recently}", recently.strftime("%Y-%m-%dT%H:%M:%SZ"))


def _list(answer: Answer) -> tuple[str, str]:
    if answer.status == 200 and isinstance(answer.body, Mapping) and isinstance(answer.body.get("data"), list):
        return "", ""
    return answered(answer), "update the server, or see the log of langfuse-web"


def _dataset(server: LangfuseServer) -> list[Check]:
    return [
        _asked_to("dataset written", server, "/api/public/v2/datasets", {"name": DATASET}),
        _asked_to(
            "item written",
            server,
            "/api/public/dataset-items",
            {"datasetName": DATASET, "id": DATASET, "input": {"question": "was this written?", "db_id": ""}},
        ),
    ]


def _asked_to(name: str, server: LangfuseServer, path: str, body: object = None, method: str = "POST") -> Check:
    def look(answer: Answer) -> tuple[str, str]:
        return ("", "") if 200 <= answer.status < 300 else (answered(answer), "see the log of langfuse-web")

    more = {} if body is None else {"body": json.dumps(body).encode(), "headers": {"Content-Type": "application/json"}}
    return asked(name, server, path, SECONDS, look, method=method, **more)


def _trace(server: LangfuseServer, seconds: float) -> list[Check]:
    try:
        made = trace.made()
    except UserError as error:
        return [Check("trace written", False, error.problem, error.remedy)]
    checks = [trace.write(server, made, SECONDS), trace.write_score(server, made)]
    if all(check.ok for check in checks):
        checks.append(trace.read_back(server, made, seconds))
    if checks[0].ok:
        checks.append(_asked_to("trace removed", server, f"/api/public/traces/{made.trace}", method="DELETE"))
    return checks
