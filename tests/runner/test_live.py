"""What a launch looks like while it runs: phases with their progress, load, engine, GPUs."""

from __future__ import annotations

import asyncio
import itertools
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.runner.simulated_task import simulated_task
from tests.tuner import only_run, tuner
from tuner_tui.backends.gpu_readings import GpuReading
from tuner_tui.engines.live_metrics import LiveMetrics
from tuner_tui.engines.log import LogReader
from tuner_tui.load.model import LoadProgress
from tuner_tui.runner import engine_metrics
from tuner_tui.runner.engine_figures import engine_sample
from tuner_tui.runner.engine_metrics import EngineMetrics, Reading, read_once
from tuner_tui.runner.live import Live, gpu_sample
from tuner_tui.runner.log_figures import LogFigures
from tuner_tui.runs.samples import Sample, SampleReader

BATCH = (
    "[2026-11-23 12:00:00] Decode batch. #running-req: 3, #token: 300, token usage: 0.25, cuda graph: False, "
    "gen throughput (token/s): 480.50, #queue-req: 2, \n"
)


def test_a_launch_tells_its_story(tmp_path: Path, runs_dir: Path) -> None:
    task = simulated_task(
        tmp_path, {"simulate-start-s": 2.5, "mem-fraction-static": [0.7]}, max_requests=500, concurrency=(4,)
    )
    tuner("run", task)
    samples = SampleReader(only_run(runs_dir).launch(1) / "samples.jsonl").read()
    names = list(dict.fromkeys(sample.phase.name for sample in samples if sample.phase))
    assert names[0] == "starting"
    assert "capturing graphs" in names
    assert names[-2:] == ["measuring", "stopping"]
    gaps_s = [(b.at - a.at).total_seconds() for a, b in itertools.pairwise(samples[:-1])]
    assert sorted(gaps_s)[len(gaps_s) // 2] == pytest.approx(0.5, abs=0.2)
    graphs = [sample.phase for sample in samples if sample.phase and sample.phase.name == "capturing graphs"]
    assert all(phase.of for phase in graphs)
    assert len({phase.since for phase in graphs}) == 1
    measuring = [sample for sample in samples if sample.phase and sample.phase.name == "measuring" and sample.load]
    assert all(
        sample.phase and (sample.phase.level, sample.phase.levels, sample.phase.of) == (0, 1, 500)
        for sample in measuring
    )
    assert [s.load.done for s in measuring if s.load] == [s.phase.done for s in measuring if s.phase]
    engines = [sample.engine for sample in measuring if sample.engine]
    assert {engine.source for engine in engines} == {"metrics"}
    assert max(engine.running or 0 for engine in engines) >= 1
    for name in ("starting", "stopping"):  # nothing is known of a server that is not there yet, or goes
        assert all(sample.engine is None for sample in samples if sample.phase and sample.phase.name == name)


def live(path: Path, reader: LogReader, figures: LogFigures, **more: Any) -> Live:
    return Live(path, reader=reader, figures=figures, gpus=(), **more)


async def test_without_metrics_the_log_tells(tmp_path: Path) -> None:
    figures = LogFigures()
    reader = LogReader("sglang", on_fact=figures.take)
    seen: list[Sample] = []
    samples = live(tmp_path / "samples.jsonl", reader, figures, on_sample=seen.append)
    async with TestServer(web.Application()) as server:  # 404 for everything
        samples.serve(str(server.make_url("/")).rstrip("/"))
        reader.feed(BATCH.encode())
        samples.enter("serving")
        await samples.close()
    engine = seen[-1].engine
    assert engine is not None
    assert (engine.source, engine.running, engine.queued, engine.kv_usage) == ("log", 3, 2, 0.25)
    assert engine.decode_tokens_per_s == 480.5
    assert (figures.counts.batches, figures.counts.ungraphed) == (1, 1)


def test_of_an_engine_that_never_tells_its_prefills_no_rate_is_shown() -> None:
    idle = [Reading(at_s=time.monotonic(), metrics=LiveMetrics(running=0, decode_tokens_per_s=0.0))]
    figures = LogFigures()
    silent = engine_sample(idle, figures)
    assert silent is not None
    assert silent.prefill_tokens_per_s is None
    told = "Prefill batch. #new-seq: 1, #new-token: 8, #cached-token: 0, token usage: 0.00, #running-req: 0, "
    told += "#queue-req: 0, cuda graph: False, input throughput (token/s): 97.29\n"
    LogReader("sglang", on_fact=figures.take).feed(f"[2026-11-23 12:00:00] {told}".encode())
    telling = engine_sample(idle, figures)
    assert telling is not None
    assert telling.prefill_tokens_per_s == 0.0


async def test_rates_come_from_counters_and_an_engine_that_hangs_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_metrics, "_TIMEOUT_S", 0.1)
    asked = asyncio.Event()
    generated = 0

    async def page(_: web.Request) -> web.Response:
        nonlocal generated
        generated += 100
        if generated == 300:
            asked.set()
        if generated > 300:
            await asyncio.sleep(5)
        return web.Response(text=f'vllm:generation_tokens_total{{engine="0"}} {generated}.0\n')

    app = web.Application()
    app.router.add_get("/metrics", page)
    async with TestServer(app) as server:
        url = str(server.make_url("/")).rstrip("/")
        metrics = EngineMetrics(url, interval_s=0.05)
        async with asyncio.timeout(10):
            await asked.wait()
            while metrics.readings[-1].metrics.generated_tokens != 300:  # noqa: ASYNC110 (it is set on a thread)
                await asyncio.sleep(0.01)
        first, second = metrics.readings
        assert (first.metrics.generated_tokens, second.metrics.generated_tokens) == (200, 300)
        assert 0.02 < second.at_s - first.at_s < 2
        assert await read_once(url) is None
        metrics.close()


async def test_a_level_that_only_time_ends_counts_seconds(tmp_path: Path) -> None:
    seen: list[Sample] = []
    figures = LogFigures()
    samples = live(tmp_path / "s.jsonl", LogReader("sglang"), figures, max_time_s=60.0, on_sample=seen.append)
    samples.enter("measuring", level=1, levels=3)
    samples.on_progress(LoadProgress(level=1, warm_up=False, elapsed_s=15.2, done=31, failed=0, running=4))
    await samples.close()
    phase = seen[-1].phase
    assert phase is not None
    assert (phase.words, phase.share) == ("measuring level 2/3, 15/60 s", 0.25)


async def test_a_full_disk_ends_the_samples_and_nothing_else(tmp_path: Path) -> None:
    samples = live(tmp_path, LogReader("sglang"), LogFigures())  # a folder cannot be written
    await asyncio.sleep(0)
    await samples.close()


def test_foreign_processes_are_told_from_the_launchs_own() -> None:
    reading = GpuReading(index=0, used_gib=10.0, total_gib=80.0, processes=((1, 6.0), (2, 3.5), (3, None), (4, 1.0)))
    whose = {1: True, 2: False, 3: False, 4: None}
    sample = gpu_sample(reading, whose.__getitem__)
    assert (sample.foreign_gib, sample.foreign_processes) == (3.5, 2)
    untold = gpu_sample(GpuReading(index=0, used_gib=10.0, total_gib=80.0), whose.__getitem__)
    assert (untold.foreign_gib, untold.foreign_processes) == (None, None)
