"""The scheduler alone: who runs when, and what happens when the KV cache is full."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tuner_tui.engines.simulated.hardware import Gpu, ModelShape, Parallelism
from tuner_tui.engines.simulated.performance import Performance
from tuner_tui.engines.simulated.scheduler import Limits, Scheduler, Step
from tuner_tui.engines.simulated.sequence import Sequence

PERFORMANCE = Performance(Gpu(), ModelShape(), Parallelism())


class Run:
    """A scheduler, its requests, and the moments at which their tokens came."""

    def __init__(self, **limits: Any) -> None:
        self.scheduler = Scheduler(
            Limits(**{"kv_tokens": 100_000, "max_running_requests": 64, **limits}), PERFORMANCE, random.Random(1)
        )
        self.now_s = 0.0
        self.steps: list[Step] = []
        self.tokens: dict[int, list[float]] = {}
        self.reasons: dict[int, str] = {}
        self.retracted = 0

    def add(self, tokens: int, answer: int, *, limit: int | None = None, first: int | None = None) -> Sequence:
        """A request whose prompt shares no prefix with others (or starts with token `first` over and over)."""
        number = len(self.tokens)
        start = first if first is not None else 1000 + number

        def emit(sequence: Sequence, reason: str | None) -> None:
            self.tokens[number].append(self.now_s)
            if reason:
                self.reasons[number] = reason

        self.tokens[number] = []
        sequence = Sequence(
            (start,) * tokens, limit=limit or answer, length=answer, reason="length" if limit is None else "stop",
            emit=emit,
        )  # fmt: skip
        self.scheduler.submit(sequence)
        return sequence

    def step(self) -> Step | None:
        step = self.scheduler.plan()
        self.retracted += sum(each.requests for each in self.scheduler.retractions)
        if step is not None:
            self.steps.append(step)
            self.now_s += step.duration_s
            assert step.duration_s > 0
            assert self.scheduler.free_tokens >= 0
            self.scheduler.complete(step)
        return step

    def through(self, at_each: Callable[[], None] = lambda: None) -> Run:
        while self.step() is not None:
            at_each()
        assert not self.scheduler.busy
        return self


def test_an_answer_is_its_prefill_and_a_decode_step_for_each_further_token() -> None:
    run = Run()
    run.add(100, 5)
    run.through()
    assert [bool(step.prefills) for step in run.steps] == [True, False, False, False, False]
    assert len(run.tokens[0]) == 5
    assert run.tokens[0][0] == PERFORMANCE.prefill_s(100, 5050, 1)
    # The first decode step reads the prompt and the token drawn by the prefill.
    assert run.steps[1].duration_s == PERFORMANCE.decode_s(1, 101)


def test_requests_decode_together_up_to_the_limit_and_the_rest_queue() -> None:
    run = Run(max_running_requests=3)
    for _ in range(7):
        run.add(10, 20)
    run.through()
    assert max(len(step.decodes) for step in run.steps) == 3
    assert all(len(times) == 20 for times in run.tokens.values())
    # The fourth starts only when one of the first three has ended, and they end together.
    assert run.tokens[3][0] > run.tokens[0][-1]
    alone = Run()
    for _ in range(7):
        alone.add(10, 20)
    assert alone.through().now_s < 0.6 * run.now_s


def test_small_chunks_answer_a_long_prompt_later_and_disturb_the_others_less() -> None:
    def others(chunk: int) -> tuple[float, float]:
        """TTFT of a prompt of 8,000 tokens, and the longest gap it makes in a running answer."""
        run = Run(chunk_tokens=chunk)
        run.add(10, 200)
        for _ in range(5):
            run.step()
        asked = run.now_s
        run.add(8000, 2)
        run.through()
        gaps = [b - a for a, b in zip(run.tokens[0], run.tokens[0][1:], strict=False)]
        return run.tokens[1][0] - asked, max(gaps)

    ttft_small, gap_small = others(512)
    ttft_large, gap_large = others(8192)
    assert ttft_small > 1.1 * ttft_large
    assert gap_small < 0.2 * gap_large


def test_a_long_prompt_in_chunks_computes_each_token_once() -> None:
    run = Run(chunk_tokens=1000)
    run.add(3500, 2)
    run.through()
    assert [step.new_tokens for step in run.steps if step.prefills] == [1000, 1000, 1000, 500]
    assert len(run.tokens[0]) == 2


def test_mixed_chunks_let_the_others_go_on_during_a_prefill() -> None:
    run = Run(chunk_tokens=1000, mixed_chunk=True)
    run.add(10, 50)
    run.step()
    run.add(4000, 2)
    run.through()
    mixed = [step for step in run.steps if step.prefills and step.decodes]
    assert len(mixed) == 4
    assert mixed[0].duration_s > PERFORMANCE.prefill_s(1000, 500_500, 1)
    assert len(run.tokens[0]) == 50


def test_without_chunking_a_prompt_longer_than_a_prefill_goes_in_whole_and_alone() -> None:
    run = Run(chunk_tokens=None, max_prefill_tokens=1000)
    run.add(600, 2)
    run.add(600, 2)
    run.add(5000, 2)
    run.through()
    assert [step.new_tokens for step in run.steps if step.prefills] == [600, 600, 5000]


def test_a_shared_prefix_is_computed_once() -> None:
    run = Run()
    run.add(1000, 2, first=7)
    run.through()
    second = run.add(1500, 2, first=7)
    run.through()
    assert second.cached == 1000
    assert [step.new_tokens for step in run.steps if step.prefills] == [1000, 500]
    without = Run(prefix_cache=False)
    without.add(1000, 2, first=7)
    without.through()
    assert without.add(1500, 2, first=7).cached == 0
    without.through()
    assert without.steps[-2].new_tokens == 1500
    assert without.scheduler.cache.tokens == 0


def test_when_decoding_fills_the_cache_the_shortest_answer_is_taken_out_and_finishes_later() -> None:
    # A ratio of nearly 0 lets both in although they cannot both finish: 2 * (100 + 400) > 700.
    run = Run(kv_tokens=700, conservativeness=0.01, prefix_cache=False)
    run.add(100, 400)
    for _ in range(3):
        run.step()
    run.add(100, 400)
    run.through()
    assert run.retracted == 1
    assert [len(times) for times in run.tokens.values()] == [400, 400]
    # The first was never taken out: no gap longer than the other's prefill.
    assert max(b - a for a, b in zip(run.tokens[0], run.tokens[0][1:], strict=False)) < 0.02
    again = [step.new_tokens for step in run.steps if step.prefills][-1]
    assert again > 100  # prompt and answer so far are computed again


def test_a_careful_scheduler_queues_instead() -> None:
    run = Run(kv_tokens=700, conservativeness=1.4, prefix_cache=False)
    run.add(100, 400)
    run.add(100, 400)
    run.through()
    assert run.retracted == 0
    assert run.tokens[1][0] > run.tokens[0][-1]


def test_longest_prefix_first_and_longest_output_first() -> None:
    def order(policy: str) -> list[int]:
        run = Run(max_running_requests=1, policy=policy)
        run.add(100, 2, first=7)
        run.through()
        run.add(50, 3)
        run.add(50, 9)
        run.add(100, 2, first=7)
        run.through()
        return sorted((1, 2, 3), key=lambda each: run.tokens[each][0])

    assert order("fcfs") == [1, 2, 3]
    assert order("lpm")[0] == 3
    assert order("lof")[0] == 2
    assert sorted(order("random")) == [1, 2, 3]


def test_a_batch_larger_than_the_largest_graph_is_slower() -> None:
    small, large = Run(graph_max_batch=4), Run(graph_max_batch=8)
    for run in (small, large):
        for _ in range(8):
            run.add(10, 10)
        run.through()
    assert not small.steps[-1].graph
    assert large.steps[-1].graph
    assert small.steps[-1].duration_s - large.steps[-1].duration_s > 0.002


def test_several_decode_steps_in_a_row_make_newcomers_wait() -> None:
    def wait(steps: int) -> float:
        run = Run(continuous_decode_steps=steps)
        run.add(10, 60)
        for _ in range(3):
            run.step()
        asked = run.now_s
        run.add(10, 2)
        run.through()
        return run.tokens[1][0] - asked

    assert wait(8) > wait(1) + 3 * PERFORMANCE.decode_s(1, 10)


REQUESTS = st.lists(
    st.tuples(st.integers(1, 90), st.integers(1, 60), st.integers(0, 40), st.integers(0, 3)), min_size=1, max_size=12
)


@settings(max_examples=150, deadline=None)
@given(
    requests=REQUESTS,
    kv_pages=st.integers(60, 200),
    page=st.sampled_from([1, 4, 16]),
    chunk=st.sampled_from([None, 1, 7, 64, 4096]),
    running=st.integers(1, 6),
    careful=st.sampled_from([0.0, 0.1, 1.0, 2.0]),
    policy=st.sampled_from(["fcfs", "lpm", "lof", "random"]),
    cache=st.booleans(),
    mixed=st.booleans(),
    leave=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 11)), max_size=4),
)
def test_whatever_comes_all_get_their_tokens_and_the_cache_never_overflows(
    requests: list[tuple[int, int, int, int]],
    kv_pages: int,
    page: int,
    chunk: int | None,
    running: int,
    careful: float,
    policy: str,
    cache: bool,
    mixed: bool,
    leave: list[tuple[int, int]],
) -> None:
    run = Run(
        kv_tokens=kv_pages * max(page, 4),
        page_tokens=page,
        chunk_tokens=chunk if chunk is None else -(-chunk // page) * page,
        max_prefill_tokens=128,
        max_running_requests=running,
        conservativeness=careful,
        policy=policy,
        prefix_cache=cache,
        mixed_chunk=mixed,
    )
    sequences = [run.add(tokens, answer, limit=answer + more, first=first) for tokens, answer, more, first in requests]
    gone: set[int] = set()
    steps = 0

    def at_each() -> None:
        nonlocal steps
        steps += 1
        assert steps < 20_000
        scheduler = run.scheduler
        assert len(scheduler.running) <= running
        assert 0 <= scheduler.used_tokens <= scheduler.limits.kv_tokens
        for at, who in leave:
            if at == steps and who < len(sequences) and who not in run.reasons:
                scheduler.abort(sequences[who])
                gone.add(who)

    run.through(at_each)
    for number, (_, answer, _, _) in enumerate(requests):
        if number not in gone:
            assert len(run.tokens[number]) == answer
            assert run.reasons[number] == "stop"
    assert run.scheduler.used_tokens == 0
    assert run.scheduler.flush()
    assert run.scheduler.free_tokens == run.scheduler.limits.kv_tokens
