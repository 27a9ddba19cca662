"""One launch: start → ready → warm-up → levels → stop, failing fast, leaving nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from tuner_tui.backends.backend import Backend, Image, Server, StartFailed
from tuner_tui.backends.cpuset import parse_cpuset
from tuner_tui.engines.cross_check import cross_check
from tuner_tui.engines.engine import Engine
from tuner_tui.engines.facts import Memory
from tuner_tui.engines.log import LogReader
from tuner_tui.engines.probes import Answer
from tuner_tui.engines.remarks import RemarkReader
from tuner_tui.load.find_max import Before
from tuner_tui.load.model import Level
from tuner_tui.runner.live import Live
from tuner_tui.runner.load_on_demand import Demand, LoadOnDemand
from tuner_tui.runner.load_tool import generator_cpus
from tuner_tui.runner.log_figures import LogFigures
from tuner_tui.runner.measurement import Measurement
from tuner_tui.runner.observer import Observer, cpus_of_machine, gpus_evidence, graphs_lost
from tuner_tui.runner.probe import probe
from tuner_tui.runner.readiness import wait_ready
from tuner_tui.runner.watch import LaunchAborted, LaunchFailed, Watch
from tuner_tui.runs.events import (
    AnyEvent,
    Experiment,
    Failure,
    LaunchFailing,
    LaunchFinished,
    LaunchStarted,
    LaunchStatus,
    ServerReady,
    ServerStarted,
    ValidityFlag,
)
from tuner_tui.runs.evidence import Evidence, GpuEvidence
from tuner_tui.runs.validity import validity
from tuner_tui.task.launch_spec import LaunchSpec
from tuner_tui.task.model import Task

# A server that failed has nothing to finish; one that is well gets the time to say goodbye.
_GRACE_FAILED_S = 1.0
_GRACE_S = 10.0


class Launch:
    """Carries out one launch. `run` does everything; `abort` and `hurry` may be called meanwhile."""

    def __init__(
        self,
        *,
        number: int,
        experiment: Experiment,
        task: Task,
        engine: Engine,
        spec: LaunchSpec,
        image: Image | None,
        backend: Backend,
        folder: Path,
        levels: tuple[Level, ...],
        before: Mapping[int, Before],
        seed: int,
        traffic_seed: int,
        emit: Callable[[AnyEvent], None],
        earlier_clocks_mhz: tuple[float, ...] = (),
    ) -> None:
        self.number = number
        self._experiment = experiment
        self._task = task
        self._engine = engine
        self._spec = spec
        self._image = image
        self._backend = backend
        self._folder = folder
        self._levels = levels
        self._before = before
        self._seed, self._traffic_seed = seed, traffic_seed
        self._emit = emit
        self._figures = LogFigures()
        self._watch = Watch(LogReader(engine.log_language, on_fact=self._figures.take))
        self._remarks = RemarkReader()
        self._observer = Observer(self._figures)
        self._earlier_clocks_mhz = earlier_clocks_mhz
        self._gpus_before: tuple[GpuEvidence, ...] = ()
        self._live: Live | None = None
        self.loads = LoadOnDemand(task, number, self._watch, emit, lambda: self._enter("serving"))
        """Load at a server that is kept up."""
        self._answers: list[Answer] = []
        self.stopping = False
        """Whether its server is being removed, so that nothing is left to be given up."""
        self._server: Server | None = None
        self._start_s: float | None = None

    def abort(self, why: str) -> None:
        """Asks for the launch to be given up: `stop` or `skip`."""
        self._watch.abort(why)

    async def hurry(self) -> None:
        """Kills the server at once instead of waiting for its goodbye."""
        if self._server is not None:
            await self._server.stop(0)

    async def run(self, *, hold: bool = False) -> LaunchFinished:
        """The whole launch; emits every event but the last, which it returns once the server is removed. Raises
        ServerLeft where it is not.

        `hold`: the server is kept up until `abort`, and load is sent only when `loads` is asked for it.
        """
        began = time.monotonic()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._write_launch_json()
        self._emit(
            LaunchStarted(
                launch=self.number,
                experiment=self._experiment.id,
                command=self._spec.shell_line(),
                gpus=self._spec.gpus,
            )
        )
        status: LaunchStatus = "succeeded"
        failure: Failure | None = None
        flags: tuple[ValidityFlag, ...] = ()
        self._live = live = self._live_figures()
        measurement = None if hold else self._measurement(live)
        try:
            try:
                url = await self._start(live)
                if measurement is None:
                    live.enter("serving")
                    await self.loads.serve(url, lambda demand: self._on_demand(live, demand))
                else:
                    await measurement.run(url)
                    evidence = self._evidence()
                    flags = validity(self._task.objective, measurement.results, self._task.limits, evidence)
                status = "invalid" if any(flag.disqualifies for flag in flags) else "succeeded"
            except LaunchFailed as failed:
                status, failure = "failed", failed.failure
            except LaunchAborted as aborted:
                status = "failed" if aborted.why == "skip" else "interrupted"
                reason = "skipped by the user" if aborted.why == "skip" else "stopped by the user"
                failure = Failure(failure_class="stopped", reason=reason)
            if status == "failed" and failure is not None:
                self._emit(LaunchFailing(launch=self.number, failure=failure))
            live.leave()
        finally:
            self.stopping = True
            await self._clean_up(measurement, _GRACE_FAILED_S if status == "failed" else _GRACE_S)
        return LaunchFinished(
            launch=self.number,
            status=status,
            start_s=self._start_s,
            load_s=measurement.load_s if measurement else 0.0,
            total_s=time.monotonic() - began,
            memory=self._memory,
            validity=flags,
            failure=failure,
            gpu_clock_mhz=self._evidence().clock_mhz,
        )

    def _evidence(self) -> Evidence:
        return Evidence(
            levels=tuple(self._observer.levels),
            gpus_before=self._gpus_before,
            cpus=cpus_of_machine(),
            graphs_lost=graphs_lost(self._watch.log.state),
            remarks=self._remarks.remarks,
            earlier_clocks_mhz=self._earlier_clocks_mhz,
        )

    def _on_log(self, data: bytes) -> None:
        self._watch.on_log(data)
        self._remarks.feed(data)

    def _live_figures(self) -> Live:
        benchmark, cpus = self._task.benchmark, generator_cpus(self._task, self._spec)
        keep_off: frozenset[int] = frozenset()
        with contextlib.suppress(ValueError):  # the generator complains of it
            keep_off = parse_cpuset(cpus) if cpus else keep_off
        return Live(
            self._folder / "samples.jsonl",
            reader=self._watch.log,
            figures=self._figures,
            gpus=self._spec.gpus,
            keep_off=keep_off,
            max_requests=benchmark.max_requests,
            max_time_s=benchmark.max_time_s,
            on_sample=self._observer.see,
        )

    def _enter(self, name: str) -> None:
        if self._live is not None:
            self._live.enter(name)

    def _measurement(self, live: Live) -> Measurement:
        return self._measuring(live, self._task, self._levels, None)

    def _on_demand(self, live: Live, demand: Demand) -> Measurement:
        benchmark = demand.task.benchmark
        live.limit(max_requests=benchmark.max_requests, max_time_s=benchmark.max_time_s)
        return self._measuring(live, demand.task, (demand.level,), demand.index)

    def _measuring(self, live: Live, task: Task, levels: tuple[Level, ...], first: int | None) -> Measurement:
        return Measurement(
            launch=self.number,
            task=task,
            spec=self._spec,
            folder=self._folder,
            levels=levels,
            before=self._before if first is None else {},
            first=first,
            # Prompts of a later load differ from those of the ones before.
            seed=self._seed + 7_919 * (first or 0),
            traffic_seed=self._traffic_seed,
            watch=self._watch,
            live=live,
            observer=self._observer,
            emit=self._emit,
        )

    def _write_launch_json(self) -> None:
        document = {
            "launch": self.number,
            "experiment": self._experiment.id,
            "configuration": self._experiment.configuration,
            "image": self._image,
            "gpus": self._spec.gpus,
            "simulated": self._engine.simulated,
            "docker_run": self._spec.shell_line(),
            "spec": self._spec,
        }
        text = msgspec.json.format(msgspec.json.encode(document), indent=2)
        (self._folder / "launch.json").write_bytes(text + b"\n")

    async def _start(self, live: Live) -> str:
        """Until the server is ready; its URL. Raises LaunchFailed, LaunchAborted."""
        self._gpus_before = gpus_evidence([await live.gpus_before()])
        called = time.monotonic()
        try:
            self._server = await self._backend.start(self._spec, self._folder / "container.log", self._on_log)
        except StartFailed as failed:
            raise LaunchFailed(
                Failure(failure_class=failed.failure_class, reason=failed.reason, line=failed.line)
            ) from failed
        self._watch.follow(self._server)
        live.started(self._server.owns)
        self._emit(ServerStarted(launch=self.number, server=self._server.id, url=self._server.url))
        limit_s = self._task.start_timeout_s
        try:
            async with asyncio.timeout(limit_s):
                await self._watch.race(wait_ready(self._server.url, self._engine.ready_paths))
        except TimeoutError:
            said = self._watch.log.tail(1)
            doing = f"; it was {self._watch.log.phase}" if self._watch.log.phase else ""
            raise LaunchFailed(
                Failure(
                    failure_class="start_timeout",
                    reason=f"not ready within {limit_s:g} s{doing} (start_timeout: raises the limit)",
                    line=said[-1] if said else "",
                    tail=self._watch.tail(),
                )
            ) from None
        self._start_s = time.monotonic() - called
        self._watch.ready = True
        self._answers = await self._watch.race(probe(self._server.url, self._engine.log_language))
        live.serve(self._server.url)
        self._emit(ServerReady(launch=self.number, start_s=self._start_s, memory=self._memory))
        return self._server.url

    @property
    def _memory(self) -> Memory:
        """The engine's own answers before its log."""
        return cross_check(self._watch.log.memory, self._answers).memory

    async def _clean_up(self, measurement: Measurement | None, grace_s: float) -> None:
        """Ends load and server, whatever happened before."""
        try:
            if measurement is not None:
                await measurement.close()
        finally:
            try:
                if self._server is not None:
                    await self._server.stop(grace_s)
            finally:
                if self._live is not None:
                    await self._live.close()
                await self._watch.close()
