"""The journal's events: what happened in a run, in order. `docs/journal.md` shows one of each.

Every event is one JSON object on one line, its kind under `event`, its UTC time under `at`. Durations are
seconds. Fields are only ever added, with defaults; a reader skips none and renames none.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import msgspec

from tuner_tui.engines.facts import Fix, Memory
from tuner_tui.load.model import Level, LevelResult
from tuner_tui.task.model import Configuration, Task

FORMAT = 1
"""Of the journal. Raised when an old reader would misread a new journal."""


def now() -> datetime:
    """The wall clock, in UTC, to the millisecond."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a launch failed: `class` as in `engines.errors`, one sentence with the remedy, the line that says so, the
    last lines of the log, and the change of the configuration that would mend it, where that is sure."""

    failure_class: str = msgspec.field(name="class")
    reason: str
    line: str = ""
    tail: tuple[str, ...] = ()
    fix: Fix | None = None

    @property
    def advice(self) -> str:
        """The sentence, and after it the fix in words ("…; fix: max-model-len 1152") where there is one."""
        return f"{self.reason}; fix: {self.fix}" if self.fix is not None else self.reason

    @property
    def words(self) -> str:
        """`failed (oom): …` with the advice; who was skipped has not failed."""
        return self.reason if self.failure_class == "stopped" else f"failed ({self.failure_class}): {self.advice}"


class ValidityFlag(msgspec.Struct, frozen=True, kw_only=True):
    """A doubt about a launch's numbers. One that disqualifies bars the launch from winning; a note bars nobody."""

    name: str
    disqualifies: bool
    seen: str
    threshold: str
    advice: str
    level: str | None = None


