"""The whole story in real containers: a sample opened, changed, started, watched, compared, exported, left."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.story.conftest import Open
from tests.tuner import only_run, state
from tuner_tui.backends.backend import LABEL_RUN
from tuner_tui.runs.folder import RunFolder
from tuner_tui.task.samples import sample

SIZES = pytest.mark.parametrize(("width", "height"), [(80, 24), (160, 45)])


def containers_of(folder: RunFolder) -> list[str]:
    listed = ["docker", "ps", "-aq", "--filter", f"label={LABEL_RUN}={folder.path}"]
    return subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.docker
@SIZES
def test_from_a_sample_to_the_leader_by_keys_alone(
    home: Path, runs_dir: Path, open_terminal: Open, width: int, height: int
) -> None:
    untouched = sample("simulated-docker").read_bytes()
    terminal = open_terminal(width=width, height=height)
    terminal.wait_for("no run yet", "simulated-docker", "vllm-throughput")
    terminal.keys("Down", "Down", "Enter")
    terminal.wait_for("simulated-docker.yaml", "2 configurations = 2 launches", "✓ valid")

    terminal.keys("Down", "Enter")
    terminal.wait_for("0.7, 0.8 tries both")
    terminal.type(", 0.85")
    terminal.keys("Enter")
    terminal.wait_for("3 configurations = 3 launches")
    # A dozen requests a level instead of fifty: the story is the same.
    terminal.keys("Tab")
    terminal.press_until("Down", "a level ends after so many requests")
    terminal.keys("Enter")
    terminal.wait_for("requests   (without: no bound)")
    terminal.keys("BSpace", "BSpace")
    terminal.type("12")
    terminal.keys("Enter")
    terminal.wait_for("requests      12")

    terminal.keys("C-s")
    terminal.wait_for("samples stay as they are; your own goes to")
    terminal.keys("Enter")
    terminal.wait_for("saved: ")
    [mine] = home.glob("*.yaml")
    assert "mem-fraction-static: [0.7, 0.8, 0.85]" in mine.read_text()
    assert "max_requests: 12" in mine.read_text()
    terminal.keys("C-r")
    terminal.wait_for("launch 1 of 3", "SIMULATED", "following")
    shown = terminal.wait_for("level 1/2", "Decode batch")
    # Not later: between two launches there is none.
    assert len(containers_of(only_run(runs_dir))) == 1
    figures = [line for line in shown.splitlines() if "level 1/2" in line]
    moved = terminal.wait_for_change(shown)
    assert "Decode batch" in moved
    terminal.wait_for("level 2/2")
    assert figures != [line for line in terminal.screen().splitlines() if "level 2/2" in line]

    shown = terminal.wait_for("finished", "✓ valid", within_s=60)
    snapshot = state(only_run(runs_dir))
    assert snapshot.finished is not None
    assert [each.configuration["mem-fraction-static"] for each in snapshot.experiments] == [0.7, 0.8, 0.85]
    launches = [each.counted[0] for each in snapshot.experiments]
    assert [(launch.failure, len(launch.results)) for launch in launches] == [(None, 2)] * 3
    # With a dozen requests a level, a machine that stands still for 10 ms makes a launch invalid, rightly.
    disqualified = {flag.name for launch in launches for flag in launch.validity if flag.disqualifies}
    assert disqualified <= {"client_lag"}
    verdict = snapshot.verdict
    word = f"{verdict.kind.upper()}  {verdict.sentence[:30]}"
    assert word in shown
    terminal.keys("F5")
    terminal.wait_for(word, "0.85")
    terminal.keys("x")
    terminal.wait_for("Export to", "report.md")
    terminal.keys("Enter")
    terminal.wait_for("written: ")
    report = only_run(runs_dir).path / "report.md"
    assert verdict.sentence in report.read_text()

    terminal.keys("C-q")
    terminal.wait_for("left with 0")
    assert not terminal.is_taken()
    assert containers_of(only_run(runs_dir)) == []
    assert sample("simulated-docker").read_bytes() == untouched
