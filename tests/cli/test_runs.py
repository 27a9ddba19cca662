"""`tuner-tui runs`."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from tests.ui.runs_on_disk import finished_run
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
