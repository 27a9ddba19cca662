"""A run in one line: what a list of runs shows."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from tuner_tui.runs.folder import RunFolder
from tuner_tui.runs.view import Condition, RunReader
from tuner_tui.search.verdict import quantity


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """One run. `best` is the leader with its score; `progress` the launches done of those planned."""

    folder: RunFolder
    condition: Condition
    task: str = ""
    engine: str = ""
    progress: str = ""
    best: str = ""
    created_at: datetime | None = None
    kind: str = "tune"
    simulated: bool = False
    trouble: str = ""
    journal_ns: int = 0
    """When the journal was last written to, as its file says."""


def overview(folder: RunFolder) -> Overview:
    """The run as it is now; never raises."""
    try:
        journal_ns = folder.journal.stat().st_mtime_ns
    except OSError:
        journal_ns = 0
    view = RunReader(folder).read()
    assert view is not None
    snapshot = view.snapshot
    if snapshot is None:
        return Overview(folder=folder, condition="unreadable", trouble=view.trouble, journal_ns=journal_ns)
    best = ""
    verdict = snapshot.verdict
    if verdict.leader is not None:
        leader = next(each for each in snapshot.experiments if each.id == verdict.leader)
        mark = "≈" if verdict.kind == "tie" else "★"
        if leader.score is not None:
            best = f"{mark} #{leader.id} {quantity(snapshot.objective, leader.score.value)}"
    return Overview(
        folder=folder,
        condition=view.condition,
        task=snapshot.task.name,
        engine=snapshot.task.engine,
        progress="try" if snapshot.kind == "try" else f"{snapshot.launches_done}/{snapshot.launches_planned}",
        best=best,
        created_at=snapshot.created_at,
        kind=snapshot.kind,
        simulated=snapshot.simulated,
        trouble=view.trouble,
        journal_ns=journal_ns,
    )


def age(moment: datetime, now: datetime | None = None) -> str:
    """How long ago, in its largest unit: `18h`."""
    seconds = int(((now or datetime.now(UTC)) - moment).total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{max(0, seconds)}s"
