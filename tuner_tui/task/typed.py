"""Values as a person types them in one line, `0.7, 0.8` or `2048..16384 ×2`, to YAML and back."""

from __future__ import annotations

import json
import re

import yaml

from tuner_tui.task.splices import end_of, start_of
from tuner_tui.task.units import duration_s
from tuner_tui.task.yaml_text import CannotEdit, plain_of

_NUMBER = r"[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"\s*({_NUMBER})\s*\.\.\s*({_NUMBER})\s*(?:([×x*+])\s*({_NUMBER}))?\s*", re.ASCII)
_LIMIT = re.compile(r"\s*([A-Za-z][\w.]*)\s*(?:<=?|≤|:|=|\s)\s*(\S+(?:\s*(?:ms|s|min|m|h))?)\s*", re.ASCII)
_QUOTED = re.compile(r"'(?:''|[^'])*'|\"(?:\\.|[^\"\\])*\"|.+", re.S)
"""With its quotes; the rest where they do not end."""
_RANGE_KEYS = {"from", "to", "step", "times"}


def pieces(typed: str, between: str = ",") -> list[str]:
    """Split at the commas, or what else is `between`, outside brackets and quotes; empty pieces are left out."""
    found, depth, piece, at = [], 0, "", 0
    while at < len(typed):
        letter = typed[at]
        # Within a word it is an apostrophe.
        opens = letter in "'\"" and piece.rstrip()[-1:] in ("([{,:" if depth > 0 else "=")
        if opens and (quoted := _QUOTED.match(typed, at)):
            letter = quoted[0]
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        at += len(letter)
        if letter in between and depth <= 0:
            found.append(piece.strip())
            piece = ""
        else:
            piece += letter
    return [each for each in [*found, piece.strip()] if each]


def values_yaml(typed: str) -> str:
    """What stands behind a flag: one value, several with commas between them, a range, or YAML in brackets.

    `0.7, 0.8` → `[0.7, 0.8]`; `2048..16384 ×2` → `{from: 2048, to: 16384, times: 2}`; `0.7..0.9 +0.1` → `step: 0.1`.
    Raises ValueError with a sentence.
    """
    typed = typed.strip()
    if not typed:
        raise ValueError("type a value; del takes the flag out")
    if found := _RANGE.fullmatch(typed):
        start, end, way, by = found.groups()
        if way is None:
            raise ValueError(f"how does {start}..{end} go on? {start}..{end} ×2 doubles, {start}..{end} +1 counts up")
        return f"{{from: {start}, to: {end}, {'step' if way == '+' else 'times'}: {by}}}"
    if _is_yaml_whole(typed):
        return typed
    found_pieces = pieces(typed)
    if len(found_pieces) == 1 and not typed.rstrip().endswith(","):
        return one_yaml(found_pieces[0])
    return list_yaml(found_pieces)


def list_yaml(items: list[str]) -> str:
    """`[a, b]` with quotes where YAML would read something else."""
    return "[" + ", ".join(one_yaml(each) for each in items) + "]"


def one_yaml(piece: str) -> str:
    """One value as it may stand in a YAML list: as typed where that is one value, else in quotes."""
    try:
        read = plain_of(f"[{piece}]")
        # Between others too: PyYAML takes `1]#` for a list that ends, and a comment.
        is_one = isinstance(read, list) and len(read) == 1 and len(plain_of(f"[{piece}, {piece}]")) == 2
    except CannotEdit:
        return json.dumps(piece, ensure_ascii=False)
    if is_one and not isinstance(read[0], dict):
        return piece
    # JSON as a flag's value, or text with a comma or colon in it.
    return "'" + piece.replace("'", "''") + "'"


def texts_yaml(typed: str) -> str:
    """A list of texts, each in double quotes unless it is quoted already: traffic scenarios."""
    quoted = [each if each[:1] in "'\"" else json.dumps(each, ensure_ascii=False) for each in pieces(typed)]
    if not quoted:
        raise ValueError("type at least one")
    return f"[{', '.join(quoted)}]"


