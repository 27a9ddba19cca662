"""Every doubt: what provokes it, what does not quite, and what it says."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.runs.test_validity import MEAN, TAIL, distribution, level
from tuner_tui.engines.remarks import Remark
from tuner_tui.load.model import LevelResult
from tuner_tui.runs.events import ValidityFlag
from tuner_tui.runs.evidence import Evidence, GpuEvidence, LevelEvidence
from tuner_tui.runs.validity import validity

LEVEL = "D(100,100) × 4"


def doubts(result: LevelResult, seen: LevelEvidence | None = None, **launch: Any) -> list[ValidityFlag]:
    evidence = Evidence(levels=(seen,) if seen is not None else (), cpus=launch.pop("cpus", 4), **launch)
    return list(validity(MEAN, [result], (), evidence))


def seen(**fields: Any) -> LevelEvidence:
    return LevelEvidence(level=LEVEL, **fields)


def the_only(flags: list[ValidityFlag]) -> ValidityFlag:
    [flag] = flags
    assert flag.seen
    assert flag.threshold
    assert flag.advice
    return flag


def test_a_clean_launch_with_all_evidence_has_no_doubt() -> None:
    gpu = GpuEvidence(index=0, foreign_gib=0.2, utilisation=0.99, clock_mhz=1750, throttled={"power": 0.05})
    clean = seen(
        prompt_tokens=20_000,
        generated_tokens=20_100,
        cached_tokens=150,
        looked_up_tokens=20_000,
        cache_source="metrics",
        kv_usage_max=0.8,
        batches=100,
        ungraphed=3,
        runnable=5.0,
        gpus=(gpu,),
    )
    result = level(output_tokens=20_000, asked_prompt_tokens=20_000, client_lag_p99_s=0.049, client_busy=0.8)
    before = (GpuEvidence(index=0, foreign_gib=0.0, utilisation=0.05),)
    assert doubts(result, clean, gpus_before=before, earlier_clocks_mhz=(1740.0, 1760.0)) == []


def test_a_generator_that_was_late() -> None:
    late = level(client_lag_mean_s=0.051, client_lag_p99_s=0.2)  # of a mean TPOT of 1 s
    flag = the_only(doubts(late))
    assert (flag.name, flag.disqualifies) == ("client_lag", True)
    assert flag.seen == "the load generator was 51.00 ms late (mean), 5% of the mean TPOT"
    # A mean does not suffer from what one read in a hundred suffers; a percentile does.
    now_and_then = level(client_lag_mean_s=0.01, client_lag_p99_s=0.2)
    assert [(flag.name, flag.disqualifies) for flag in validity(MEAN, [now_and_then])] == [("client_lag", False)]
    assert [(flag.name, flag.disqualifies) for flag in validity(TAIL, [now_and_then])] == [("client_lag", True)]
    # What any operating system does is held against nobody.
    quick = replace(level().metrics, tpot_s=replace(distribution(), mean=0.0015))
    assert doubts(level(metrics=quick, client_lag_mean_s=0.0004, client_lag_p99_s=0.0009)) == []
    busy = the_only(doubts(level(client_lag_p99_s=0.01, client_busy=0.97)))
    assert (busy.name, busy.disqualifies) == ("client_busy", False)


def test_a_cache_that_only_the_engine_tells_of() -> None:
    cached = seen(cached_tokens=2_000, looked_up_tokens=20_000, cache_source="metrics")
    flag = the_only(doubts(level(), cached))
    assert (flag.name, flag.disqualifies) == ("cached_prompts", True)
    assert flag.seen == "10.0% of prompt tokens came from a cache, by the engine's metrics"
    # A request that was thrown out and begins anew finds its own tokens.
    again = replace(cached, preemptions=2)
    assert [flag.name for flag in doubts(level(), again)] == ["preemptions"]


def test_the_asked_rate_was_not_sent() -> None:
    def at(achieved: float) -> LevelResult:
        plain = level(request_rate=8.0, concurrency=None)
        return replace(plain, metrics=replace(plain.metrics, achieved_rate=achieved))

    assert doubts(at(7.7)) == []
    flag = the_only(doubts(at(6.0)))
    assert (flag.name, flag.disqualifies, flag.level) == ("rate_not_achieved", False, "D(100,100) @ 8/s")
    assert flag.seen == "6.00 requests a second were sent, 75% of those asked for"


def test_prompts_of_another_length() -> None:
    assert doubts(level(asked_prompt_tokens=19_850)) == []
    flag = the_only(doubts(level(asked_prompt_tokens=16_000)))
    assert (flag.name, flag.seen) == ("prompt_length", "prompts were 25.0% longer than asked, by the server's usage")


def test_too_short_and_without_a_steady_state() -> None:
    plain = level()
    short = replace(plain, metrics=replace(plain.metrics, duration_s=1.25))
    assert the_only(doubts(short)).name == "short_level"
    unsteady = replace(plain, metrics=replace(plain.metrics, steady_output_tokens_per_s=None))
    assert the_only(doubts(unsteady)).name == "no_steady_state"


@pytest.mark.parametrize(
    ("fields", "name", "words"),
    [
        ({"preemptions": 3, "kv_usage_max": 1.0}, "preemptions", "3 requests were thrown out"),
        ({"kv_usage_max": 1.0, "queued_max": 7}, "kv_cache_full", "100% full, up to 7 requests waited"),
        ({"batches": 40, "ungraphed": 30}, "batches_without_graph", "30 of 40 decode batches"),
        ({"prompt_tokens": 20_500.0}, "other_client", "500 prompt tokens more than this load's 20,000"),
        ({"generated_tokens": 20_300.0}, "other_client", "300 output tokens more than this load's 20,000"),
        ({"runnable": 9.3}, "cpus_overloaded", "9.3 threads wanted to run on 4 CPUs"),
        (
            {"gpus": (GpuEvidence(index=1, throttled={"thermal": 0.4}),)},
            "gpu_throttled",
            "GPU 1: thermal held the clock down 40% of the time",
        ),
    ],
)
def test_notes_of_a_level(fields: dict[str, Any], name: str, words: str) -> None:
    flag = the_only(doubts(level(output_tokens=20_000), seen(**fields)))
    assert (flag.name, flag.disqualifies, flag.level) == (name, False, LEVEL)
    assert words in flag.seen


def test_larger_graphs_are_advised_by_a_flag_that_today_s_sglang_takes() -> None:
    flag = the_only(doubts(level(), seen(batches=40, ungraphed=30)))
    assert "raise cuda-graph-max-bs-decode (cuda-graph-max-bs up to" in flag.advice


def test_no_graph_at_all_is_no_matter_of_the_batch() -> None:
    """An engine without graphs runs every batch so; that is another flag's matter."""
    assert doubts(level(), seen(batches=40, ungraphed=40)) == []
    assert the_only(doubts(level(), graphs_lost=True)).name == "graphs_disabled"


