"""results.csv: one row for each launch and level, flat, for a spreadsheet or a data frame; units in the header."""

from __future__ import annotations

import csv
import io
from typing import Any

from tuner_tui.load.model import Distribution, LevelResult
from tuner_tui.report.words import value_words
from tuner_tui.runs.experiment import ExperimentState, Launch
from tuner_tui.runs.snapshot import Snapshot

_STATISTICS = ("mean", "std", "p50", "p90", "p99", "min", "max")


def results_csv(snapshot: Snapshot) -> bytes:
    """UTF-8 with a header (docs/results.md). A launch without any level has one row; empty: there is no such figure."""
    flags = list(dict.fromkeys(name for each in snapshot.experiments for name in each.configuration))
    out = io.StringIO(newline="")
    writer: csv.DictWriter[str] | None = None
    for experiment in snapshot.experiments:
        for launch in experiment.counted:
            for result in launch.results or (None,):
                row = {
                    **_of_launch(snapshot, experiment, launch),
                    **{f"flag {name}": _flag(experiment, name) for name in flags},
                    **_of_level(result),
                }
                if writer is None:
                    writer = csv.DictWriter(out, list(row), lineterminator="\n")
                    writer.writeheader()
                writer.writerow(row)
    return out.getvalue().encode()


def _of_launch(snapshot: Snapshot, experiment: ExperimentState, launch: Launch) -> dict[str, Any]:
    memory = launch.memory
    return {
        "run": snapshot.run,
        "experiment": experiment.id,
        "baseline": int(experiment.baseline),
        "launch": launch.number,
        "status": launch.status,
        "simulated": int(snapshot.simulated),
        "gpus": len(launch.gpus),
        "score (lower is better)": None if launch.score is None else launch.score.value,
        "start (s)": launch.start_s,
        "load (s)": launch.load_s,
        "total (s)": launch.total_s,
        "KV cache (tokens)": memory.kv_cache_tokens,
        "KV cache (GiB)": memory.kv_cache_gib,
        "weights (GiB)": memory.weights_gib,
        "free memory (GiB)": memory.available_gib,
        "disqualified by": " ".join(dict.fromkeys(flag.name for flag in launch.validity if flag.disqualifies)),
        "failure": launch.failure.failure_class if launch.failure else "",
    }


def _flag(experiment: ExperimentState, name: str) -> str:
    return value_words(experiment.configuration, name) if name in experiment.configuration else ""


def _of_level(result: LevelResult | None) -> dict[str, Any]:
    metrics = None if result is None else result.metrics
    row: dict[str, Any] = {
        "level": "" if result is None else result.name,
        "tool": "" if result is None else result.tool,
        "scenario": "" if result is None else result.scenario,
        "concurrency": None if result is None else result.concurrency,
        "request rate (1/s)": None if result is None else result.request_rate,
        "requests": None if result is None else result.requests,
        "succeeded": None if result is None else result.succeeded,
        "failed": None if result is None else result.failed,
        "wrong length": None if result is None else result.wrong_length,
        "prompt tokens": None if result is None else result.prompt_tokens,
        "cached tokens": None if result is None else result.cached_tokens,
        "duration (s)": None if metrics is None else metrics.duration_s,
        "output (tokens/s)": None if metrics is None else metrics.output_tokens_per_s,
        "steady output (tokens/s)": None if metrics is None else metrics.steady_output_tokens_per_s,
        "input (tokens/s)": None if metrics is None else metrics.input_tokens_per_s,
        "requests/s": None if metrics is None else metrics.requests_per_s,
        "goodput (requests/s)": None if metrics is None else metrics.good_requests_per_s,
    }
    for name, attribute in (("TTFT", "ttft_s"), ("TPOT", "tpot_s"), ("ITL", "itl_s"), ("E2E", "e2e_s")):
        row |= _statistics(name, None if metrics is None else getattr(metrics, attribute))
    return row


def _statistics(name: str, distribution: Distribution | None) -> dict[str, Any]:
    return {f"{name} {each} (s)": None if distribution is None else getattr(distribution, each) for each in _STATISTICS}
