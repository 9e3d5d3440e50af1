"""Requests and answers held against an OpenAPI 3.0 specification, with `jsonschema`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator


class OpenApi:
    """A specification.

    Args:
        path: As JSON.
    """

    def __init__(self, path: Path) -> None:
        self.document = json.loads(path.read_text())
        self._components = {"components": _in_json_schema(self.document["components"])}
        self._validators: dict[str, Draft202012Validator] = {}
        self._patterns = {
            re.compile(re.sub(r"\{[^}]+\}", "[^/]+", template)): template for template in self.document["paths"]
        }

    def problems(self, method: str, path: str, query: Mapping[str, str], body: object) -> list[str]:
        """What is wrong with a request; empty when nothing is."""
        operation = self._operation(method, path)
        if operation is None:
            return [f"no operation {method} {path}"]
        known = {one["name"]: one for one in operation.get("parameters", ()) if one["in"] == "query"}
        found = [f"no parameter {name}" for name in query if name not in known]
        found += [f"{name} is missing" for name, one in known.items() if one.get("required") and name not in query]
        for name, value in query.items():
            if known.get(name, {}).get("schema", {}).get("type") == "integer" and not value.isdigit():
                found.append(f"{name} is {value!r}")
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if (content is None) is not (body is None):
            found.append("a body is missing, or not wanted")
        return found + ([] if content is None else self.against(content["schema"], body))

    def wrong_answer(self, method: str, path: str, body: object) -> list[str]:
        """What is wrong with the answer to a request that went well."""
        operation = self._operation(method, path)
        assert operation is not None
        return self.against(operation["responses"]["200"]["content"]["application/json"]["schema"], body)

    def against(self, schema: object, value: object) -> list[str]:
        """What is wrong with a value."""
        key = json.dumps(schema)
        if key not in self._validators:
            self._validators[key] = Draft202012Validator({**self._components, "allOf": [_in_json_schema(schema)]})
        return [f"{error.json_path}: {error.message}"[:300] for error in self._validators[key].iter_errors(value)]

    def _operation(self, method: str, path: str) -> Any:
        template = next((name for pattern, name in self._patterns.items() if pattern.fullmatch(path)), None)
        return None if template is None else self.document["paths"][template].get(method.lower())


def _in_json_schema(schema: Any) -> Any:
    """The words of OpenAPI 3.0 that JSON Schema does not have, in words that it has."""
    if isinstance(schema, list):
        return [_in_json_schema(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _in_json_schema(value) for key, value in schema.items() if key != "nullable"}
    return {"anyOf": [made, {"type": "null"}]} if schema.get("nullable") is True else made


@cache
def langfuse() -> OpenApi:
    """The part of Langfuse's that sqlassay uses."""
    return OpenApi(Path(__file__).with_name("langfuse_api.json"))
