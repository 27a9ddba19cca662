"""Where the nodes of a YAML text begin and end, and pieces of text put in their place."""

from __future__ import annotations

from dataclasses import dataclass

import yaml

from tuner_tui.task.nodes import ALIAS


@dataclass(frozen=True)
class Splice:
    """`text[start:end]` becomes `new`."""

    start: int
    end: int
    new: str


def apply(text: str, splices: list[Splice]) -> str:
    """All of them, which must not overlap; several at one place in the order given."""
    for _, _, splice in sorted(((each.start, at, each) for at, each in enumerate(splices)), reverse=True):
        text = text[: splice.start] + splice.new + text[splice.end :]
    return text


def start_of(node: yaml.Node) -> int:
    """Index of the first character, anchor and tag included."""
    return int(node.start_mark.index)


def end_of(node: yaml.Node, text: str) -> int:
    """Index after the last character of the value itself. PyYAML ends a block only where the next token begins, past
    blank lines and comments."""
    if isinstance(node, yaml.ScalarNode):
        end = int(node.end_mark.index)
        if node.style in ("|", ">") and node.tag != ALIAS:
            return max(start_of(node), len(text[:end].rstrip()))
        return end
    assert isinstance(node, yaml.CollectionNode)
    if node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return end_of(last[1] if isinstance(last, tuple) else last, text)


def line_start(text: str, index: int) -> int:
    """Where the line of `index` begins."""
    return max(text.rfind("\n", 0, index), text.rfind("\r", 0, index)) + 1


def line_end(text: str, index: int) -> int:
    """Where the line of `index` ends, before its line break."""
    ends = [at for at in (text.find("\n", index), text.find("\r", index)) if at >= 0]
    return min(ends, default=len(text))


def after_line(text: str, index: int) -> int:
    """Where the line after that of `index` begins."""
    end = line_end(text, index)
    return end + (2 if text[end : end + 2] == "\r\n" else 1 if end < len(text) else 0)


def newline_of(text: str) -> str:
    """The line break that the text uses."""
    return "\r\n" if "\r\n" in text else "\n"


def comments_in(text: str, start: int, end: int, node: yaml.Node) -> list[str]:
    """The comments between `start` and `end`, outside every scalar of `node`."""
    covered = [(start_of(each), end_of(each, text)) for each in _scalars(node)]
    found: list[str] = []
    at = start
    while (at := text.find("#", at, end)) >= 0:
        inside = next((stop for begin, stop in covered if begin <= at < stop), None)
        if inside is not None:
            at = inside
            continue
        stop = min(line_end(text, at), end)
        found.append(text[at:stop].rstrip())
        at = stop
    return found


def _scalars(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.ScalarNode):
        return [node]
    parts = [each for pair in node.value for each in pair] if isinstance(node, yaml.MappingNode) else node.value
    return [scalar for part in parts for scalar in _scalars(part)]
