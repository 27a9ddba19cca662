"""The highest load that keeps limits, against servers whose true limit is known."""

from __future__ import annotations

from typing import Any

import pytest

from tests.load.test_metrics import good
from tuner_tui.load.find_max import Found, Kind, broken_limits, find_max, parse_limit
from tuner_tui.load.metrics import level_result
from tuner_tui.load.model import Level, LevelResult

LIMITS = {"ttft.p50": 0.5}


def result(level: Level, ttft_s: float) -> LevelResult:
    return level_result(level, [good(0, ttft_s, ttft_s + 1, ttft_s + 1)] * 10)


def searched(kind: Kind, true_limit: float, **options: Any) -> tuple[Found, list[float]]:
    """A server whose TTFT is 0.1 s up to its limit and 1 s above."""
    search = find_max("D(10,5)", kind, LIMITS, **options)
    tried = []
    level = next(search)
    while True:
        load = level.request_rate if level.concurrency is None else level.concurrency
        assert load is not None
        tried.append(load)
        try:
            level = search.send(result(level, 0.1 if load <= true_limit else 1.0))
        except StopIteration as ended:
            return ended.value, tried


@pytest.mark.parametrize("true_limit", [1, 2, 3, 7, 8, 13, 100, 255])
def test_the_concurrency_is_found_to_within_one_or_five_per_cent(true_limit: int) -> None:
    found, tried = searched("concurrency", true_limit)
    assert found.highest is not None
    assert found.lowest_broken is not None
    assert found.highest <= true_limit < found.lowest_broken
    assert found.lowest_broken - found.highest <= max(1, 0.05 * found.highest)
    assert len(tried) == len(set(tried)) <= 14


@pytest.mark.parametrize("true_limit", [0.1, 0.9, 3.3, 40])
def test_the_rate_is_found_to_within_five_per_cent(true_limit: float) -> None:
    found, _ = searched("rate", true_limit)
    assert found.highest == pytest.approx(true_limit, rel=0.06)


def test_what_all_keep_and_what_none_keeps_is_said() -> None:
    found, tried = searched("concurrency", 1e9, most=20)
    assert (found.highest, found.bounded, tried[-1]) == (20, True, 20)
    found, tried = searched("concurrency", 0)
    assert (found.highest, found.lowest_broken, tried) == (None, 1, [1])


def test_why_a_limit_is_broken() -> None:
    level = Level(scenario="D(10,5)", request_rate=4)
    assert broken_limits(result(level, 0.2), {"ttft.p50": 0.5, "tpot.mean": 0.25}) == []
    assert broken_limits(result(level, 0.6), {"ttft.p50": 0.5}) == ["ttft.p50 600 ms over 500 ms"]
    assert broken_limits(level_result(level, []), {}) == ["0 of 0 requests failed"]


def test_a_limits_name() -> None:
    assert parse_limit("ttft") == "ttft.mean"
    assert parse_limit("e2e.p90") == "e2e.p90"
    for wrong in ("tttf.p99", "ttft.p95", ""):
        with pytest.raises(ValueError, match="is no limit; expected one of ttft"):
            parse_limit(wrong)
