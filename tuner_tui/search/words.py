"""A metric and its values in the words a person reads."""

from __future__ import annotations

from tuner_tui.task.model import Objective

GOODPUT = "good_requests_per_s_per_gpu"

_UNITS = {
    "e2e": "s",
    "ttft": "s",
    "tpot": "s",
    "output_tokens_per_s_per_gpu": "tokens/s per GPU",
    GOODPUT: "requests/s per GPU",
}
_NAMES = {
    "e2e": "end-to-end latency",
    "ttft": "time to first token",
    "tpot": "time per output token",
    "output_tokens_per_s_per_gpu": "output throughput",
    GOODPUT: "goodput",
}


def quantity(objective: Objective, score: float) -> str:
    """A score as a person reads it: the sign of a throughput undone, with its unit."""
    value = abs(score)
    unit = _UNITS[objective.metric]
    if unit == "s":
        return f"{value * 1000:.2f} ms" if value < 0.1 else f"{value:.4f} s"
    return f"{value:.3g} {unit}" if objective.metric == GOODPUT and value < 100 else f"{value:.1f} {unit}"


def rate_unit(objective: Objective) -> str:
    """What stands behind every score of a throughput, for the head of a column; empty for times."""
    unit = _UNITS[objective.metric]
    return "" if unit == "s" else unit


def metric_name(objective: Objective) -> str:
    """The objective in words: `mean end-to-end latency`, `output throughput`."""
    name = _NAMES[objective.metric]
    # Throughput is one figure a level; it has no distribution to take a statistic of.
    words = name if objective.direction == "maximize" else f"{objective.statistic} {name}"
    return f"{words} at {objective.level}" if objective.level else words


def seconds(value_s: float) -> str:
    """`512 ms`, `1.20 s`: a limit, or what is held against it."""
    if value_s >= 1:
        return f"{value_s:.2f} s"
    return f"{value_s * 1000:.3g} ms"


def percent(relative: float) -> str:
    """`−4.2`, `+17.0`, `0.0`, `>+999`: a minus sign of its own width, and no figure longer than a person reads."""
    value = relative * 100
    if value > 999:
        return ">+999"
    text = f"{value:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", "−")


def more_launches(number: int) -> str:
    """`3 more launches of each`."""
    return f"{number} more {'launch' if number == 1 else 'launches'} of each"


def experiments_listed(experiments: tuple[int, ...] | list[int], last: str = " and ") -> str:
    """`#1, #2 and #5`."""
    names = [f"#{experiment}" for experiment in experiments]
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + last + names[-1]
