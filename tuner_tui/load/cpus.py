"""Pinning a process to CPUs."""

from __future__ import annotations

import os
import re


def pin(cpus: str) -> None:
    """Keeps this process on `cpus` (such as `1`, `0,2` or `2-5`). Raises ValueError with one sentence."""
    os.sched_setaffinity(0, allowed_cpus(cpus))


def allowed_cpus(cpus: str) -> set[int]:
    """The CPUs that `cpus` names. Raises ValueError with one sentence where this process may not be pinned to them."""
    wanted = parse_cpus(cpus)
    if not hasattr(os, "sched_setaffinity"):
        raise ValueError("cpus: this system cannot pin a process to CPUs; leave it out")
    allowed = os.sched_getaffinity(0)
    if not wanted <= allowed:
        raise ValueError(f"cpus: {cpus!r} is not within the CPUs this process may use ({_text(allowed)})")
    return wanted


def parse_cpus(text: str) -> set[int]:
    """The CPUs that a list such as `0,2-5` names. Raises ValueError with one sentence."""
    cpus: set[int] = set()
    for part in text.split(","):
        found = re.fullmatch(r"\s*(\d{1,5})(?:-(\d{1,5}))?\s*", part, re.ASCII)
        if not found or int(found[2] or found[1]) < int(found[1]):
            raise ValueError(f"cpus: {text!r} is not a list of CPUs; expected one like 1, 0,2 or 2-5")
        cpus.update(range(int(found[1]), int(found[2] or found[1]) + 1))
    return cpus


def _text(cpus: set[int]) -> str:
    return ",".join(map(str, sorted(cpus)))
