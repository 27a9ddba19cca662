"""The run is not the screen's: whatever becomes of that, the run goes on, and `attach` shows it whole."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from tests.runner.simulated_task import simulated_task
from tests.story.conftest import Open
from tests.tuner import in_launch, only_run, state, until
from tuner_tui.runs.folder import RunFolder
from tuner_tui.runs.lock import holder


def launches_of(folder: RunFolder) -> int:
    return sum(len(experiment.launches) for experiment in state(folder).experiments)


def next_launch(folder: RunFolder) -> None:
    """Waits for a launch that has not begun yet; on a quick machine the last one may be over already."""
    known = launches_of(folder)
    until(lambda: launches_of(folder) > known or state(folder).launches_done == state(folder).launches_planned)


def test_the_run_goes_on_when_its_screen_is_left_killed_or_loses_its_terminal(
    home: Path, runs_dir: Path, open_terminal: Open
) -> None:
    task = simulated_task(
        home,
        {"mem-fraction-static": [0.6, 0.65, 0.7, 0.75, 0.8, 0.85]},
        concurrency=(1,),
        max_requests=25,
    )
    terminal = open_terminal(task)
    terminal.wait_for("6 configurations = 6 launches")
    terminal.keys("C-r")
    folder = in_launch(runs_dir)
    terminal.wait_for("of 6", "level 1/1")
    os.kill(terminal.pid, signal.SIGKILL)
    terminal.wait_for("left with 137")
    terminal.end()
    next_launch(folder)

    again = open_terminal("attach")
    again.wait_for("of 6", "following")
    screen = again.pid
    again.end()
    until(lambda: not Path(f"/proc/{screen}").exists())
    next_launch(folder)

    again = open_terminal("attach", folder.name[:19])
    again.wait_for("of 6", "following")
    again.keys("C-q")
    again.wait_for(f"{folder.name} goes on", "left with 0")
    next_launch(folder)

    until(lambda: holder(folder.lock) is None)
    assert only_run(runs_dir) == folder
    snapshot = state(folder)
    assert snapshot.finished is not None
    assert snapshot.finished.reason == "finished"
    again = open_terminal("attach", width=160, height=45)
    shown = again.wait_for("finished")
    for fraction in ("0.6 ", "0.65", "0.7 ", "0.75", "0.8 ", "0.85"):
        assert any(fraction in line and "✓" in line for line in shown.splitlines()), shown


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_gives_the_terminal_back(open_terminal: Open, number: signal.Signals) -> None:
    terminal = open_terminal()
    terminal.wait_for("no run yet")
    assert terminal.is_taken()
    os.kill(terminal.pid, number)
    terminal.wait_for("left with 0")
    assert not terminal.is_taken()


def test_a_terminal_that_can_show_nothing_is_refused(open_terminal: Open) -> None:
    shown = open_terminal(TERM="dumb", width=120).wait_for("left with 2")
    assert "this terminal (TERM=dumb) cannot show a screen; without one: tuner-tui run TASK" in " ".join(shown.split())


def test_without_colour_everything_is_there(open_terminal: Open) -> None:
    terminal = open_terminal(NO_COLOR="1")
    terminal.wait_for("[Home]", "Runs", "simulated-docker")
    painted = re.findall(r"[34]8;2;(\d+);(\d+);(\d+)", terminal.screen(colours=True))
    assert painted
    assert [each for each in painted if len(set(each)) > 1] == []
    terminal.keys("C-q")
    terminal.wait_for("left with 0")
