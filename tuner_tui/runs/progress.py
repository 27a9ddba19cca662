"""How far a run is, and how long it will still take."""

from __future__ import annotations

from datetime import datetime

import msgspec

from tuner_tui.runs.plan import estimate
from tuner_tui.runs.snapshot import Snapshot

_ALMOST = 0.95
"""What a launch counts at most before it is over: nobody knows how long it really takes."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """`share` is 0 to 1, `left_s` the seconds to go. `guessed`: no launch is over yet, so it is the plan's estimate.
    `late`: the launch under way has taken longer than that, and `left_s` is the least there is to go."""

    done: int
    planned: int
    share: float
    left_s: float
    guessed: bool
    late: bool


def mean_launch_s(snapshot: Snapshot) -> float | None:
    """What a launch of this run took, on average over those that were measured to the end (where there is none, over
    all that are over: a failed or skipped one is short); None where none is over.

    A configuration's first launch does not count once there is another: it may be the one that compiled what the later
    ones find in a cache, and the one that searched for a highest load from the beginning.
    """
    over = [experiment.counted for experiment in snapshot.experiments]
    measured = [[each for each in launches if each.status != "failed"] for launches in over]
    took = [each.total_s for launches in measured for each in launches[1:] or launches]
    took = took or [each.total_s for launches in over for each in launches]
    return sum(took) / len(took) if took else None


def progress(snapshot: Snapshot, now: datetime) -> Progress:
    """From the mean of the launches that are over, and the time the one under way has taken until `now`."""
    done, planned = snapshot.launches_done, snapshot.launches_planned
    measured_s = mean_launch_s(snapshot)
    each_s = measured_s if measured_s is not None else estimate(snapshot.task, 1).total_s
    spent_s = 0.0
    if snapshot.launch is not None:
        spent_s = max(0.0, (now - snapshot.launch.started_at).total_seconds())
    current = min(_ALMOST, spent_s / each_s) if each_s > 0 else 0.0
    left = max(0, planned - done)
    return Progress(
        done=done,
        planned=planned,
        share=min(1.0, (done + (current if left else 0.0)) / planned) if planned else 0.0,
        left_s=max(0.0, left - current) * each_s if left else 0.0,
        guessed=measured_s is None,
        late=spent_s > each_s,
    )
