"""Runs on the simulated engine with genai-bench in the generator's place: the orders, the ends, what is kept.

The program is a stand-in here; the real one runs in the acceptance tests.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml

from tests.load.fake_genai_bench import fake_genai_bench
from tests.tuner import in_launch, only_run, start, state, tuner, until
from tuner_tui.runs.commands import Skip, append_command


def task_with_genai_bench(folder: Path, **benchmark: object) -> Path:
    model = folder / "model"
    model.mkdir()
    document = {
        "name": "gb",
        "engine": "simulated",
        "model": str(model),
        "backend": "process",
        "parameters": {"simulate-start-s": 0.2},
        "benchmark": {
            "tool": "genai-bench", "traffic": ["D(20,10)"], "concurrency": [2], "max_requests": 6, **benchmark
        },
    }  # fmt: skip
    path = folder / "gb.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def put_on_path(monkeypatch: pytest.MonkeyPatch, folder: Path, mode: str = "") -> None:
    fake_genai_bench(folder, mode)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def without_genai_bench(monkeypatch: pytest.MonkeyPatch) -> None:
    places = [place for place in os.environ["PATH"].split(os.pathsep) if not (Path(place) / "genai-bench").exists()]
    monkeypatch.setenv("PATH", os.pathsep.join(places))


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_launch_is_measured_and_says_by_what(tmp_path: Path, runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_on_path(monkeypatch, tmp_path / "bin")
    done = tuner("run", task_with_genai_bench(tmp_path), "--json")
    results = json.loads(done.stdout)
    assert results["task"]["tool"] == "genai-bench"
    [launch] = results["experiments"][0]["launches"]
    [level] = launch["levels"]
    assert level["tool"] == "genai-bench 0.0.5"
    assert (level["requests"], level["wrong_length"]) == (6, 0)
    assert level["metrics"]["e2e_s"]["mean"] == pytest.approx(0.19)
    assert level["metrics"]["tpot_s"]["mean"] == pytest.approx(0.01)
    assert level["metrics"]["output_tokens_per_s"] == pytest.approx(60 / 1.5)
    assert level["metrics"]["steady_output_tokens_per_s"] is None
    assert "other_tool" in [flag["name"] for flag in launch["validity"]]
    assert "measured by genai-bench 0.0.5" in done.stderr
    kept = only_run(runs_dir).launch(1) / "genai-bench"
    seen = json.loads((kept / "seen.json").read_text())
    assert seen["stdin"] == ""
    assert seen["environment"]["ENABLE_UI"] == "false"
    [folder] = [each for each in kept.iterdir() if each.is_dir()]
    assert (folder / "experiment_metadata.json").is_file()
    assert len((only_run(runs_dir).launch(1) / "requests.jsonl").read_text().splitlines()) == 6


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("nothing", "without a result: No request metrics collected, the run was too short"),
        ("refused", "every request of D(20,10) × 2 failed: HTTP 503: Connection error: refused"),
    ],
)
def test_a_failure_of_the_program_is_the_launchs(
    tmp_path: Path, runs_dir: Path, monkeypatch: pytest.MonkeyPatch, mode: str, said: str
) -> None:
    put_on_path(monkeypatch, tmp_path / "bin", mode)
    done = tuner("run", task_with_genai_bench(tmp_path), "--json", check=1)
    [experiment] = json.loads(done.stdout)["experiments"]
    assert experiment["failure"]["class"] == "load_failed"
    assert said in experiment["failure"]["reason"]


def test_skipping_the_launch_ends_the_program_and_its_children_at_once(
    tmp_path: Path, runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_on_path(monkeypatch, tmp_path / "bin", "hang")
    running = start("run", task_with_genai_bench(tmp_path))
    folder = in_launch(runs_dir)
    pids = until(lambda: (folder.launch(1) / "genai-bench" / "pids").exists())
    pids = [int(pid) for pid in (folder.launch(1) / "genai-bench" / "pids").read_text().split()]
    assert all(alive(pid) for pid in pids)
    append_command(folder.commands, Skip(launch=1))
    until(lambda: not any(alive(pid) for pid in pids), 5)
    assert running.wait(30) == 1
    assert state(folder).experiments[0].launches[0].status == "failed"


def test_it_does_not_outlive_a_runner_that_is_killed(
    tmp_path: Path, runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_on_path(monkeypatch, tmp_path / "bin", "hang")
    running = start("run", task_with_genai_bench(tmp_path))
    folder = in_launch(runs_dir)
    until(lambda: (folder.launch(1) / "genai-bench" / "pids").exists())
    pids = [int(pid) for pid in (folder.launch(1) / "genai-bench" / "pids").read_text().split()]
    runner = json.loads(next(line for line in folder.journal.read_text().splitlines() if '"run_started"' in line))
    os.kill(runner["pid"], 9)
    until(lambda: not any(alive(pid) for pid in pids), 5)
    running.wait(30)


@pytest.mark.parametrize("command", ["plan", "run"])
def test_without_the_program_one_sentence_names_setup(
    tmp_path: Path, runs_dir: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    without_genai_bench(monkeypatch)
    done = tuner(command, task_with_genai_bench(tmp_path), check=2)
    assert "tuner-tui setup genai-bench" in done.stderr
    assert done.stdout == ""
    assert not runs_dir.exists()


def test_a_time_that_is_no_whole_minute_is_refused(
    tmp_path: Path, runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_on_path(monkeypatch, tmp_path / "bin")
    done = tuner("plan", task_with_genai_bench(tmp_path, max_time="10s"), check=2)
    assert "benchmark.max_time: genai-bench counts whole minutes" in done.stderr
