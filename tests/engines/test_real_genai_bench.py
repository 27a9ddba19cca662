"""Real vLLM measured by the real genai-bench, as a user asks for it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml

from tests.conftest import ENGINES
from tests.engines.real_task import real_task
from tests.tuner import only_run, tuner
from tuner_tui.load.genai_bench_files import read_metadata, run_files


@pytest.mark.acceptance
@pytest.mark.vllm
@pytest.mark.genai_bench
def test_vllm_is_tuned_by_genai_bench(tmp_path: Path, runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}{os.pathsep}{ENGINES / 'genai-bench' / 'bin'}")
    # Its prompts begin alike; with the prefix cache on, the launch would be invalid.
    parameters = {"max-num-seqs": [1, 16], "enable-prefix-caching": False}
    task = real_task(tmp_path, "vllm", "process", parameters, concurrency=4, max_requests=16)
    document = yaml.safe_load(task.read_text())
    document["benchmark"]["tool"] = "genai-bench"
    task.write_text(yaml.safe_dump(document, sort_keys=False))

    done = tuner("run", task, "--json", timeout_s=600)
    results = json.loads(done.stdout)
    assert "measured by genai-bench 0.0.5" in done.stderr
    throughput = {}
    for experiment in results["experiments"]:
        assert experiment["status"] == "succeeded", experiment
        [launch] = experiment["launches"]
        assert [flag["name"] for flag in launch["validity"] if flag["disqualifies"]] == []
        [level] = launch["levels"]
        assert level["tool"] == "genai-bench 0.0.5"
        assert level["requests"] >= 16
        assert (level["failed"], level["wrong_length"]) == (0, 0)
        # One clock throughout: four lanes cannot have been busy for longer than the run took.
        metrics = level["metrics"]
        assert metrics["e2e_s"]["mean"] * level["requests"] <= 4 * metrics["duration_s"]
        assert metrics["tpot_s"]["mean"] * 99 + metrics["ttft_s"]["mean"] == pytest.approx(metrics["e2e_s"]["mean"])
        throughput[experiment["configuration"]["max-num-seqs"]] = metrics["output_tokens_per_s"]
        [folder] = (only_run(runs_dir).launch(launch["number"]) / "genai-bench").iterdir()
        assert read_metadata(folder).api_backend == "vllm"
        assert len(run_files(folder)) == 1
        records = only_run(runs_dir).launch(launch["number"]) / "requests.jsonl"
        assert len(records.read_text().splitlines()) == level["requests"]
    assert throughput[16] > 1.5 * throughput[1]
    assert results["experiments"][1]["id"] == results["verdict"]["leader"]
