"""A stand-in for the genai-bench program: takes its options, writes its files, and can be told to go wrong."""

from __future__ import annotations

import sys
from pathlib import Path

_PROGRAM = """#!{python}
import json, os, subprocess, sys, time
from pathlib import Path

given = dict(zip(sys.argv[2::2], sys.argv[3::2]))
folder = Path(given["--experiment-base-dir"]) / given["--experiment-folder-name"]
folder.mkdir(parents=True, exist_ok=True)
key = os.environ.get("MODEL_API_KEY", "")
seen = {{"arguments": sys.argv[1:], "environment": dict(os.environ), "stdin": sys.stdin.read()}}
(folder.parent / "seen.json").write_text(json.dumps(seen).replace(key, "KEY") if key else json.dumps(seen))
(folder / "experiment_metadata.json").write_text(json.dumps({{
    "benchmark_version": "0.0.5", "api_backend": given["--api-backend"], "model": "m", "task": given["--task"],
    "cmd": "genai-bench --model-api-key " + key,
}}))
print("INFO     2026-01-01 00:00:00.%f - genai_bench.benchmark:benchmark - model_api_key:", key)
print("INFO     2026-01-01 00:00:00.%f - genai_bench.benchmark:benchmark - Starting benchmark with concurrency=2")
mode = {mode!r}
if mode == "hang":
    child = subprocess.Popen(["sleep", "600"])
    (folder.parent / "pids").write_text(f"{{os.getpid()}} {{child.pid}}")
    time.sleep(600)
if mode == "nothing":
    print("WARNING  2026-01-01 00:00:00.%f - a:b - No request metrics collected, the run was too short")
    sys.exit(1)
requests = [
    {{"ttft": 0.1, "e2e_latency": 0.19, "tpot": 0.01, "num_input_tokens": 25, "num_output_tokens": 10,
      "error_code": None, "error_message": None}}
] * 6
if mode == "refused":
    requests = [{{"error_code": 503, "error_message": "Connection error: refused"}}] * 6
run = {{
    "aggregated_metrics": {{"scenario": given["--traffic-scenario"], "num_concurrency": int(given["--num-concurrency"]),
                            "run_duration": 1.5, "iteration_type": "num_concurrency"}},
    "individual_request_metrics": requests, "_time_unit": "s",
}}
name = "debug_for_run_D20_10_2.json" if mode == "refused" else "D20_10_text-to-text_num_concurrency_2_time_1s.json"
(folder / name).write_text(json.dumps(run))
if mode == "refused":
    sys.exit(1)
time.sleep(600)  # as the real one draws: nobody waits for it
"""


def fake_genai_bench(folder: Path, mode: str = "") -> Path:
    """A `genai-bench` in `folder`, to be put on PATH. `mode`: well, or `hang`, `nothing`, `refused`."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "genai-bench"
    program.write_text(_PROGRAM.format(python=sys.executable, mode=mode))
    program.chmod(0o755)
    return program
