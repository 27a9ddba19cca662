"""What can be taken away from a run: each format with its usual file name and what makes it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from tuner_tui.report.deployment import compose, kubernetes, launch_command
from tuner_tui.report.markdown import report
from tuner_tui.report.results import results_json
from tuner_tui.report.results_csv import results_csv
from tuner_tui.runs.experiment import ExperimentState
from tuner_tui.runs.snapshot import Snapshot


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """`of_run` where it is about the run as a whole; `of_experiment` where it is about one configuration."""

    file: str
    title: str
    of_run: Callable[[Snapshot], bytes] | None = None
    of_experiment: Callable[[Snapshot, ExperimentState], str] | None = None


FORMATS = {
    "md": Format(file="report.md", title="a page for a colleague", of_run=report),
    "csv": Format(file="results.csv", title="a row for each launch and level", of_run=results_csv),
    "json": Format(file="results.json", title="everything, for a pipeline", of_run=results_json),
    "command": Format(file="launch.sh", title="the launch command", of_experiment=launch_command),
    "compose": Format(file="compose.yaml", title="a Docker Compose file", of_experiment=compose),
    "k8s": Format(file="kubernetes.yaml", title="a Kubernetes manifest", of_experiment=kubernetes),
}


def exported(snapshot: Snapshot, name: str, experiment: ExperimentState | None) -> bytes:
    """The bytes of format `name`. Raises ValueError where it needs an experiment and there is none, or its
    flags are not known."""
    chosen = FORMATS[name]
    if chosen.of_run is not None:
        return chosen.of_run(snapshot)
    if experiment is None or chosen.of_experiment is None:
        raise ValueError(f"no configuration leads in {snapshot.run}: {snapshot.verdict.sentence}")
    if not experiment.flags_known:
        raise ValueError(f"#{experiment.id} is a folder of genai-bench, which does not tell the flags of its server")
    text = chosen.of_experiment(snapshot, experiment)
    return (text if text.endswith("\n") else text + "\n").encode()
