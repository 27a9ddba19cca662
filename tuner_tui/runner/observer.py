"""Gathers what a launch's numbers may be doubted by, while it runs: engine, GPUs, the machine's run queue."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tuner_tui.engines.live_metrics import LiveMetrics
from tuner_tui.engines.server_state import ServerState
from tuner_tui.runner.engine_metrics import read_once
from tuner_tui.runner.log_figures import LogCounts, LogFigures
from tuner_tui.runs.evidence import GpuEvidence, LevelEvidence
from tuner_tui.runs.samples import GpuSample, Sample

_AT_WORK = 0.2
"""Utilisation from which a GPU's clock says something."""


class Observer:
    """Sees every sample; counts between `begin` and `end` of a level."""

    def __init__(self, figures: LogFigures, runnable: Callable[[], int | None] | None = None) -> None:
        self.levels: list[LevelEvidence] = []
        self._figures = figures
        self._runnable = runnable or runnable_threads
        self._url = ""
        self._level: str | None = None
        self._metrics: LiveMetrics | None = None
        self._counts = LogCounts()
        self._samples: list[Sample] = []
        self._queue: list[int] = []

    def see(self, sample: Sample) -> None:
        """A sample, as it is written."""
        if self._level is None:
            return
        self._samples.append(sample)
        if (waiting := self._runnable()) is not None:
            self._queue.append(waiting)

    async def begin(self, url: str, level: str) -> None:
        """Just before the first request of a level."""
        self._url = url
        self._metrics = await read_once(url)
        self._counts = self._figures.counts
        self._samples, self._queue = [], []
        self._level = level

    async def end(self) -> None:
        """Right after the last request."""
        level, self._level = self._level, None
        after = await read_once(self._url)
        if level is not None:
            self.levels.append(self._evidence(level, after))

    def _evidence(self, level: str, after: LiveMetrics | None) -> LevelEvidence:
        before, counts = self._metrics, self._figures.counts.since(self._counts)

        def counted(field: str) -> float | None:
            then, now = getattr(before, field, None), getattr(after, field, None)
            return None if then is None or now is None or now < then else now - then

        cached, looked_up, source = counted("cached_tokens"), counted("looked_up_tokens"), "metrics"
        if cached is None or looked_up is None:
            cached, looked_up, source = counts.cached_tokens, counts.cached_tokens + counts.new_tokens, "log"
        engines = [sample.engine for sample in self._samples if sample.engine is not None]
        preemptions = counted("preemptions")
        return LevelEvidence(
            level=level,
            prompt_tokens=counted("prompt_tokens"),
            generated_tokens=counted("generated_tokens"),
            cached_tokens=cached,
            looked_up_tokens=looked_up,
            cache_source=source,
            preemptions=counts.preemptions if preemptions is None else int(preemptions),
            kv_usage_max=max((each.kv_usage for each in engines if each.kv_usage is not None), default=None),
            queued_max=max((each.queued for each in engines if each.queued is not None), default=None),
            batches=counts.batches,
            ungraphed=counts.ungraphed,
            runnable=sum(self._queue) / len(self._queue) if self._queue else None,
            gpus=gpus_evidence([sample.gpus for sample in self._samples]),
        )


def gpus_evidence(moments: list[tuple[GpuSample, ...]]) -> tuple[GpuEvidence, ...]:
    """Each GPU over these moments."""
    by_index: dict[int, list[GpuSample]] = {}
    for moment in moments:
        for gpu in moment:
            by_index.setdefault(gpu.index, []).append(gpu)
    return tuple(_gpu_evidence(index, seen) for index, seen in sorted(by_index.items()))


def _gpu_evidence(index: int, seen: list[GpuSample]) -> GpuEvidence:
    busy = [gpu.utilisation for gpu in seen if gpu.utilisation is not None]
    clocks = [gpu.clock_mhz for gpu in seen if gpu.clock_mhz is not None and (gpu.utilisation or 0) >= _AT_WORK]
    reasons = Counter(reason for gpu in seen for reason in gpu.throttle)
    return GpuEvidence(
        index=index,
        foreign_gib=max((gpu.foreign_gib for gpu in seen if gpu.foreign_gib is not None), default=None),
        foreign_processes=max((gpu.foreign_processes or 0 for gpu in seen), default=0),
        utilisation=sum(busy) / len(busy) if busy else None,
        clock_mhz=sum(clocks) / len(clocks) if clocks else None,
        throttled={reason: count / len(seen) for reason, count in reasons.items()},
    )


def graphs_lost(state: ServerState) -> bool:
    """Whether the engine says that it uses no CUDA graphs although its arguments do not ask for that."""
    asked = any(state.arguments.get(name) for name in ("disable_cuda_graph", "enforce_eager"))
    return state.graphs_enabled is False and state.told.get("device") != "cpu" and not asked


def runnable_threads() -> int | None:
    """Threads of this machine that run or wait for a CPU, this one not counted; None where the system does not say.

    Format: proc(5), `/proc/loadavg`, the fourth field.
    """
    try:
        running, _, _ = Path("/proc/loadavg").read_text().split()[3].partition("/")
        return max(0, int(running) - 1)
    except (OSError, ValueError, IndexError):
        return None


def cpus_of_machine() -> int:
    """All of them, whichever this process may use: the run queue is everybody's."""
    return os.cpu_count() or 1
