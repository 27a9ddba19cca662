"""Names for experiments: by the flags that tell them apart, short enough for a column's head or a chart's legend."""

from __future__ import annotations

from tuner_tui.report.words import label, split_common, value_words
from tuner_tui.runs.experiment import ExperimentState
from tuner_tui.runs.snapshot import Snapshot

BASELINE = "baseline"


def differing_flags(snapshot: Snapshot) -> list[str]:
    """The flags that tell the run's experiments apart, in the task's order; one beside the grid does not count."""
    return split_common([each.configuration for each in snapshot.experiments if each.id != 0])[1]


def labels(snapshot: Snapshot) -> dict[int, str]:
    """Each experiment's id → `mem-fraction-static 0.8, enable-mixed-chunk`; `baseline` for the one beside the grid."""
    differing = differing_flags(snapshot)
    return {each.id: experiment_label(each, differing) for each in snapshot.experiments}


def short_labels(snapshot: Snapshot) -> dict[int, str]:
    """Each experiment's id → its values alone, `0.8 · yes`, in the order of `differing_flags`."""
    differing = differing_flags(snapshot)
    return {each.id: short_label(each, differing) for each in snapshot.experiments}


def experiment_label(experiment: ExperimentState, differing: list[str]) -> str:
    return BASELINE if experiment.id == 0 else label(experiment.configuration, differing)


def short_label(experiment: ExperimentState, differing: list[str]) -> str:
    if experiment.id == 0 or not differing:
        return experiment_label(experiment, differing)
    return " · ".join(value_words(experiment.configuration, name) for name in differing)
