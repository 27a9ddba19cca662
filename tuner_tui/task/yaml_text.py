"""A YAML text as bare values and as nodes with marks, for those who change it."""

from __future__ import annotations

import copy
from typing import Any

import yaml

from tuner_tui.task import nodes

Path = tuple[str | int, ...]
"""A place: keys and indices, `("parameters", "tp-size")`, `("constraints", 0)`."""


class CannotEdit(ValueError):
    """The text cannot be changed at this place; the message is a sentence."""


def plain_of(text: str) -> Any:
    """What the text holds as bare values, {} for an empty one. Raises CannotEdit where it is broken."""
    item, faults = nodes.compose(nodes.without_json_tabs(text))
    if item is None and faults:
        line = faults[0].place[0]
        raise CannotEdit((f"line {line}: " if line else "") + faults[0].message)
    return {} if item is None else copy.deepcopy(nodes.plain(item))


def dotted(path: Path) -> str:
    """`parameters.tp-size`, `constraints[0]`, as problems name it."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def root_of(text: str) -> yaml.Node | None:
    """Raises CannotEdit where the text is broken."""
    try:
        return nodes.node_tree(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise CannotEdit("the YAML is broken; mend it first") from error


def is_json(root: yaml.Node | None) -> bool:
    """Braces and keys in double quotes; what is put in is then written so, too."""
    if not isinstance(root, yaml.MappingNode) or not root.flow_style:
        return False
    return all(isinstance(key, yaml.ScalarNode) and key.style == '"' for key, _ in root.value)


def node_at(node: yaml.Node | None, path: Path) -> yaml.Node | None:
    """The node at `path` below `node`; None where the text does not hold it itself."""
    for part in path:
        found: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            found = next((value for key, value in node.value if key.value == part), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            found = node.value[part]
        if found is None:
            return None
        node = found
    return node


def key_node(mapping: yaml.Node | None, name: str | int) -> yaml.Node | None:
    """The node of a mapping's key."""
    if not isinstance(mapping, yaml.MappingNode):
        return None
    return next((key for key, _ in mapping.value if key.value == name), None)


def reads_to(text: str, meant: Any) -> bool:
    """Whether `text` holds these bare values."""
    try:
        return canonical(plain_of(text)) == canonical(meant)
    except CannotEdit:
        return False


def canonical(data: Any) -> str:
    """Equal where the values and their types are; the order of keys is free."""
    if isinstance(data, dict):
        return "{" + ",".join(sorted(f"{key!r}:{canonical(value)}" for key, value in data.items())) + "}"
    if isinstance(data, list):
        return "[" + ",".join(map(canonical, data)) + "]"
    return repr(data)
