"""Changing a task's text in place: comments, order, quoting and every other line stay what they were.

A place is a path of keys and indices: `("parameters", "tp-size")`, `("constraints", 0)`. Each function returns the
whole new text. What it reads to is compared with what was meant before it is returned, so a text is never bent in
silence: where an edit cannot be made so, `CannotEdit` is raised with a sentence, and the text is left to its author.
"""

from __future__ import annotations

import json
from typing import Any

import yaml

from tuner_tui.task.rewriting import removal, setting
from tuner_tui.task.splices import apply
from tuner_tui.task.yaml_text import (
    CannotEdit,
    Path,
    dotted,
    is_json,
    node_at,
    plain_of,
    reads_to,
    root_of,
)


def set_value(text: str, path: Path, value: str) -> str:
    """Puts `value`, YAML on one line, at `path`. Keys that are missing are added at the end of their mapping. In a
    list only the items that differ are touched. Raises CannotEdit."""
    if not value.strip():
        raise CannotEdit("there is no value")
    wanted = plain_of(value)
    meant = _with(plain_of(text), path, wanted)
    root = root_of(text)
    tries = [value]
    if is_json(root):
        tries = [json.dumps(wanted, ensure_ascii=False)]
    elif isinstance(wanted, str) and value[:1] not in ("'", '"'):
        tries.append(json.dumps(wanted, ensure_ascii=False))
    for each in tries:
        changed = apply(text, setting(text, root, path, each))
        if reads_to(changed, meant):
            return changed
    raise CannotEdit(f"{dotted(path)} cannot be set to {value} in place; change it in the YAML")


def remove_key(text: str, path: Path) -> str:
    """Takes a key with its value out, or an item of a list. Comments on lines of their own stay. The last key of a
    section leaves the section empty, which is as good as absent. Raises CannotEdit."""
    meant = plain_of(text)
    parent = _get(meant, path[:-1])
    there = range(len(parent)) if isinstance(parent, list) else parent if isinstance(parent, dict) else ()
    if path[-1] not in there:
        raise CannotEdit(f"{dotted(path)} is not there")
    del parent[path[-1]]
    root = root_of(text)
    container = node_at(root, path[:-1])
    if not isinstance(container, yaml.CollectionNode):
        raise CannotEdit(f"{dotted(path)} comes from elsewhere in the file; change it in the YAML")
    splices = removal(text, container, path)
    if not parent and len(path) > 1 and not container.flow_style:
        meant = _with(meant, path[:-1], None)
    changed = apply(text, splices)
    if not reads_to(changed, meant):
        raise CannotEdit(f"{dotted(path)} cannot be taken out in place; change it in the YAML")
    return changed


def find(text: str, path: Path) -> yaml.Node | None:
    """The node at `path`, with marks into `text`; None where the text does not hold it itself. Raises CannotEdit."""
    return node_at(root_of(text), path)


# What is meant


def _get(data: Any, path: Path) -> Any:
    for part in path:
        if isinstance(data, dict):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data


def _with(data: Any, path: Path, value: Any) -> Any:
    """`data` with `value` at `path`. Raises CannotEdit where something else stands in the way."""
    if not path:
        return value
    head, rest = path[0], path[1:]
    if isinstance(head, int):
        if not isinstance(data, list) or head >= len(data):
            raise CannotEdit(f"there is no item {head}")
        return [_with(each, rest, value) if index == head else each for index, each in enumerate(data)]
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise CannotEdit(f"{head} cannot be set: a value stands where keys are expected")
    return {**data, head: _with(data.get(head), rest, value)}