def limits_yaml(typed: str) -> str:
    """`ttft.p99 < 500ms, tpot.mean < 50ms` → `{ttft.p99: 500ms, tpot.mean: 50ms}`. Raises ValueError."""
    found = []
    for piece in pieces(typed.strip().removeprefix("{").removesuffix("}")):
        limit = _LIMIT.fullmatch(piece)
        if limit is None:
            raise ValueError(f"expected limits like ttft.p99 < 500ms, found {piece!r}")
        try:
            duration_s(limit[2])
        except ValueError:
            raise ValueError(f"{limit[1]}: expected a duration like 500ms or 2s, found {limit[2]!r}") from None
        found.append(f"{limit[1]}: {limit[2]}")
    if not found:
        raise ValueError("type a limit like ttft.p99 < 500ms; del takes them out")
    return "{" + ", ".join(found) + "}"


def typed_values(text: str, node: yaml.Node) -> str:
    """How the value of `node` would be typed: the inverse of `values_yaml`."""
    if isinstance(node, yaml.SequenceNode):
        items = [_typed_one(text, each) for each in node.value]
        if len(items) == 1 or not items:
            return f"[{', '.join(items)}]"
        return ", ".join(items)
    if isinstance(node, yaml.MappingNode):
        parts = {str(key.value): source(text, value) for key, value in node.value}  # a key may be a list
        way = {"step": "+", "times": "×"}
        by = next((name for name in way if name in parts), None)
        if by and set(parts) == {"from", "to", by}:
            return f"{parts['from']}..{parts['to']} {way[by]}{parts[by]}"
    return _typed_one(text, node)


def _typed_one(text: str, node: yaml.Node) -> str:
    """One value as it is written; a text in quotes where it would be read as something else, such as several
    values or a range."""
    written = source(text, node)
    bare = isinstance(node, yaml.ScalarNode) and node.style is None and node.value == written
    if bare and (_RANGE.fullmatch(written) or one_yaml(written) != written or not _stands_beside_others(written)):
        return "'" + written.replace("'", "''") + "'"
    return written


def _stands_beside_others(written: str) -> bool:
    """Whether `pieces` finds it again as one, without an open bracket or quote that takes in what comes next."""
    return pieces(f"{written}, {written}") == [written, written]


def typed_texts(text: str, node: yaml.Node) -> str:
    """How a list of texts would be typed: the inverse of `texts_yaml`."""
    items = node.value if isinstance(node, yaml.SequenceNode) else [node]
    return ", ".join(str(each.value) if isinstance(each, yaml.ScalarNode) else source(text, each) for each in items)


def typed_limits(text: str, node: yaml.Node) -> str:
    """How limits would be typed: the inverse of `limits_yaml`."""
    if not isinstance(node, yaml.MappingNode):
        return source(text, node)
    return ", ".join(f"{key.value} < {source(text, value)}" for key, value in node.value)


def source(text: str, node: yaml.Node) -> str:
    """As it is written, on one line, without comments; a block of text, and what is quoted over several lines, in
    double quotes."""
    if isinstance(node, yaml.ScalarNode):
        written = text[start_of(node) : end_of(node, text)]
        if node.style in ("|", ">") or (node.style is not None and "\n" in written):
            return json.dumps(node.value, ensure_ascii=False)
        return " ".join(written.split()) if "\n" in written else written
    if isinstance(node, yaml.MappingNode):
        return "{" + ", ".join(f"{source(text, key)}: {source(text, value)}" for key, value in node.value) + "}"
    return "[" + ", ".join(source(text, each) for each in node.value) + "]"


def _is_yaml_whole(typed: str) -> bool:
    """Whether it is one YAML list, or a range in braces."""
    if len(pieces(typed)) != 1 or typed[0] not in "[{":
        return False
    try:
        read = plain_of(typed)
    except CannotEdit:
        return False
    return isinstance(read, list) or (isinstance(read, dict) and set(read) <= _RANGE_KEYS)
