"""The splices that put a value into a YAML text, or take one out: as little as will do, in the file's own manner."""

from __future__ import annotations

import difflib
import json

import yaml

from tuner_tui.task.splices import (
    Splice,
    after_line,
    comments_in,
    end_of,
    line_end,
    line_start,
    newline_of,
    start_of,
)
from tuner_tui.task.yaml_text import (
    CannotEdit,
    Path,
    canonical,
    dotted,
    is_json,
    key_node,
    node_at,
    plain_of,
    reads_to,
    root_of,
)


def setting(text: str, root: yaml.Node | None, path: Path, value: str) -> list[Splice]:
    """`value`, YAML on one line, comes to `path`, or in place of what stands there. Raises CannotEdit."""
    node = node_at(root, path)
    if node is not None:
        return _replacing(text, root, path, node, value)
    depth = len(path) - 1
    while depth and node_at(root, path[:depth]) is None:
        depth -= 1
    parent, name, rest = node_at(root, path[:depth]), path[depth], path[depth + 1 :]
    as_json = is_json(root)
    if not isinstance(name, str) or any(isinstance(part, int) for part in rest):
        raise CannotEdit(f"{dotted(path)} is not there")
    keys = [written_key(str(part), as_json) for part in rest]
    flow = value
    for key in reversed(keys):
        flow = f"{{{key}: {flow}}}"
    return _adding(text, root, path[:depth], parent, written_key(name, as_json), keys, value, flow)


def _adding(
    text: str,
    root: yaml.Node | None,
    above: Path,
    parent: yaml.Node | None,
    key: str,
    keys: list[str],
    value: str,
    flow: str,
) -> list[Splice]:
    """`key`, and `keys` below it, at the end of `parent`, which stands at `above`."""
    nl = newline_of(text)
    if isinstance(parent, yaml.MappingNode) and parent.flow_style:
        if not parent.value:
            return [Splice(start_of(parent), end_of(parent, text), f"{{{key}: {flow}}}")]
        at = end_of(parent.value[-1][1], text)
        return [Splice(at, at, f", {key}: {flow}")]
    step = _indentation(root)
    if isinstance(parent, yaml.MappingNode):
        column = _column(parent)
        at = line_end(text, end_of(parent.value[-1][1], text))
    elif parent is None:  # an empty file
        column, at = 0, len(text.rstrip())
        nl = nl if at else ""
    elif isinstance(parent, yaml.ScalarNode) and start_of(parent) == end_of(parent, text):
        holder = node_at(root, above[:-1])
        if not isinstance(holder, yaml.MappingNode) or holder.flow_style:
            return [Splice(start_of(parent), start_of(parent), f" {{{key}: {flow}}}")]
        column = _column(holder) + step
        at = line_end(text, start_of(parent))
    else:
        return [Splice(start_of(parent), end_of(parent, text), f"{{{key}: {flow}}}")]
    # One level of keys is written as a block, as people do; deeper ones in braces.
    if len(keys) == 1 and not above:
        return [Splice(at, at, f"{nl}{' ' * column}{key}:{nl}{' ' * (column + step)}{keys[0]}: {value}")]
    return [Splice(at, at, f"{nl}{' ' * column}{key}: {flow}")]


def _indentation(root: yaml.Node | None) -> int:
    """How far the file's own sections are indented."""
    for _, value in root.value if isinstance(root, yaml.MappingNode) else ():
        if isinstance(value, yaml.MappingNode) and not value.flow_style and _column(value):
            return _column(value)
    return 2


def _column(block: yaml.Node) -> int:
    """Where the keys of a mapping begin; its own mark may be that of an anchor."""
    return int(block.value[0][0].start_mark.column)


def _replacing(text: str, root: yaml.Node | None, path: Path, node: yaml.Node, value: str) -> list[Splice]:
    new = root_of(value)
    if isinstance(node, yaml.SequenceNode) and isinstance(new, yaml.SequenceNode) and node.value and new.value:
        return _items(text, node, [value[start_of(each) : end_of(each, value)] for each in new.value])
    if isinstance(node, yaml.MappingNode) and isinstance(new, yaml.MappingNode):
        old_keys = [key.value for key, _ in node.value]
        if old_keys == [key.value for key, _ in new.value]:
            pairs = zip(node.value, new.value, strict=True)
            return [
                splice
                for (_, before), (_, after) in pairs
                for splice in _changed(text, before, value[start_of(after) : end_of(after, value)])
            ]
    start, end = start_of(node), end_of(node, text)
    parent = node_at(root, path[:-1])
    if isinstance(parent, yaml.SequenceNode):
        return [Splice(start, end, value)]
    key = key_node(parent, path[-1])
    assert key is not None
    colon = text.index(":", end_of(key, text)) + 1
    if start == end:
        return [Splice(colon, colon, f" {value}")]
    if "\n" not in text[colon:end] and "\r" not in text[colon:end]:
        return [Splice(start, end, value)]
    # The value goes back to its key's line; what was remarked on it goes above.
    first = text[colon : line_end(text, colon)].strip()
    tail = f"  {first}" if first.startswith("#") and start > line_end(text, colon) else ""
    remarks = comments_in(text, colon + (len(text[colon : line_end(text, colon)]) if tail else 0), end, node)
    margin = text[line_start(text, start_of(key)) : start_of(key)]
    above = "".join(f"{margin}{each}{newline_of(text)}" for each in remarks) if not margin.strip() else ""
    splices = [Splice(colon, end, f" {value}{tail}")]
    if above:
        splices.append(Splice(line_start(text, start_of(key)), line_start(text, start_of(key)), above))
    return splices


