"""Load that a person asks for while a server is kept up (`try`): one at a time, each measured as a level is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from tuner_tui.load.model import Level
from tuner_tui.load.scenario import parse
from tuner_tui.runner.measurement import Measurement
from tuner_tui.runner.watch import LaunchFailed, Watch
from tuner_tui.runs.commands import Load
from tuner_tui.runs.events import AnyEvent, LevelFailed
from tuner_tui.task.model import Task

MOST_CONCURRENT = 4096
MOST_REQUESTS = 1_000_000


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """One load: its index among those of the launch, and its task: the launch's with other limits of a level."""

    index: int
    level: Level
    task: Task


class LoadOnDemand:
    """Takes demands while `serve` carries them out, one after another. `done` is called after each."""

    def __init__(
        self, task: Task, launch: int, watch: Watch, emit: Callable[[AnyEvent], None], done: Callable[[], None]
    ) -> None:
        self._task = task
        self._launch = launch
        self._watch = watch
        self._emit = emit
        self._done = done
        self._demands: asyncio.Queue[Demand] = asyncio.Queue()
        self._asked = 0
        self._busy = False

    def refusal(self, load: Load) -> str | None:
        """Why `load` cannot be sent now; None where it can."""
        if not self._watch.ready:
            return "the server is not ready yet"
        if self._busy:
            return "load is being sent already; it is over when its level is finished"
        if not 1 <= load.concurrency <= MOST_CONCURRENT:
            return f"concurrency {load.concurrency}: expected 1 to {MOST_CONCURRENT}"
        if not 1 <= load.requests <= MOST_REQUESTS:
            return f"requests {load.requests}: expected 1 to {MOST_REQUESTS:,}"
        try:
            parse(load.scenario)
        except ValueError as error:
            return str(error)
        return None

    def ask(self, load: Load) -> None:
        """Sends it, as soon as the loop comes to it. `refusal` has been asked."""
        self._busy = True
        benchmark = replace(self._task.benchmark, tool="builtin", max_requests=load.requests, max_time_s=None)
        level = Level(scenario=load.scenario, concurrency=load.concurrency)
        self._demands.put_nowait(Demand(index=self._asked, level=level, task=replace(self._task, benchmark=benchmark)))
        self._asked += 1

    async def serve(self, url: str, measurement: Callable[[Demand], Measurement]) -> None:
        """Until the server ends or the user gives up: raises LaunchFailed, LaunchAborted.

        `measurement` makes what measures one demand.
        """
        while True:
            demand = await self._watch.race(self._demands.get())
            measuring = measurement(demand)
            try:
                await measuring.run(url)
            except LaunchFailed as failed:
                if failed.failure.failure_class != "load_failed":
                    raise
                self._emit(LevelFailed(launch=self._launch, level=demand.index, reason=failed.failure.reason))
            finally:
                await measuring.close()
            self._busy = False
            self._done()
