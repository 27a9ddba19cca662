"""Run: what a person sees of a run and asks of its runner."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from tests.load.genai_bench_folder import request, write_experiment
from tests.ui.app_under_test import app_under_test, asked, seen, settled
from tests.ui.runs_on_disk import BEGAN, TASK, RecordedRun, finished_run, task_file, task_of
from tuner_tui.engines.facts import Fix
from tuner_tui.runs import imported
from tuner_tui.runs.commands import AddConfigurations, CommandReader, Continue, Load, Measure, Pause, Skip, Stop
from tuner_tui.runs.events import CommandTaken, Failure, LaunchFinished, RunFinished, RunPaused, RunStarted
from tuner_tui.runs.experiment import ExperimentState, Launch
from tuner_tui.runs.folder import RunFolder
from tuner_tui.runs.samples import Phase, Sample
from tuner_tui.runs.stored import read_stored
from tuner_tui.runs.view import ReplayReader, RunReader
from tuner_tui.task.goal import NAMED
from tuner_tui.ui.app import TunerApp
from tuner_tui.ui.run.phase import launch_phase, phase_words
from tuner_tui.ui.run.rows import columns

SIZES = [(80, 24), (160, 45)]


@contextmanager
def runner_at_work(folder: RunFolder) -> Iterator[None]:
    """As far as readers can tell: a lock is not seen by the process that holds it."""
    code = f"from pathlib import Path; from tuner_tui.runs.lock import take; take(Path({str(folder.lock)!r}), 'r')"
    code += "; print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield
        finally:
            process.kill()


def live_run(tmp_path: Path) -> RecordedRun:
    """One launch done, the second experiment's being measured."""
    run = RecordedRun(tmp_path / "runs", task_of(task_file(tmp_path)))
    run.launch(1, 0.19)
    run.ready(run.begin(2), 2_405_039)
    return run


def commands(folder: RunFolder) -> list[object]:
    return list(CommandReader(folder.commands).read())


async def until_asked(pilot: Pilot[None], app: TunerApp, times: int) -> None:
    """Until the launcher was asked so often, and its dialog is closed."""
    while len(asked(app)) < times or len(app.screen_stack) > 1:
        await pilot.pause()


