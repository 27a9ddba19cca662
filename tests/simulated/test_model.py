"""The performance model and the memory plan, against the measured run."""

from __future__ import annotations

import random
import statistics

import pytest

from tests.shared_data import shared
from tuner_tui.engines.log import LogReader
from tuner_tui.engines.simulated.hardware import Gpu, ModelShape, Parallelism
from tuner_tui.engines.simulated.memory import MemoryPlan, NotEnoughMemory, OutOfMemory, plan_memory
from tuner_tui.engines.simulated.performance import Performance, handling_s, step_factor


def plan(fraction: float, **more: object) -> MemoryPlan:
    asked: dict[str, object] = {
        "gpu": Gpu(),
        "shape": ModelShape(),
        "parallelism": Parallelism(),
        "kv_dtype_bytes": 2,
        "page_tokens": 1,
        "context_tokens": 131072,
        "max_total_tokens": None,
        "max_running_requests": None,
        "graph_max_batch": 256,
        **more,
    }
    return plan_memory(fraction=fraction, **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("log", "fraction"),
    [("sglang-0.5.2-exp1-startup-cr-progress.log", 0.7), ("sglang-0.5.2-exp2-startup-cr-progress.log", 0.8)],
)
def test_memory_is_that_of_the_measured_run(log: str, fraction: float) -> None:
    reader = LogReader("sglang")
    reader.feed(shared(f"logs/{log}").read_bytes())
    measured, found = reader.memory, plan(fraction)
    assert measured.kv_cache_tokens == pytest.approx(found.kv_tokens, rel=0.0001)
    assert measured.weights_gib == pytest.approx(found.weights_gib, abs=0.01)
    assert measured.kv_cache_gib == pytest.approx(found.kv_gib, abs=0.02)
    assert measured.available_gib == pytest.approx(found.after_graphs_gib, abs=0.05)


def test_tokens_known_without_the_log() -> None:
    assert plan(0.7).kv_tokens == pytest.approx(2_094_537, rel=1e-5)
    assert plan(0.8).kv_tokens == pytest.approx(2_405_039, rel=1e-5)


def test_fp8_holds_twice_as_much_and_two_gpus_more_than_that() -> None:
    one = plan(0.8).kv_tokens
    assert plan(0.8, kv_dtype_bytes=1).kv_tokens == pytest.approx(2 * one, rel=0.001)
    two = plan(0.8, parallelism=Parallelism(tensor=2)).kv_tokens
    assert 2 * one < two < 2.1 * one


def test_pages_are_whole_and_the_upper_bound_holds() -> None:
    assert plan(0.8, page_tokens=64).kv_tokens % 64 == 0
    assert plan(0.8, max_total_tokens=1000, page_tokens=64).kv_tokens == 960


def test_too_little_and_too_much() -> None:
    with pytest.raises(NotEnoughMemory, match="increase --mem-fraction-static"):
        plan(0.02)
    with pytest.raises(OutOfMemory, match=r"CUDA out of memory\. Tried to allocate .* total capacity of 94\.76 GiB"):
        plan(0.99)
    # Graphs take memory: without them a little more fits.
    edge = next(f / 1000 for f in range(999, 0, -1) if _fits(f / 1000, None))
    assert not _fits(edge, 256)
    assert _fits(edge - 0.02, 256)


def _fits(fraction: float, graphs: int | None) -> bool:
    try:
        plan(fraction, graph_max_batch=graphs)
    except OutOfMemory:
        return False
    return True


def test_decoding_takes_as_long_as_measured() -> None:
    performance = Performance(Gpu(), ModelShape(), Parallelism())
    # The means of one answer: 100 tokens in, up to 100 out.
    assert performance.decode_s(1, 150) == pytest.approx(1.526e-3, rel=0.01)
    assert performance.decode_s(4, 600) == pytest.approx(1.605e-3, rel=0.01)


def test_what_makes_a_step_longer_or_shorter() -> None:
    def decode(tensor: int = 1, batch: int = 64, tokens: int = 60_000, **gpu: float) -> float:
        return Performance(Gpu(**gpu), ModelShape(), Parallelism(tensor=tensor)).decode_s(batch, tokens)

    assert decode(bandwidth_gb_per_s=2000) > 1.3 * decode()
    assert decode(tokens=600_000) > 1.5 * decode()
    assert decode(batch=128) > decode()
    # Two GPUs are faster where there is something to share, and pay for the all-reduce where there is not.
    assert 0.5 * decode(tokens=600_000) < decode(2, tokens=600_000) < 0.7 * decode(tokens=600_000)
    assert decode(8, batch=1, tokens=10) > 0.5 * decode(batch=1, tokens=10)
    performance = Performance(Gpu(), ModelShape(), Parallelism())
    assert performance.decode_s(1, 100, graph=False) - performance.decode_s(1, 100) == pytest.approx(3.04e-3)
    assert Performance(Gpu(), ModelShape(), Parallelism(), kv_dtype_bytes=1).decode_s(64, 600_000) < decode(
        tokens=600_000
    )


def test_prefill_is_bound_by_arithmetic() -> None:
    def prefill(tokens: int, **gpu: float) -> float:
        performance = Performance(Gpu(**gpu), ModelShape(), Parallelism())
        return performance.prefill_s(tokens, tokens * (tokens + 1) // 2, 1)

    assert prefill(8000) > 1.9 * prefill(4000)
    assert prefill(8000, compute_tflops=296) < 0.55 * prefill(8000)
    # Attention: twice the prompt is more than twice the work.
    assert prefill(100_000) > 2.2 * prefill(50_000)


def test_handling_grows_with_what_is_in_the_engine() -> None:
    def median(requests: int) -> float:
        return statistics.median(handling_s(random.Random(seed), requests) for seed in range(500))

    assert median(1) == pytest.approx(5.75e-3, rel=0.02)
    assert median(4) == pytest.approx(4 * median(1))


def test_noise_is_around_one_and_none_is_exactly_one() -> None:
    chance = random.Random(3)
    assert step_factor(chance, 0.0) == 1.0
    drawn = [step_factor(chance, 0.1) for _ in range(4000)]
    assert statistics.median(drawn) == pytest.approx(1, abs=0.01)
    assert statistics.stdev(drawn) == pytest.approx(0.1, abs=0.01)
