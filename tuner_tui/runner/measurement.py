"""The measured part of a launch: level after level warmed up, loaded, and its records turned into a result."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from tuner_tui.engines.registry import engine
from tuner_tui.load.client import LoadError
from tuner_tui.load.metrics import read_records
from tuner_tui.load.model import Job, Level, LevelDone, LevelResult, RunLevel
from tuner_tui.runner.flush import flush_cache
from tuner_tui.runner.live import Live
from tuner_tui.runner.load_tool import LoadTool, result_of, start_tool
from tuner_tui.runner.observer import Observer
from tuner_tui.runner.watch import LaunchFailed, Watch
from tuner_tui.runs.events import AnyEvent, Failure, LevelFinished, LevelStarted
from tuner_tui.task.launch_spec import LaunchSpec
from tuner_tui.task.model import Task


class Measurement:
    """All levels of one launch. Made while the engine loads, so that the generator is up by the time it is ready;
    `run` once the server is ready, `close` in any case.

    `first`: the index of the first level, where they are none of the task's but were asked for by a person.
    """

    def __init__(
        self,
        *,
        launch: int,
        task: Task,
        spec: LaunchSpec,
        folder: Path,
        levels: tuple[Level, ...],
        first: int | None = None,
        seed: int,
        watch: Watch,
        live: Live,
        observer: Observer,
        emit: Callable[[AnyEvent], None],
    ) -> None:
        self.results: list[LevelResult] = []
        """One for each level that was finished."""
        self.load_s = 0.0
        self._launch = launch
        self._task = task
        self._folder = folder
        self._levels = levels
        self._first = first
        self._seed = seed
        self._watch = watch
        self._live = live
        self._observer = observer
        self._emit = emit
        self._generator: asyncio.Task[LoadTool] = asyncio.create_task(start_tool(task, spec, folder))

    async def run(self, url: str) -> None:
        """All levels, against the server at `url`. Raises LaunchFailed, LaunchAborted."""
        began = time.monotonic()
        records = self._folder / "requests.jsonl"
        benchmark = self._task.benchmark
        try:
            generator = await self._watch.race(self._generator)
            await generator.begin(
                Job(
                    url=url,
                    records=str(records),
                    endpoint=benchmark.endpoint,
                    request=benchmark.request,
                    max_requests=benchmark.max_requests,
                    max_time_s=benchmark.max_time_s,
                    seed=self._seed,
                    api_key_variable=benchmark.api_key_variable,
                    dataset=benchmark.dataset,
                    max_in_flight=benchmark.max_in_flight,
                )
            )
            for index, level in enumerate(self._levels, self._first or 0):
                # Before the warm-up, not after it: an allocator that lost its pools gets them back unmeasured.
                await self._watch.race(flush_cache(url, engine(self._task.engine).flush_paths))
                await self._run_level(generator, index, level, warm_up=True)
                await self._watch.race(self._observer.begin(url, level.name))
                done = await self._run_level(generator, index, level, warm_up=False)
                await self._observer.end()
                measured = [record for record in read_records(records) if record.level == index]
                result = result_of(generator, self._task, level, measured, done)
                await self._check(result)
                self.results.append(result)
                self._emit(LevelFinished(launch=self._launch, level=index, result=result))
        except LoadError as error:
            await self._watch.expect_death()
            raise self._failed(str(error)) from error
        finally:
            self.load_s = time.monotonic() - began

    async def close(self) -> None:
        """Ends the generator, whatever happened before."""
        self._generator.cancel()
        with contextlib.suppress(asyncio.CancelledError, LoadError):
            await (await self._generator).close()

    async def _run_level(self, generator: LoadTool, index: int, level: Level, *, warm_up: bool) -> LevelDone:
        asked_for = None if self._first is None else level
        self._emit(LevelStarted(launch=self._launch, level=index, warm_up=warm_up, traffic=asked_for))
        levels = len(self._levels) + (self._first or 0)
        self._live.enter("warming up" if warm_up else "measuring", level=index, levels=levels)
        order = RunLevel(level=index, traffic=level, warm_up=warm_up)
        done = await self._watch.race(generator.run(order, self._live.on_progress))
        if warm_up and done.failed and done.failed >= done.done:
            await self._watch.expect_death()
            raise self._failed(
                f"every warm-up request of {level.name} failed: {done.error or 'no answer'}", line=done.error or ""
            )
        return done

    async def _check(self, result: LevelResult) -> None:
        if not result.failed:
            return
        await self._watch.expect_death()
        if result.succeeded == 0:
            error = max(result.errors, key=lambda each: result.errors[each], default="no request was answered")
            raise self._failed(f"every request of {result.name} failed: {error}", line=error)

    def _failed(self, reason: str, line: str = "") -> LaunchFailed:
        return LaunchFailed(Failure(failure_class="load_failed", reason=reason, line=line, tail=self._watch.tail()))
