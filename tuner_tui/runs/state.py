"""The state of a run: the fold over its journal. Screen, resume, report and headless command use this alone."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Literal

import msgspec
from msgspec.structs import replace

from tuner_tui.engines.facts import Memory
from tuner_tui.load.model import Level, LevelResult
from tuner_tui.runs.events import (
    AnyEvent,
    CommandTaken,
    Excluded,
    Experiment,
    ExperimentsAdded,
    Failure,
    LaunchesAdded,
    LaunchFailing,
    LaunchFinished,
    LaunchStarted,
    LaunchStatus,
    LevelFinished,
    LevelStarted,
    PreparationFinished,
    PreparationStarted,
    RunContinued,
    RunCreated,
    RunFinished,
    RunPaused,
    RunStarted,
    ServerReady,
    ServerStarted,
    ValidityFlag,
    levels_of,
)
from tuner_tui.runs.score import launch_score
from tuner_tui.search.confirm import Confirmation, plan_confirmation
from tuner_tui.search.objective import Score
from tuner_tui.search.verdict import Candidate, Verdict, judge
from tuner_tui.task.model import Configuration, Objective, Task


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """One launch as far as it has come. `status` is None while it runs; `score` None until it succeeded."""

    number: int
    experiment: int
    command: str
    gpus: tuple[int, ...]
    started_at: datetime
    phase: Literal["starting", "warming up", "measuring", "stopping", "over"] = "starting"
    server: str | None = None
    url: str | None = None
    level: int | None = None
    """Index of the level under way."""
    results: tuple[LevelResult, ...] = ()
    status: LaunchStatus | None = None
    start_s: float | None = None
    load_s: float = 0.0
    total_s: float = 0.0
    memory: Memory = msgspec.field(default_factory=Memory)
    validity: tuple[ValidityFlag, ...] = ()
    failure: Failure | None = None
    score: Score | None = None


ExperimentStatus = Literal["waiting", "running", "succeeded", "failed", "invalid"]


class ExperimentState(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration with its launches; interrupted ones are left out once another has begun."""

    id: int
    configuration: Configuration
    gpus_needed: int
    launches: tuple[Launch, ...] = ()
    wanted: int = 1
    """Launches it will have had in the end: what the task asks for and what was added. After one that failed no
    other follows."""

    @property
    def counted(self) -> tuple[Launch, ...]:
        """The launches that are over and count."""
        return tuple(launch for launch in self.launches if launch.status not in (None, "interrupted"))

    @property
    def status(self) -> ExperimentStatus:
        """succeeded where any launch did, else invalid, else failed; waiting before the first one."""
        if any(launch.status is None for launch in self.launches):
            return "running"
        statuses = {launch.status for launch in self.counted}
        if not statuses:
            return "waiting"
        return "succeeded" if "succeeded" in statuses else "invalid" if "invalid" in statuses else "failed"

    @property
    def scores(self) -> tuple[Score, ...]:
        """The score of each launch that succeeded."""
        return tuple(launch.score for launch in self.launches if launch.status == "succeeded" and launch.score)

    @property
    def blocks(self) -> tuple[int, ...]:
        """The block each of `scores` was measured in: an invalid launch before it counts too."""
        return tuple(
            block for block, launch in enumerate(self.counted) if launch.status == "succeeded" and launch.score
        )

    @property
    def score(self) -> Score | None:
        """Over its launches the geometric mean, as the verdict compares them; with one, that launch's own score, with
        the interval within it."""
        scores = self.scores
        if len(scores) < 2:
            return scores[0] if scores else None
        values = [score.value for score in scores]
        if any(value == 0 for value in values):
            return Score(value=math.fsum(values) / len(values))
        size = math.exp(math.fsum(math.log(abs(value)) for value in values) / len(values))
        return Score(value=math.copysign(size, values[0]))

    @property
    def failure(self) -> Failure | None:
        """Why its last launch failed; None where it succeeded."""
        if self.status in ("succeeded", "invalid") or not self.counted:
            return None
        return self.counted[-1].failure


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The whole run at one moment, immutable; what did not change is shared with the snapshot before."""

    run: str
    task: Task
    kind: Literal["tune", "try"]
    simulated: bool
    version: str
    seed: int
    gpus: tuple[int, ...]
    levels: tuple[Level, ...]
    created_at: datetime
    started_at: datetime | None
    elapsed_s: float
    """Time under a runner, up to the last event; pauses between a stop and a resume are not in it."""
    last_at: datetime
    runner: str | None
    preparation: PreparationStarted | None
    """What is being pulled or downloaded just now."""
    image: PreparationFinished | None
    experiments: tuple[ExperimentState, ...]
    excluded: tuple[Excluded, ...]
    launch: Launch | None
    """The launch under way."""
    launches_planned: int
    launches_done: int
    paused: bool
    finished: RunFinished | None
    commands: tuple[CommandTaken, ...]
    extensions: int
    """How often launches were added to those planned."""

    @property
    def objective(self) -> Objective:
        return self.task.objective

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The experiments that are valid, with a score for each launch."""
        return tuple(
            Candidate(
                experiment=experiment.id, score=experiment.score, scores=experiment.scores, blocks=experiment.blocks
            )
            for experiment in self.experiments
            if experiment.status == "succeeded" and experiment.score is not None
        )

    @property
    def looks(self) -> int:
        """How many verdicts could have named a winner so far: after single launches none can."""
        return max(1, self.extensions + (self.task.search.launches > 1))

    @property
    def verdict(self) -> Verdict:
        """Who leads among the experiments that are valid; provisional until every planned launch is done."""
        return judge(
            self.objective,
            self.candidates,
            launched=sum(1 for experiment in self.experiments if experiment.counted),
            provisional=self.launches_done < self.launches_planned,
            min_difference=self.task.search.min_difference,
            looks=self.looks,
        )

    @property
    def confirmation(self) -> Confirmation | None:
        """What to launch again to be surer of the verdict; None where nothing is open."""
        offer = plan_confirmation(
            self.objective, self.candidates, min_difference=self.task.search.min_difference, looks=self.looks
        )
        return offer if offer.experiments else None


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
        self._stretch_began: datetime | None = None
        self._earlier_s = 0.0
        self._last_at: datetime | None = None
        self._runner: str | None = None
        self._preparation: PreparationStarted | None = None
        self._image: PreparationFinished | None = None
        self._paused = False
        self._finished: RunFinished | None = None
        self._commands: tuple[CommandTaken, ...] = ()
        self._extensions = 0

    def apply(self, event: AnyEvent) -> None:
        """Takes one event in. Raises ValueError for an event that cannot come at this point of a journal."""
        if isinstance(event, RunCreated):
            self._created = event
            self._levels = levels_of(event.task)
        elif self._created is None:
            raise ValueError("a journal begins with run_created")
        match event:
            case ExperimentsAdded():
                for experiment in event.experiments:
                    self._experiments[experiment.id] = _fresh(experiment, self._launches_each())
                self._excluded += event.excluded
            case RunStarted():
                self._begin_stretch(event)
            case PreparationStarted():
                self._preparation = event
            case PreparationFinished():
                self._preparation = None
                if event.what == "image" and event.failure is None:
                    self._image = event
            case LaunchesAdded():
                self._extensions += 1
                for number in event.experiments:
                    extended = self._experiments[number]
                    self._experiments[number] = replace(extended, wanted=extended.wanted + event.launches)
            case LaunchStarted():
                self._begin_launch(event)
            case ServerStarted():
                self._change(event.launch, server=event.server, url=event.url)
            case ServerReady():
                self._change(event.launch, start_s=event.start_s, memory=event.memory, phase="warming up")
            case LevelStarted():
                phase = "warming up" if event.warm_up else "measuring"
                self._change(event.launch, level=event.level, phase=phase)
            case LevelFinished():
                launch = self._launch(event.launch)
                self._change(event.launch, results=(*launch.results, event.result), level=None)
            case LaunchFailing():
                self._change(event.launch, failure=event.failure, phase="stopping", level=None)
            case LaunchFinished():
                self._end_launch(event)
            case CommandTaken():
                self._commands += (event,)
            case RunPaused():
                self._paused = True
            case RunContinued():
                self._paused = False
            case RunFinished():
                self._finished = event
                self._preparation = None
                self._end_stretch(event.at)
            case _:
                pass
        self._last_at = event.at

    def snapshot(self) -> Snapshot:
        """The state now. Raises ValueError before the first event."""
        created, last_at = self._created, self._last_at
        if created is None or last_at is None:
            raise ValueError("the journal is empty")
        experiments = tuple(self._experiments.values())
        elapsed_s = self._earlier_s
        if self._stretch_began is not None:
            elapsed_s += (last_at - self._stretch_began).total_seconds()
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
            elapsed_s=elapsed_s,
            last_at=last_at,
            runner=self._runner,
            preparation=self._preparation,
            image=self._image,
            experiments=experiments,
            excluded=self._excluded,
            launch=None if self._active is None else self._launch(self._active),
            launches_planned=sum(experiment.wanted for experiment in experiments),
            launches_done=sum(len(experiment.counted) for experiment in experiments),
            paused=self._paused,
            finished=self._finished,
            commands=self._commands,
            extensions=self._extensions,
        )

    def _launches_each(self) -> int:
        assert self._created is not None
        return self._created.task.search.launches if self._created.kind == "tune" else 1

    def _begin_stretch(self, event: RunStarted) -> None:
        """A runner came. Where the one before died without a word, its time ended at its last event, and the launch
        it was in is over."""
        if self._stretch_began is not None and self._last_at is not None:
            self._end_stretch(self._last_at)
        self._stretch_began = event.at
        self._started_at = self._started_at or event.at
        self._runner = event.runner
        self._finished = None
        self._paused = False
        self._preparation = None
        if self._active is not None:
            self._change(self._active, status="interrupted", phase="over")
            self._active = None

    def _end_stretch(self, at: datetime) -> None:
        if self._stretch_began is not None:
            self._earlier_s += (at - self._stretch_began).total_seconds()
            self._stretch_began = None

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
        self._experiments[experiment.id] = replace(experiment, launches=(*experiment.launches, launch))

    def _end_launch(self, event: LaunchFinished) -> None:
        assert self._created is not None
        launch = self._launch(event.launch)
        score = None
        if event.status == "succeeded":
            score = launch_score(self._created.task.objective, self._levels, launch.results, len(launch.gpus))
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
            score=score,
        )
        if event.status == "failed":
            experiment = self._experiments[self._owner[event.launch]]
            self._experiments[experiment.id] = replace(experiment, wanted=len(experiment.counted))
        self._active = None

    def _launch(self, number: int) -> Launch:
        launches = self._experiments[self._owner[number]].launches
        return next(launch for launch in reversed(launches) if launch.number == number)

    def _change(self, number: int, **changes: object) -> None:
        experiment = self._experiments[self._owner[number]]
        launches = tuple(
            replace(launch, **changes) if launch.number == number else launch for launch in experiment.launches
        )
        self._experiments[experiment.id] = replace(experiment, launches=launches)


def _fresh(experiment: Experiment, launches: int) -> ExperimentState:
    return ExperimentState(
        id=experiment.id, configuration=experiment.configuration, gpus_needed=experiment.gpus_needed, wanted=launches
    )
