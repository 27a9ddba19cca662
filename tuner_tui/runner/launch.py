"""One launch: start → ready → warm-up → levels → stop, failing fast, leaving nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tuner_tui.backends.backend import Backend, Exit, Image, Server, StartFailed
from tuner_tui.backends.cpuset import parse_cpuset
from tuner_tui.engines.cross_check import cross_check
from tuner_tui.engines.engine import Engine
from tuner_tui.engines.facts import Memory
from tuner_tui.engines.log import LogReader
from tuner_tui.engines.probes import Answer
from tuner_tui.load.client import Generator, LoadError
from tuner_tui.load.metrics import level_result, read_records
from tuner_tui.load.model import Job, Level, LevelResult, LoadProgress, RunLevel
from tuner_tui.runner.probe import probe
from tuner_tui.runner.readiness import wait_ready
from tuner_tui.runs.events import (
    AnyEvent,
    Experiment,
    Failure,
    LaunchFailing,
    LaunchFinished,
    LaunchStarted,
    LaunchStatus,
    LevelFinished,
    LevelStarted,
    ServerReady,
    ServerStarted,
    ValidityFlag,
    now,
)
from tuner_tui.runs.validity import validity
from tuner_tui.task.launch_spec import LaunchSpec
from tuner_tui.task.model import Task

T = TypeVar("T")

_TAIL_LINES = 12
# A server that failed has nothing to finish; one that is well gets the time to say goodbye.
_GRACE_FAILED_S = 1.0
_GRACE_S = 10.0
# How long a server may take to die after it has dropped all its connections, before the requests get the blame.
_DEATH_S = 2.0


class LaunchFailed(Exception):
    """The launch cannot go on."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


