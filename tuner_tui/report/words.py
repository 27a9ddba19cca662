"""Figures and configurations in the words a person reads."""

from __future__ import annotations

from tuner_tui.task.model import Configuration, Value


def configuration_words(configuration: Configuration) -> str:
    """`mem-fraction-static 0.7, enable-mixed-chunk`; `(defaults)` where nothing is set."""
    return ", ".join(_flag(name, value) for name, value in configuration.items()) or "(defaults)"


def _flag(name: str, value: Value) -> str:
    if value is True:
        return name
    if value is False or value is None:
        return f"no {name}"
    if isinstance(value, list):
        return f"{name} {' '.join(map(str, value))}"
    return f"{name} {value}"


def duration_words(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 10 s`, `2 h 5 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        minutes, rest = divmod(whole, 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, rest = divmod(whole // 60, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def milliseconds(value_s: float | None) -> str:
    """`10.4 ms`; a dash where there is none."""
    if value_s is None:
        return "–"
    value = value_s * 1000
    return f"{value:.2f} ms" if value < 10 else f"{value:.1f} ms" if value < 100 else f"{value:.0f} ms"
