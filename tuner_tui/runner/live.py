"""Writes a launch's samples.jsonl: twice a second what is being done, the load, the engine, the GPUs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from datetime import datetime
from pathlib import Path

from msgspec.structs import replace

from tuner_tui.backends.gpu_readings import GpuReading, GpuReadings
from tuner_tui.backends.threads import in_thread
from tuner_tui.engines.log import LogReader
from tuner_tui.load.model import LoadProgress
from tuner_tui.runner.engine_figures import engine_sample
from tuner_tui.runner.engine_metrics import EngineMetrics
from tuner_tui.runner.log_figures import LogFigures
from tuner_tui.runs.events import now
from tuner_tui.runs.samples import INTERVAL_S, GpuSample, Phase, Sample, append_sample

log = logging.getLogger("tuner_tui.runner")

Owns = Callable[[int], bool | None]


class Live:
    """The live figures of one launch. `close` in any case; `serve` once the server is ready.

    `on_sample` sees each sample as it is written. A disk that is full ends the samples, never the launch.
    """

    def __init__(
        self,
        path: Path,
        *,
        reader: LogReader,
        figures: LogFigures,
        gpus: tuple[int, ...],
        keep_off: AbstractSet[int] = frozenset(),
        max_requests: int | None = None,
        max_time_s: float | None = None,
        on_sample: Callable[[Sample], None] = lambda sample: None,
    ) -> None:
        self._path = path
        self._reader = reader
        self._figures = figures
        self._max_requests, self._max_time_s = max_requests, max_time_s
        self._on_sample = on_sample
        self._keep_off = keep_off
        self._readings = GpuReadings(gpus)
        self._metrics: EngineMetrics | None = None
        self._owns: Owns = lambda pid: None
        self._told: Phase | None = None
        self._last: Phase | None = None
        self._load: LoadProgress | None = None
        self._unwritable = False
        self._ticking = asyncio.create_task(self._tick(), name="samples")

    def enter(self, name: str, *, level: int | None = None, levels: int | None = None, detail: str = "") -> None:
        """From now on this is what is being done. Until the first call, the engine's log tells what it is."""
        self._told = Phase(name=name, since=now(), level=level, levels=levels, detail=detail)
        self._load = None

    def limit(self, *, max_requests: int | None, max_time_s: float | None) -> None:
        """What ends a level, from now on."""
        self._max_requests, self._max_time_s = max_requests, max_time_s

    def on_progress(self, progress: LoadProgress) -> None:
        """How far the level under way is."""
        self._load = progress

    def started(self, owns: Owns) -> None:
        """The server is started: whose a process on the GPU is can be told from now on."""
        self._owns = owns

    def serve(self, url: str) -> None:
        """The server is ready: its metrics are asked."""
        self._metrics = EngineMetrics(url, self._keep_off)

    def leave(self) -> None:
        """The server is stopping: what it said last of its work holds no longer."""
        self.enter("stopping")
        if self._metrics is not None:
            self._metrics.close()
            self._metrics = None

    async def gpus_before(self) -> tuple[GpuSample, ...]:
        """The GPUs as they are before the server starts: all that runs on them is foreign."""
        readings = self._readings.latest
        if not readings and self._readings.wanted:
            readings = await in_thread(self._readings.wait_first, name="first GPU readings")
        return tuple(gpu_sample(reading, lambda pid: False) for reading in readings)

    async def close(self) -> None:
        """Ends all threads, after a last sample."""
        self._ticking.cancel()
        await asyncio.gather(self._ticking, return_exceptions=True)
        self._write()
        self._readings.close()
        if self._metrics is not None:
            self._metrics.close()

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        while True:
            self._write()
            due_s = max(due_s + INTERVAL_S, loop.time())
            await asyncio.sleep(due_s - loop.time())

    def _write(self) -> None:
        sample = self._sample(now())
        self._on_sample(sample)
        if self._unwritable:
            return
        try:
            append_sample(self._path, sample)
        except OSError as error:
            self._unwritable = True
            log.warning("no more live figures: %s: %s", self._path, error.strerror)

    def _sample(self, at: datetime) -> Sample:
        serving = self._metrics is not None
        readings = self._metrics.readings if self._metrics is not None else ()
        return Sample(
            at=at,
            phase=self._phase(at),
            load=self._load,
            engine=engine_sample(readings, self._figures) if serving else None,
            gpus=tuple(gpu_sample(reading, self._owns) for reading in self._readings.latest),
            log_bytes=_size(self._path.with_name("container.log")),
        )

    def _phase(self, at: datetime) -> Phase:
        told, state = self._told, self._reader.state
        if told is None:
            name = state.activity or "starting"
            since = self._last.since if self._last is not None and self._last.name == name else at
            done, of = state.progress or (None, None)
            self._last = Phase(name=name, since=since, done=done, of=of)
            return self._last
        load = self._load
        if load is None or told.level is None:
            return told
        # A warm-up has no limit of its own worth telling.
        most = None if load.warm_up else self._max_requests
        if most is None and self._max_time_s is not None and not load.warm_up:
            done, of = int(load.elapsed_s), int(self._max_time_s)
            return replace(told, done=done, of=of, unit="s")
        return replace(told, done=load.done, of=most, unit="requests")


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def gpu_sample(reading: GpuReading, owns: Owns) -> GpuSample:
    """A reading with the foreign processes told apart. One of which nobody knows whose it is counts as nobody's."""
    foreign = None
    if reading.processes is not None:
        foreign = [memory or 0.0 for pid, memory in reading.processes if owns(pid) is False]
    return GpuSample(
        index=reading.index,
        used_gib=round(reading.used_gib, 3),
        total_gib=round(reading.total_gib, 3),
        utilisation=reading.utilisation,
        power_w=None if reading.power_w is None else round(reading.power_w, 1),
        power_limit_w=reading.power_limit_w,
        temperature_c=reading.temperature_c,
        clock_mhz=reading.clock_mhz,
        clock_max_mhz=reading.clock_max_mhz,
        throttle=reading.throttle,
        foreign_gib=None if foreign is None else round(sum(foreign), 3),
        foreign_processes=None if foreign is None else len(foreign),
    )