class Experiment(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration to be launched. Ids count from 1 in the order of the grid; 0 is a baseline beside it.

    `baseline`: what the others are compared with, launched first in each block.
    """

    id: int
    configuration: Configuration
    gpus_needed: int = 0
    baseline: bool = False


class Excluded(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration of the grid that will not be launched, and why."""

    configuration: Configuration
    reason: str


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    """Base of all events."""

    at: datetime = msgspec.field(default_factory=now)


class RunCreated(Event, frozen=True, kw_only=True, tag="run_created"):
    """The first line: everything the runner needs, so that a resume reads nothing but the journal.

    `gpus` are the ones that may be used, already found. `kind` is `try` where one configuration is kept up for a
    person instead of measured, `import` where results of another program were read. `seed` orders the launches and
    makes the prompts.
    """

    run: str
    task: Task
    version: str
    gpus: tuple[int, ...] = ()
    kind: Literal["tune", "try", "import"] = "tune"
    simulated: bool = False
    seed: int = 0
    format: int = FORMAT


class ExperimentsAdded(Event, frozen=True, kw_only=True, tag="experiments_added"):
    """Configurations that joined the run."""

    experiments: tuple[Experiment, ...]
    excluded: tuple[Excluded, ...] = ()


class RunStarted(Event, frozen=True, kw_only=True, tag="run_started"):
    """A runner took the run up: the first time, or again after a stop or a death (`resumed`)."""

    runner: str
    pid: int
    host: str
    resumed: bool = False


class PreparationStarted(Event, frozen=True, kw_only=True, tag="preparation_started"):
    """Before the first launch: an image is pulled or a model downloaded."""

    what: Literal["image", "model"]
    name: str


class PreparationFinished(Event, frozen=True, kw_only=True, tag="preparation_finished"):
    """The image or the model is there (or, with a failure, is not to be had)."""

    what: Literal["image", "model"]
    name: str
    elapsed_s: float
    image_id: str | None = None
    image_digest: str | None = None
    failure: Failure | None = None


class LaunchStarted(Event, frozen=True, kw_only=True, tag="launch_started"):
    """A launch begins. `command` is its `docker run` line (or the command itself)."""

    launch: int
    experiment: int
    command: str
    gpus: tuple[int, ...] = ()


class ServerStarted(Event, frozen=True, kw_only=True, tag="server_started"):
    """The container (or process) runs; it is not ready yet."""

    launch: int
    server: str
    url: str


class ServerReady(Event, frozen=True, kw_only=True, tag="server_ready"):
    """The server answers. `start_s` is from the start call until now."""

    launch: int
    start_s: float
    memory: Memory


class LevelStarted(Event, frozen=True, kw_only=True, tag="level_started"):
    """The warm-up of a level begins, or the level itself.

    `traffic` is set where the level is none of the task's: load that was asked for while a server is kept up (`try`).
    Such levels count from 0 in the order in which they were asked for. Or it is the load that is tried just now, where
    the task's level is the highest that keeps the limits.
    """

    launch: int
    level: int
    warm_up: bool = False
    traffic: Level | None = None


class LoadTried(Event, frozen=True, kw_only=True, tag="load_tried"):
    """On the way to the highest load that keeps the limits: one that was measured, and what it broke, in words."""

    launch: int
    level: int
    traffic: Level
    requests: int
    requests_per_s: float
    broken: tuple[str, ...] = ()


class LevelFinished(Event, frozen=True, kw_only=True, tag="level_finished"):
    """A level was measured."""

    launch: int
    level: int
    result: LevelResult


class LevelFailed(Event, frozen=True, kw_only=True, tag="level_failed"):
    """Load that was asked for while a server is kept up came to nothing; the server stays up."""

    launch: int
    level: int
    reason: str


class LaunchesAdded(Event, frozen=True, kw_only=True, tag="launches_added"):
    """More launches of these experiments than were planned: each such extension spends some of the verdict's error."""

    experiments: tuple[int, ...]
    launches: int = 1


class BudgetSpent(Event, frozen=True, kw_only=True, tag="budget_spent"):
    """The next launch would not have ended within the task's `search.budget`: what was planned is given up."""

    budget_s: float
    done: int
    planned: int

    @property
    def sentence(self) -> str:
        return f"Budget of {hours(self.budget_s)} spent after {self.done} of {self.planned} launches."


class LaunchFailing(Event, frozen=True, kw_only=True, tag="launch_failing"):
    """A launch is declared failed; its server is being removed, which can take a moment."""

    launch: int
    failure: Failure


LaunchStatus = Literal["succeeded", "failed", "invalid", "interrupted"]


class LaunchFinished(Event, frozen=True, kw_only=True, tag="launch_finished"):
    """A launch is over and its server removed. `interrupted` ones count for nothing and are launched again.

    `load_s` is the time in warm-up and load, `total_s` the whole launch's wall time, `gpu_clock_mhz` the GPUs' mean
    clock under load.
    """

    launch: int
    status: LaunchStatus
    start_s: float | None = None
    load_s: float = 0.0
    total_s: float = 0.0
    memory: Memory = msgspec.field(default_factory=Memory)
    validity: tuple[ValidityFlag, ...] = ()
    failure: Failure | None = None
    gpu_clock_mhz: float | None = None


class CommandTaken(Event, frozen=True, kw_only=True, tag="command_taken"):
    """The runner's answer to one line of commands.jsonl."""

    id: str
    command: str
    accepted: bool
    why: str = ""


class RunPaused(Event, frozen=True, kw_only=True, tag="run_paused"):
    """No further launch begins until the run is continued."""


class RunContinued(Event, frozen=True, kw_only=True, tag="run_continued"):
    """Launches begin again."""


class RunFinished(Event, frozen=True, kw_only=True, tag="run_finished"):
    """The runner says goodbye: all done, stopped by the user, or unable to go on (`sentence` says why)."""

    reason: Literal["finished", "stopped", "failed"]
    sentence: str = ""


AnyEvent = (
    RunCreated
    | ExperimentsAdded
    | RunStarted
    | PreparationStarted
    | PreparationFinished
    | LaunchStarted
    | ServerStarted
    | ServerReady
    | LevelStarted
    | LoadTried
    | LevelFinished
    | LevelFailed
    | LaunchesAdded
    | BudgetSpent
    | LaunchFailing
    | LaunchFinished
    | CommandTaken
    | RunPaused
    | RunContinued
    | RunFinished
)


def hours(duration_s: float) -> str:
    """`2 h`, `1 h 30 min`, `90 s`: a duration as a task file may have it."""
    whole = round(duration_s)
    parts = [(whole // 3600, "h"), (whole // 60 % 60, "min"), (whole % 60, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or f"{duration_s:g} s"


def levels_of(task: Task) -> tuple[Level, ...]:
    """The task's levels in the order they are measured: every concurrency (or rate) of the first scenario, then the
    next. One of each scenario where the highest load is looked for."""
    benchmark = task.benchmark
    levels = []
    for scenario in benchmark.traffic:
        if benchmark.seek is not None:
            levels.append(Level(scenario=scenario, arrivals=benchmark.arrivals, seek=benchmark.seek))
        levels += [Level(scenario=scenario, concurrency=concurrency) for concurrency in benchmark.concurrency]
        levels += [
            Level(scenario=scenario, request_rate=rate, arrivals=benchmark.arrivals) for rate in benchmark.request_rate
        ]
    return tuple(levels)
