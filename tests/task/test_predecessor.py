"""Files of the predecessor open as they are, and say what of them is taken how."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.shared_data import shared
from tests.task.reading_of import reading_of, said
from tuner_tui.task.model import Parameter
from tuner_tui.task.reader import read


def _task(**changes: Any) -> dict[str, Any]:
    return {
        "task_name": "old",
        "deployment_mode": "docker",
        "model": {"id_or_path": "org/name", "namespace": "x"},
        "base_runtime": "sglang",
        "parameters": {"tp-size": [1], "mem-fraction-static": [0.7, 0.8]},
        "optimization": {"strategy": "grid_search", "objective": "minimize_latency", "timeout_per_iteration": 600},
        "benchmark": {
            "task": "text-to-text",
            "traffic_scenarios": ["D(100,100)"],
            "num_concurrency": [1, 4],
            "max_requests_per_iteration": 50,
            "additional_params": {"temperature": 0.0},
        },
        **changes,
    }


def test_the_seed_runs_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = read(shared("data/seed-run/docker_task.json"), models_dir=tmp_path)
    task = reading.task
    assert task is not None
    assert (task.name, task.engine, task.backend) == ("docker-simple-tune", "sglang", "docker")
    assert task.description.startswith("Simple Docker deployment")
    assert (task.model.kind, task.model.path) == ("missing", str(tmp_path / "llama-3-2-1b-instruct"))
    assert task.space.parameters == (
        Parameter(name="tp-size", values=(1,)),
        Parameter(name="mem-fraction-static", values=(0.7, 0.8)),
    )
    assert (task.objective.name, task.start_timeout_s) == ("minimize_latency", 600.0)
    benchmark = task.benchmark
    assert (benchmark.traffic, benchmark.concurrency, benchmark.max_requests) == (("D(100,100)",), (1, 4), 50)
    assert (benchmark.max_time_s, benchmark.request) == (600.0, {"temperature": 0.0})
    assert [(each.key, each.severity) for each in reading.problems] == [
        ("model.id_or_path", "warning"),
        ("benchmark.max_time_per_iteration", "warning"),
    ]
    assert reading.problems[1].message == (
        "is taken as 10 minutes, as the program of that format does; its report calls them seconds"
    )
    assert (reading.problems[1].line, reading.problems[1].column) == (26, 31)


def test_as_yaml_too(tmp_path: Path) -> None:
    reading = reading_of(tmp_path, json.dumps(_task(), indent="\t"), name="old.json")
    assert said(reading) == []
    text = "task_name: old\nbase_runtime: vllm\ndeployment_mode: local\nmodel: {id_or_path: a/b}\n" + (
        "benchmark: {traffic_scenarios: ['D(1,1)'], num_concurrency: 2, max_requests_per_iteration: 3}\n"
    )
    task = reading_of(tmp_path, text).task
    assert task and (task.engine, task.backend, task.benchmark.concurrency) == ("vllm", "process", (2,))


@pytest.mark.parametrize(
    ("changes", "key", "severity", "words"),
    [
        ({"optimization": {"strategy": "bayesian"}}, "optimization.strategy", "error", "not carried out yet"),
        ({"optimization": {"max_iterations": 1}}, "optimization.max_iterations", "warning", "1 of 2 configurations"),
        ({"slo": {"ttft": {}}}, "slo", "error", "not carried out yet"),
        ({"gpu_type": "x"}, "gpu_type", "warning", "unknown key, not used"),
        ({"deployment_mode": "ome"}, "deployment_mode", "error", "ome is read, but not carried out yet"),
        ({"base_runtime": "tgi"}, "base_runtime", "error", "expected sglang or vllm"),
        ({"parameters": {"tp-size": []}}, "parameters.tp-size", "error", "the list is empty"),
        (
            {
                "optimization": {"objective": "minimize_tpot"},
                "benchmark": {"traffic_scenarios": ["D(9,1)"], "num_concurrency": 1, "max_requests_per_iteration": 9},
            },
            "optimization.objective",
            "error",
            "D(9,1) gives outputs of one token",
        ),
    ],
)
def test_what_it_says(tmp_path: Path, changes: dict[str, Any], key: str, severity: str, words: str) -> None:
    reading = reading_of(tmp_path, json.dumps(_task(**changes), indent=2), name="old.json")
    (problem,) = reading.problems
    assert (problem.key, problem.severity) == (key, severity)
    assert words in problem.message
    assert problem.line > 1
    assert (reading.task is None) == (severity == "error")


def test_an_slo_without_a_value_is_none(tmp_path: Path) -> None:
    reading = reading_of(tmp_path, json.dumps(_task(slo=None)), name="old.json")
    assert reading.problems == []
    assert reading.task


def test_its_time_is_minutes(tmp_path: Path) -> None:
    benchmark = {"traffic_scenarios": ["D(1,1)"], "num_concurrency": [1], "max_time_per_iteration": 2}
    reading = reading_of(tmp_path, json.dumps(_task(benchmark=benchmark)), name="old.json")
    assert reading.task and reading.task.benchmark.max_time_s == 120.0
    assert [problem.severity for problem in reading.problems] == ["warning"]


def test_a_task_of_ours_that_misses_its_engine_is_not_taken_for_one(tmp_path: Path) -> None:
    reading = reading_of(tmp_path, "engine: sglang\noptimization: {}\n")
    assert "1:1" not in said(reading)[0] and any("optimization: unknown key" in each for each in said(reading))