def _changed(text: str, node: yaml.Node, value: str) -> list[Splice]:
    """Nothing where the value is the same anyway, so that its quoting and its digits stay."""
    start, end = start_of(node), end_of(node, text)
    before = text[start:end]
    if before == value or reads_to(before, plain_of(value)):
        return []
    return [Splice(start, end, (" " if start == end else "") + value)]


def _items(text: str, node: yaml.SequenceNode, new: list[str]) -> list[Splice]:
    """The splices that make the items of `node` those of `new`; what is the same stays as it is written."""
    old = [text[start_of(each) : end_of(each, text)] for each in node.value]
    matcher = difflib.SequenceMatcher(a=[_meaning(each) for each in old], b=[_meaning(each) for each in new])
    splices: list[Splice] = []
    for what, first, last, new_first, new_last in matcher.get_opcodes():
        if what == "equal":
            continue
        common = min(last - first, new_last - new_first)
        for index in range(common):
            each = node.value[first + index]
            splices.append(Splice(start_of(each), end_of(each, text), new[new_first + index]))
        if new_last - new_first > common:
            splices.append(_insertion(text, node, first + common, new[new_first + common : new_last]))
        if last - first > common:
            splices += _deletion(text, node, first + common, last)
    return splices


def _meaning(source: str) -> str:
    try:
        return canonical(plain_of(source))
    except CannotEdit:
        return source


def _insertion(text: str, node: yaml.SequenceNode, index: int, new: list[str]) -> Splice:
    """`new` before the item at `index`."""
    nl = newline_of(text)
    if node.flow_style:
        if index:
            at = end_of(node.value[index - 1], text)
            return Splice(at, at, "".join(f", {each}" for each in new))
        at = start_of(node.value[0])
        return Splice(at, at, "".join(f"{each}, " for each in new))
    dash = text.rfind("-", 0, start_of(node.value[0]))
    margin = " " * (dash - line_start(text, dash))
    if index:
        at = line_end(text, end_of(node.value[index - 1], text))
        return Splice(at, at, "".join(f"{nl}{margin}- {each}" for each in new))
    return Splice(dash, dash, "".join(f"- {each}{nl}{margin}" for each in new))


def _deletion(text: str, node: yaml.SequenceNode, first: int, last: int) -> list[Splice]:
    """The items from `first` to before `last`."""
    items = node.value
    if not node.flow_style:
        return [
            _whole_lines(text, text.rfind("-", 0, start_of(each)), end_of(each, text)) for each in items[first:last]
        ]
    if first:
        return [Splice(end_of(items[first - 1], text), end_of(items[last - 1], text), "")]
    if last < len(items):
        return [Splice(start_of(items[0]), start_of(items[last]), "")]
    return [Splice(start_of(items[0]), end_of(items[-1], text), "")]


def _whole_lines(text: str, start: int, end: int) -> Splice:
    return Splice(line_start(text, start), after_line(text, end), "")


# Removing


def removal(text: str, container: yaml.CollectionNode, path: Path) -> list[Splice]:
    """What stands at `path`, directly in `container`, goes. Raises CannotEdit."""
    if isinstance(container, yaml.SequenceNode):
        index = path[-1]
        assert isinstance(index, int)
        if len(container.value) == 1 and not container.flow_style:
            raise CannotEdit(f"{dotted(path)} is the only item of its list; take the whole list out")
        return _deletion(text, container, index, index + 1)
    pairs = container.value if isinstance(container, yaml.MappingNode) else []
    index = next((at for at, (key, _) in enumerate(pairs) if key.value == path[-1]), -1)
    if index < 0:
        raise CannotEdit(f"{dotted(path)} comes from elsewhere in the file; change it in the YAML")
    start, end = start_of(pairs[index][0]), end_of(pairs[index][1], text)
    if container.flow_style:
        if index:
            return [Splice(end_of(pairs[index - 1][1], text), end, "")]
        return [Splice(start, start_of(pairs[1][0]) if len(pairs) > 1 else end, "")]
    if not text[line_start(text, start) : start].strip():
        return [_whole_lines(text, start, end)]
    if index + 1 < len(pairs):  # on the line of a list's dash
        return [Splice(start, start_of(pairs[index + 1][0]), "")]
    raise CannotEdit(f"{dotted(path)} is the only key of its item; take the whole item out")


def written_key(name: str, as_json: bool) -> str:
    """A key as it is written: in quotes only where it must be."""
    if not as_json:
        try:
            if plain_of(f"{{{name}: 1}}") == {name: 1} and plain_of(f"{name}: 1") == {name: 1}:
                return name
        except CannotEdit:
            pass
    return json.dumps(name, ensure_ascii=False)
