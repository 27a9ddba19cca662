"""Whole runs on the simulated engine, as processes of this machine: the runner, its guard, its journal."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.runner.simulated_task import simulated_task
from tests.tuner import in_launch, only_run, start, state, tuner, until
from tuner_tui.backends.leftovers import Leftover, find_leftovers
from tuner_tui.cli.launcher import CommandLauncher
from tuner_tui.runs.commands import AddConfigurations, Continue, Measure, Pause, Skip, Stop, append_command
from tuner_tui.runs.events import LaunchesAdded, LaunchFailing, LaunchStarted, LevelFinished
from tuner_tui.runs.journal import JournalReader
from tuner_tui.runs.lock import holder
from tuner_tui.runs.start import RunnerNotStarted, start_runner
from tuner_tui.task.model import Configuration


def left_by(runs_dir: Path) -> list[Leftover]:
    """Processes of this test's runs that are still there."""
    return [each for each in find_leftovers(docker=False) if each.run.startswith(str(runs_dir))]


@pytest.fixture(autouse=True)
def nothing_is_left(runs_dir: Path) -> Iterator[None]:
    yield
    assert left_by(runs_dir) == []


def test_a_grid_is_measured_and_the_result_is_all_that_standard_output_has(tmp_path: Path, runs_dir: Path) -> None:
    task = simulated_task(
        tmp_path, {"mem-fraction-static": [0.7, 0.8], "max-running-requests": [1, 8]}, max_requests=16
    )
    done = tuner("run", task, "--json")
    results = json.loads(done.stdout)
    assert results["simulated"] is True
    assert "SIMULATED" in done.stderr
    configurations = [experiment["configuration"] for experiment in results["experiments"]]
    assert configurations == [
        {"simulate-start-s": 0.2, "mem-fraction-static": memory, "max-running-requests": running}
        for memory in (0.7, 0.8)
        for running in (1, 8)
    ]
    by_id = {experiment["id"]: experiment for experiment in results["experiments"]}
    assert all(experiment["status"] == "succeeded" for experiment in by_id.values())
    leader = results["verdict"]["leader"]
    assert by_id[leader]["score"] == min(experiment["score"] for experiment in by_id.values())
    assert by_id[leader]["configuration"]["max-running-requests"] == 8
    for experiment in by_id.values():
        [launch] = experiment["launches"]
        [level] = launch["levels"]
        assert (level["requests"], level["succeeded"], level["wrong_length"]) == (16, 16, 0)
        assert launch["memory"]["kv_cache_tokens"] > 2_000_000
        assert launch["total_s"] > launch["start_s"] + launch["load_s"]
        records = (only_run(runs_dir).launch(launch["number"]) / "requests.jsonl").read_text().splitlines()
        assert len(records) == 16
        e2e = [json.loads(record)["end_s"] - json.loads(record)["sent_s"] for record in records]
        assert level["metrics"]["e2e_s"]["mean"] == pytest.approx(sum(e2e) / 16)
    more = by_id[1]["launches"][0]["memory"]["kv_cache_tokens"], by_id[3]["launches"][0]["memory"]["kv_cache_tokens"]
    assert more[0] < more[1]


def test_a_bad_configuration_among_good_ones_fails_alone(tmp_path: Path, runs_dir: Path) -> None:
    task = simulated_task(tmp_path, {"mem-fraction-static": [0.7, 0.9], "simulate-oom-above": 0.85})
    results = json.loads(tuner("run", task, "--json").stdout)
    good, bad = results["experiments"]
    assert (good["status"], bad["status"]) == ("succeeded", "failed")
    assert bad["failure"]["class"] == "cuda_out_of_memory"
    assert "out of memory" in bad["failure"]["line"]
    assert bad["score"] is None
    assert results["verdict"]["leader"] == good["id"]


def test_a_flag_the_engine_does_not_know_is_named_as_the_cause(tmp_path: Path, runs_dir: Path) -> None:
    task = simulated_task(tmp_path, {}, unchecked={"no-such-flag": 1})
    done = tuner("run", task, "--json", check=1)
    [experiment] = json.loads(done.stdout)["experiments"]
    assert experiment["failure"]["class"] == "unknown_flag"
    assert "--no-such-flag" in experiment["failure"]["line"]
    verdict = json.loads(done.stdout)["verdict"]
    assert (verdict["kind"], verdict["leader"], verdict["tied_with"]) == ("none", None, [])
    assert verdict["sentence"] == "The only configuration gave no valid measurement."
    assert not verdict["provisional"]


