"""Whether the time a task may take is up."""

from __future__ import annotations

from tuner_tui.runs.events import BudgetSpent
from tuner_tui.runs.experiment import ExperimentState
from tuner_tui.runs.snapshot import Snapshot


def budget_spent(snapshot: Snapshot, experiment: ExperimentState) -> BudgetSpent | None:
    """The event that gives up what was planned, where `experiment`'s next launch would not end within `search.budget`.

    Counted is the time under a runner, pulls and downloads included. A launch is expected to take as long as the
    configuration's launches took so far, or those of all; the first of a run begins in any case. Once it was spent,
    what a person adds (`confirm`, `measure`) is launched all the same.
    """
    budget_s = snapshot.task.search.budget_s
    if budget_s is None or snapshot.budget_spent is not None or not snapshot.launches_done:
        return None
    took_s = [launch.total_s for launch in experiment.counted if launch.status != "failed"]
    took_s = took_s or [launch.total_s for each in snapshot.experiments for launch in each.counted]
    if snapshot.elapsed_s + sum(took_s) / len(took_s) <= budget_s:
        return None
    return BudgetSpent(budget_s=budget_s, done=snapshot.launches_done, planned=snapshot.launches_planned)
