"""Configurations that join a run which is there already."""

from __future__ import annotations

from collections.abc import Sequence

from tuner_tui.engines.gpus import gpus_needed
from tuner_tui.runs.events import Experiment, ExperimentsAdded
from tuner_tui.runs.snapshot import Snapshot
from tuner_tui.task.model import Configuration


def joining(snapshot: Snapshot, configurations: Sequence[Configuration]) -> ExperimentsAdded:
    """With ids after those of the run. Raises ValueError, a sentence, where one needs more GPUs than the run has."""
    first = 1 + max((experiment.id for experiment in snapshot.experiments), default=0)
    experiments = []
    for index, configuration in enumerate(configurations):
        needed = gpus_needed(snapshot.task.engine, configuration) if snapshot.gpus else 0
        if needed > len(snapshot.gpus):
            raise ValueError(f"{configuration} needs {needed} GPUs, {len(snapshot.gpus)} available")
        experiments.append(Experiment(id=first + index, configuration=configuration, gpus_needed=needed))
    return ExperimentsAdded(experiments=tuple(experiments))
