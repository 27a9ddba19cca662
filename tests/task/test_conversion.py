"""A file of the other format becomes a task file that says the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.shared_data import shared
from tuner_tui.task.conversion import CannotConvert, as_task_file
from tuner_tui.task.reader import read_text


def old(**changes: Any) -> str:
    return json.dumps(
        {
            "task_name": "old",
            "model": {"id_or_path": "org/name"},
            "base_runtime": "vllm",
            "parameters": {"max-num-seqs": [64, 128], "kv-cache-dtype": ["auto"]},
            "benchmark": {
                "traffic_scenarios": ["D(100,100)"],
                "num_concurrency": [1, 4],
                "max_requests_per_iteration": 50,
            },
            **changes,
        }
    )


def test_the_seed_runs_task_in_words_a_person_would_write(tmp_path: Path) -> None:
    source = shared("data/seed-run/docker_task.json")
    assert as_task_file(source.read_text(), source, models_dir=tmp_path) == (
        "name: docker-simple-tune\n"
        "description: Simple Docker deployment test with 2 parameter combinations\n"
        "engine: sglang\n"
        "model: llama-3-2-1b-instruct\n"
        "\n"
        "parameters:\n"
        "  tp-size: 1\n"
        "  mem-fraction-static: [0.7, 0.8]\n"
        "\n"
        "benchmark:\n"
        '  traffic: ["D(100,100)"]\n'
        "  concurrency: [1, 4]\n"
        "  max_requests: 50\n"
        "  max_time: 10m\n"
        "  request: {temperature: 0.0}\n"
        "\n"
        "objective: minimize_latency\n"
        "start_timeout: 10m\n"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"deployment_mode": "local"},
        {"description": 'it\'s: a #1 "quoted" thing', "task_name": "yes"},
        {"parameters": {}},
        {
            "parameters": {
                "cuda-graph-sizes": [[1, 2, 4], [8]],
                "enforce-eager": [False, True],
                "max-num-seqs": [None, 8],
            }
        },
        {"parameters": {"compilation-config": ['{"mode": 3}'], "seed": [1.5e-07, 3], "dtype": ["1e3", "null", "on"]}},
        {"parameters": {"max-num-seqs": [1], "tokenizer": ["2024-01-01", "a, b", "[x]", "é🙂"]}},
        {"optimization": {"objective": "maximize_throughput", "timeout_per_iteration": 90}},
        {
            "benchmark": {
                "traffic_scenarios": ["D(1,1)", "N(480,240)/(300,150)"],
                "num_concurrency": 2,
                "max_time_per_iteration": 0.5,
                "additional_params": {"stop": ["\n", "###"], "seed": None, "logit_bias": {"5": -1}, "stream": True},
            }
        },
    ],
)
def test_it_reads_to_the_same_task(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = tmp_path / "old.json"
    before = read_text(old(**changes), path, models_dir=tmp_path)
    assert before.task is not None, before.problems
    after = read_text(as_task_file(old(**changes), path, models_dir=tmp_path), path, models_dir=tmp_path)
    assert after.task == before.task
    assert after.space == before.space


def test_a_file_with_mistakes_is_refused_with_the_first_one(tmp_path: Path) -> None:
    with pytest.raises(CannotConvert, match=r"old\.json while it has mistakes \(line 1: base_runtime: expected sglang"):
        as_task_file(old(base_runtime="tgi"), tmp_path / "old.json")