def test_failed_requests_leave_other_clients_in_the_dark() -> None:
    assert doubts(level(failed=1, succeeded=199, requests=200), seen(prompt_tokens=30_000.0)) == []


def test_a_shared_gpu_is_told_once() -> None:
    before = (GpuEvidence(index=0, foreign_gib=12.0, foreign_processes=1), GpuEvidence(index=1, utilisation=0.6))
    during = seen(gpus=(GpuEvidence(index=0, foreign_gib=12.0, foreign_processes=1),))
    first, second = doubts(level(), during, gpus_before=before)
    assert first.seen == "GPU 0, before the launch: 1 process of others held 12.0 GiB"
    assert second.seen == "GPU 1, before the launch: it was 60% busy"
    later = doubts(level(), seen(gpus=(GpuEvidence(index=0, foreign_gib=2.0, foreign_processes=2),)))
    assert the_only(later).seen == "GPU 0, during the load: 2 processes of others held 2.0 GiB"


def test_clocks_that_differ_between_launches() -> None:
    now = seen(gpus=(GpuEvidence(index=0, clock_mhz=1500.0),))
    assert doubts(level(), now) == []
    flag = the_only(doubts(level(), now, earlier_clocks_mhz=(1700.0, 1710.0, 1300.0)))
    assert (flag.name, flag.seen) == ("gpu_clock_differs", "the GPUs ran at 1500 MHz, in earlier launches at 1700 MHz")


def test_what_the_log_says() -> None:
    remark = Remark(name="attention_fallback", line="falling back to triton", advice="install it")
    flag = the_only(doubts(level(), remarks=(remark,)))
    assert (flag.name, flag.seen, flag.advice, flag.disqualifies) == (
        "attention_fallback",
        "falling back to triton",
        "install it",
        False,
    )


def test_every_flag_is_in_the_documentation() -> None:
    from pathlib import Path

    root = Path(__file__).parents[2]
    page = (root / "docs" / "validity.md").read_text()
    sources = [*(root / "tuner_tui" / "runs").glob("doubts_of_*.py")]
    assert len(sources) == 5
    import re

    names = {name for source in sources for name in re.findall(r'name="(\w+)"', source.read_text())}
    names |= set(re.findall(r'^        "(\w+)",$', (root / "tuner_tui" / "engines" / "remarks.py").read_text(), re.M))
    assert len(names) > 20
    assert [name for name in sorted(names) if f"`{name}`" not in page] == []
