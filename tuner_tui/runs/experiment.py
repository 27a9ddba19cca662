"""A launch and an experiment as far as they have come."""

from __future__ import annotations

import math
from datetime import datetime
from functools import cached_property
from typing import Literal

import msgspec

from tuner_tui.engines.facts import Memory
from tuner_tui.load.model import LevelResult
from tuner_tui.runs.events import Failure, LaunchStatus, LoadTried, ValidityFlag
from tuner_tui.search.limits import LimitCheck, Measured, check_limits
from tuner_tui.search.objective import Score
from tuner_tui.search.verdict import Candidate
from tuner_tui.task.model import Configuration


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """One launch as far as it has come. `status` is None while it runs; `score` None until it succeeded."""

    number: int
    experiment: int
    command: str
    gpus: tuple[int, ...]
    started_at: datetime
    phase: Literal["starting", "warming up", "measuring", "serving", "stopping", "over"] = "starting"
    server: str | None = None
    url: str | None = None
    level: int | None = None
    """Index of the level under way."""
    results: tuple[LevelResult, ...] = ()
    tried: tuple[LoadTried, ...] = ()
    """The loads on the way to the highest that keeps the limits, where that is looked for."""
    status: LaunchStatus | None = None
    start_s: float | None = None
    load_s: float = 0.0
    total_s: float = 0.0
    memory: Memory = msgspec.field(default_factory=Memory)
    validity: tuple[ValidityFlag, ...] = ()
    failure: Failure | None = None
    gpu_clock_mhz: float | None = None
    score: Score | None = None
    held: tuple[Measured, ...] = ()
    """What the task's limits are held against; empty until it succeeded."""


ExperimentStatus = Literal["waiting", "running", "succeeded", "failed", "invalid"]


FOLDER = "experiment"
"""In place of a configuration's flags: the name of a genai-bench folder, which does not tell those of its server."""


class ExperimentState(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A configuration with its launches; interrupted ones are left out once another has begun."""

    id: int
    configuration: Configuration
    gpus_needed: int
    launches: tuple[Launch, ...] = ()
    wanted: int = 1
    """Launches it will have had in the end: what the task asks for and what was added. After one that failed no
    other follows."""
    baseline: bool = False
    """What the others are compared with: the fixed flags alone."""

    @property
    def flags_known(self) -> bool:
        """Whether its configuration is one that can be started."""
        return FOLDER not in self.configuration

    @cached_property
    def counted(self) -> tuple[Launch, ...]:
        """The launches that are over and count."""
        return tuple(launch for launch in self.launches if launch.status not in (None, "interrupted"))

    @cached_property
    def status(self) -> ExperimentStatus:
        """succeeded where any launch did, else invalid, else failed; waiting before the first one."""
        return "running" if any(launch.status is None for launch in self.launches) else self.outcome

    @cached_property
    def outcome(self) -> ExperimentStatus:
        """Its status without a launch under way."""
        statuses = {launch.status for launch in self.counted}
        if not statuses:
            return "waiting"
        return "succeeded" if "succeeded" in statuses else "invalid" if "invalid" in statuses else "failed"

    @cached_property
    def scores(self) -> tuple[Score, ...]:
        """The score of each launch that succeeded."""
        return tuple(launch.score for launch in self.launches if launch.status == "succeeded" and launch.score)

    @cached_property
    def limits(self) -> tuple[LimitCheck, ...]:
        """Every limit at every level over the launches that succeeded, the worst first; empty without limits."""
        return check_limits([launch.held for launch in self.launches if launch.status == "succeeded"])

    @cached_property
    def candidate(self) -> Candidate | None:
        """What the verdict knows of it; None before a launch succeeded. A launch under way does not take the earlier
        ones away."""
        if self.score is None:
            return None
        return Candidate(
            experiment=self.id, score=self.score, scores=self.scores, blocks=self.blocks, limits=self.limits
        )

    @property
    def blocks(self) -> tuple[int, ...]:
        """The block each of `scores` was measured in: an invalid launch before it counts too."""
        return tuple(
            block for block, launch in enumerate(self.counted) if launch.status == "succeeded" and launch.score
        )

    @cached_property
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