class LaunchAborted(Exception):
    """The user does not want the launch to go on: `stop` ends the run, `skip` only this launch."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


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
        seed: int,
        emit: Callable[[AnyEvent], None],
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
        self._seed = seed
        self._emit = emit
        self._log = LogReader(engine.log_language)
        self._answers: list[Answer] = []
        self._fatal = asyncio.Event()
        self._aborted: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._server: Server | None = None
        self._exit: asyncio.Task[Exit] | None = None
        self._start_s: float | None = None
        self._load_s = 0.0
        self._results: list[LevelResult] = []

    def abort(self, why: str) -> None:
        """Asks for the launch to be given up: `stop` or `skip`."""
        if not self._aborted.done():
            self._aborted.set_result(why)

    async def hurry(self) -> None:
        """Kills the server at once instead of waiting for its goodbye."""
        if self._server is not None:
            await self._server.stop(0)

    async def run(self, *, hold: bool = False) -> LaunchFinished:
        """The whole launch; emits every event but the last, which it returns once the server is removed.

        `hold`: instead of load, the server is kept up until `abort`.
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
        generator = None if hold else asyncio.create_task(self._start_generator())
        try:
            try:
                await self._start()
                if generator is None:
                    await self._race(asyncio.Event().wait())
                else:
                    await self._measure(generator)
                flags = validity(self._task.objective, self._results)
                status = "invalid" if any(flag.disqualifies for flag in flags) else "succeeded"
            except LaunchFailed as failed:
                status, failure = "failed", failed.failure
            except LaunchAborted as aborted:
                status = "failed" if aborted.why == "skip" else "interrupted"
                reason = "skipped by the user" if aborted.why == "skip" else "stopped by the user"
                failure = Failure(failure_class="stopped", reason=reason)
            if status == "failed" and failure is not None:
                self._emit(LaunchFailing(launch=self.number, failure=failure))
        finally:
            await self._clean_up(generator, _GRACE_FAILED_S if status == "failed" else _GRACE_S)
        return LaunchFinished(
            launch=self.number,
            status=status,
            start_s=self._start_s,
            load_s=self._load_s,
            total_s=time.monotonic() - began,
            memory=self._memory,
            validity=flags,
            failure=failure,
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

    async def _start(self) -> None:
        """Until the server is ready. Raises LaunchFailed, LaunchAborted."""
        called = time.monotonic()
        try:
            self._server = await self._backend.start(self._spec, self._folder / "container.log", self._on_log)
        except StartFailed as failed:
            raise LaunchFailed(
                Failure(failure_class=failed.failure_class, reason=failed.reason, line=failed.line)
            ) from failed
        self._exit = asyncio.create_task(self._server.wait())
        self._emit(ServerStarted(launch=self.number, server=self._server.id, url=self._server.url))
        limit_s = self._task.start_timeout_s
        try:
            async with asyncio.timeout(limit_s):
                await self._race(wait_ready(self._server.url, self._engine.ready_paths))
        except TimeoutError:
            said = self._log.tail(1)
            doing = f"; it was {self._log.phase}" if self._log.phase else ""
            raise LaunchFailed(
                Failure(
                    failure_class="start_timeout",
                    reason=f"not ready within {limit_s:g} s{doing} (start_timeout: raises the limit)",
                    line=said[-1] if said else "",
                    tail=tuple(self._log.tail(_TAIL_LINES)),
                )
            ) from None
        self._start_s = time.monotonic() - called
        self._answers = await self._race(probe(self._server.url, self._engine.log_language))
        self._emit(ServerReady(launch=self.number, start_s=self._start_s, memory=self._memory))

    @property
    def _memory(self) -> Memory:
        """The engine's own answers before its log."""
        return cross_check(self._log.memory, self._answers).memory

    def _on_log(self, data: bytes) -> None:
        self._log.feed(data)
        if self._log.fatal is not None:
            self._fatal.set()

    async def _race(self, work: Awaitable[T]) -> T:
        """`work`, unless the server ends, prints a fatal line, or the user gives up first."""
        assert self._exit is not None
        main = asyncio.ensure_future(work)
        fatal = asyncio.ensure_future(self._fatal.wait())
        tasks: set[asyncio.Future[Any]] = {main, fatal, self._exit, self._aborted}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if self._aborted.done():
                raise LaunchAborted(self._aborted.result())
            if fatal.done() or self._exit.done():
                raise LaunchFailed(self._cause_of_death())
            return main.result()
        finally:
            for future in (main, fatal):
                future.cancel()
            await asyncio.gather(main, fatal, return_exceptions=True)

    def _cause_of_death(self) -> Failure:
        assert self._exit is not None
        if self._exit.done():
            self._log.close()  # the last line may have no line end
        cause, tail = self._log.cause(), tuple(self._log.tail(_TAIL_LINES))
        ended = self._exit.result() if self._exit.done() else None
        if ended is not None and ended.out_of_host_memory:
            return Failure(
                failure_class="host_out_of_memory",
                reason="the kernel killed the server: it used more host memory than the container may "
                "(docker.memory raises the limit)",
                line=cause.line if cause else (tail[-1] if tail else ""),
                tail=tail,
            )
        if cause is not None:
            return Failure(failure_class=cause.failure_class, reason=cause.reason, line=cause.line, tail=tail)
        code = ended.code if ended is not None else None
        when = "under load" if self._start_s is not None else "before it was ready"
        last = next((line for line in reversed(tail) if line.strip()), "")
        return Failure(
            failure_class="container_exited",
            reason=f"the server exited with code {code} {when}" + ("" if last else " and printed nothing"),
            line=last,
            tail=tail,
        )

    async def _start_generator(self) -> Generator:
        return await Generator.start(cpus=self._generator_cpus(), stderr=self._folder / "generator.log")

    def _generator_cpus(self) -> str | None:
        """The task's choice; else the CPUs that are not the engine's, where its set leaves any."""
        if self._task.benchmark.cpus is not None or not self._spec.cpuset or not hasattr(os, "sched_getaffinity"):
            return self._task.benchmark.cpus
        free = sorted(os.sched_getaffinity(0) - set(parse_cpuset(self._spec.cpuset)))
        return ",".join(map(str, free)) or None

    async def _measure(self, starting: asyncio.Task[Generator]) -> None:
        """All levels. Raises LaunchFailed, LaunchAborted."""
        assert self._server is not None
        began = time.monotonic()
        records = self._folder / "requests.jsonl"
        benchmark = self._task.benchmark
        try:
            generator = await self._race(starting)
            await generator.begin(
                Job(
                    url=self._server.url,
                    records=str(records),
                    request=benchmark.request,
                    max_requests=benchmark.max_requests,
                    max_time_s=benchmark.max_time_s,
                    seed=self._seed,
                )
            )
            for index, level in enumerate(self._levels):
                await self._run_level(generator, index, level, warm_up=True)
                await self._run_level(generator, index, level, warm_up=False)
                measured = [record for record in read_records(records) if record.level == index]
                result = level_result(level, measured)
                await self._check(result)
                self._results.append(result)
                self._emit(LevelFinished(launch=self.number, level=index, result=result))
        except LoadError as error:
            await self._expect_death()
            raise LaunchFailed(
                Failure(failure_class="load_failed", reason=str(error), tail=tuple(self._log.tail(_TAIL_LINES)))
            ) from error
        finally:
            self._load_s = time.monotonic() - began

    async def _run_level(self, generator: Generator, index: int, level: Level, *, warm_up: bool) -> None:
        self._emit(LevelStarted(launch=self.number, level=index, warm_up=warm_up))
        order = RunLevel(level=index, scenario=level.scenario, concurrency=level.concurrency, warm_up=warm_up)
        done = await self._race(generator.run(order, self._on_progress))
        if warm_up and done.failed and done.failed >= done.done:
            await self._expect_death()
            raise LaunchFailed(
                Failure(
                    failure_class="load_failed",
                    reason=f"every warm-up request of {level.name} failed: {done.error or 'no answer'}",
                    line=done.error or "",
                    tail=tuple(self._log.tail(_TAIL_LINES)),
                )
            )

    async def _check(self, result: LevelResult) -> None:
        """A server that dies drops its requests a moment before it exits: then the death is the cause."""
        if not result.failed:
            return
        await self._expect_death()
        if result.succeeded == 0:
            error = max(result.errors, key=lambda each: result.errors[each], default="no request was answered")
            name = Level(scenario=result.scenario, concurrency=result.concurrency).name
            raise LaunchFailed(
                Failure(
                    failure_class="load_failed",
                    reason=f"every request of {name} failed: {error}",
                    line=error,
                    tail=tuple(self._log.tail(_TAIL_LINES)),
                )
            )

    async def _expect_death(self) -> None:
        """Raises LaunchFailed with the true cause if the server ends within a moment."""
        assert self._exit is not None
        await asyncio.wait({self._exit}, timeout=_DEATH_S)
        if self._exit.done() or self._fatal.is_set():
            raise LaunchFailed(self._cause_of_death())

    def _on_progress(self, progress: LoadProgress) -> None:
        line = msgspec.json.encode({"at": now(), "load": progress}) + b"\n"
        with (self._folder / "samples.jsonl").open("ab") as samples:
            samples.write(line)

    async def _clean_up(self, generator: asyncio.Task[Generator] | None, grace_s: float) -> None:
        """Ends generator and server, whatever happened before."""
        try:
            if generator is not None:
                generator.cancel()
                with contextlib.suppress(asyncio.CancelledError, LoadError):
                    await (await generator).close()
        finally:
            if self._server is not None:
                await self._server.stop(grace_s)
            if self._exit is not None:
                self._exit.cancel()
                await asyncio.gather(self._exit, return_exceptions=True)
            self._log.close()
