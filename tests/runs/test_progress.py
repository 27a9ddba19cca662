"""How long a run will still take."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.ui.runs_on_disk import RecordedRun, task_file, task_of
from tuner_tui.runs.events import LaunchFinished
from tuner_tui.runs.progress import mean_launch_s, progress
from tuner_tui.runs.view import read_run


def test_before_a_launch_is_over_it_is_the_plans_guess(tmp_path: Path) -> None:
    run = RecordedRun(tmp_path / "runs", task_of(task_file(tmp_path)))
    run.begin(1)
    made = progress(read_run(run.folder), run.at)
    assert made.guessed
    assert made.left_s > 0
    assert made.share == 0.0
    assert mean_launch_s(read_run(run.folder)) is None


def test_a_launch_that_failed_at_once_makes_the_others_no_shorter(tmp_path: Path) -> None:
    run = RecordedRun(tmp_path / "runs", task_of(task_file(tmp_path)))
    failed = run.begin(1)
    run.write(LaunchFinished(at=run.at, launch=failed, status="failed", total_s=1.0))
    assert mean_launch_s(read_run(run.folder)) == 1.0, "nothing else is known"
    run.launch(2, 0.17)
    begun = run.at
    run.begin(2)
    made = progress(read_run(run.folder), begun + timedelta(seconds=10))
    assert not made.guessed
    assert (made.done, made.planned) == (2, 3), "after a failed launch no other follows"
    assert made.left_s == 43.0 - 10
    assert made.share == (2 + 10 / 43) / 3
    assert not made.late
    made = progress(read_run(run.folder), begun + timedelta(seconds=60))
    assert made.late, "it takes longer than the one before it"
    assert 0 < made.left_s < 43


def test_a_first_launch_that_took_longer_counts_until_there_is_another(tmp_path: Path) -> None:
    run = RecordedRun(tmp_path / "runs", task_of(task_file(tmp_path)))

    def measured(experiment: int, total_s: float) -> None:
        number = run.begin(experiment)
        run.write(LaunchFinished(at=run.at, launch=number, status="succeeded", total_s=total_s))

    measured(1, 90.0)
    measured(2, 70.0)
    assert mean_launch_s(read_run(run.folder)) == 80.0
    measured(1, 40.0)
    assert mean_launch_s(read_run(run.folder)) == 55.0, "of the second nothing newer is known"
    failed = run.begin(2)
    run.write(LaunchFinished(at=run.at, launch=failed, status="failed", total_s=1.0))
    assert mean_launch_s(read_run(run.folder)) == 55.0
