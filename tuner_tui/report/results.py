"""results.json: everything a pipeline needs of a run, documented in docs/results.md."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import msgspec

from tuner_tui.runs.events import Failure
from tuner_tui.runs.state import ExperimentState, Launch, Snapshot

FORMAT = 1


def results(snapshot: Snapshot) -> dict[str, Any]:
    """The document. No NaN, no Infinity: a figure that does not exist is null."""
    launched = [experiment for experiment in snapshot.experiments if experiment.counted]
    verdict = snapshot.verdict
    failed = snapshot.finished if snapshot.finished and snapshot.finished.reason == "failed" else None
    digest = snapshot.image.image_digest if snapshot.image else None
    document = {
        "format": FORMAT,
        "run": snapshot.run,
        "kind": snapshot.kind,
        "task": {
            "name": snapshot.task.name,
            "engine": snapshot.task.engine,
            "model": snapshot.task.model.given,
            "backend": snapshot.task.backend,
            "image": snapshot.image.name if snapshot.image else snapshot.task.image,
            "image_id": snapshot.image.image_id if snapshot.image else None,
            "image_digest": digest.split("@")[-1] if digest else None,
            "objective": snapshot.objective.name,
            "tool": snapshot.task.benchmark.tool,
            "traffic": list(snapshot.task.benchmark.traffic),
            "concurrency": list(snapshot.task.benchmark.concurrency),
            "request_rate": list(snapshot.task.benchmark.request_rate),
            "seek": snapshot.task.benchmark.seek,
            "arrivals": snapshot.task.benchmark.arrivals if _at_a_rate(snapshot) else None,
            "endpoint": snapshot.task.benchmark.endpoint,
            "dataset": snapshot.task.benchmark.dataset,
            "max_requests": snapshot.task.benchmark.max_requests,
            "max_time_s": snapshot.task.benchmark.max_time_s,
            "launches": snapshot.task.search.launches,
            "min_difference": snapshot.task.search.min_difference,
            "budget_s": snapshot.task.search.budget_s,
            "baseline": snapshot.task.search.baseline,
            "limits": {limit.name: limit.most_s for limit in snapshot.task.limits},
        },
        "tuner_tui": snapshot.version,
        "simulated": snapshot.simulated,
        "started_at": snapshot.started_at or snapshot.created_at,
        "elapsed_s": snapshot.elapsed_s,
        "finished": snapshot.finished.reason if snapshot.finished else None,
        "failure": {"reason": failed.sentence} if failed else None,
        "gpus": list(snapshot.gpus),
        "experiments": [_experiment(experiment) for experiment in launched],
        "not_launched": [
            {"id": experiment.id, "configuration": experiment.configuration}
            for experiment in snapshot.experiments
            if not experiment.counted
        ],
        "excluded": snapshot.excluded,
        "verdict": verdict,
    }
    return _finite(msgspec.to_builtins(document))  # type: ignore[no-any-return]


def _at_a_rate(snapshot: Snapshot) -> bool:
    return bool(snapshot.task.benchmark.request_rate) or snapshot.task.benchmark.seek == "rate"


def _experiment(experiment: ExperimentState) -> dict[str, Any]:
    return {
        "id": experiment.id,
        "configuration": experiment.configuration,
        "baseline": experiment.baseline,
        "status": experiment.outcome,
        "failure": _failure(experiment.failure),
        "score": experiment.score.value if experiment.score else None,
        "score_interval": [experiment.score.low, experiment.score.high] if experiment.score else None,
        "limits": experiment.limits,
        "launches": [_launch(launch) for launch in experiment.counted],
    }


def _launch(launch: Launch) -> dict[str, Any]:
    return {
        "number": launch.number,
        "status": launch.status,
        "started_at": launch.started_at,
        "start_s": launch.start_s,
        "load_s": launch.load_s,
        "total_s": launch.total_s,
        "gpus": list(launch.gpus),
        "command": launch.command,
        "memory": launch.memory,
        "validity": launch.validity,
        "failure": _failure(launch.failure),
        "score": launch.score.value if launch.score else None,
        "levels": launch.results,
        "tried": [
            {"load": each.traffic.name, "requests": each.requests, "requests_per_s": each.requests_per_s}
            | {"broken": each.broken}
            for each in launch.tried
        ],
    }


def _failure(failure: Failure | None) -> dict[str, Any] | None:
    return msgspec.to_builtins(failure) if failure else None


def _finite(value: Any) -> Any:
    """`value` with every float that JSON has no word for made null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return value


def results_json(snapshot: Snapshot) -> bytes:
    """results.json as it is written: indented, ending in a newline."""
    return msgspec.json.format(msgspec.json.encode(results(snapshot)), indent=2) + b"\n"


def replace_file(path: Path, data: bytes) -> None:
    """Writes to a temporary file beside `path`, then renames it: a reader sees the old or the new, never half.
    Raises OSError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