def test_a_server_that_dies_under_load_is_the_cause_not_its_requests(tmp_path: Path, runs_dir: Path) -> None:
    task = simulated_task(tmp_path, {"simulate-crash-after": 6}, max_requests=40)
    [experiment] = json.loads(tuner("run", task, "--json", check=1).stdout)["experiments"]
    assert "SimulatedCrash: told to die after 6 requests" in experiment["failure"]["line"]
    assert experiment["launches"][0]["start_s"] is not None


def test_a_server_that_never_gets_ready_is_given_up_in_time(tmp_path: Path, runs_dir: Path) -> None:
    task = simulated_task(tmp_path, {"simulate-hang": True}, start_timeout="1s")
    [experiment] = json.loads(tuner("run", task, "--json", check=1).stdout)["experiments"]
    assert experiment["failure"]["class"] == "start_timeout"
    assert experiment["launches"][0]["total_s"] < 4


def test_some_answers_of_500_make_a_launch_invalid_and_the_run_goes_on(tmp_path: Path, runs_dir: Path) -> None:
    task = simulated_task(tmp_path, {"simulate-error-rate": [0.4, 0.0]}, max_requests=40, concurrency=(4,))
    invalid, good = json.loads(tuner("run", task, "--json").stdout)["experiments"]
    assert (invalid["status"], good["status"]) == ("invalid", "succeeded")
    [flag] = [flag for flag in invalid["launches"][0]["validity"] if flag["disqualifies"]]
    assert flag["name"] == "failed_requests"
    assert "500" in flag["seen"]


def test_failure_is_declared_within_a_second_of_the_exit(tmp_path: Path, runs_dir: Path) -> None:
    task = simulated_task(tmp_path, {"mem-fraction-static": 0.9, "simulate-oom-above": 0.85})
    tuner("run", task, check=1)
    folder = only_run(runs_dir)
    events = JournalReader(folder.journal).read()
    [failing] = [event for event in events if isinstance(event, LaunchFailing)]
    log = (folder.launch(1) / "container.log").stat()
    assert failing.at.timestamp() - log.st_mtime < 1.0
    assert failing.failure.tail


def test_killed_at_once_the_guard_cleans_and_resume_finishes(tmp_path: Path, runs_dir: Path) -> None:
    task = simulated_task(tmp_path, {"mem-fraction-static": [0.6, 0.7, 0.8]}, max_requests=60, concurrency=(1,))
    with start("run", task) as following:
        folder = in_launch(runs_dir)
        until(lambda: state(folder).launches_done >= 1)
        until(lambda: (launch := state(folder).launch) is not None and launch.phase == "measuring")
        live = holder(folder.lock)
        assert live is not None
        os.kill(live.pid, signal.SIGKILL)
        assert following.wait(20) == 1
        assert following.stderr is not None
        assert "the runner died" in following.stderr.read()
    until(lambda: not left_by(runs_dir), within_s=10)
    append_command(folder.commands, Stop(id="old"))
    before = state(folder)
    finished = {launch.number for each in before.experiments for launch in each.counted}
    results = json.loads(tuner("resume", "latest", "--json").stdout)
    assert [experiment["status"] for experiment in results["experiments"]] == ["succeeded"] * 3
    after = state(folder)
    launches = [launch for each in after.experiments for launch in each.launches]
    assert [launch.status for launch in launches].count("interrupted") == 1
    assert {launch.number for launch in launches if launch.status == "succeeded"} >= finished
    assert len(launches) == 4
    [stale] = after.commands
    assert (stale.id, stale.accepted) == ("old", False)
    assert "stale" in stale.why
    assert tuner("resume", "latest").stderr.count("nothing is left to do") == 1


def test_ctrl_c_stops_in_order_and_resume_goes_on(tmp_path: Path, runs_dir: Path) -> None:
    task = simulated_task(tmp_path, {"mem-fraction-static": [0.7, 0.8]}, max_requests=200, concurrency=(1,))
    with start("run", task) as following:
        folder = in_launch(runs_dir)
        following.send_signal(signal.SIGINT)
        assert following.wait(20) == 130
    stopped = state(folder)
    assert stopped.finished is not None
    assert stopped.finished.reason == "stopped"
    assert [taken.command for taken in stopped.commands] == ["stop"]
    assert tuner("runs").stdout.count("stopped") == 1


