"""Whether a value suits a flag."""

from __future__ import annotations

import difflib
import json
import math
import re

from tuner_tui.engines.catalogue import Flag
from tuner_tui.task.model import Value

_COUNT = re.compile(r"-?\d+(\.\d+)?[kKmMgGtT]?")
_EXPECTED = {
    "int": "an integer",
    "float": "a number",
    "count": "an integer (2k, 1M are fine too)",
    "str": "a text",
    "json": "JSON",
}


def value_problem(flag: Flag, value: Value) -> str | None:
    """What is wrong with `value` for `flag`, in one sentence without the flag's name; None if nothing is."""
    if value is None:
        return None
    if isinstance(value, list):
        if not flag.many:
            return f"takes one value, found a list of {len(value)} inside the list of values to try"
        if not value:
            return "takes at least one value, found an empty list"
        return next((found for each in value if (found := _single(flag, each))), None)
    return _single(flag, value)


def _single(flag: Flag, value: Value) -> str | None:
    if flag.type == "bool":
        if isinstance(value, bool):
            return None
        return f"this is a switch: expected true or false, found {_shown(value)}"
    if not isinstance(value, bool | list) and str(value) in flag.words:
        return None
    if isinstance(value, bool | list | dict):
        return f"expected {_expected(flag)}, found {_shown(value)}"
    if flag.type in ("int", "float", "count"):
        return _number(flag, value)
    if flag.type == "json":
        return _json(flag, value)
    return _choice(flag, value)


def _number(flag: Flag, value: Value) -> str | None:
    number = _as_number(flag, value)
    if number is None:
        return f"expected {_expected(flag)}, found {_shown(value)}"
    low, high = flag.min, flag.max
    if (low is not None and number < low) or (high is not None and number > high):
        if (low, high) == (0, 1):
            return f"{value} is not a fraction (0–1)"
        unit = f" {flag.unit}" if flag.unit and low != 1 else ""
        if high is None:
            return f"{value} is too small, expected at least {low:g}{unit}"
        return f"{value} is out of range, expected {low or 0:g} to {high:g}{unit}"
    return _choice(flag, value)


def _as_number(flag: Flag, value: Value) -> float | None:
    """A number in quotes reaches the engine just the same, so it is taken."""
    if isinstance(value, str):
        text = value.strip()
        if flag.type == "count" and _COUNT.fullmatch(text):
            scale = {"k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}.get(text[-1].lower(), 1)
            return float(text.rstrip("kKmMgGtT")) * scale
        try:
            number = float(text) if flag.type == "float" else int(text)
        except ValueError:
            return None
        return number if math.isfinite(number) else None
    if flag.type in ("int", "count") and isinstance(value, float):
        return None
    return value if isinstance(value, int | float) and math.isfinite(value) else None


def _json(flag: Flag, value: Value) -> str | None:
    try:
        json.loads(str(value))
    except ValueError as error:
        return f"expected JSON in one text, found {_shown(value)} ({error})"
    return None


def _choice(flag: Flag, value: Value) -> str | None:
    if not flag.choices:
        return None
    choices = [str(each) for each in flag.choices]
    text = str(value)
    if text in choices:
        return None
    near = difflib.get_close_matches(text, choices, n=1, cutoff=0.5)
    hint = f"; did you mean `{near[0]}`?" if near else ""
    listed = ", ".join(choices[:12]) + (f", … ({len(choices)} in all)" if len(choices) > 12 else "")
    return f"{text!r} is not one of {listed}{hint}"


def _expected(flag: Flag) -> str:
    words = f" or {', '.join(flag.words)}" if flag.words else ""
    return ("a fraction (0–1)" if flag.unit == "fraction" else _EXPECTED[flag.type]) + words


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return f"the switch value {str(value).lower()}"
    if isinstance(value, str):
        return f"the text {value!r}"
    return f"{value}"
