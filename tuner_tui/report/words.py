"""Figures and configurations in the words a person reads."""

from __future__ import annotations

from collections.abc import Sequence

from tuner_tui.load.model import LevelResult
from tuner_tui.task.model import Configuration, Value

_ABSENT = object()
KIND_SIGNS = {"winner": "★", "tie": "≈", "unconfirmed": "?", "borderline": "≈", "none": "–"}
"""A verdict's kind → the sign that stands before its word."""


def configuration_words(configuration: Configuration) -> str:
    """`mem-fraction-static 0.7, enable-mixed-chunk`; `(defaults)` where nothing is set."""
    return ", ".join(_flag(name, value) for name, value in configuration.items()) or "(defaults)"


def split_common(configurations: Sequence[Configuration]) -> tuple[Configuration, list[str]]:
    """What all configurations share, and the names of the flags that tell them apart (in the order they come)."""
    names = list(dict.fromkeys(name for configuration in configurations for name in configuration))
    first = configurations[0] if configurations else {}
    same = [name for name in names if all(c.get(name, _ABSENT) == first.get(name, _ABSENT) for c in configurations)]
    return {name: first[name] for name in same if name in first}, [name for name in names if name not in same]


def label(configuration: Configuration, differing: Sequence[str]) -> str:
    """The configuration by what tells it apart; in full where nothing does."""
    return configuration_words(
        {name: configuration[name] for name in differing if name in configuration} or configuration
    )


def value_words(configuration: Configuration, name: str) -> str:
    """One flag's value as a cell of a table: `0.7`, `yes`, a dash where the flag is absent."""
    value = configuration.get(name)
    if isinstance(value, list):
        return " ".join(map(str, value))
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else "–" if value is None else str(value)


def load_words(result: LevelResult) -> str:
    """The load without its scenario and arrivals: `× 4`, `@ 2.5/s`."""
    return result.load.name.removeprefix(result.scenario).removesuffix(" poisson").strip()


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


def value_with_unit(value: float | None, unit: str) -> str:
    """A figure of `report.metrics` as a cell: `27.8 ms`, `1.31 s`, `1,731 tok/s`, `63.92 GiB`, `2,405,039`."""
    if value is None:
        return "–"
    if unit == "s":
        return milliseconds(value) if value < 1 else f"{value:.2f} s" if value < 100 else f"{value:,.0f} s"
    if unit == "tokens":
        return f"{value:,.0f}"
    if unit == "GiB":
        return f"{value:.2f} GiB"
    short = {"tokens/s": "tok/s", "requests/s": "req/s"}.get(unit, unit)
    return f"{value:,.0f} {short}" if value >= 999.5 else f"{value:.3g} {short}"
