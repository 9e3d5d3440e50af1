"""Where things are in a YAML file, for messages."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

Location = tuple[str | int, ...]
"""The keys and indexes that lead to a value."""


_MOST = 100_000


def compose(text: str) -> yaml.Node | None:
    """The nodes of a YAML text; `None` of an empty one. To be called before anything else is made of the text.

    Raises:
        YAMLError: It is no YAML, or its aliases stand for so much that nobody could have written it out.
        RecursionError: It is nested too deeply, or within itself.
    """
    tree = yaml.compose(text, Loader=yaml.SafeLoader)
    if tree is not None:
        sizes: dict[int, int] = {}
        if _size(tree, sizes) > max(_MOST, len(sizes)):
            raise yaml.MarkedYAMLError(
                problem=f"its aliases stand for more than {_MOST:,} values", problem_mark=tree.start_mark
            )
    return tree


def _size(node: yaml.Node, sizes: dict[int, int]) -> int:
    """How many nodes there are with every alias written out; each node is looked into once."""
    if id(node) not in sizes:
        below = [one for pair in node.value for one in pair] if isinstance(node, yaml.MappingNode) else node.value
        inner = () if isinstance(node, yaml.ScalarNode) else below
        sizes[id(node)] = 1 + sum(_size(one, sizes) for one in inner)
    return sizes[id(node)]


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
