"""A configuration that is kept up, started as the screen does it, with load sent when a person asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.runner.simulated_task import simulated_task
from tests.tuner import in_launch, state, until
from tuner_tui.backends.leftovers import find_leftovers
from tuner_tui.cli.load import load as read_task
from tuner_tui.runs.commands import AnyCommand, Load, Measure, Skip, Stop, append_command
from tuner_tui.runs.events import Experiment
from tuner_tui.runs.folder import RunFolder
from tuner_tui.runs.lock import holder
from tuner_tui.runs.samples import SampleReader
from tuner_tui.runs.start import create_run, start_runner


@pytest.fixture
def kept_up(tmp_path: Path, runs_dir: Path) -> Iterator[RunFolder]:
    """A try run on the simulated engine, its runner detached; stopped in the end whatever happened."""
    task = read_task(simulated_task(tmp_path, {"mem-fraction-static": [0.7]}), None)
    configuration = {"simulate-start-s": 0.2, "mem-fraction-static": 0.7}
    experiment = Experiment(id=1, configuration=configuration)  # type: ignore[arg-type]
    folder = create_run(task, [experiment], [], (), runs_dir, kind="try", simulated=True)
    start_runner(folder)
    yield folder
    append_command(folder.commands, Stop())
    until(lambda: holder(folder.lock) is None)
    assert [each for each in find_leftovers(docker=False) if each.run == str(folder.path)] == []


def ask(folder: RunFolder, command: AnyCommand) -> tuple[bool, str]:
    """The runner's answer."""
    append_command(folder.commands, command)
    taken = until(lambda: next((each for each in state(folder).commands if each.id == command.id), None))
    return taken.accepted, taken.why


def the_launch(folder: RunFolder) -> Any:
    launch = state(folder).launch
    assert launch is not None
    return launch


def test_load_is_sent_when_it_is_asked_for(kept_up: RunFolder, runs_dir: Path) -> None:
    assert ask(kept_up, Load(scenario="D(20,10)"))[0] is False  # nobody is up yet, or not ready
    folder = in_launch(runs_dir)
    until(lambda: the_launch(folder).phase == "serving")
    assert state(folder).levels == ()
    assert ask(folder, Load(scenario="D(30,20)", concurrency=4, requests=400)) == (True, "")
    busy = ask(folder, Load(scenario="D(20,10)"))
    assert busy == (False, "load is being sent already; it is over when its level is finished")
    until(lambda: the_launch(folder).phase == "measuring")
    assert state(folder).levels[the_launch(folder).level].name == "D(30,20) × 4"
    until(lambda: the_launch(folder).results)
    until(lambda: ask(folder, Load(scenario="D(20,10)", concurrency=1, requests=5))[0])
    until(lambda: len(the_launch(folder).results) == 2)
    first, second = the_launch(folder).results
    assert (first.name, first.requests, first.succeeded, first.cached_tokens) == ("D(30,20) × 4", 400, 400, 0)
    assert (second.name, second.requests, second.wrong_length) == ("D(20,10) × 1", 5, 0)
    assert [level.name for level in state(folder).levels] == ["D(30,20) × 4", "D(20,10) × 1"]
    launch = the_launch(folder)
    assert (launch.phase, launch.level) == ("serving", None)
    samples = SampleReader(folder.launch(1) / "samples.jsonl").read()
    measured = [s.phase for s in samples if s.phase and s.phase.name == "measuring" and s.phase.done is not None]
    assert all(phase.of == 400 for phase in measured if phase.level == 0)


def test_what_cannot_be_sent_is_refused_with_a_sentence(kept_up: RunFolder, runs_dir: Path) -> None:
    folder = in_launch(runs_dir)
    until(lambda: the_launch(folder).phase == "serving")
    accepted, why = ask(folder, Load(scenario="D(1OO,10)"))
    assert not accepted
    assert "D(1OO,10)" in why
    assert ask(folder, Load(scenario="D(20,10)", concurrency=0)) == (False, "concurrency 0: expected 1 to 4096")
    assert ask(folder, Load(scenario="D(20,10)", requests=0))[1].startswith("requests 0: expected 1")
    assert ask(folder, Measure(experiment=1))[0] is False


def test_load_that_fails_leaves_the_server_up(kept_up: RunFolder, runs_dir: Path) -> None:
    folder = in_launch(runs_dir)
    assert ask(folder, Load(scenario="D(200000,10)", requests=2))[0]  # longer than the model's context
    until(lambda: state(folder).levels)
    until(lambda: the_launch(folder).phase == "serving")
    assert the_launch(folder).results == ()
    until(lambda: ask(folder, Load(scenario="D(20,10)", requests=2))[0])
    until(lambda: the_launch(folder).results)


def test_stop_ends_it_also_under_load(kept_up: RunFolder, runs_dir: Path) -> None:
    folder = in_launch(runs_dir)
    assert ask(folder, Load(scenario="D(20,100)", requests=100_000))[0]
    until(lambda: the_launch(folder).phase == "measuring")
    assert ask(folder, Stop())[0]
    until(lambda: state(folder).finished is not None)
    finished = state(folder).finished
    assert finished is not None
    assert finished.reason == "stopped"


def test_skip_ends_it_too(kept_up: RunFolder, runs_dir: Path) -> None:
    folder = in_launch(runs_dir)
    assert ask(folder, Skip(launch=1))[0]
    until(lambda: state(folder).finished is not None)