def test_ctrl_c_stops_where_the_wish_cannot_be_written_down(tmp_path: Path, runs_dir: Path) -> None:
    task = simulated_task(tmp_path, {"mem-fraction-static": [0.7, 0.8]}, max_requests=200, concurrency=(1,))
    with start("run", task) as following:
        folder = in_launch(runs_dir)
        folder.commands.unlink(missing_ok=True)
        folder.commands.mkdir()
        following.send_signal(signal.SIGINT)
        assert following.wait(20) == 130
    stopped = state(folder)
    assert stopped.finished is not None
    assert stopped.finished.reason == "stopped"


def test_a_second_ctrl_c_does_not_wait_for_the_servers_goodbye(tmp_path: Path, runs_dir: Path) -> None:
    # A server that ignores SIGTERM: in order, its end would take the whole grace of ten seconds.
    deaf = "trap '' TERM; echo deaf; while :; do sleep 0.1; done"
    task = simulated_task(tmp_path, {}, process={"command": ["/bin/sh", "-c", deaf]})
    with start("run", task) as following:
        folder = in_launch(runs_dir, LaunchStarted)
        until(lambda: (launch := state(folder).launch) is not None and launch.url)
        following.send_signal(signal.SIGINT)
        until(lambda: state(folder).commands)
        before = time.monotonic()
        following.send_signal(signal.SIGINT)
        assert following.wait(20) == 130
        assert time.monotonic() - before < 5


def test_a_sigterm_ends_with_143(tmp_path: Path, runs_dir: Path) -> None:
    task = simulated_task(tmp_path, {}, max_requests=200, concurrency=(1,))
    with start("run", task) as following:
        in_launch(runs_dir)
        following.terminate()
        assert following.wait(20) == 143


def test_closing_the_terminal_only_detaches(tmp_path: Path, runs_dir: Path) -> None:
    task = simulated_task(tmp_path, {}, max_requests=30, concurrency=(1,))
    with start("run", task) as following:
        folder = in_launch(runs_dir)
        following.send_signal(signal.SIGHUP)
        following.wait(20)
    until(lambda: holder(folder.lock) is None)
    assert state(folder).verdict.leader == 1


def test_stop_from_another_terminal(tmp_path: Path, runs_dir: Path) -> None:
    task = simulated_task(tmp_path, {}, max_requests=500, concurrency=(1,))
    with start("run", task) as following:
        in_launch(runs_dir)
        assert "stopped" in tuner("stop", "latest").stderr
        assert following.wait(20) == 1
    assert "is not running" in tuner("stop", "latest").stderr


def test_pause_skip_and_added_configurations(tmp_path: Path, runs_dir: Path) -> None:
    task = simulated_task(tmp_path, {"mem-fraction-static": [0.7]}, max_requests=500, concurrency=(1,))
    with start("run", task) as following:
        folder = in_launch(runs_dir)
        short: Configuration = {"simulate-start-s": 0.0, "mem-fraction-static": 0.75}
        append_command(folder.commands, Pause(id="p"))
        append_command(folder.commands, AddConfigurations(id="a", configurations=(short,)))
        append_command(folder.commands, Skip(id="s1", launch=7))
        append_command(folder.commands, Skip(id="s2", launch=1))
        until(lambda: state(folder).launches_done == 1)
        paused = state(folder)
        assert paused.paused
        assert paused.launch is None
        append_command(folder.commands, Continue(id="c"))
        until(lambda: (launch := state(folder).launch) is not None and launch.number == 2)
        append_command(folder.commands, Skip(id="s3", launch=2))
        assert following.wait(20) == 1
    answers = {taken.id: (taken.accepted, taken.why) for taken in state(folder).commands}
    assert answers["s1"] == (False, "launch 7 is not under way")
    assert all(answers[each] == (True, "") for each in ("p", "a", "s2", "c", "s3"))
    assert [experiment.configuration for experiment in state(folder).experiments][1] == short
    assert [each.failure.failure_class for each in state(folder).experiments if each.failure] == ["stopped", "stopped"]


