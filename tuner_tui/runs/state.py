"""The state of a run: the fold over its journal. Screen, resume, report and headless command use this alone."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from tuner_tui.load.model import Level
from tuner_tui.runs.events import (
    AnyEvent,
    BudgetSpent,
    CommandTaken,
    Excluded,
    Experiment,
    ExperimentsAdded,
    LaunchesAdded,
    LaunchFailing,
    LaunchFinished,
    LaunchStarted,
    LevelFailed,
    LevelFinished,
    LevelStarted,
    LoadTried,
    PreparationFinished,
    PreparationStarted,
    RunContinued,
    RunCreated,
    RunFinished,
    RunPaused,
    RunStarted,
    ServerReady,
    ServerStarted,
    levels_of,
)
from tuner_tui.runs.experiment import ExperimentState as ExperimentState
from tuner_tui.runs.experiment import Launch as Launch
from tuner_tui.runs.judgement import Judgement
from tuner_tui.runs.score import held_against, launch_score
from tuner_tui.runs.snapshot import Snapshot as Snapshot
from tuner_tui.search.limits import Measured
from tuner_tui.search.objective import Score

# A launch's progress changes no verdict; these may.
_JUDGED_ANEW = (RunCreated, ExperimentsAdded, RunStarted, LaunchesAdded, LaunchFinished, BudgetSpent)


class RunState:
    """Folds events into a state. `apply` in the journal's order, then `snapshot`."""

    def __init__(self) -> None:
        self._created: RunCreated | None = None
        self._levels: tuple[Level, ...] = ()
        self._experiments: dict[int, ExperimentState] = {}
        self._excluded: tuple[Excluded, ...] = ()
        self._owner: dict[int, int] = {}
        self._active: int | None = None
        self._started_at: datetime | None = None
        self._has_runner = False
        self._elapsed_s = 0.0
        self._work_began_s = 0.0
        """`_elapsed_s` when the launch or the preparation under way began."""
        self._last_at: datetime | None = None
        self._runner: str | None = None
        self._preparation: PreparationStarted | None = None
        self._image: PreparationFinished | None = None
        self._paused = self._stopping = False
        self._finished: RunFinished | None = None
        self._commands: tuple[CommandTaken, ...] = ()
        self._extensions = 0
        self._budget_spent: BudgetSpent | None = None
        # Counted along, because a thousand experiments are not to be gone through at every snapshot.
        self._planned = self._done = 0
        self._snapshot: Snapshot | None = None
        self._judgement: Judgement | None = None

    def apply(self, event: AnyEvent) -> None:
        """Takes one event in. Raises ValueError for an event that cannot come at this point of a journal."""
        if isinstance(event, RunCreated):
            self._created = event
            # A server that is kept up has the levels that were asked for, as they come.
            self._levels = () if event.kind == "try" else levels_of(event.task)
        elif self._created is None:
            raise ValueError("a journal begins with run_created")
        self._snapshot = None
        if isinstance(event, _JUDGED_ANEW):
            self._judgement = None
        if self._has_runner and self._last_at is not None and not isinstance(event, RunStarted):
            # A clock that was set back under way takes nothing from what was spent.
            self._elapsed_s += max(0.0, (event.at - self._last_at).total_seconds())
        match event:
            case ExperimentsAdded():
                for experiment in event.experiments:
                    self._put(_fresh(experiment, self._launches_each()))
                self._excluded += event.excluded
            case RunStarted():
                self._take_up(event)
            case PreparationStarted():
                self._work_began_s = self._elapsed_s
                self._preparation = event
            case PreparationFinished():
                self._took(event.elapsed_s)
                self._preparation = None
                if event.what == "image" and event.failure is None:
                    self._image = event
            case LaunchesAdded():
                self._extensions += 1
                for number in event.experiments:
                    extended = self._experiments[number]
                    self._put(replace(extended, wanted=extended.wanted + event.launches))
            case BudgetSpent():
                self._budget_spent = event
                for given_up in list(self._experiments.values()):
                    self._put(replace(given_up, wanted=len(given_up.counted)))
            case LaunchStarted():
                self._work_began_s = self._elapsed_s
                self._begin_launch(event)
            case ServerStarted():
                self._change(event.launch, server=event.server, url=event.url)
            case ServerReady():
                phase = "serving" if self._kept_up else "warming up"
                self._change(event.launch, start_s=event.start_s, memory=event.memory, phase=phase)
            case LevelStarted():
                if event.traffic is not None and event.level == len(self._levels):
                    self._levels += (event.traffic,)
                phase = "warming up" if event.warm_up else "measuring"
                self._change(event.launch, level=event.level, phase=phase)
            case LoadTried():
                self._change(event.launch, tried=(*self._launch(event.launch).tried, event))
            case LevelFinished():
                launch = self._launch(event.launch)
                phase = "serving" if self._kept_up else launch.phase
                self._change(event.launch, results=(*launch.results, event.result), level=None, phase=phase)
            case LevelFailed():
                self._change(event.launch, level=None, phase="serving")
            case LaunchFailing():
                self._change(event.launch, failure=event.failure, phase="stopping", level=None)
            case LaunchFinished():
                self._took(event.total_s)
                self._end_launch(event)
            case CommandTaken():
                self._commands += (event,)
                self._stopping = self._stopping or (event.command == "stop" and event.accepted)
            case RunPaused():
                self._paused = True
            case RunContinued():
                self._paused = False
            case RunFinished():
                self._interrupt()
                self._finished = event
                self._preparation = None
                self._stopping = False
                self._has_runner = False
            case _:
                pass
        self._last_at = event.at

    def snapshot(self) -> Snapshot:
        """The state now; the same object until the next event. Raises ValueError before the first."""
        if self._snapshot is None:
            self._snapshot = self._new_snapshot()
        return self._snapshot

    def _new_snapshot(self) -> Snapshot:
        created, last_at = self._created, self._last_at
        if created is None or last_at is None:
            raise ValueError("the journal is empty")
        experiments = tuple(self._experiments.values())
        if self._judgement is None:
            self._judgement = Judgement(
                created.task,
                experiments,
                provisional=self._done < self._planned,
                extensions=self._extensions,
                budget_spent=self._budget_spent,
            )
        return Snapshot(
            run=created.run,
            task=created.task,
            kind=created.kind,
            simulated=created.simulated,
            version=created.version,
            seed=created.seed,
            gpus=created.gpus,
            levels=self._levels,
            created_at=created.at,
            started_at=self._started_at,
            elapsed_s=self._elapsed_s,
            last_at=last_at,
            runner=self._runner,
            preparation=self._preparation,
            image=self._image,
            experiments=experiments,
            excluded=self._excluded,
            launch=None if self._active is None else self._launch(self._active),
            launches_planned=self._planned,
            launches_done=self._done,
            paused=self._paused,
            stopping=self._stopping,
            finished=self._finished,
            commands=self._commands,
            extensions=self._extensions,
            budget_spent=self._budget_spent,
            judgement=self._judgement,
        )

    def _put(self, experiment: ExperimentState) -> None:
        before = self._experiments.get(experiment.id)
        if before is not None:
            self._planned -= before.wanted
            self._done -= len(before.counted)
        self._planned += experiment.wanted
        self._done += len(experiment.counted)
        self._experiments[experiment.id] = experiment

    def _launches_each(self) -> int:
        assert self._created is not None
        return self._created.task.search.launches if self._created.kind == "tune" else 1

    @property
    def _kept_up(self) -> bool:
        return self._created is not None and self._created.kind == "try"

    def _take_up(self, event: RunStarted) -> None:
        """A runner came. Where the one before died without a word, its time ended at its last event, and the launch
        it was in is over."""
        self._has_runner = True
        self._started_at = self._started_at or event.at
        self._runner = event.runner
        self._finished = None
        self._paused = self._stopping = False
        self._preparation = None
        self._interrupt()

    def _took(self, duration_s: float) -> None:
        """What is over took so long by a clock that nobody sets: one that was put forward meanwhile adds nothing."""
        if duration_s:
            self._elapsed_s = min(self._elapsed_s, self._work_began_s + duration_s)

    def _interrupt(self) -> None:
        """The launch under way, if there is one, is over without an end of its own."""
        if self._active is not None:
            self._change(self._active, status="interrupted", phase="over")
            self._active = None

    def _begin_launch(self, event: LaunchStarted) -> None:
        experiment = self._experiments[event.experiment]
        launch = Launch(
            number=event.launch,
            experiment=event.experiment,
            command=event.command,
            gpus=event.gpus,
            started_at=event.at,
        )
        self._owner[event.launch] = event.experiment
        self._active = event.launch
        self._put(replace(experiment, launches=(*experiment.launches, launch)))

    def _end_launch(self, event: LaunchFinished) -> None:
        assert self._created is not None
        launch = self._launch(event.launch)
        score: Score | None = None
        held: tuple[Measured, ...] = ()
        if event.status == "succeeded":
            task = self._created.task
            score = launch_score(task.objective, self._levels, launch.results, len(launch.gpus))
            held = held_against(task.limits, launch.results) if task.objective.gates else ()
        self._change(
            event.launch,
            phase="over",
            level=None,
            status=event.status,
            start_s=event.start_s,
            load_s=event.load_s,
            total_s=event.total_s,
            memory=event.memory,
            validity=event.validity,
            failure=event.failure,
            gpu_clock_mhz=event.gpu_clock_mhz,
            score=score,
            held=held,
        )
        if event.status == "failed":
            experiment = self._experiments[self._owner[event.launch]]
            self._put(replace(experiment, wanted=len(experiment.counted)))
        self._active = None

    def _launch(self, number: int) -> Launch:
        launches = self._experiments[self._owner[number]].launches
        return next(launch for launch in reversed(launches) if launch.number == number)

    def _change(self, number: int, **changes: object) -> None:
        experiment = self._experiments[self._owner[number]]
        launches = tuple(
            replace(launch, **changes) if launch.number == number else launch for launch in experiment.launches
        )
        self._put(replace(experiment, launches=launches))


def _fresh(experiment: Experiment, launches: int) -> ExperimentState:
    return ExperimentState(
        id=experiment.id,
        configuration=experiment.configuration,
        gpus_needed=experiment.gpus_needed,
        wanted=launches,
        baseline=experiment.baseline,
    )
