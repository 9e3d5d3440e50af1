"""Where things are in a YAML file, for messages."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

Location = tuple[str | int, ...]
"""The keys and indexes that lead to a value."""


def lines(node: yaml.Node, at: Location = ()) -> Iterator[tuple[Location, int]]:
    """The line of every key and entry, from 1."""
    yield at, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*at, key.value), key.start_mark.line + 1
            for location, line in lines(value, (*at, key.value)):
                if location != (*at, key.value):
                    yield location, line
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from lines(value, (*at, index))


def duplicate_keys(node: yaml.Node) -> Iterator[tuple[str, int]]:
    """Every key that its mapping has already, with its line: YAML would take the last and say nothing."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield key.value, key.start_mark.line + 1
            seen.add(key.value)
            yield from duplicate_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from duplicate_keys(value)