def test_try_prints_the_url_and_keeps_it_up_until_ctrl_c(tmp_path: Path, runs_dir: Path) -> None:
    import urllib.request

    task = simulated_task(tmp_path, {"mem-fraction-static": [0.7, 0.8]})
    with start("try", task, "--set", "mem-fraction-static=0.75") as trying:
        assert trying.stdout is not None
        url = trying.stdout.readline().strip()
        with urllib.request.urlopen(f"{url}/get_server_info") as answer:
            info = json.loads(answer.read())
        assert info["mem_fraction_static"] == 0.75
        done = tuner("bench", url, "--traffic", "D(20,10)", "--concurrency", 2, "--max-requests", 6, "--json")
        [level] = json.loads(done.stdout)["levels"]
        assert (level["requests"], level["wrong_length"], level["prompt_tokens"]) == (6, 0, 120)
        trying.send_signal(signal.SIGINT)
        assert trying.wait(20) == 130
    assert "launches it again" in tuner("resume", "latest", check=2).stderr


def test_several_launches_name_a_winner_and_a_failed_configuration_is_not_tried_again(
    tmp_path: Path, runs_dir: Path
) -> None:
    task = simulated_task(
        tmp_path,
        {"max-running-requests": [1, 8], "mem-fraction-static": [0.7, 0.9], "simulate-oom-above": 0.85},
        max_requests=48,
        concurrency=(4,),
        search={"launches": 3, "min_difference": "1%"},
    )
    results = json.loads(tuner("run", task, "--json").stdout)
    by_value = {
        (each["configuration"]["max-running-requests"], each["configuration"]["mem-fraction-static"]): each
        for each in results["experiments"]
    }
    assert [len(by_value[running, 0.7]["launches"]) for running in (1, 8)] == [3, 3]
    assert [len(by_value[running, 0.9]["launches"]) for running in (1, 8)] == [1, 1]
    verdict = results["verdict"]
    assert (verdict["kind"], verdict["leader"]) == ("winner", by_value[8, 0.7]["id"])
    [difference] = verdict["differences"]
    assert difference["experiment"] == by_value[1, 0.7]["id"]
    assert 0.01 < difference["low"] < difference["relative"] < difference["high"]
    assert not verdict["provisional"]


def test_the_leaders_of_single_launches_are_confirmed(tmp_path: Path, runs_dir: Path) -> None:
    # So many requests that even on a slow machine the intervals within the launches are far narrower than the
    # difference of about 28 %.
    task = simulated_task(tmp_path, {"max-running-requests": [1, 8]}, max_requests=96, concurrency=(4,))
    done = tuner("run", task)
    assert "tuner-tui confirm" in done.stdout
    assert "unconfirmed" in done.stdout
    again = tuner("confirm", "latest", "--launches", 2, "--json")
    assert "SIMULATED (no model runs): 4 launches, about" in again.stderr
    confirmed = json.loads(again.stdout)
    assert [len(each["launches"]) for each in confirmed["experiments"]] == [3, 3]
    assert confirmed["verdict"]["kind"] == "winner"
    assert "nothing to confirm" in tuner("confirm", "latest", check=2).stderr
    assert "nothing is left to do" in tuner("resume", "latest").stderr


def test_configurations_join_a_run_that_is_finished(tmp_path: Path, runs_dir: Path) -> None:
    tuner("run", simulated_task(tmp_path, {"max-running-requests": [1, 4]}, max_requests=16))
    folder = only_run(runs_dir)
    fresh: Configuration = {"simulate-start-s": 0.2, "max-running-requests": 8}
    CommandLauncher(runs_dir).add(folder, (fresh,))
    until(lambda: holder(folder.lock) is None)
    after = state(folder)
    assert after.finished is not None
    assert [(each.id, len(each.counted)) for each in after.experiments] == [(1, 1), (2, 1), (3, 1)]
    assert dict(after.experiments[2].configuration) == fresh


def test_one_more_launch_can_be_asked_of_a_live_run(tmp_path: Path, runs_dir: Path) -> None:
    task = simulated_task(tmp_path, {"mem-fraction-static": [0.7, 0.8]})
    with start("run", task, "--json") as following:
        folder = in_launch(runs_dir, LaunchStarted)
        append_command(folder.commands, Measure(id="m", experiment=2))
        append_command(folder.commands, Measure(id="x", experiment=9))
        output, _ = following.communicate(timeout=30)
    assert [len(each["launches"]) for each in json.loads(output)["experiments"]] == [1, 2]
    answers = {taken.id: taken.why for taken in state(folder).commands}
    assert answers == {"m": "", "x": "there is no experiment 9"}


