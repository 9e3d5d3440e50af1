"""The server of these tests refuses what Langfuse's specification does: else it would prove nothing."""

from __future__ import annotations

import pytest

from tests.providers.langfuse_copy import ITEMS, SCORES, SPANS
from tests.providers.openapi import langfuse

SCORE = {"name": "n", "value": 1.0, "dataType": "NUMERIC", "comment": None}
SPAN = {"name": "s", "kind": 1, "attributes": [{"key": "k", "value": {"stringValue": "v"}}]}


def problems(method: str, path: str, body: object = None, **query: str) -> list[str]:
    return langfuse().problems(method, path, query, body)


def test_what_is_right() -> None:
    assert problems("POST", SCORES, SCORE) == []
    assert problems("POST", SPANS, {"resourceSpans": [{"scopeSpans": [{"spans": [SPAN]}]}]}) == []
    assert problems("GET", ITEMS, datasetName="d", page="1") == []
    assert problems("GET", "/api/public/v2/datasets/team%2Fd") == []


@pytest.mark.parametrize(
    ("method", "path", "body", "query"),
    [
        ("POST", SCORES, {"value": 1.0}, {}),
        ("POST", SCORES, {**SCORE, "value": None}, {}),
        ("POST", SCORES, {**SCORE, "dataType": "NUMBER"}, {}),
        ("POST", SCORES, [SCORE], {}),
        ("POST", SCORES, None, {}),
        ("POST", ITEMS, {"id": "i"}, {}),
        ("POST", ITEMS, {"datasetName": "d", "id": 1}, {}),
        ("POST", SPANS, {"resourceSpans": [{"scopeSpans": [{"spans": [{**SPAN, "name": 1}]}]}]}, {}),
        ("POST", SPANS, {}, {}),
        ("GET", ITEMS, None, {"dataset": "d"}),
        ("GET", ITEMS, None, {"page": "first"}),
        ("GET", "/api/public/health", {}, {}),
        ("PUT", SCORES, SCORE, {}),
        ("GET", "/api/public/nowhere", None, {}),
    ],
)
def test_what_is_wrong(method: str, path: str, body: object, query: dict[str, str]) -> None:
    assert problems(method, path, body, **query)
