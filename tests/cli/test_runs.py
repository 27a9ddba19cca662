"""`tuner-tui runs`."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from tests.ui.runs_on_disk import TASK, RecordedRun, finished_run, task_file, task_of
from tuner_tui.cli.main import main


def test_in_a_pipe_every_name_is_whole_whatever_the_others_say(tmp_path: Path) -> None:
    runs_dir = tmp_path / "runs"
    run = finished_run(runs_dir, tmp_path)
    unreadable = runs_dir / "2026-11-24T00-00-00-a-name-as-long-as-names-of-models-are-these-days"
    unreadable.mkdir()
    (unreadable / "journal.jsonl").touch()
    ran = CliRunner().invoke(main, ["runs", "--runs-dir", str(runs_dir)])
    assert ran.exit_code == 0
    [bad, good] = [line for line in ran.stdout.splitlines() if "2026-11-2" in line]
    assert bad.split()[:2] == ["unreadable", unreadable.name]
    assert good.split()[:4] == ["winner", run.name, "4/4", "★"]


def test_a_runs_folder_may_be_named_before_the_command_too(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "runs", tmp_path)
    before, behind = ["--runs-dir", str(tmp_path / "runs")], ["--runs-dir", str(tmp_path / "none")]
    assert run.name in CliRunner().invoke(main, [*before, "runs"]).stdout
    assert run.name not in CliRunner().invoke(main, [*before, "runs", *behind]).stdout


def test_a_run_that_tells_nothing_is_a_sentence(tmp_path: Path) -> None:
    empty = tmp_path / "runs" / "2026-11-24T00-00-00-empty"
    empty.mkdir(parents=True)
    (empty / "journal.jsonl").touch()
    for command in ("confirm", "export", "resume"):
        ran = CliRunner().invoke(main, [command, empty.name, "--runs-dir", str(tmp_path / "runs")])
        assert ran.exit_code == 2
        assert ran.stderr == f"tuner-tui: {empty / 'journal.jsonl'}: its events make no run (the journal is empty)\n"


def test_more_launches_than_anybody_waits_for_are_refused(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "runs", tmp_path)
    asked = ["confirm", run.name, "--launches", "51", "--runs-dir", str(tmp_path / "runs")]
    ran = CliRunner().invoke(main, asked)
    assert ran.exit_code == 2
    assert "'--launches': 51 is not in the range 1<=x<=50" in ran.stderr


def test_a_run_whose_files_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    text = TASK.replace("engine: sglang", "engine: sglang\nbackend: process").replace("launches: 2", "launches: 1")
    recorded = RecordedRun(tmp_path / "runs", task_of(task_file(tmp_path, text)))
    recorded.launch(1, 0.19)
    recorded.launch(2, 0.1901)
    run = recorded.finish()
    run.runner_log.mkdir()
    ran = CliRunner().invoke(main, ["confirm", run.name, "--runs-dir", str(tmp_path / "runs")])
    assert ran.exit_code == 2
    assert ran.stderr.splitlines()[-1] == f"tuner-tui: Is a directory: {run.runner_log}"


def test_results_are_named_where_they_were_written(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "runs", tmp_path)
    asked = ["resume", run.name, "--runs-dir", str(tmp_path / "runs")]
    without = CliRunner().invoke(main, asked).stderr
    assert "nothing is left to do" in without
    assert "results:" not in without
    run.results.touch()
    assert f"results: {run.results}" in CliRunner().invoke(main, asked).stderr
