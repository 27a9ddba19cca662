"""Bad input: one clear sentence at its place, exit code 2, and nothing half done."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.runner.simulated_task import simulated_task
from tests.shared_data import shared
from tests.tuner import containers, tuner
from tuner_tui.runs.folder import list_runs

GOOD = """\
engine: sglang
model: {model}
parameters:
  tp-size: 1
  mem-fraction-static: [0.7, 0.8]
benchmark:
  traffic: ["D(100,100)"]
  concurrency: [1, 4]
  max_requests: 50
"""

BAD = {
    "unknown key": ("benchmark:", "benchmrk:", r"task.yaml:6:1: benchmrk: .*benchmark"),
    "unknown flag": ("tp-size: 1", "tp-sise: 1", r"task.yaml:4:3: parameters.tp-sise: .*tp-size"),
    "the other engine's flag": ("tp-size: 1", "max-num-seqs: 8", r"task.yaml:4:3: .*vLLM.*max-running-requests"),
    "wrong type": ("tp-size: 1", "tp-size: many", r"task.yaml:4:3: parameters.tp-size: .*integer.*many"),
    "not a fraction": ("[0.7, 0.8]", "[0.7, 1.2]", r"task.yaml:5:30: .*1\.2.*fraction"),
    "empty list": ("[0.7, 0.8]", "[]", r"task.yaml:5:24: parameters.mem-fraction-static: "),
    "broken YAML": ("[0.7, 0.8]", "[0.7, 0.8", r"task.yaml:\d+:\d+: "),
    "a python tag": ("tp-size: 1", "tp-size: !!python/object/apply:os.system [ls]", r"task.yaml:4:12: .*!!python"),
    "no traffic": ('["D(100,100)"]', "[]", r"task.yaml:7:12: benchmark.traffic: "),
    "a scenario of no kind": ("D(100,100)", "D100", r"task.yaml:7:13: .*D\(in,out\)"),
    "zero requests": ("max_requests: 50", "max_requests: 0", r"task.yaml:9:17: benchmark.max_requests: "),
}


@pytest.mark.parametrize("case", BAD)
def test_it_is_named_at_its_place(case: str, tmp_path: Path, runs_dir: Path) -> None:
    (tmp_path / "model").mkdir()
    good = GOOD.format(model=tmp_path / "model")
    before, after, expected = BAD[case]
    assert before in good
    path = tmp_path / "task.yaml"
    path.write_text(good.replace(before, after))
    for command in ("plan", "run"):
        done = tuner(command, path, check=2)
        assert re.search(expected, done.stderr), done.stderr
        assert "Traceback" not in done.stderr
    assert list_runs(runs_dir) == []


def test_all_problems_come_in_one_go_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "task.yaml"
    path.write_text(
        GOOD.format(model=tmp_path)
        .replace("tp-size: 1", "tp-sise: 1")
        .replace("max_requests: 50", "max_requests: many")
    )
    done = tuner("plan", path, check=2)
    places = [line.split(": ")[0] for line in done.stderr.splitlines() if line.startswith(str(path))]
    assert [place.rsplit(":", 2)[1] for place in places] == ["4", "9"]


def test_an_impossible_constraint(tmp_path: Path, runs_dir: Path) -> None:
    task = simulated_task(tmp_path, {"mem-fraction-static": [0.7, 0.8]}, constraints=["mem_fraction_static > 0.9"])
    for command in ("plan", "run"):
        done = tuner(command, task, check=2)
        assert "no configuration is left of 2" in done.stderr
        assert "mem_fraction_static > 0.9" in done.stderr


def test_a_model_folder_that_is_not_there(tmp_path: Path, runs_dir: Path) -> None:
    path = tmp_path / "task.yaml"
    path.write_text(GOOD.format(model=tmp_path / "no-such-model"))
    done = tuner("run", path, check=2)
    assert f"{path}:2:8: model: " in done.stderr
    assert "no-such-model" in done.stderr


def test_a_gpu_that_is_not_there(tmp_path: Path, runs_dir: Path) -> None:
    task = simulated_task(tmp_path, {}, gpus=[97])
    done = tuner("run", task, check=2)
    assert "gpus: " in done.stderr
    assert "97" in done.stderr


def test_docker_is_not_running(tmp_path: Path, runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    task = simulated_task(tmp_path, {}, backend="docker")
    done = tuner("run", task, check=2)
    assert "backend: " in done.stderr
    assert "Docker Engine" in done.stderr
    assert "Traceback" not in done.stderr
    assert list_runs(runs_dir) == []
    assert "docker run" in tuner("plan", task).stdout, "a plan needs no Docker"


@pytest.mark.docker
def test_an_image_that_cannot_be_had(tmp_path: Path, runs_dir: Path) -> None:
    before = containers()
    task = simulated_task(tmp_path, {}, backend="docker", image="127.0.0.1:9/nobody/nothing:1")
    done = tuner("run", task, "--json", check=1)
    results = json.loads(done.stdout)
    assert results["verdict"]["kind"] == "none"
    assert "127.0.0.1:9/nobody/nothing:1" in results["failure"]["reason"]
    assert results["finished"] == "failed"
    assert containers() == before


def test_the_predecessors_file_plans_with_a_warning_and_does_not_run(tmp_path: Path, runs_dir: Path) -> None:
    task = shared("data/seed-run/docker_task.json")
    planned = tuner("plan", task, "--models-dir", tmp_path)
    assert "2 configurations" in planned.stdout
    assert "--mem-fraction-static 0.7" in planned.stdout
    assert "warning: model" in planned.stderr
    assert "minutes" in planned.stderr
    refused = tuner("run", task, "--models-dir", tmp_path, check=2)
    assert "llama-3-2-1b-instruct" in refused.stderr
    (tmp_path / "llama-3-2-1b-instruct").mkdir()
    assert "warning: model" not in tuner("plan", task, "--models-dir", tmp_path).stderr


def test_a_folder_of_runs_below_the_home_of_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "~nosuchuser is no user of this machine" in tuner("runs", "--runs-dir=~nosuchuser/runs", check=2).stderr
    monkeypatch.setenv("HOME", str(tmp_path))
    assert f"no run yet under {tmp_path / 'runs'}" in "".join(tuner("runs", "--runs-dir=~/runs").stderr.splitlines())


def test_an_unknown_run(runs_dir: Path) -> None:
    for command in ("stop", "resume"):
        assert "there is no run yet" in tuner(command, "latest", check=2).stderr


def test_a_url_that_bench_cannot_take() -> None:
    for url in ("127.0.0.1:8000", "http://me:s3cret@127.0.0.1:9", "http://127.0.0.1:9?x=1"):
        done = tuner("bench", url, check=2)
        assert len(done.stderr.splitlines()) == 1
        assert "s3cret" not in done.stderr


def test_help_is_instant_and_has_an_example() -> None:
    for command in ("plan", "run", "demo", "try", "runs", "stop", "resume", "clean", "bench"):
        assert "Example:" in tuner(command, "--help").stdout
