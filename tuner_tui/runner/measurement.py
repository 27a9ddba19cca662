"""The measured part of a launch: level after level warmed up, loaded, and its records turned into a result."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from random import Random

from msgspec.structs import replace

from tuner_tui.engines.registry import engine
from tuner_tui.load.client import LoadError
from tuner_tui.load.find_max import Before, broken_limits, find_max, least_requests, sustained
from tuner_tui.load.model import Found, Job, Level, LevelDone, LevelResult, RunLevel
from tuner_tui.load.records import RecordReader
from tuner_tui.runner.flush import flush_cache
from tuner_tui.runner.live import Live
from tuner_tui.runner.load_tool import LoadTool, result_of, start_tool
from tuner_tui.runner.observer import Observer
from tuner_tui.runner.watch import LaunchFailed, Watch
from tuner_tui.runs.events import AnyEvent, Failure, LevelFinished, LevelStarted, LoadTried
from tuner_tui.runs.experiment import Launch
from tuner_tui.task.launch_spec import LaunchSpec
from tuner_tui.task.model import Task


def found_before(launches: Iterable[Launch]) -> dict[int, Before]:
    """By level, what these launches of one configuration found last, and what a request took by itself in them."""
    found: dict[int, Before] = {}
    for launch in launches:
        for index, result in enumerate(launch.results):
            if result.sought is None or result.sought.highest is None:
                continue
            alone = [each for each in launch.tried if each.level == index and each.traffic.concurrency == 1]
            last = found.get(index)
            alone_s = 1 / alone[0].requests_per_s if alone else last.alone_s if last else 0.0
            found[index] = Before(result.sought.highest, alone_s)
    return found


class Measurement:
    """All levels of one launch. Made while the engine loads, so that the generator is up by the time it is ready;
    `run` once the server is ready, `close` in any case.

    `before`: by level, what an earlier launch of the configuration found. `first`: the index of the first level, where
    they are none of the task's but were asked for by a person.
    """

    def __init__(
        self,
        *,
        launch: int,
        task: Task,
        spec: LaunchSpec,
        folder: Path,
        levels: tuple[Level, ...],
        before: Mapping[int, Before],
        first: int | None = None,
        seed: int,
        traffic_seed: int,
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
        self._requests = folder / "requests.jsonl"
        self._records = RecordReader(self._requests)
        self._levels = levels
        self._before = before
        self._first = first
        self._seed, self._traffic_seed = seed, traffic_seed
        self._watch = watch
        self._live = live
        self._observer = observer
        self._emit = emit
        # Every load of a launch has its own number in requests.jsonl: a level, or one that is tried for it.
        self._numbers = itertools.count(first or 0)
        self._generator: asyncio.Task[LoadTool] = asyncio.create_task(start_tool(task, spec, folder))

    async def run(self, url: str) -> None:
        """All levels, against the server at `url`. Raises LaunchFailed, LaunchAborted."""
        began = time.monotonic()
        benchmark = self._task.benchmark
        try:
            generator = await self._watch.race(self._generator)
            await generator.begin(
                Job(
                    url=url,
                    records=str(self._requests),
                    endpoint=benchmark.endpoint,
                    request=benchmark.request,
                    max_requests=benchmark.max_requests,
                    max_time_s=benchmark.max_time_s,
                    seed=self._seed,
                    traffic_seed=self._traffic_seed,
                    api_key_variable=benchmark.api_key_variable,
                    dataset=benchmark.dataset,
                    max_in_flight=benchmark.max_in_flight,
                )
            )
            for index, level in enumerate(self._levels, self._first or 0):
                if level.seek is not None:
                    result = await self._highest(generator, url, index, level)
                else:
                    result = await self._measure(generator, url, index, level)
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

    async def _measure(
        self,
        generator: LoadTool,
        url: str,
        index: int,
        level: Level,
        max_requests: int | None = None,
        warm_up_requests: int | None = None,
    ) -> LevelResult:
        """One load, warmed up and measured, for the level `index`; the numbers of requests in place of the task's and
        of what a warm-up usually has."""
        number = next(self._numbers)
        # Before the warm-up, not after it: an allocator that lost its pools gets them back unmeasured.
        await self._watch.race(flush_cache(url, engine(self._task.engine).flush_paths))
        order = RunLevel(level=number, traffic=level, max_requests=max_requests)
        await self._run_level(generator, index, replace(order, warm_up=True, max_requests=warm_up_requests))
        await self._watch.race(self._observer.begin(url, level.name))
        done = await self._run_level(generator, index, order)
        await self._observer.end()
        measured = [record for record in self._records.new() if record.level == number]
        return result_of(generator, self._task, level, measured, done)

    async def _highest(self, generator: LoadTool, url: str, index: int, level: Level) -> LevelResult:
        """The highest load that keeps the task's limits. Raises LaunchFailed where none does."""
        assert level.seek is not None
        benchmark = self._task.benchmark
        limits_s = {limit.name: limit.most_s for limit in self._task.limits}
        scale = 2 ** Random(self._seed).random()
        before = self._before.get(index)
        search = find_max(level.scenario, level.seek, limits_s, arrivals=level.arrivals, scale=scale, before=before)
        kept: LevelResult | None = None
        tried: list[LevelResult] = []
        load = next(search)
        while True:
            most = benchmark.max_requests
            most = most and max(most, least_requests(load, limits_s, tried, before))
            self._live.limit(max_requests=most, max_time_s=benchmark.max_time_s)
            # Where no lower load has come before, a server may still have to compile something for so high a one.
            warm_up = least_requests(load, (), (), before) if before and not tried else None
            result = await self._measure(generator, url, index, load, most, warm_up)
            tried.append(result)
            if result.failed:
                await self._watch.expect_death()
            broken = broken_limits(result, limits_s)
            self._emit(
                LoadTried(
                    launch=self._launch,
                    level=index,
                    traffic=load,
                    requests=result.requests,
                    requests_per_s=result.metrics.requests_per_s,
                    broken=tuple(broken),
                )
            )
            # A rate's search begins with one request at a time, which is no rate.
            if not broken and (load.concurrency is None) == (level.seek == "rate"):
                kept = result
            try:
                load = search.send(result)
            except StopIteration as ended:
                found: Found = ended.value
                break
        if kept is None:
            reason = f"not even {load.name} keeps the limits: {'; '.join(found.broken)}"
            raise LaunchFailed(Failure(failure_class="limits_broken", reason=reason))
        return sustained(kept, found)

    async def _run_level(self, generator: LoadTool, index: int, order: RunLevel) -> LevelDone:
        level, warm_up = order.traffic, order.warm_up
        # Not told where it is the task's own level: that is known.
        traffic = None if self._first is None and level == self._levels[index] else level
        self._emit(LevelStarted(launch=self._launch, level=index, warm_up=warm_up, traffic=traffic))
        levels = len(self._levels) + (self._first or 0)
        detail = "" if traffic is None else level.name
        self._live.enter("warming up" if warm_up else "measuring", level=index, levels=levels, detail=detail)
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
