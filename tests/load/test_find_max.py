"""The highest load that keeps limits, against servers whose true limit is known."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.load.test_metrics import good
from tuner_tui.load.find_max import MOST, Before, broken_limits, find_max, least_requests, parse_limit, sustained
from tuner_tui.load.metrics import level_result
from tuner_tui.load.model import Found, Level, LevelResult, LoadKind, RequestRecord

LIMITS = {"ttft.p50": 0.5}


def result(level: Level, ttft_s: float) -> LevelResult:
    return level_result(level, [good(0, ttft_s, ttft_s + 1, ttft_s + 1)] * 10)


def searched(kind: LoadKind, true_limit: float, **options: Any) -> tuple[Found, list[float]]:
    """A server whose TTFT is 0.1 s up to its limit and 1 s above; E2E is one second more. A single request keeps the
    limits at any rate, except where even nothing is too much."""
    search = find_max("D(10,5)", kind, LIMITS, **options)
    tried: list[float] = []
    level = next(search)
    while True:
        load = level.request_rate if level.concurrency is None else level.concurrency
        assert load is not None
        assert len(tried) < 40, tried
        tried.append(load)
        try:
            alone = kind == "rate" and level.concurrency == 1 and true_limit > 0
            level = search.send(result(level, 0.1 if load <= true_limit or alone else 1.0))
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


@pytest.mark.parametrize("true_limit", [0.13, 0.9, 3.3, 40])
def test_the_rate_is_found_to_within_five_per_cent(true_limit: float) -> None:
    found, tried = searched("rate", true_limit)
    assert found.highest is not None
    assert found.lowest_broken is not None
    assert found.highest <= true_limit < found.lowest_broken <= 1.0501 * found.highest
    # One request at a time took 1.1 s: the first rate is that one's.
    assert tried[:2] == [1, 0.909]
    assert len(tried) <= 13


@pytest.mark.parametrize(
    ("kind", "most", "last"),
    [("rate", MOST, 1024), ("rate", 1001.0, 1001), ("concurrency", MOST, 1024), ("concurrency", 10.5, 10)],
)
def test_a_server_that_keeps_its_limits_at_the_most_that_is_tried_ends_the_search(
    kind: LoadKind, most: float, last: float
) -> None:
    found, tried = searched(kind, 1e9, most=most)
    assert (found.highest, found.lowest_broken, found.bounded) == (last, None, True)
    assert tried[-1] == last
    assert len(tried) <= 14


def test_a_limit_on_what_no_answer_told_is_not_kept() -> None:
    level = Level(scenario="D(10,5)", concurrency=1)
    whole = level_result(level, [good(0, 1, 1, 1)] * 4)
    assert broken_limits(whole, {"tpot.mean": 9.0}) == ["tpot.mean cannot be told: no answer gave a TPOT"]
    no_usage = level_result(level, [replace(good(0, 1, 2, 2), output_tokens=None)] * 4, {"tpot": 9.0})
    assert broken_limits(no_usage, {"tpot.mean": 9.0, "ttft.mean": 9.0}) == [
        "tpot.mean cannot be told: no answer gave a TPOT"
    ]
    assert no_usage.metrics.good_requests == 0
    single = level_result(level, [good(0, 1, 1, 1, n=1, asked=1)] * 4, {"tpot": 0.001})
    assert broken_limits(single, {"tpot.mean": 0.001}) == []
    assert single.metrics.good_requests == 4


def test_searches_that_are_compared_try_other_rates() -> None:
    found = [searched("rate", 10, scale=2 ** (number / 16))[0].highest or 0 for number in range(16)]
    assert len(set(found)) >= 8
    assert all(9.5 <= each <= 10 for each in found)


def test_a_rate_may_begin_where_one_says() -> None:
    assert searched("rate", 40, start=32)[1][0] == 32


@pytest.mark.parametrize("kind", ["rate", "concurrency"])
@pytest.mark.parametrize("true_limit", [30, 38, 40, 42, 55, 300])
def test_a_later_launch_looks_where_the_first_one_found(kind: LoadKind, true_limit: float) -> None:
    for number in range(16):
        found, tried = searched(kind, true_limit, scale=2 ** (number / 16), before=Before(40))
        assert 0.96 * 40 <= tried[0] <= 1.04 * 40
        assert found.highest is not None
        assert found.lowest_broken is not None
        assert found.highest <= true_limit < found.lowest_broken
        assert found.lowest_broken - found.highest <= max(kind == "concurrency", 0.05 * found.highest)
        assert len(tried) <= (5 if 38 <= true_limit <= 42 else 12)


def test_later_launches_do_not_find_the_same_for_having_begun_at_the_same() -> None:
    """What the others found decides where they begin, by no more than the chance of each."""
    found = [searched("rate", 41, scale=2 ** (n / 16), before=Before(40))[0].highest or 0 for n in range(16)]
    assert len(set(found)) >= 8
    assert all(0.95 * 41 <= each <= 41 for each in found)


def test_a_limit_that_a_single_request_breaks_is_not_looked_for_any_longer() -> None:
    found, tried = searched("rate", 0)
    assert (found.highest, found.lowest_broken, tried) == (None, None, [1])
    assert found.broken == ("ttft.p50 1000 ms over 500 ms",)


def sent(at_s: float, ttft_s: float) -> RequestRecord:
    return replace(good(at_s, at_s + ttft_s, 9, 9), scheduled_s=at_s)


def test_what_is_sustained_counts_as_good_whatever_single_requests_did() -> None:
    """Ten requests, four a second, all of which end at 9 s: the rate is not that of ten in nine seconds."""
    level = Level(scenario="D(10,5)", request_rate=4)
    kept = level_result(level, [sent(i / 4, 0.4 if i < 6 else 0.6) for i in range(10)], {"ttft": 0.5})
    assert (kept.metrics.good_requests, broken_limits(kept, {"ttft.p50": 0.5})) == (6, [])
    best = sustained(kept, Found(kind="rate", highest=4, lowest_broken=4.2))
    assert (best.metrics.good_requests, best.metrics.good_requests_per_s) == (10, 4)
    assert best.metrics.requests_per_s == 10 / 9
    assert (best.name, best.load.name) == ("D(10,5) @ max", "D(10,5) @ 4/s")
    assert best.level == Level(scenario="D(10,5)", seek="rate")
    closed = level_result(Level(scenario="D(10,5)", concurrency=2), [good(0, 0.1, 4, 4)] * 8)
    best = sustained(closed, Found(kind="concurrency", highest=2, lowest_broken=3))
    assert best.metrics.good_requests_per_s == closed.metrics.requests_per_s == 2


def test_what_all_keep_and_what_none_keeps_is_said() -> None:
    found, tried = searched("concurrency", 1e9, most=20)
    assert (found.highest, found.bounded, tried[-1]) == (20, True, 20)
    found, tried = searched("concurrency", 0)
    assert (found.highest, found.lowest_broken, tried) == (None, 1, [1])
    assert found.broken == ("ttft.p50 1000 ms over 500 ms",)


def test_a_load_is_tried_long_enough_for_what_is_held_against_it() -> None:
    assert least_requests(Level(scenario="D(10,5)", concurrency=8), ["ttft.mean"]) == 32
    assert least_requests(Level(scenario="D(10,5)", concurrency=8), ["ttft.mean", "e2e.p99"]) == 100
    assert least_requests(Level(scenario="D(10,5)", request_rate=0.55), ["ttft.max"]) == 6
    assert least_requests(Level(scenario="D(10,5)", request_rate=0.55), ["ttft.p90"]) == 10
    assert least_requests(Level(scenario="D(10,5)", request_rate=40), ["e2e.p99"]) == 400
    alone, loaded = (result(Level(scenario="D(10,5)", concurrency=1), ttft_s) for ttft_s in (4, 9))
    assert least_requests(Level(scenario="D(10,5)", request_rate=40), [], [alone, loaded]) == 800
    assert least_requests(Level(scenario="D(10,5)", request_rate=40), [], [loaded], Before(40, 5)) == 800
    assert least_requests(Level(scenario="D(10,5)", concurrency=8), [], [alone, loaded]) == 32


def test_why_a_limit_is_broken() -> None:
    level = Level(scenario="D(10,5)", request_rate=4)
    assert broken_limits(result(level, 0.2), {"ttft.p50": 0.5, "tpot.mean": 0.25}) == []
    assert broken_limits(result(level, 0.6), {"ttft.p50": 0.5}) == ["ttft.p50 600 ms over 500 ms"]
    assert broken_limits(level_result(level, []), {}) == ["0 of 0 requests failed"]


def at_a_rate(rate: float, capacity: float, requests: int) -> LevelResult:
    """Of a server that answers so many requests a second, one after the other, and takes 2 s for each."""
    records, free_s = [], 0.0
    for number in range(requests):
        sent_s = number / rate
        free_s = max(free_s, sent_s) + 1 / capacity
        records.append(replace(good(sent_s, free_s + 1, free_s + 2, free_s + 2), scheduled_s=sent_s))
    return level_result(Level(scenario="D(10,5)", request_rate=rate), records)


@pytest.mark.parametrize(("rate", "words"), [(9.9, None), (10.4, None), (11, "0.1 s"), (60, "5 s")])
def test_a_rate_over_what_the_server_answers_breaks_even_the_loosest_limit(rate: float, words: str | None) -> None:
    result = at_a_rate(rate, 10, 100)
    broken = [] if words is None else [f"the queue grows: each second adds {words} to E2E"]
    assert broken_limits(result, {"e2e.mean": 1000}) == broken
    assert broken_limits(at_a_rate(rate, 10, 18), {"e2e.mean": 1000}) == []  # too few to tell


def test_the_first_requests_of_a_rate_find_an_empty_server_and_are_no_growing_queue() -> None:
    """E2E rises from 1 to 3 s while the batch fills, and scatters by a tenth from then on."""
    e2e_s = [1 + min(number, 45) / 22.5 + number % 7 / 20 for number in range(100)]
    records = [
        replace(good(n / 5, n / 5 + 0.1, n / 5 + e2e, n / 5 + e2e), scheduled_s=n / 5) for n, e2e in enumerate(e2e_s)
    ]
    result = level_result(Level(scenario="D(10,5)", request_rate=5), records)
    assert result.metrics.e2e_growth is not None
    assert abs(result.metrics.e2e_growth.slope) < 0.02
    assert broken_limits(result, {"e2e.mean": 1000}) == []


def test_a_limits_name() -> None:
    assert parse_limit("ttft") == "ttft.mean"
    assert parse_limit("e2e.p90") == "e2e.p90"
    for wrong in ("tttf.p99", "ttft.p95", ""):
        with pytest.raises(ValueError, match="is no limit; expected one of ttft"):
            parse_limit(wrong)
