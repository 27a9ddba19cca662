"""What the tuner itself costs a launch: wall time − (start call → ready) − (warm-up and load).

Runs the simulated engine (it is up in a moment, so that nothing hides the overhead) by the process backend and, where
a Docker Engine answers, in containers, and prints seconds a launch. Goal: at most 1 s.

    python benchmarks/overhead.py [launches]
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml


def overheads_s(backend: str, launches: int) -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        task = Path(folder) / "overhead.yaml"
        document = {
            "engine": "simulated",
            "model": "llama-3.2-1b-instruct",
            "backend": backend,
            "parameters": {
                "simulate-start-s": 0.5,
                "mem-fraction-static": [round(0.5 + 0.4 * index / launches, 3) for index in range(launches)],
            },
            "benchmark": {"traffic": ["D(100,100)"], "concurrency": [1, 4], "max_requests": 8},
        }
        task.write_text(yaml.safe_dump(document))
        done = subprocess.run(
            [sys.executable, "-m", "tuner_tui", "run", str(task), "--json", "--runs-dir", folder],
            capture_output=True,
            text=True,
        )
        if done.returncode:
            sys.exit(done.stderr)
        results = json.loads(done.stdout)
    launched = [launch for experiment in results["experiments"] for launch in experiment["launches"]]
    return [launch["total_s"] - launch["start_s"] - launch["load_s"] for launch in launched]


def main() -> None:
    launches = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    backends = ["process"]
    if subprocess.run(["docker", "info"], capture_output=True).returncode == 0:
        backends.append("docker")
    for backend in backends:
        values = overheads_s(backend, launches)
        print(
            f"{backend:8} overhead a launch: median {statistics.median(values):.3f} s, max {max(values):.3f} s "
            f"({len(values)} launches; goal 1 s)"
        )


if __name__ == "__main__":
    main()
