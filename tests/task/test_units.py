"""Durations, sizes and processor lists as people write them."""

from __future__ import annotations

import pytest

from tuner_tui.task.scenario_syntax import scenario
from tuner_tui.task.units import cpu_set, duration_s, size_bytes


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10s", 10), ("2h", 7200), ("500ms", 0.5), ("1h30m", 5400), ("1h 30m", 5400), ("2.5", 2.5), ("5min", 300)],
)
def test_durations(text: str, seconds: float) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1s", "10 parsecs", "1h30", "1:30", "1e3s", "١s"])
def test_no_durations(text: str) -> None:
    with pytest.raises(ValueError):
        duration_s(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [("16g", 16 << 30), ("512m", 512 << 20), ("1GiB", 1 << 30), ("1 gb", 1 << 30), ("64k", 65536), ("100", 100)],
)
def test_sizes(text: str, size: int) -> None:
    assert size_bytes(text) == size


@pytest.mark.parametrize("text", ["", "g", "-1g", "1x", "1e3", "1ii"])
def test_no_sizes(text: str) -> None:
    with pytest.raises(ValueError):
        size_bytes(text)


def test_processor_lists() -> None:
    assert cpu_set("0-3, 8") == "0-3,8"
    for text in ("", "a", "3-1", "1,", "0-"):
        with pytest.raises(ValueError):
            cpu_set(text)


@pytest.mark.parametrize(
    "text", ["D(100)", "D(1,2,3)", "d(1,1)", "D(1.5,2)", "N(1,1)", "U(5,1)/(1,2)", "I(1,2)", "data"]
)
def test_no_scenarios(text: str) -> None:
    with pytest.raises(ValueError):
        scenario(text)
