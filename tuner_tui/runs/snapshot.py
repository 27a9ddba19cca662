"""A run at one moment, as every reader of it gets it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from tuner_tui.load.model import Level
from tuner_tui.runs.events import (
    BudgetSpent,
    CommandTaken,
    Excluded,
    PreparationFinished,
    PreparationStarted,
    RunFinished,
)
from tuner_tui.runs.experiment import ExperimentState, Launch
from tuner_tui.runs.judgement import Judgement
from tuner_tui.search.confirm import Confirmation
from tuner_tui.search.verdict import Verdict
from tuner_tui.task.model import Objective, Task


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The whole run at one moment, immutable; what did not change is shared with the snapshot before."""

    run: str
    task: Task
    kind: Literal["tune", "try", "import"]
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
    stopping: bool
    """The run was told to stop, and its server is on its way out."""
    finished: RunFinished | None
    commands: tuple[CommandTaken, ...]
    extensions: int
    """How often launches were added to those planned."""
    budget_spent: BudgetSpent | None
    """The task's time was up before all planned launches were done."""
    judgement: Judgement
    """The verdict on these experiments, made when asked for; shared by all snapshots it holds for."""

    @property
    def other_tools(self) -> tuple[str, ...]:
        """What measured, where it was not our own generator: programs with their versions."""
        launches = (launch for experiment in self.experiments for launch in experiment.counted)
        return tuple(sorted({result.tool for launch in launches for result in launch.results} - {"builtin"}))

    @property
    def objective(self) -> Objective:
        return self.task.objective

    @property
    def baseline(self) -> int | None:
        """The id of the experiment the others are compared with."""
        return self.judgement.baseline

    @property
    def verdict(self) -> Verdict:
        """Who leads among the experiments that are valid; provisional until every planned launch is done."""
        return self.judgement.verdict

    @property
    def confirmation(self) -> Confirmation | None:
        """What to launch again to be surer of the verdict; None where nothing is open."""
        return self.judgement.confirmation
