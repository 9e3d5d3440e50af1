"""Secrets that are written into an experiment file are refused, by one line, and nothing else is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evaluation.experiment import parse_experiment
from sqlassay.errors import UserError

CANARY = "c4n4ry-k3y"


def experiment(**model: Any) -> str:
    content = {
        "name": "small",
        "dataset": {"format": "jsonl", "path": "q.jsonl"},
        "models": [{"adapter": "openai", "model": "m", **model}],
    }
    return json.dumps(content, indent=1)


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "key": ({"settings": {"api_key": CANARY}}, "settings.api_key", "secret"),
    "key in other words": ({"settings": {"x-api-key": CANARY}}, "settings.x-api-key", "secret"),
    "default": ({"settings": {"api_key": f"${{NO_SUCH:-{CANARY}}}"}}, "settings.api_key", "secret"),
    "number": ({"settings": {"password": 12345}}, "settings.password", "secret"),
    "deep": ({"settings": {"auth": {"basic": [CANARY]}}}, "settings.auth.basic.0", "secret"),
    "header": (
        {"settings": {"extra_headers": {"Authorization": f"Bearer {CANARY}"}}},
        "settings.extra_headers.Authorization",
        "secret",
    ),
    "header of another name": (
        {"parameters": {"extra_headers": {"Ocp-Apim-Subscription-Key": CANARY}}},
        "parameters.extra_headers.Ocp-Apim-Subscription-Key",
        "secret",
    ),
    "query of a client": ({"settings": {"default_query": {"key": CANARY}}}, "settings.default_query.key", "secret"),
    "scheme": ({"parameters": {"anything": f"bearer {CANARY}"}}, "parameters.anything", "secret"),
    "userinfo": ({"settings": {"base_url": f"https://me:{CANARY}@h/v1"}}, "settings.base_url", "password"),
    "token as user": ({"settings": {"base_url": f"https://{CANARY}@h/v1"}}, "settings.base_url", "password"),
    "query": ({"settings": {"base_url": f"https://h/v1?key={CANARY}"}}, "settings.base_url", "query"),
    "half": ({"settings": {"base_url": f"https://${{HOME}}:{CANARY}@h/v1"}}, "settings.base_url", "password"),
}


@pytest.mark.parametrize(("model", "at", "what"), REFUSED.values(), ids=REFUSED)
def test_a_literal_secret_is_one_line(model: dict[str, Any], at: str, what: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_experiment(experiment(**model), Path("x.yaml"))
    line = str(caught.value)
    assert CANARY not in line
    assert f": models.0.{at}: holds a {what}, which " in line
    assert line.startswith("x.yaml:")
    assert line.endswith("every run would record (take it from the environment: ${NAME})")


TARGETS = {
    "postgresql://me:${HOME}@h/{db_id}": None,
    "postgresql://me@h/{db_id}?sslmode=require&connect_timeout=3": None,
    "host=h user=me password=${HOME} dbname={db_id}": None,
    "databases/{db_id}.sqlite": None,
    "//me:${HOME}@h/db?schema={db_id}": None,
    f"postgresql://me:{CANARY}@h/{{db_id}}": "password",
    f"//me:{CANARY}@h/{{db_id}}": "password",
    f"//me:{CANARY}/?#@h/{{db_id}}": "password",
    f"//${{HOME}}:${{NO_SUCH:-{CANARY}}}@h/{{db_id}}": "password",
    f"mysql://me@h/{{db_id}}?password={CANARY}": "password",
    f"host=h password='{CANARY}' dbname={{db_id}}": "password",
}


@pytest.mark.parametrize(("target", "what"), TARGETS.items(), ids=TARGETS)
def test_connection_strings(target: str, what: str | None) -> None:
    text = experiment()[:-2] + "," + json.dumps({"backends": [{"backend": "sqlite", "target": target}]})[1:]
    if what is None:
        assert parse_experiment(text, Path("x.yaml"))
        return
    with pytest.raises(UserError, match=rf"backends\.0\.target: holds a {what}"):
        parse_experiment(text, Path("x.yaml"))


ALLOWED: list[dict[str, Any]] = [
    {"settings": {"api_key": "${HOME}"}},
    {"settings": {"api_key_env": "MY_KEY", "timeout": 60, "base_url": "https://h:8000/v1"}},
    {"settings": {"extra_headers": {"Authorization": "Bearer ${HOME}", "X-Title": "nightly"}}},
    {"settings": {"base_url": "https://${HOME}:${HOME}@h/v1?key=${HOME}"}},
    {"parameters": {"max_tokens": 5, "eos_token": "</s>", "prompt_cache_key": "nightly", "stop": ["a?b=c"]}},
    {"parameters": {"logit_bias": {"50256": -100}, "reasoning_effort": "low"}},
    {"settings": {"path": "answers/secret.jsonl"}},
]


@pytest.mark.parametrize("model", ALLOWED, ids=str)
def test_what_is_no_literal_secret_is_not_refused(model: dict[str, Any]) -> None:
    assert parse_experiment(experiment(**model), Path("x.yaml"))
