"""Limits, a baseline, a budget, rates and the highest load in whole runs on real engines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.engines.real_task import real_task
from tests.tuner import containers, only_run, tuner
from tuner_tui.runs.events import LaunchStarted
from tuner_tui.runs.journal import JournalReader

pytestmark = pytest.mark.acceptance
Backend = Literal["docker", "process"]
BACKENDS = [pytest.param("docker", marks=pytest.mark.docker), "process"]


def measured(task: Path) -> dict[str, Any]:
    before = containers()
    done = tuner("run", task, "--json", timeout_s=900)
    assert containers() <= before
    results: dict[str, Any] = json.loads(done.stdout)
    return results


def launched(runs_dir: Path) -> list[int]:
    """The experiments in the order in which they were launched."""
    events = JournalReader(only_run(runs_dir).journal).read()
    return [event.experiment for event in events if isinstance(event, LaunchStarted)]


def assert_trustworthy(launch: dict[str, Any]) -> None:
    assert [flag for flag in launch["validity"] if flag["disqualifies"]] == []
    for level in launch["levels"]:
        assert (level["failed"], level["wrong_length"], level["cached_tokens"]) == (0, 0, 0)


@pytest.mark.vllm
@pytest.mark.parametrize("backend", BACKENDS)
def test_limits_and_a_baseline_on_vllm(backend: Backend, tmp_path: Path, runs_dir: Path) -> None:
    """One at a time lets seven of eight wait; vLLM's own default does not."""
    task = real_task(
        tmp_path,
        "vllm",
        backend,
        {"max-num-seqs": [1, 8]},
        max_requests=24,
        limits={"ttft.mean": "1200ms"},
        search={"baseline": True},
    )
    results = measured(task)
    assert launched(runs_dir)[0] == 0
    baseline, one, eight = results["experiments"]
    assert (baseline["id"], baseline["baseline"]) == (0, True)
    assert "max-num-seqs" not in baseline["configuration"]
    assert {check["standing"] for check in one["limits"]} == {"breaks"}
    assert {check["standing"] for check in (*baseline["limits"], *eight["limits"])} == {"keeps"}
    verdict = results["verdict"]
    assert (verdict["breaks"], verdict["ranking"][-1]) == ([1], 1)
    assert verdict["leader"] in (0, 2)
    assert {each["experiment"] for each in verdict["against_baseline"]} == {1, 2}
    for experiment in results["experiments"]:
        assert_trustworthy(experiment["launches"][0])


@pytest.mark.vllm
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_budget_on_vllm(backend: Backend, tmp_path: Path, runs_dir: Path) -> None:
    task = real_task(
        tmp_path,
        "vllm",
        backend,
        {"max-num-seqs": [4, 8]},
        max_requests=16,
        search={"launches": 5, "budget": "80s"},
    )
    results = measured(task)
    done = len(launched(runs_dir))
    assert 1 <= done < 10
    # The first launch begins whatever it takes; how long the others take is foreseen from it.
    assert done == 1 or results["elapsed_s"] < 100
    assert results["verdict"]["sentence"].endswith(f"Budget of 1 min 20 s spent after {done} of 10 launches.")
    assert (results["finished"], results["verdict"]["provisional"]) == ("finished", False)


@pytest.mark.sglang
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_poisson_rate_by_the_chat_endpoint_on_sglang(backend: Backend, tmp_path: Path, runs_dir: Path) -> None:
    task = real_task(
        tmp_path,
        "sglang",
        backend,
        {"max-running-requests": [1, 8]},
        benchmark={
            "traffic": ["D(80,30)"],
            "request_rate": [3],
            "arrivals": "poisson",
            "endpoint": "chat",
            "max_requests": 30,
        },
        objective="minimize_ttft",
        limits={"ttft.p90": "2s"},
    )
    results = measured(task)
    for experiment in results["experiments"]:
        [launch] = experiment["launches"]
        assert_trustworthy(launch)
        [level] = launch["levels"]
        assert (level["request_rate"], level["arrivals"], level["succeeded"]) == (3, "poisson", 30)
        assert level["prompt_tokens"] == level["asked_prompt_tokens"] == 30 * 80
        assert level["metrics"]["achieved_rate"] == pytest.approx(3, rel=0.4)
    assert results["verdict"]["leader"] == 2


@pytest.mark.vllm
def test_the_highest_concurrency_that_keeps_a_limit_on_vllm(tmp_path: Path, runs_dir: Path) -> None:
    task = real_task(
        tmp_path,
        "vllm",
        "process",
        {"max-num-seqs": [2, 8]},
        benchmark={"traffic": ["D(60,40)"], "concurrency": "max", "max_requests": 16},
        objective="maximize_goodput",
        limits={"ttft.mean": "300ms"},
    )
    results = measured(task)
    two, eight = (each["launches"][0] for each in results["experiments"])
    for launch in (two, eight):
        assert_trustworthy(launch)
    found = [launch["levels"][0]["sought"]["highest"] for launch in (two, eight)]
    assert found[0] < found[1]
    assert results["verdict"]["leader"] == 2
    assert eight["score"] == -eight["levels"][0]["metrics"]["requests_per_s"]
