"""Executing a run: what to launch next, one launch after another, until the grid is done or the user says stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from tuner_tui.backends.backend import Backend, BackendUnavailable, Image, Progress, ServerLeft, StartFailed
from tuner_tui.backends.threads import in_thread
from tuner_tui.engines.launch import launch_spec
from tuner_tui.engines.registry import engine
from tuner_tui.report.files import write_results
from tuner_tui.runner.launch import Launch
from tuner_tui.runner.measurement import found_before
from tuner_tui.runner.orders import Orders
from tuner_tui.runs.budget import budget_spent
from tuner_tui.runs.commands import Load
from tuner_tui.runs.events import (
    AnyEvent,
    Experiment,
    Failure,
    PreparationFinished,
    PreparationStarted,
    RunFinished,
    now,
)
from tuner_tui.runs.folder import RunFolder
from tuner_tui.runs.journal import JournalWriter
from tuner_tui.runs.samples import INTERVAL_S, Phase, Sample, append_sample
from tuner_tui.runs.state import ExperimentState, RunState, Snapshot
from tuner_tui.search.grid import next_experiment
from tuner_tui.task.launch_spec import LaunchSpec

log = logging.getLogger(__name__)


class CannotGoOn(Exception):
    """The run as a whole cannot be carried out; the message is one sentence for the user."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