@pytest.mark.parametrize("size", SIZES)
async def test_a_finished_run_shows_its_winner_its_figures_and_the_leaders_launch(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    folder = finished_run(tmp_path / "runs", tmp_path)
    app = app_under_test(tmp_path, reader=RunReader(folder))
    async with app.run_test(size=size, notifications=True) as pilot:
        text = await seen(pilot, "finished, 4 of 4 launches", "★ WINNER", "#2 mem-fraction-static 0.8")
        lines = text.splitlines()
    leader = next(line for line in lines if " ★ 2" in line or " ★  2" in line)
    assert "●●" in leader
    assert "2,405,039" in leader
    other = next(line for line in lines if "2,094,537" in line)
    assert "+10." in other


async def test_a_tasks_long_name_leaves_room_for_how_the_run_stands(tmp_path: Path) -> None:
    folder = finished_run(tmp_path / "runs", tmp_path, TASK.replace("docker-simple-tune", "latency-of-" * 9 + "all"))
    app = app_under_test(tmp_path, reader=RunReader(folder))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        lines = (await seen(pilot, "finished, 4 of 4 launches")).splitlines()
    at = next(at for at, line in enumerate(lines) if "finished, 4 of 4 launches in" in line)
    assert "latency-of-latency-of-lat…  finished" in lines[at]
    assert "★ WINNER" in lines[at + 1]


async def test_a_live_run_is_followed_until_the_cursor_picks_another(tmp_path: Path) -> None:
    run = live_run(tmp_path)
    with runner_at_work(run.folder):
        app = app_under_test(tmp_path, reader=RunReader(run.folder))
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            await seen(pilot, "launch 2 of 4", "#2 mem-fraction-static 0.8  launch 2  live")
            await pilot.press("up")
            await seen(pilot, "#1 mem-fraction-static 0.7  launch 1")
            await pilot.press("0")
            await seen(pilot, "launch 2  live")


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_asked_reaches_the_runner_and_its_answer_the_user(tmp_path: Path, size: tuple[int, int]) -> None:
    run = live_run(tmp_path)
    with runner_at_work(run.folder):
        app = app_under_test(tmp_path, reader=RunReader(run.folder))
        async with app.run_test(size=size, notifications=True) as pilot:
            await seen(pilot, "launch 2 of 4", "live")
            await pilot.press("space", "plus")
            await pilot.press("K", "y")
            await pilot.press("x", "n")
            await pilot.pause()
            there = commands(run.folder)
            assert [type(each) for each in there] == [Pause, Measure, Skip]
            assert isinstance(there[1], Measure)
            assert there[1].experiment == 2
            assert isinstance(there[2], Skip)
            assert there[2].launch == 2
            run.write(CommandTaken(id="1", command="pause", accepted=True))
            run.write(RunPaused())
            run.write(CommandTaken(id="2", command="skip", accepted=False, why="launch 2 is not under way"))
            await seen(pilot, "‖ paused", "skip is refused: launch 2 is not")
            await pilot.press("space")
            await pilot.press("x", "y")
            await pilot.pause()
            assert [type(each) for each in commands(run.folder)[3:]] == [Continue, Stop]
            run.write(CommandTaken(id="4", command="stop", accepted=True))
            await seen(pilot, "stopping: the server is given time to end")


async def test_the_task_of_a_run_is_edited_for_another_one(tmp_path: Path) -> None:
    file = task_file(tmp_path)
    folder = finished_run(tmp_path / "runs", tmp_path)
    app = app_under_test(tmp_path, reader=RunReader(folder))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await seen(pilot, "finished, 4 of 4 launches")
        await pilot.press("E")
        await seen(pilot, "[Task]", file.name, "mem-fraction-static")
        assert app.task_file == file


async def test_a_task_that_changed_since_its_run_is_edited_as_the_run_had_it_where_it_came_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where nothing can be written there: what is relative in it stays what it was."""
    folder = finished_run(tmp_path / "runs", tmp_path / "mine")
    file = task_file(tmp_path / "mine", TASK.replace("name: ", "name: other-"))
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    app = app_under_test(tmp_path, reader=RunReader(folder))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await seen(pilot, "finished, 4 of 4 launches")
        await pilot.press("E")
        await seen(pilot, "[Task]", "in no file of")
    assert app.task_file == file.with_stem(f"{file.stem}-2")
    assert not app.task_file.exists()


async def test_a_try_from_the_task_beside_a_run_that_goes_on_is_asked_about(tmp_path: Path) -> None:
    run = live_run(tmp_path)
    with runner_at_work(run.folder):
        app = app_under_test(tmp_path, reader=RunReader(run.folder))
        app.launcher.answer = run.folder  # type: ignore[attr-defined]
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            await seen(pilot, "launch 2 of 4", "live")
            await pilot.press("E")
            await seen(pilot, "[Task]", "✓ valid")
            for answer in ("n", "y"):
                assert asked(app) == []
                await pilot.press("t")
                await seen(pilot, "is still running", "each disturbs the other's figures. Start?")
                await pilot.press(answer)
            await until_asked(pilot, app, 1)
            assert asked(app)[0][0] == "try_out"


@pytest.mark.parametrize("file", ["task.yaml", "/tasks/task.yaml"])
async def test_an_imported_folder_is_not_tried(tmp_path: Path, file: str) -> None:
    """Its configurations are names of folders, not flags, also where the task was told."""
    write_experiment(tmp_path / "chunk-2048", {("D(20,10)", 2): ([request(0.05, 0.02)] * 30, 5.0)})
    stored = read_stored([tmp_path / "chunk-2048"])
    task = imported.task_of(stored, objective=NAMED["minimize_latency"], engine_name="sglang", model="org/name")
    folder = imported.make_imported_run(stored, replace(task, file=file), tmp_path / "runs")
    app = app_under_test(tmp_path, reader=RunReader(folder))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await seen(pilot, "imported")
        await pilot.press("t")
        await seen(pilot, "E opens a task to fill in")
    assert asked(app) == []


async def test_configurations_are_added_from_the_one_in_view_and_checked_as_one_types(tmp_path: Path) -> None:
    run = live_run(tmp_path)
    with runner_at_work(run.folder):
        app = app_under_test(tmp_path, reader=RunReader(run.folder))
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            await seen(pilot, "launch 2 of 4", "live")
            await pilot.press("a")
            await seen(pilot, "#2 is that already; + launches it once more")
            await seen(pilot, "mem-fraction-static   0.8", "other flags           flag=value flag=value")
            await pilot.press(*", 1.2")
            await seen(pilot, "mem-fraction-static: 1.2 is not a fraction (0–1)")
            await pilot.press("enter")
            assert commands(run.folder) == []
            await pilot.press("backspace", "backspace", "backspace", *"0.85", "tab", *"tpsize=1")
            await seen(pilot, "has no flag `tpsize`", "tp-size")
            await pilot.press(*["backspace"] * 8, *"chunked-prefill-size=4096", "enter")
            while not commands(run.folder):
                await pilot.pause()
            [added] = commands(run.folder)
            assert isinstance(added, AddConfigurations)
            assert [dict(each) for each in added.configurations] == [
                {"tp-size": 1, "mem-fraction-static": 0.8, "chunked-prefill-size": 4096},
                {"tp-size": 1, "mem-fraction-static": 0.85, "chunked-prefill-size": 4096},
            ]


@pytest.mark.parametrize("size", SIZES)
async def test_a_failed_launch_says_why_and_its_fix_is_offered_as_a_configuration(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    run = RecordedRun(tmp_path / "runs", task_of(task_file(tmp_path)))
    failure = Failure(
        failure_class="not_enough_kv_memory",
        reason="the KV cache has no room beside the weights",
        line="RuntimeError: Not enough memory. Please try increasing --mem-fraction-static.",
        fix=Fix(set={"mem-fraction-static": 0.9}),
    )
    launch = run.begin(1)
    run.write(LaunchFinished(at=run.at, launch=launch, status="failed", total_s=12.0, failure=failure))
    run.begin(2)
    with runner_at_work(run.folder):
        app = app_under_test(tmp_path, reader=RunReader(run.folder))
        async with app.run_test(size=size, notifications=True) as pilot:
            await seen(pilot, "✗ not enough kv mem")
            await pilot.press("up", "4")
            await seen(pilot, "no room beside the weights", "fix: mem-fraction-static 0.9", "Please try increasing")
            await pilot.press("a")
            await seen(pilot, "from #1 with its fix", "1 configuration: mem-fraction-static 0.9")
            await pilot.press("enter")
            while not commands(run.folder):
                await pilot.pause()
            [added] = commands(run.folder)
            assert isinstance(added, AddConfigurations)
            assert added.configurations == ({"tp-size": 1, "mem-fraction-static": 0.9},)


async def test_a_finished_run_is_confirmed_tried_copied_and_measured_once_more(tmp_path: Path) -> None:
    folder = finished_run(tmp_path / "runs", tmp_path, TASK.replace("launches: 2", "launches: 1"))
    app = app_under_test(tmp_path, reader=RunReader(folder))
    app.launcher.answer = folder  # type: ignore[attr-defined]
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await seen(pilot, "2 of 2 launches")
        await pilot.press("v")
        await seen(pilot, "3 more launches of each of #2, #1, about 4 min 18 s")
        await pilot.press("backspace", "4")
        await seen(pilot, "4 more launches of each")
        await pilot.press("enter")
        await until_asked(pilot, app, 1)
        await pilot.press("plus")
        await until_asked(pilot, app, 2)
        await pilot.press("t")
        await until_asked(pilot, app, 3)
        assert asked(app) == [
            ("confirm", folder, (2, 1), 4),
            ("confirm", folder, (2,), 1),
            ("try_again", folder, {"tp-size": 1, "mem-fraction-static": 0.8}),
        ]
        await pilot.press("a")
        await seen(pilot, "Add configurations, from #2")
        await pilot.press(*["backspace"] * 3, *"0.9", "enter")
        await until_asked(pilot, app, 4)
        assert asked(app)[3] == ("add", folder, ({"tp-size": 1, "mem-fraction-static": 0.9},))
        await pilot.press("y")
        await seen(pilot, "the command is in")
        assert (folder.launch(2) / "container-command.txt").read_text() == "docker run …\n"
        await pilot.press("comma")
        await seen(pilot, "no launch before this one")


async def test_a_runner_that_died_is_told_with_its_last_words_and_resumed(tmp_path: Path) -> None:
    run = live_run(tmp_path)
    run.folder.runner_log.write_text("OSError: no space left on device\n")
    app = app_under_test(tmp_path, reader=RunReader(run.folder))
    app.launcher.answer = run.folder  # type: ignore[attr-defined]
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await seen(pilot, "✗ the runner died after 1 of 4 launches; it last said: OSError: no space", "given up")
        await pilot.press("r")
        await until_asked(pilot, app, 1)
        assert asked(app) == [("resume", run.folder)]


async def test_what_was_measured_counts_though_the_runner_died_in_a_later_launch(tmp_path: Path) -> None:
    run = live_run(tmp_path)
    run.begin(1)
    app = app_under_test(tmp_path, reader=RunReader(run.folder))
    async with app.run_test(size=(120, 30)) as pilot:
        lines = (await seen(pilot, "✗ the runner died after 1 of 4 launches; r resumes")).splitlines()
        [first] = [line for line in lines if "mem-fraction" not in line.lower() and " 0.7 " in line]
        assert "✓ valid" in first


async def test_a_run_that_is_over_is_followed_again_when_it_goes_on_elsewhere(tmp_path: Path) -> None:
    run = RecordedRun(tmp_path / "runs", task_of(task_file(tmp_path)))
    run.launch(1, 0.19)
    run.write(RunFinished(at=run.at, reason="stopped"))
    app = app_under_test(tmp_path, reader=RunReader(run.folder))
    async with app.run_test(size=(160, 45)) as pilot:
        await seen(pilot, "stopped")
        with runner_at_work(run.folder):
            run.write(RunStarted(at=run.at, runner="r2", pid=2, host="gpu-box-3"))
            launch = run.begin(2)
            await seen(pilot, "launch 2 of 4", "Load weight begin")
            run.ready(launch, 2_405_039)
            with (run.folder.launch(launch) / "container.log").open("a") as log:
                log.write("The server is fired up and ready to roll!\n")
            await seen(pilot, "2,405,039", "fired up and ready")


async def test_what_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    app = app_under_test(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f4")
        await seen(pilot, "No run is open.")
        newer = finished_run(tmp_path / "newer", tmp_path)
        newer.journal.write_text(newer.journal.read_text().replace('"format":1', '"format":99', 1))
        app.open_run(newer)
        await seen(pilot, "✗", "written by a newer tuner-tui")
        empty = RunFolder(tmp_path / "empty")
        empty.path.mkdir()
        empty.journal.touch()
        app.open_run(empty)
        await seen(pilot, "nothing is written in this run's journal yet")
        gone = finished_run(tmp_path / "gone", tmp_path)
        app.open_run(gone)
        await seen(pilot, "4 of 4 launches")
        shutil.rmtree(gone.path)
        await seen(pilot, "✗ not followed any more after 4 of 4 launches", "the run's folder is gone")
        await pilot.press("v", "plus")
        await settled(pilot)
        assert asked(app) == []


async def test_a_replay_pauses_changes_its_speed_and_refuses_commands(tmp_path: Path) -> None:
    folder = finished_run(tmp_path / "runs", tmp_path)
    reader = ReplayReader(folder, 10)
    app = app_under_test(tmp_path, reader=reader)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await seen(pilot, "REPLAY ×10")
        await pilot.press("greater_than_sign")
        await seen(pilot, "REPLAY ×20")
        await pilot.press("less_than_sign", "less_than_sign")
        await seen(pilot, "REPLAY ×5")
        assert reader.speed == 5
        await pilot.press("space")
        await seen(pilot, "REPLAY paused")
        assert reader.paused
        await pilot.press("x")
        await seen(pilot, "this is a replay")
        assert commands(folder) == []


async def test_panels_are_chosen_by_keys_and_remembered(tmp_path: Path) -> None:
    folder = finished_run(tmp_path / "runs", tmp_path)
    app = app_under_test(tmp_path, reader=RunReader(folder))
    async with app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, "[1 Log]", "Load weight begin")
        await pilot.press("right_square_bracket")
        await seen(pilot, "[2 Memory]", "weights 2.41", "KV cache 63.92", "free 25.62")
        await pilot.press("4")
        await seen(pilot, "[4 Load]", "D(100,100) × 1  20 requests")
        assert app.remembered.tabs["run.panel"] == "load"
        await pilot.press("escape", "f")
        await seen(pilot, "Load weight begin")
        assert "★ WINNER" not in await seen(pilot)
        await pilot.press("escape")
        await seen(pilot, "★ WINNER")


async def test_where_all_panels_are_seen_the_next_one_gets_the_keys(tmp_path: Path) -> None:
    app = app_under_test(tmp_path, reader=RunReader(finished_run(tmp_path / "runs", tmp_path)))
    async with app.run_test(size=(160, 45)) as pilot:
        await seen(pilot, "Load weight begin", "weights 2.41", "D(100,100) × 1  20 requests")
        await pilot.press("right_square_bracket")
        await pilot.pause()
        assert app.focused is app.screen.query_one("#run-memory")
        await pilot.press("left_square_bracket")
        await pilot.pause()
        assert app.screen.query_one("#run-log").has_focus_within
        await pilot.press("escape")
        await pilot.pause()
        assert app.focused is app.screen.query_one("#run-table")


async def test_a_server_that_is_kept_up_shows_its_address_and_takes_load(tmp_path: Path) -> None:
    run = RecordedRun(tmp_path / "runs", task_of(task_file(tmp_path)), kind="try")
    run.ready(run.begin(1))
    with runner_at_work(run.folder):
        app = app_under_test(tmp_path, reader=RunReader(run.folder))
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            await seen(pilot, "http://127.0.0.1:30000", "up ", "l sends load at it", "model in requests  meta-llama/")
            await pilot.press("4")
            await seen(pilot, "no load yet: l sends some")
            await pilot.press("l")
            await seen(pilot, "20 requests of D(100,100), 4 at a time")
            await pilot.press("tab", "ctrl+u", *"many")
            await seen(pilot, "concurrency: expected a whole number, found 'many'")
            await pilot.press(*["backspace"] * 4, "8", "enter")
            while not commands(run.folder):
                await pilot.pause()
            [load] = commands(run.folder)
            assert isinstance(load, Load)
            assert (load.scenario, load.concurrency, load.requests) == ("D(100,100)", 8, 20)
            await pilot.press("x")
            await seen(pilot, "Stop this server?")
            await pilot.press("y")
            run.write(CommandTaken(id="2", command="stop", accepted=True))
            text = await seen(pilot, "stopping …")
            assert "l sends load" not in text


async def test_a_server_that_is_starting_takes_no_load_and_when_it_is_gone_it_says_so(tmp_path: Path) -> None:
    run = RecordedRun(tmp_path / "runs", task_of(task_file(tmp_path)), kind="try")
    launch = run.begin(1)
    with runner_at_work(run.folder):
        app = app_under_test(tmp_path, reader=RunReader(run.folder))
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            text = await seen(pilot, "starting … the address comes when it answers")
            assert "l sends load" not in text
            await pilot.press("l")
            await seen(pilot, "the server does not answer yet")
            run.ready(launch)
            await seen(pilot, "l sends load at it")
    failure = Failure(failure_class="stopped", reason="stopped by the user")
    run.write(LaunchFinished(at=run.at, launch=launch, status="interrupted", total_s=40.0, failure=failure))
    run.write(RunFinished(at=run.at, reason="stopped"))
    app = app_under_test(tmp_path, reader=RunReader(run.folder))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        text = await seen(pilot, "the server is gone", "t keeps it up again")
        assert "  stopped\n" in text, "no launches are counted here, and nothing is resumed"
        assert "✗" not in text


async def test_a_key_that_makes_no_sense_just_now_says_why(tmp_path: Path) -> None:
    folder = finished_run(tmp_path / "runs", tmp_path)
    app = app_under_test(tmp_path, reader=RunReader(folder))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await seen(pilot, "4 of 4 launches")
        for key, why in (
            ("K", "no runner works on"),
            ("r", "the run is finished"),
            ("greater_than_sign", "this is no replay"),
            ("L", "load goes to a server"),
            ("v", "nothing to confirm"),
        ):
            await pilot.press(key)
            await seen(pilot, why)
            app.clear_notifications()
        await pilot.press("3")
        await seen(pilot, "none were reported")
    assert asked(app) == []


WORDS = {"max-running-requests": (16, 64), "chunked-prefill-size": (2048, 4096)}


@pytest.mark.parametrize(
    ("width", "over", "lines", "headings"),
    [
        (36, True, 1, ["CONFIGUR"]),
        (77, False, 2, ["MAX-\nRUN…STS", "CHUNK…\nP…SIZE"]),
        (77, True, 2, ["MAX-RUNNING-\nREQUESTS", "CHUNKED-\nPREFILL-SIZE"]),
        (77, True, 1, ["MAX-…REQUESTS", "CHUNKED-…SIZE"]),
        (117, False, 2, ["MAX-RUNNING-\nREQUESTS", "CHUNKED-\nPREFILL-SIZE"]),
        (150, False, 1, ["MAX-RUNNING-REQUESTS", "CHUNKED-PREFILL-SIZE"]),
    ],
)
def test_flags_get_what_room_is_left_and_a_second_line(width: int, over: bool, lines: int, headings: list[str]) -> None:
    experiments = [
        ExperimentState(id=number, configuration=dict(zip(WORDS, values, strict=True)), wanted=2, gpus_needed=0)
        for number, values in enumerate(itertools.product(*WORDS.values()), 1)
    ]
    found = columns(
        experiments,
        list(WORDS),
        width,
        longest_state=len("✓ valid") if over else None,
        longest_score=len("1,730 tok/s"),
        heading_lines=lines,
    )
    assert sum(column.width for column in found) <= width
    assert [each.heading for each in found if each.key.startswith(("flag:", "configuration"))] == headings


def test_flags_that_begin_and_end_alike_are_told_apart() -> None:
    flags = {"mem-fraction-static": 0.8, "cuda-graph-max-bs": 32, "cuda-graph-bs": 64}
    experiments = [ExperimentState(id=1, configuration=dict(flags), wanted=2, gpus_needed=0)]
    found = columns(experiments, list(flags), 57, longest_state=len("✓ valid"), longest_score=len("1,730 tok/s"))
    shown = [each.heading for each in found if each.key.startswith("flag:")]
    assert shown == ["ME…STATIC", "…MAX-BS", "…BS"]


@pytest.mark.parametrize(
    ("width", "done", "shown"),
    [
        (40, 9, "level 2/3 ▕█▍      ▏ 9/50 req"),
        (27, 9, "level 2/3 ▕▉    ▏ 9/50 req"),
        (27, 25, "level 2/3 ▕██▌  ▏ 25/50 req"),
        (20, 25, "level 2/3 25/50 req"),
    ],
)
def test_a_phase_has_its_bar_where_there_is_room_and_it_does_not_move(width: int, done: int, shown: str) -> None:
    phase = Phase(name="measuring", since=BEGAN, done=done, of=50, unit="requests", level=1, levels=3)
    assert phase_words(phase, BEGAN, width) == shown


def test_a_launch_that_has_just_begun_is_not_where_the_one_before_it_was() -> None:
    launch = Launch(number=2, experiment=2, command="", gpus=(), started_at=BEGAN)
    phase = Phase(name="measuring", since=BEGAN, done=12, of=40, unit="requests", level=1, levels=2)
    before, after = (Sample(at=BEGAN + timedelta(seconds=each), phase=phase) for each in (-0.5, 0.5))
    assert launch_phase(launch, before, BEGAN, 30) == "starting"
    assert "level 2/2" in launch_phase(launch, after, BEGAN, 30)
