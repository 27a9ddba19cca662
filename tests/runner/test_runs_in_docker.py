"""Whole runs in containers of a real Docker Engine. The image holds the simulated engine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runner.simulated_task import simulated_task
from tests.tuner import containers, in_launch, only_run, start, state, tuner, until
from tuner_tui.runs.lock import holder
from tuner_tui.task.samples import sample

pytestmark = pytest.mark.docker


@pytest.fixture(autouse=True)
def docker_is_as_before() -> Iterator[None]:
    before = containers()
    yield
    assert containers() <= before


def test_the_sample_of_the_seed_runs_grid(runs_dir: Path) -> None:
    done = tuner("run", sample("simulated-docker"), "--json")
    results = json.loads(done.stdout)
    assert [each["configuration"] for each in results["experiments"]] == [
        {"tp-size": 1, "mem-fraction-static": 0.7},
        {"tp-size": 1, "mem-fraction-static": 0.8},
    ]
    tokens = [each["launches"][0]["memory"]["kv_cache_tokens"] for each in results["experiments"]]
    assert tokens == pytest.approx([2_094_537, 2_405_039], rel=0.01)
    for experiment in results["experiments"]:
        [launch] = experiment["launches"]
        assert [(level["concurrency"], level["requests"]) for level in launch["levels"]] == [(1, 50), (4, 50)]
        assert all(level["wrong_length"] == 0 for level in launch["levels"])
    assert results["simulated"] is True
    assert results["task"]["image_id"].startswith("sha256:")
    launch_json = json.loads((only_run(runs_dir).launch(1) / "launch.json").read_text())
    assert launch_json["image"]["id"] == results["task"]["image_id"]
    log = (only_run(runs_dir).launch(1) / "container.log").read_text()
    assert "SIMULATED" in log.splitlines()[0]


def test_a_container_that_exits_at_once_and_one_whose_program_is_not_there(tmp_path: Path, runs_dir: Path) -> None:
    at_once = simulated_task(
        tmp_path, {}, backend="docker", name="once", docker={"command": ["/bin/sh", "-c", "echo no luck; exit 3"]}
    )
    done = tuner("run", at_once, "--json", check=1)
    [experiment] = json.loads(done.stdout)["experiments"]
    assert experiment["failure"]["class"] == "container_exited"
    assert "code 3" in experiment["failure"]["reason"]
    assert experiment["failure"]["line"] == "no luck"
    absent = simulated_task(tmp_path, {}, backend="docker", name="absent", docker={"command": ["no-such-program"]})
    done = tuner("run", absent, "--json", check=1)
    [experiment] = json.loads(done.stdout)["experiments"]
    assert experiment["failure"]["class"] == "command_not_found"
    assert "no-such-program" in experiment["failure"]["reason"]


def test_a_gpu_where_docker_has_no_nvidia_runtime(
    tmp_path: Path, runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """nvidia-smi answers (a stand-in here), but Docker was never told of the GPU."""
    tools = tmp_path / "bin"
    tools.mkdir()
    smi = tools / "nvidia-smi"
    smi.write_text("#!/bin/sh\necho '0, NVIDIA H100, 81559, GPU-0'\n")
    smi.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    task = simulated_task(tmp_path, {}, backend="docker", gpus=[0])
    done = tuner("run", task, "--json", check=1)
    [experiment] = json.loads(done.stdout)["experiments"]
    assert experiment["failure"]["class"] == "no_nvidia_runtime"
    assert "nvidia-ctk" in experiment["failure"]["reason"]


def test_a_secret_reaches_the_container_and_nothing_that_is_written(
    tmp_path: Path, runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_very_secret")
    look = "import os; print('a token of', len(os.environ['HF_TOKEN'])); raise SystemExit(7)"
    task = simulated_task(tmp_path, {}, backend="docker", docker={"command": ["python3", "-c", look]})
    done = tuner("run", task, "--json", check=1)
    [experiment] = json.loads(done.stdout)["experiments"]
    assert experiment["failure"]["line"] == "a token of 14"
    folder = only_run(runs_dir)
    written = [path for path in folder.path.rglob("*") if path.is_file()]
    assert len(written) >= 5
    assert all(b"hf_very_secret" not in path.read_bytes() for path in written)


def test_killed_at_once_the_guard_removes_the_container_and_resume_finishes(tmp_path: Path, runs_dir: Path) -> None:
    before = containers()
    task = simulated_task(tmp_path, {"mem-fraction-static": [0.7, 0.8]}, backend="docker", max_requests=100)
    with start("run", task) as following:
        folder = in_launch(runs_dir)
        live = holder(folder.lock)
        assert live is not None
        assert len(containers() - before) == 1
        os.kill(live.pid, signal.SIGKILL)
        assert following.wait(20) == 1
    until(lambda: containers() == before, within_s=15)
    results = json.loads(tuner("resume", folder.path, "--json").stdout)
    assert [experiment["status"] for experiment in results["experiments"]] == ["succeeded", "succeeded"]


def test_clean_removes_what_is_dead_and_leaves_what_is_live(tmp_path: Path, runs_dir: Path) -> None:
    task = simulated_task(tmp_path, {}, backend="docker", max_requests=500)
    with start("run", task) as following:
        folder = in_launch(runs_dir)
        live = state(folder).launch
        assert live is not None
        labels = ["--label", "tuner-tui.runner=dead", "--label", f"tuner-tui.run={folder.path}"]
        made = ["docker", "create", *labels, "tuner-tui-simulated:latest", "true"]
        stray = subprocess.run(made, capture_output=True, text=True, check=True).stdout.strip()
        done = tuner("clean")
        assert stray[:12] in done.stdout
        assert stray not in containers()
        assert live.server in containers()
        assert "belong to live runs and stay" in done.stderr
        following.send_signal(signal.SIGINT)
        assert following.wait(20) == 130


def test_a_server_that_is_killed_under_load_is_named_and_removed(tmp_path: Path, runs_dir: Path) -> None:
    task = simulated_task(tmp_path, {}, backend="docker", max_requests=2000)
    with start("run", task, "--json") as following:
        folder = in_launch(runs_dir)
        until(lambda: (launch := state(folder).launch) is not None and launch.phase == "measuring")
        launch = state(folder).launch
        assert launch is not None
        assert launch.server is not None
        subprocess.run(["docker", "kill", launch.server], capture_output=True, check=True)
        output, _ = following.communicate(timeout=30)
    [experiment] = json.loads(output)["experiments"]
    assert experiment["failure"]["class"] == "container_exited"
    assert "137 under load" in experiment["failure"]["reason"]


def test_a_container_out_of_host_memory(tmp_path: Path, runs_dir: Path) -> None:
    eat = "import sys; print('eating', flush=True); x = bytearray(10**9); print('survived')"
    task = simulated_task(tmp_path, {}, backend="docker", docker={"command": ["python3", "-c", eat], "memory": "64m"})
    [experiment] = json.loads(tuner("run", task, "--json", check=1).stdout)["experiments"]
    assert experiment["failure"]["class"] == "host_out_of_memory"
    assert "docker.memory" in experiment["failure"]["reason"]
