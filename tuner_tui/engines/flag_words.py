"""A flag of the catalogue in a few words, for lists and tables."""

from __future__ import annotations

from tuner_tui.engines.catalogue import Flag


def kind_words(flag: Flag) -> str:
    """Its type, range or choices, unit, and default: `float 0–1 fraction`, `fcfs|lpm, default fcfs`, `switch`."""
    low, high = flag.min, flag.max
    if flag.choices:
        kind = "|".join(map(str, flag.choices[:8])) + ("|…" if len(flag.choices) > 8 else "")
    elif flag.type == "bool":
        kind = "switch"
    elif low is not None and high is not None:
        kind = f"{flag.type} {low:g}–{high:g}"
    elif low is not None:
        kind = f"{flag.type} ≥ {low:g}"
    else:
        kind = flag.type
    unit = f" {flag.unit}" if flag.unit else ""
    default = f", default {flag.default}" if flag.default not in (None, False, "") else ""
    return f"{kind}{unit}{default}"
