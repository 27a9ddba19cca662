"""Experiment folders as genai-bench 0.0.5 writes them, with requests of known times."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def request(ttft_s: float, tpot_s: float, *, tokens: int = 10, prompt: int = 20, scale: float = 1.0) -> dict[str, Any]:
    """One successful request; its latencies in the unit that is `scale` to a second."""
    output_s = tpot_s * (tokens - 1)
    return {
        "ttft": ttft_s * scale,
        "tpot": tpot_s * scale,
        "e2e_latency": (ttft_s + output_s) * scale,
        "output_latency": output_s * scale,
        "num_input_tokens": prompt,
        "num_output_tokens": tokens,
        "num_reasoning_tokens": 0,
        "total_tokens": prompt + tokens,
        "error_code": None,
        "error_message": None,
    }


def failed(code: int, message: str) -> dict[str, Any]:
    """One failed request: nothing but the reason."""
    return {"ttft": None, "tpot": None, "e2e_latency": None, "error_code": code, "error_message": message}


def write_experiment(
    folder: Path,
    runs: dict[tuple[str, int], tuple[Sequence[dict[str, Any]], float]],
    *,
    unit: str = "s",
    engine: str | None = "vLLM",
    backend: str = "vllm",
    model: str = "tiny-llama",
) -> Path:
    """(scenario, concurrency) → (requests, run_duration in seconds)."""
    folder.mkdir(parents=True)
    metadata = {
        "cmd": "genai-bench --max-time-per-run 1",
        "benchmark_version": "0.0.5",
        "api_backend": backend,
        "model": model,
        "task": "text-to-text",
        "num_concurrency": sorted({concurrency for _, concurrency in runs}),
        "traffic_scenario": list(dict.fromkeys(scenario for scenario, _ in runs)),
        "server_engine": engine,
        "server_gpu_count": None,
        "max_time_per_run_s": 60,
        "max_requests_per_run": 40,
    }
    (folder / "experiment_metadata.json").write_text(json.dumps(metadata))
    for (scenario, concurrency), (requests, duration_s) in runs.items():
        name = scenario.replace("(", "").replace(")", "").replace(",", "_").replace("/", "_")
        good = [each for each in requests if each["error_code"] is None]
        stats = {
            metric: {"mean": statistics.fmean(each[metric] for each in good)} for metric in ("ttft", "e2e_latency")
        }
        document = {
            "aggregated_metrics": {
                "scenario": scenario,
                "num_concurrency": concurrency,
                "iteration_type": "num_concurrency",
                "run_duration": duration_s,
                "error_rate": 0,
                "num_completed_requests": len(good),
                "num_error_requests": len(requests) - len(good),
                "stats": stats,
            },
            "individual_request_metrics": list(requests),
            "_time_unit": unit,
        }
        path = folder / f"{name}_text-to-text_num_concurrency_{concurrency}_time_{int(duration_s)}s.json"
        path.write_text(json.dumps(document))
    return folder