class Run:
    """One run under this runner. `execute` does everything; `stop` and `stop_now` may be called meanwhile."""

    def __init__(
        self,
        folder: RunFolder,
        state: RunState,
        journal: JournalWriter,
        make_backend: Callable[[], Backend],
        clear_up: Callable[[], None],
    ) -> None:
        self._folder = folder
        self._state = state
        self._journal = journal
        self._make_backend = make_backend
        self._clear_up = clear_up
        self.servers_left = False
        """Whether a server could not be removed and may still be up, once `execute` has returned."""
        self._orders = Orders(folder.commands, self)
        self._backend: Backend | None = None
        self._image: Image | None = None
        self._launch: Launch | None = None
        self._stopping = False
        self._preparation_s = -INTERVAL_S
        self._changed = asyncio.Event()
        self._work: asyncio.Task[None] | None = None
        self._hurrying: list[asyncio.Task[None]] = []

    # What the user's commands read and do

    @property
    def snapshot(self) -> Snapshot:
        return self._state.snapshot()

    def emit(self, event: AnyEvent) -> None:
        """Writes an event down, then takes it into the state, so that the state never knows what the disk does not."""
        self._journal.append(event)
        self._state.apply(event)
        self._changed.set()

    def stop(self) -> None:
        """Gives up what is under way and ends the run."""
        self._stopping = True
        self._changed.set()
        if self._launch is not None:
            self._launch.abort("stop")
        elif self._work is not None:
            self._work.cancel()

    def stop_now(self) -> None:
        """The same, without waiting for the server's goodbye."""
        self.stop()
        if self._launch is not None:
            self._hurrying.append(asyncio.create_task(self._launch.hurry()))

    def skip_refusal(self, launch: int) -> str | None:
        """Why launch number `launch` cannot be given up; None where it can."""
        if self._launch is None or self._launch.number != launch:
            return f"launch {launch} is not under way"
        return f"launch {launch} is over, its server is being removed" if self._launch.stopping else None

    def skip(self) -> None:
        """Gives up the launch under way."""
        if self._launch is not None:
            self._launch.abort("skip")

    def load_refusal(self, load: Load) -> str | None:
        """Why `load` cannot be sent at the server that is kept up; None where it can."""
        return "no server is up" if self._launch is None else self._launch.loads.refusal(load)

    def load(self, load: Load) -> None:
        """Sends it."""
        if self._launch is not None:
            self._launch.loads.ask(load)

    async def execute(self) -> RunFinished:
        """Until the run is over; returns its last event, already written. The backend is closed by then."""
        watching = asyncio.create_task(self._orders.watch())
        self._work = asyncio.create_task(self._go())
        finished: RunFinished | None = None
        try:
            await asyncio.wait({self._work, watching}, return_when=asyncio.FIRST_COMPLETED)
            if watching.done() and not self._work.done():
                self.stop()
                watching.result()
            await self._work
        except asyncio.CancelledError:
            if not self._stopping:
                raise
        except CannotGoOn as error:
            finished = RunFinished(reason="failed", sentence=str(error))
        except BackendUnavailable as error:
            finished = RunFinished(reason="failed", sentence=str(error))
        finally:
            watching.cancel()
            self._work.cancel()
            await asyncio.gather(watching, self._work, *self._hurrying, return_exceptions=True)
            try:
                if self._backend is not None:
                    await self._backend.close()
            except ServerLeft as left:
                self.servers_left = True
                log.warning("%s", left)
                finished = finished or RunFinished(reason="failed", sentence=str(left))
        if finished is None:
            finished = RunFinished(reason="stopped" if self._stopping else "finished")
        self.emit(finished)
        write_results(self.snapshot, self._folder)
        return finished

    async def _go(self) -> None:
        snapshot = self.snapshot
        if self._next(snapshot) is None:
            return
        await in_thread(self._clear_up, name="clear up after earlier runners")
        self._backend = self._make_backend()
        await self._prepare_model(snapshot)
        while not self._stopping:
            self._changed.clear()
            snapshot = self.snapshot
            experiment = self._next(snapshot)
            if experiment is None:
                return
            if snapshot.paused:
                await self._changed.wait()
                continue
            if (spent := budget_spent(snapshot, experiment)) is not None:
                self.emit(spent)
                continue
            await self._launch_once(snapshot, experiment)

    def _next(self, snapshot: Snapshot) -> ExperimentState | None:
        left = {each.id: each.wanted - len(each.counted) for each in snapshot.experiments}
        # Whoever has most launches left comes first, which is the same as whoever has fewest behind it.
        most = max(left.values(), default=0)
        done = {experiment: most - launches for experiment, launches in left.items()}
        chosen = next_experiment(done, most, snapshot.seed + snapshot.extensions, first=snapshot.baseline)
        return next((experiment for experiment in snapshot.experiments if experiment.id == chosen), None)

    async def _launch_once(self, snapshot: Snapshot, experiment: ExperimentState) -> None:
        assert self._backend is not None
        spec = launch_spec(snapshot.task, experiment.configuration, snapshot.gpus[: experiment.gpus_needed])
        await self._prepare_image(spec)
        number = 1 + max((launch.number for each in snapshot.experiments for launch in each.launches), default=0)
        self._launch = Launch(
            number=number,
            experiment=Experiment(
                id=experiment.id, configuration=experiment.configuration, gpus_needed=experiment.gpus_needed
            ),
            task=snapshot.task,
            engine=engine(snapshot.task.engine),
            spec=spec,
            image=self._image,
            backend=self._backend,
            folder=self._folder.launch(number),
            levels=snapshot.levels,
            before=found_before(experiment.launches),
            seed=snapshot.seed + 1_000_003 * number,
            traffic_seed=snapshot.seed,
            emit=self.emit,
            earlier_clocks_mhz=tuple(
                launch.gpu_clock_mhz
                for each in snapshot.experiments
                for launch in each.launches
                if launch.gpu_clock_mhz is not None
            ),
        )
        if self._stopping:
            return
        try:
            finished = await self._launch.run(hold=snapshot.kind == "try")
        finally:
            self._launch = None
        self.emit(finished)
        write_results(self.snapshot, self._folder)

    async def _prepare_image(self, spec: LaunchSpec) -> None:
        """Once a run: the image is there, pulled if need be."""
        assert self._backend is not None
        if spec.image is None or self._image is not None:
            return
        began = time.monotonic()
        self.emit(PreparationStarted(what="image", name=spec.image))
        image: Image | None = None
        failure: Failure | None = None
        try:
            image = await self._backend.prepare(spec, self._on_preparation)
        except StartFailed as failed:
            failure = Failure(failure_class=failed.failure_class, reason=failed.reason, line=failed.line)
        self._image = image
        self.emit(
            PreparationFinished(
                what="image",
                name=spec.image,
                elapsed_s=time.monotonic() - began,
                image_id=image.id if image else None,
                image_digest=image.digest if image else None,
                failure=failure,
            )
        )
        if failure is not None:
            raise CannotGoOn(failure)

    async def _prepare_model(self, snapshot: Snapshot) -> None:
        """A Hugging Face id is downloaded before the first launch, so that no launch's start includes it."""
        model = snapshot.task.model
        if model.hub_id is None:
            return
        from tuner_tui.backends.hub import download

        began = time.monotonic()
        self.emit(PreparationStarted(what="model", name=model.hub_id))
        failure: Failure | None = None
        try:
            await download(model.hub_id, on_progress=self._on_preparation)
        except StartFailed as failed:
            failure = Failure(failure_class=failed.failure_class, reason=failed.reason, line=failed.line)
        self.emit(
            PreparationFinished(what="model", name=model.hub_id, elapsed_s=time.monotonic() - began, failure=failure)
        )
        if failure is not None:
            raise CannotGoOn(failure)

    def _on_preparation(self, progress: Progress) -> None:
        """How far a pull or a download is; the backend says it more often than anybody needs it."""
        if time.monotonic() - self._preparation_s < INTERVAL_S and progress.done < progress.total:
            return
        self._preparation_s = time.monotonic()
        at = now()
        preparing = self.snapshot.preparation
        what = preparing.what if preparing is not None else "image"
        phase = Phase(
            name="pulling the image" if what == "image" else "downloading the model",
            since=preparing.at if preparing is not None else at,
            done=progress.done,
            of=progress.total or None,
            unit="bytes",
            detail=progress.detail,
        )
        with contextlib.suppress(OSError):
            append_sample(self._folder.samples, Sample(at=at, phase=phase))


def backend_for(kind: Literal["docker", "process"], runner: str, run: Path) -> Backend:
    """The task's backend. Raises BackendUnavailable."""
    if kind == "docker":
        from tuner_tui.backends.docker import DockerBackend

        return DockerBackend(runner=runner, run=run)
    from tuner_tui.backends.process import ProcessBackend

    return ProcessBackend(runner=runner, run=run)
