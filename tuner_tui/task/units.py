"""Durations and sizes as people write them → seconds and bytes."""

from __future__ import annotations

import math
import re

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|min|s|m|h|d)\s*", re.ASCII)
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", re.ASCII | re.IGNORECASE)

DURATION = "a duration like 10s, 500ms, 20m or 1h30m (a bare number is seconds)"
SIZE = "a size like 16g, 512m or 1GiB (a bare number is bytes)"


def duration_s(text: str) -> float:
    """`10s`, `500ms`, `1h30m`, `2.5`: seconds. Raises ValueError for anything else, negatives included."""
    text = text.strip()
    if re.fullmatch(r"\d+(?:\.\d+)?", text, re.ASCII):
        return _finite(float(text))
    total, at = 0.0, 0
    while found := _DURATION.match(text, at):
        total += float(found[1]) * _SECONDS[found[2]]
        at = found.end()
    if at == 0 or at < len(text):
        raise ValueError(text)
    return _finite(total)


def share(text: str) -> float:
    """`1%` or `0.01`: 0.01. Raises ValueError for anything else, and for 100 % and more."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(%?)", text.strip(), re.ASCII)
    if not found:
        raise ValueError(text)
    value = float(found[1]) / (100 if found[2] else 1)
    if value >= 1:
        raise ValueError(text)
    return value


def size_bytes(text: str) -> int:
    """`16g`, `512m`, `1GiB`, `1024`: bytes. As in Docker, every unit is a power of 1024. Raises ValueError."""
    found = _SIZE.fullmatch(text.strip())
    if not found:
        raise ValueError(text)
    return int(_finite(float(found[1])) * 1024 ** _POWERS[found[2].lower()])


def cpu_set(text: str) -> str:
    """`0-3,8` in the kernel's list format, without blanks. Raises ValueError where it is not one."""
    text = re.sub(r"\s", "", text)
    for part in text.split(","):
        found = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", part, re.ASCII)
        if not found or (found[2] is not None and int(found[2]) < int(found[1])):
            raise ValueError(text)
    return text


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(value)
    return value
