"""The arguments that an engine prints of itself: `ServerArgs(a=1, …)`, `Namespace(…)`, or a dictionary."""

from __future__ import annotations

import ast
import re
from functools import lru_cache

from tuner_tui.engines.facts import Value

_WORDS: dict[str, Value] = {"None": None, "True": True, "False": False}
_SIMPLE = {"=": re.compile(r"(\w+)=('[^'\\]*'|[\w.+-]+)"), ":": re.compile(r"'(\w+)': ('[^'\\]*'|[\w.+-]+)")}
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,16})(?P<fraction>\.[0-9]{1,17})?")
_TOKEN = re.compile(r"""'(?:[^'\\]|\\.)*+(?:'|$)|"(?:[^"\\]|\\.)*+(?:"|$)|[][(){}<>,]""")
"""What matters for cutting: whole quoted texts, brackets, commas."""


def call_arguments(text: str) -> dict[str, Value]:
    """What stands between the brackets that `text` begins with, as name → value.

    `text` is `(name=value, …)` or `{'name': value, …}`, and may be cut off. Literals become JSON's types; anything
    else stays text as printed. Never raises.
    """
    separator = ":" if text.startswith("{") else "="
    # Nearly all of SGLang's two hundred arguments are plain, and most of them the same in every log.
    found: dict[str, Value] = {}
    pieces = text[1:].split(", ")[:-1]  # the last one may be cut off
    for plain, piece in enumerate(pieces):
        pair = _simple(piece, separator)
        if pair is None:
            pieces = pieces[:plain]
            break
        found[pair[0]] = pair[1]
    for part in _parts(text[1 + sum(map(len, pieces)) + len(", ") * len(pieces) :]):
        name, given, value = part.partition(separator)
        name = name.strip().strip("'\"")
        if given and name.replace("_", "").replace("-", "").isalnum():
            found[name] = literal(value.strip())
    return found


def literal(text: str) -> Value:
    """A printed value as JSON's types, or as it stands."""
    if text in _WORDS:  # these, and plain numbers, are nearly all of SGLang's two hundred arguments
        return _WORDS[text]
    if number := _NUMBER.fullmatch(text):
        return float(text) if number["fraction"] else int(text)
    try:
        return _plain(ast.literal_eval(text))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text


@lru_cache(maxsize=2048)
def _simple(part: str, separator: str) -> tuple[str, Value] | None:
    match = _SIMPLE[separator].fullmatch(part)
    if match is None:
        return None
    name, value = match.groups()
    return name, value[1:-1] if value[0] == "'" else literal(value)


def _plain(value: object) -> Value:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, set | frozenset):
        return [_plain(each) for each in sorted(value, key=repr)]
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    return str(value)


def _parts(text: str) -> list[str]:
    """Cuts at the commas of the outermost level, up to its closing bracket. The last part of a text that was cut
    off is left out: its value is not whole."""
    parts: list[str] = []
    depth, begin = 0, 0
    for token in _TOKEN.finditer(text):
        letter = token[0]
        if letter == ",":
            if depth == 0:
                parts.append(text[begin : token.start()])
                begin = token.end()
        elif letter in "([{<":
            depth += 1
        elif letter in ")]}>" and not (letter == ">" and depth == 0):
            if depth == 0:
                return [*parts, text[begin : token.start()]]
            depth -= 1
    return parts
