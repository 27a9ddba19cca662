"""Limits, a baseline and a budget in whole runs on the simulated engine; what lies in the folder afterwards."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.runner.simulated_task import simulated_task
from tests.tuner import only_run, tuner
from tuner_tui.runs.events import LaunchStarted, LoadTried
from tuner_tui.runs.journal import JournalReader


def order(runs_dir: Path) -> list[int]:
    """The experiments in the order in which they were launched."""
    events = JournalReader(only_run(runs_dir).journal).read()
    return [event.experiment for event in events if isinstance(event, LaunchStarted)]


def test_the_engine_as_it_is_comes_first_and_who_breaks_a_limit_cannot_win(tmp_path: Path, runs_dir: Path) -> None:
    task = simulated_task(
        tmp_path,
        {"max-running-requests": [1, 8]},
        concurrency=(8,),
        max_requests=24,
        limits={"ttft.mean": "0.06"},
        objective="maximize_throughput",
        search={"launches": 2, "baseline": True},
    )
    results = json.loads(tuner("run", task, "--json").stdout)
    launched = order(runs_dir)
    assert (launched[0], launched[3]) == (0, 0)
    assert sorted(launched) == [0, 0, 1, 1, 2, 2]
    baseline, one_at_once, _ = results["experiments"]
    assert (baseline["id"], baseline["baseline"]) == (0, True)
    assert baseline["configuration"] == {"simulate-start-s": 0.2}
    # Eight at a time wait for each other where one is served at once.
    [check] = one_at_once["limits"]
    assert (check["limit"], check["standing"]) == ("ttft.mean", "breaks")
    verdict = results["verdict"]
    assert verdict["breaks"] == [1]
    assert verdict["ranking"][-1] == 1
    assert verdict["leader"] in (0, 2)
    assert {each["experiment"] for each in verdict["against_baseline"]} == {1, 2}
    folder = only_run(runs_dir)
    assert "breaks: ttft.mean" in folder.report.read_text()
    assert len(folder.results_csv.read_text().splitlines()) == 7
    printed = tuner("export", folder.path, "--format", "command", "-o", tmp_path / "launch.sh").stdout
    assert printed.strip() == str(tmp_path / "launch.sh")
    assert "tuner_tui.engines.simulated" in (tmp_path / "launch.sh").read_text()


def test_goodput_counts_what_keeps_the_limits(tmp_path: Path, runs_dir: Path) -> None:
    task = simulated_task(
        tmp_path,
        {"max-running-requests": [1, 8]},
        concurrency=(8,),
        max_requests=24,
        limits={"ttft.p99": "0.06"},
        objective="maximize_goodput",
    )
    results = json.loads(tuner("run", task, "--json").stdout)
    metrics = [each["launches"][0]["levels"][0]["metrics"] for each in results["experiments"]]
    assert metrics[0]["good_requests"] < metrics[1]["good_requests"] <= 24
    assert results["experiments"][1]["score"] == -metrics[1]["good_requests_per_s"]
    assert results["verdict"]["leader"] == 2
    assert "requests/s per GPU" in results["verdict"]["sentence"]


def test_where_no_request_is_good_nobody_leads_and_nothing_is_offered(tmp_path: Path, runs_dir: Path) -> None:
    task = simulated_task(
        tmp_path, {"max-running-requests": [1, 8]}, max_requests=8, limits={"ttft.mean": "0.001ms"},
        objective="maximize_goodput",
    )  # fmt: skip
    done = tuner("run", task, check=1)
    assert "none: No request kept the limits, whatever the configuration" in " ".join(done.stdout.split())
    assert "tuner-tui confirm" not in done.stdout
    assert "nothing to confirm: No request kept the limits" in tuner("confirm", "latest", check=2).stderr
    assert "no configuration leads" in tuner("export", "latest", "--format", "compose", check=2).stderr
    assert "**none**: No request kept the limits" in only_run(runs_dir).report.read_text()
    assert "none" in tuner("runs").stdout


def test_a_budget_ends_a_run_in_time_and_holds_for_a_resume_but_not_for_what_is_added(
    tmp_path: Path, runs_dir: Path
) -> None:
    task = simulated_task(
        tmp_path, {"max-running-requests": [4, 8]}, search={"launches": 3, "budget": "2s"}, max_requests=8
    )
    results = json.loads(tuner("run", task, "--json").stdout)
    done = len(order(runs_dir))
    assert 1 <= done < 6
    assert results["verdict"]["sentence"].endswith(f"Budget of 2 s spent after {done} of 6 launches.")
    assert not results["verdict"]["provisional"]
    assert results["finished"] == "finished"
    run = only_run(runs_dir).path
    assert "nothing is left to do" in tuner("resume", run).stderr
    assert len(order(runs_dir)) == done


def test_the_most_that_keeps_the_limits_is_looked_for_and_is_the_score(tmp_path: Path, runs_dir: Path) -> None:
    """Who serves eight at once keeps a limit at loads at which two at once let the others wait."""
    task = simulated_task(
        tmp_path,
        {"max-running-requests": [2, 8]},
        limits={"ttft.mean": "60ms"},
        benchmark={"traffic": ["D(20,40)"], "concurrency": "max", "max_requests": 20},
    )
    done = tuner("run", task, "--json")
    results = json.loads(done.stdout)
    assert (results["task"]["objective"], results["task"]["seek"]) == ("maximize_goodput", "concurrency")
    two, eight = (each["launches"][0] for each in results["experiments"])
    assert two["levels"][0]["sought"]["highest"] < eight["levels"][0]["sought"]["highest"]
    for launch in (two, eight):
        [level] = launch["levels"]
        sought = level["sought"]
        assert sought["lowest_broken"] == sought["highest"] + 1
        assert "ttft.mean" in sought["broken"][0]
        assert level["concurrency"] == sought["highest"]
        assert level["metrics"]["ttft_s"]["mean"] <= 0.06
        assert launch["score"] == -level["metrics"]["requests_per_s"]
        loads = {each["load"]: each["broken"] for each in launch["tried"]}
        assert list(loads)[:2] == ["D(20,40) × 1", "D(20,40) × 2"]
        assert loads[f"D(20,40) × {sought['highest']:g}"] == []
        assert not any(flag["disqualifies"] for flag in launch["validity"])
    assert results["verdict"]["leader"] == 2
    events = JournalReader(only_run(runs_dir).journal).read()
    tried = [event for event in events if isinstance(event, LoadTried)]
    assert len(tried) == len(two["tried"]) + len(eight["tried"])
    assert "D(20,40) × 1: 20 req" in done.stderr
    assert "keeps the limits" in done.stderr
    assert f"D(20,40) × max = D(20,40) × {eight['levels'][0]['concurrency']}" in done.stderr
    report = only_run(runs_dir).report.read_text()
    assert f"D(20,40) × max = × {eight['levels'][0]['concurrency']}" in report


def test_a_second_launch_begins_to_look_where_the_first_one_found(tmp_path: Path, runs_dir: Path) -> None:
    task = simulated_task(
        tmp_path,
        {"max-running-requests": [8]},
        limits={"ttft.mean": "60ms"},
        search={"launches": 2},
        benchmark={"traffic": ["D(20,40)"], "concurrency": "max", "max_requests": 20},
    )
    [experiment] = json.loads(tuner("run", task, "--json").stdout)["experiments"]
    first, second = experiment["launches"]
    assert [each["load"] for each in first["tried"]][:3] == ["D(20,40) × 1", "D(20,40) × 2", "D(20,40) × 4"]
    highest = first["levels"][0]["sought"]["highest"]
    assert second["tried"][0]["load"] == f"D(20,40) × {highest:g}"
    assert len(second["tried"]) < len(first["tried"])
    # The first load is warmed up by four rounds, as it is the first that this server has; the others by two.
    log = (only_run(runs_dir).launch(2) / "container.log").read_text()
    loads = [int(each["load"].rpartition(" ")[2]) for each in second["tried"]]
    warmed = 4 * loads[0] + 2 * sum(loads[1:])
    measured = sum(each["requests"] for each in second["tried"])
    assert sum(map(int, re.findall(r"#new-seq: (\d+)", log))) == 1 + warmed + measured  # 1: the engine's own


def test_limits_that_nothing_keeps_end_a_launch_with_the_reason(tmp_path: Path, runs_dir: Path) -> None:
    task = simulated_task(
        tmp_path,
        {"max-running-requests": [2]},
        limits={"ttft.p50": "1ms"},
        benchmark={"traffic": ["D(20,10)"], "request_rate": "max", "max_requests": 5, "max_time": "1s"},
    )
    results = json.loads(tuner("run", task, "--json", check=1).stdout)
    failure = results["experiments"][0]["failure"]
    assert failure["class"] == "limits_broken"
    assert failure["reason"].startswith("not even D(20,10) × 1 keeps the limits: ttft.p50 ")
