"""A run as its readers see it: live, over, broken, played back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.ui.runs_on_disk import RecordedRun, finished_run, task_file, task_of
from tuner_tui.runs import lock
from tuner_tui.runs.folder import GOODBYE, RunFolder
from tuner_tui.runs.overview import age, overview
from tuner_tui.runs.view import ReplayReader, RunReader


def _begun(tmp_path: Path) -> RecordedRun:
    return RecordedRun(tmp_path / "runs", task_of(task_file(tmp_path)))


def test_a_run_without_a_runner_and_without_a_goodbye_has_died(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = _begun(tmp_path)
    run.begin(1)
    run.folder.runner_log.write_text("guard: watching\nMemoryError\n")
    reader = RunReader(run.folder)
    view = reader.read()
    assert view is not None
    assert view.condition == "died"
    assert reader.last_words() == "MemoryError"
    # It was killed without a word: what stands there is the goodbye of the runner before it.
    run.folder.runner_log.write_text(f"12:00 INFO {GOODBYE} finished\nguard: runner r died without a goodbye\n")
    assert reader.last_words() == ""
    nearly_full = type(shutil.disk_usage("/"))(1 << 30, 1 << 30, 0)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: nearly_full)
    assert reader.last_words() == "nothing, no space is left on the disk of its folder"


def test_only_changes_are_told(tmp_path: Path) -> None:
    run = _begun(tmp_path)
    reader = RunReader(run.folder)
    assert reader.read() is not None
    assert reader.read() is None
    run.begin(2)
    view = reader.read()
    assert view is not None
    assert view.snapshot is not None
    assert view.snapshot.launch is not None
    assert view.snapshot.launch.experiment == 2


def test_a_finished_run_is_called_by_its_verdict(tmp_path: Path) -> None:
    view = RunReader(finished_run(tmp_path / "runs", tmp_path)).read()
    assert view is not None
    assert view.condition == "winner"


def test_a_folder_deleted_while_open_is_a_sentence_and_what_was_read_stays(tmp_path: Path) -> None:
    run = _begun(tmp_path)
    reader = RunReader(run.folder)
    reader.read()
    shutil.rmtree(run.folder.path)
    view = reader.read()
    assert view is not None
    assert view.trouble == f"the run's folder is gone: {run.folder.path}"
    assert view.snapshot is not None


def test_what_cannot_be_read_now_is_a_sentence_and_read_later(tmp_path: Path) -> None:
    run = _begun(tmp_path)
    reader = RunReader(run.folder)
    reader.read()
    run.begin(1)
    kept = run.folder.journal.rename(tmp_path / "kept")
    run.folder.journal.mkdir()
    view = reader.read()
    assert view is not None
    assert view.trouble == f"{run.folder.journal} cannot be read: Is a directory"
    run.folder.journal.rmdir()
    kept.rename(run.folder.journal)
    view = reader.read()
    assert view is not None
    assert not view.trouble
    assert view.snapshot is not None
    assert view.snapshot.launch is not None


def test_an_empty_journal_is_waited_for(tmp_path: Path) -> None:
    run = _begun(tmp_path)
    whole = run.folder.journal.read_bytes()
    run.folder.journal.write_bytes(b"")
    reader = RunReader(run.folder)
    view = reader.read()
    assert view is not None
    assert view.condition == "unreadable"
    assert "nothing is written in this run's journal yet" in view.trouble
    run.folder.journal.write_bytes(whole)
    view = reader.read()
    assert view is not None
    assert view.trouble == ""
    assert view.snapshot is not None


def test_a_journal_of_a_newer_version_is_a_sentence(tmp_path: Path) -> None:
    run = _begun(tmp_path)
    text = run.folder.journal.read_text()
    assert '"format":1' in text
    run.folder.journal.write_text(text.replace('"format":1', '"format":99').replace('"version":"0"', '"version":"9.9"'))
    view = RunReader(run.folder).read()
    assert view is not None
    assert view.condition == "unreadable"
    assert "written by a newer tuner-tui (9.9)" in view.trouble
    assert overview(run.folder).trouble == view.trouble


def test_a_runner_that_holds_the_lock_makes_it_running(tmp_path: Path) -> None:
    import subprocess
    import sys

    run = _begun(tmp_path)
    code = (
        "import sys, pathlib\n"
        "from tuner_tui.runs.lock import take\n"
        "take(pathlib.Path(sys.argv[1]), 'r')\n"
        "print(1, flush=True)\n"
        "input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(run.folder.lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert lock.holder(run.folder.lock) is not None
        view = RunReader(run.folder).read()
        child.kill()
    assert view is not None
    assert view.condition == "running"


def test_a_replay_shows_what_was_and_ends_as_the_run_did(tmp_path: Path) -> None:
    folder = finished_run(tmp_path / "runs", tmp_path)
    replay = ReplayReader(folder, speed=10)
    first = replay.read()
    assert first is not None
    assert first.replay
    assert first.snapshot is not None
    assert first.snapshot.launches_done == 0
    replay.tick(3.1)  # 31 s of the run: the first server is ready
    view = replay.read()
    assert view is not None
    assert view.snapshot is not None
    assert view.snapshot.launch is not None
    assert view.snapshot.launch.start_s == 30.0
    for _ in range(1000):
        replay.tick(1)
        view = replay.read() or view
    assert replay.over
    assert view.condition == "winner"


def test_a_replay_of_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_bytes(b"")
    with pytest.raises(ValueError, match="nothing is written"):
        ReplayReader(RunFolder(tmp_path))


def test_ages_are_told_in_their_largest_unit() -> None:
    from datetime import UTC, datetime, timedelta

    now = datetime(2026, 11, 25, tzinfo=UTC)
    ages = [age(now - timedelta(seconds=s), now) for s in (-5, 59, 60, 7199, 86400 * 3)]
    assert ages == ["0s", "59s", "1m", "1h", "3d"]
