"""Whether a server answers, as a monitor asks it: a few cheap requests, each timed, and nothing written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evaluation.langfuse_server.connection import Answer, LangfuseServer, NoAnswer
from sqlassay.langfuse import HOSTS, PUBLIC_KEY, SECRET_KEY
from sqlassay.validation import Check, ValidationResult

HEALTH = "/api/public/health?failIfDatabaseUnavailable=true"
"""Without the question after the mark it answers that all is well, whatever has become of the database."""
READY = "/api/public/ready"
PROJECTS = "/api/public/projects"

_UP = "start the server; `sqlassay langfuse status` shows one of your own"
_ADDRESS = f"check {HOSTS[0]}"
_KEYS = f"check {PUBLIC_KEY}, {SECRET_KEY} and {HOSTS[0]}: keys are of one server and project"


def health(server: LangfuseServer, *, seconds: float) -> ValidationResult:
    """Ask whether it and its database work, whether it takes requests, and, with keys, whether it knows them.

    Args:
        server: With or without keys.
        seconds: How long each request may take.
    """
    checks = [asked("database", server, HEALTH, seconds, _healthy), asked("ready", server, READY, seconds, _ready)]
    if server.keys is not None:
        checks.append(authentication(server, seconds)[0])
    return ValidationResult(f"Langfuse at {server.host}", tuple(checks))


def version_of(answer: Answer) -> str:
    """What the server says about itself; nothing when what answers is none of Langfuse's."""
    return str(answer.body.get("version") or "") if isinstance(answer.body, dict) else ""


def reachable(server: LangfuseServer, seconds: float) -> tuple[Check, str]:
    """Whether Langfuse answers there and has its database, and its version."""
    found = ""

    def look(answer: Answer) -> tuple[str, str]:
        nonlocal found
        found = version_of(answer)
        return _healthy(answer)

    return asked("reachable", server, HEALTH, seconds, look), found


def authentication(server: LangfuseServer, seconds: float) -> tuple[Check, list[dict[str, Any]]]:
    """Whether the keys are accepted, and the projects that they are for."""
    if server.keys is None:
        return Check("authentication", False, "there are no keys", f"set {PUBLIC_KEY} and {SECRET_KEY}"), []
    found: list[dict[str, Any]] = []

    def look(answer: Answer) -> tuple[str, str]:
        match answer:
            case Answer(200, {"data": list(projects)}):
                found.extend(one for one in projects if isinstance(one, dict))
                return "", ""
            case Answer(401, _):
                return "the keys are not accepted", _KEYS
            case Answer(403, _):
                return "the keys are of an organisation", "make keys in the settings of a project"
        return answered(answer), _ADDRESS

    check = asked("authentication", server, PROJECTS, seconds, look)
    return check, found


def answered(answer: Answer) -> str:
    """An answer that was not expected."""
    redirect = ": it redirects, so name the address that it redirects to" if 300 <= answer.status < 400 else ""
    return f"answers with HTTP {answer.status}{redirect}" + (" and no JSON" if answer.body is None else "")


def asked(
    name: str,
    server: LangfuseServer,
    path: str,
    seconds: float,
    look: Callable[[Answer], tuple[str, str]],
    **request: Any,
) -> Check:
    """One request as a check.

    Args:
        name: Of the check.
        server: Who is asked.
        path: What.
        seconds: How long it may take.
        look: What is wrong with an answer, and what to do; nothing when it is all right.
        request: What else `LangfuseServer.request` takes.
    """
    try:
        answer = server.request(path, seconds=seconds, **request)
    except NoAnswer as error:
        return Check(name, False, str(error), _UP)
    problem, remedy = look(answer)
    if problem:
        return Check(name, False, problem, remedy, seconds=answer.seconds)
    return Check(name, True, f"in {answer.seconds * 1000:.0f} ms", seconds=answer.seconds)


def _healthy(answer: Answer) -> tuple[str, str]:
    if not version_of(answer):
        return f"what answers is not Langfuse: {answered(answer)}", _ADDRESS
    if answer.status == 503:
        return "its database is not available", "look at its database, and at the log of langfuse-web"
    return ("", "") if answer.status == 200 else (answered(answer), _UP)


def _ready(answer: Answer) -> tuple[str, str]:
    return ("", "") if answer.status == 200 else (f"it takes no requests: {answered(answer)}", _UP)