def test_one_configuration_of_a_run_is_tried_as_the_run_had_it(
    tmp_path: Path, runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is relative in its text is of the folder that the text came from, not of the run's or of this one."""
    (tmp_path / "work").mkdir()
    task = simulated_task(tmp_path, {"mem-fraction-static": [0.7, 0.8]}, process={"cwd": "./work"})
    ran = task.read_text()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    tuner("run", task)
    folder = only_run(runs_dir)
    task.write_text("engine: none\n")
    tried = CommandLauncher(runs_dir).try_again(folder, state(folder).experiments[1].configuration)
    append_command(tried.commands, Stop(id="s"))
    until(lambda: holder(tried.lock) is None)
    after = state(tried)
    assert after.task.process.cwd == str(tmp_path / "work")
    assert after.task.file == str(task)
    assert tried.task.read_text() == ran
    assert [each.configuration["mem-fraction-static"] for each in after.experiments] == [0.8]


def test_a_text_that_is_in_no_file_is_started_as_if_it_were_in_the_one_it_was_made_of(
    tmp_path: Path, runs_dir: Path
) -> None:
    (tmp_path / "work").mkdir()
    task = simulated_task(tmp_path, {"mem-fraction-static": 0.7}, process={"cwd": "./work"})
    written = task.read_text()
    changed = written.replace("0.7", "0.8")
    folder = CommandLauncher(runs_dir).start(task, changed)
    until(lambda: holder(folder.lock) is None)
    after = state(folder)
    assert after.experiments[0].configuration["mem-fraction-static"] == 0.8
    assert after.task.process.cwd == str(tmp_path / "work")
    assert (folder.task.read_text(), task.read_text()) == (changed, written)


def test_a_command_beside_the_task_is_found_wherever_the_user_stands(
    tmp_path: Path, runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks, elsewhere = tmp_path / "tasks", tmp_path / "elsewhere"
    for folder in (tasks, elsewhere):
        folder.mkdir()
    serve = tasks / "serve.sh"
    serve.write_text(f'#!/bin/sh\nexec {sys.executable} -m tuner_tui.engines.simulated "$@"\n')
    serve.chmod(0o755)
    task = simulated_task(tasks, {}, process={"command": ["./serve.sh"]})
    monkeypatch.chdir(elsewhere)
    [experiment] = json.loads(tuner("run", task, "--json").stdout)["experiments"]
    assert experiment["status"] == "succeeded"


def test_who_skips_a_launch_that_is_over_already_is_told_so(tmp_path: Path, runs_dir: Path) -> None:
    serve = tmp_path / "serve.sh"
    engine = f'{sys.executable} -m tuner_tui.engines.simulated "$@"'
    serve.write_text(f'#!/bin/sh\ntrap "sleep 3; exit" TERM\n{engine} &\nwait\n')
    serve.chmod(0o755)
    task = simulated_task(tmp_path, {}, max_requests=8, concurrency=(1,), process={"command": ["./serve.sh"]})
    with start("run", task) as following:
        folder = in_launch(runs_dir, LevelFinished)
        append_command(folder.commands, Skip(launch=1))
        assert following.wait(30) == 0
    [answer] = state(folder).commands
    assert (answer.accepted, answer.why) == (False, "launch 1 is over, its server is being removed")


def test_of_two_who_add_launches_at_once_one_is_told_that_nothing_was_added(tmp_path: Path, runs_dir: Path) -> None:
    task = simulated_task(tmp_path, {"mem-fraction-static": [0.7, 0.8]}, max_requests=8, concurrency=(1,))
    tuner("run", task)
    folder = only_run(runs_dir)

    def add(experiment: int) -> str:
        try:
            start_runner(folder, LaunchesAdded(experiments=(experiment,)))
        except RunnerNotStarted as error:
            return str(error)
        return "started"

    with ThreadPoolExecutor() as terminals:
        answers = sorted(terminals.map(add, (1, 2)))
    assert answers == [
        f"another runner took {folder.name} up at the same moment; nothing was added: ask once more",
        "started",
    ]
    until(lambda: holder(folder.lock) is None)
    assert sorted(each.wanted for each in state(folder).experiments) == [1, 2]
