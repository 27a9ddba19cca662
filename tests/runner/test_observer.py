"""What the engine and the machine did while a level was measured: provoked for real with the simulated engine."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.runner.simulated_task import simulated_task
from tests.tuner import TUNER, in_launch, start, state, tuner, until
from tuner_tui.engines.live_metrics import LiveMetrics
from tuner_tui.engines.log import LogReader
from tuner_tui.runner.log_figures import LogFigures
from tuner_tui.runner.observer import Observer, graphs_lost, runnable_threads
from tuner_tui.runs.samples import EngineSample, GpuSample, Sample

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def flags_of(output: str) -> dict[str, dict[str, Any]]:
    [experiment] = json.loads(output)["experiments"]
    return {flag["name"]: flag for flag in experiment["launches"][0]["validity"]}


def test_a_kv_cache_that_is_too_small_is_noted(tmp_path: Path, runs_dir: Path) -> None:
    task = simulated_task(
        tmp_path,
        {"max-total-tokens": 400, "schedule-conservativeness": 0.1, "simulate-speed": 0.5},
        name="small",
        max_requests=60,
        concurrency=(16,),
    )
    text = task.read_text().replace("D(20,10)", "D(20,80)")
    task.write_text(text)
    flag = flags_of(tuner("run", task, "--json").stdout)["preemptions"]
    assert not flag["disqualifies"]
    assert int(flag["seen"].split()[0]) > 0
    assert "max-running-requests" in flag["advice"]


def test_another_client_at_the_same_server_is_noticed(tmp_path: Path, runs_dir: Path) -> None:
    task = simulated_task(tmp_path, {"mem-fraction-static": [0.7]}, max_requests=600, concurrency=(1,))
    with start("run", task, "--json") as following:
        folder = in_launch(runs_dir)
        until(lambda: (launch := state(folder).launch) is not None and launch.phase == "measuring")
        launch = state(folder).launch
        assert launch is not None
        assert launch.url is not None
        intruder = [*TUNER, "bench", launch.url, "--traffic", "D(500,20)", "--concurrency", "1", "--max-requests", "10"]
        subprocess.run(intruder, check=True, capture_output=True, timeout=60)
        output, _ = following.communicate(timeout=60)
    flag = flags_of(output)["other_client"]
    assert "prompt tokens more than this load's 12,000" in flag["seen"]


def gpu(**fields: Any) -> GpuSample:
    return GpuSample(index=0, used_gib=60.0, total_gib=80.0, **fields)


async def test_a_level_is_what_happened_between_its_ends() -> None:
    figures = LogFigures()
    reader = LogReader("sglang", on_fact=figures.take)
    queue = iter((3, 5))
    observer = Observer(figures, runnable=lambda: next(queue))

    def see(*gpus: GpuSample, kv_usage: float | None = None) -> None:
        observer.see(Sample(at=NOON, engine=EngineSample(source="log", kv_usage=kv_usage), gpus=gpus))

    def log(graph: bool, cached: int) -> None:
        reader.feed(
            f"[2026-11-23 12:00:00] Prefill batch. #new-seq: 1, #new-token: 90, #cached-token: {cached}, "
            "token usage: 0.1, #running-req: 1, #queue-req: 0, \n"
            f"[2026-11-23 12:00:01] Decode batch. #running-req: 3, #token: 300, "
            f"token usage: 0.25, cuda graph: {graph}, gen throughput (token/s): 480.50, #queue-req: 2, \n".encode()
        )

    log(graph=False, cached=50)
    see(gpu(utilisation=1.0, clock_mhz=100))  # before the level: nobody's
    await observer.begin("http://127.0.0.1:9", "D(1,1) × 1")
    log(graph=True, cached=10)
    log(graph=False, cached=0)
    see(gpu(utilisation=0.9, clock_mhz=1700, throttle=("power",), foreign_gib=1.0, foreign_processes=1), kv_usage=0.5)
    see(gpu(utilisation=0.1, clock_mhz=300, foreign_gib=3.0, foreign_processes=2), kv_usage=0.75)
    await observer.end()
    see(gpu(foreign_gib=9.0))
    [level] = observer.levels
    assert (level.cached_tokens, level.looked_up_tokens, level.cache_source) == (10, 190, "log")
    assert level.cached_share == pytest.approx(10 / 190)
    assert (level.batches, level.ungraphed) == (2, 1)
    assert (level.kv_usage_max, level.runnable) == (0.75, 4.0)
    assert level.prompt_tokens is None
    [seen] = level.gpus
    assert (seen.clock_mhz, seen.utilisation) == (1700.0, 0.5)
    assert (seen.foreign_gib, seen.foreign_processes) == (3.0, 2)
    assert seen.throttled == {"power": 0.5}


@pytest.mark.parametrize(("told", "counted"), [((4.0, 7.0), 3), ((None, 7.0), 5)])
async def test_requests_thrown_out_are_those_of_the_metrics_else_the_log_s_each_once(
    told: tuple[float | None, float | None], counted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A counter that has counted nothing yet is not among the metrics at all."""
    answers = iter(LiveMetrics(preemptions=each) for each in told)

    async def read_once(url: str) -> LiveMetrics:
        return next(answers)

    monkeypatch.setattr("tuner_tui.runner.observer.read_once", read_once)
    figures = LogFigures()
    reader = LogReader("sglang", on_fact=figures.take)
    observer = Observer(figures)

    def retract(requests: int) -> None:
        for rank in range(4):
            reader.feed(
                f"[2026-11-23 12:00:00 TP{rank}] KV cache pool is full. Retract requests. #retracted_reqs: {requests}, "
                "#new_tokens_gained: 10, #new_token_ratio: 0.5980 -> 0.9989\n".encode()
            )

    retract(4)  # before the level
    await observer.begin("http://127.0.0.1:9", "D(1,1) × 1")
    retract(5)
    await observer.end()
    assert observer.levels[0].preemptions == counted


def test_graphs_that_nobody_asked_to_switch_off() -> None:
    def lost(*lines: str) -> bool:
        reader = LogReader("sglang")
        reader.feed("".join(f"{line}\n" for line in lines).encode())
        return graphs_lost(reader.state)

    off = "[2026-11-23 12:00:00] CUDA graph is disabled because --enable-mis is set."
    args = "[2026-11-23 12:00:00] server_args=ServerArgs(model_path='/model', disable_cuda_graph={})"
    assert lost(args.format(False), off)
    assert not lost(args.format(True), off)
    assert not lost(args.format(False))


def test_the_run_queue_of_this_machine() -> None:
    waiting = runnable_threads()
    assert waiting is None or waiting >= 0
