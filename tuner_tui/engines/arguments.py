"""The arguments that an engine prints of itself: `ServerArgs(a=1, …)`, `Namespace(…)`, or a dictionary."""

from __future__ import annotations

import ast
import re
from functools import lru_cache

from tuner_tui.engines.facts import Value

_WORDS: dict[str, Value] = {"None": None, "True": True, "False": False}
_SIMPLE = {
    "=": re.compile(r"(\w+)=('[^'\\]*'|[\w.+-]+)(, |\))"),
    ":": re.compile(r"'(\w+)': ('[^'\\]*'|[\w.+-]+)(, |\})"),
}
_TOKEN = re.compile(r"""'(?:[^'\\]|\\.)*+(?:'|$)|"(?:[^"\\]|\\.)*+(?:"|$)|[][(){}<>,]""")
"""What matters for cutting: whole quoted texts, brackets, commas."""


def call_arguments(text: str) -> dict[str, Value]:
    """What stands between the brackets that `text` begins with, as name → value.

    `text` is `(name=value, …)` or `{'name': value, …}`, and may be cut off. Literals become JSON's types; anything
    else stays text as printed. Never raises.
    """
    separator = ":" if text.startswith("{") else "="
    found: dict[str, Value] = {}
    begin = 1
    # Nearly all of SGLang's two hundred arguments are as plain as this.
    simple = _SIMPLE[separator].match
    while match := simple(text, begin):
        name, value, end = match.groups()
        found[name] = value[1:-1] if value[0] == "'" else _scalar(value)
        if end != ", ":
            return found
        begin = match.end()
    for part in _parts(text[begin:]):
        name, given, value = part.partition(separator)
        name = name.strip().strip("'\"")
        if given and name.replace("_", "").replace("-", "").isalnum():
            found[name] = literal(value.strip())
    return found


def literal(text: str) -> Value:
    """A printed value as JSON's types, or as it stands."""
    if text in _WORDS:  # these, and plain numbers, are nearly all of SGLang's two hundred arguments
        return _WORDS[text]
    if text.isdecimal() and text.isascii() and len(text) < 18 and (text[0] != "0" or text == "0"):
        return int(text)
    try:
        return _plain(ast.literal_eval(text))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text


@lru_cache(maxsize=4096)
def _scalar(text: str) -> Value:
    return literal(text)


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
