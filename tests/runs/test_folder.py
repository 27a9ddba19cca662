"""Which run a person means."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.runs.test_state import TASK
from tuner_tui.runs.events import RunCreated
from tuner_tui.runs.folder import RunFolder, RunNotFound, find_run, list_runs, make_run_folder
from tuner_tui.runs.journal import new_run


def make(runs_dir: Path, name: str, second: int) -> RunFolder:
    folder = make_run_folder(runs_dir, name, datetime(2026, 11, 23, 12, 0, second, tzinfo=UTC))
    folder.journal.write_text("")
    return folder


def test_names_are_safe_and_unique(tmp_path: Path) -> None:
    first = make(tmp_path, "my task/ü", 1)
    second = make(tmp_path, "my task/ü", 1)
    assert first.name.endswith("-my-task")
    assert second.name == f"{first.name}-2"


def test_a_run_is_found_by_path_name_prefix_and_latest(tmp_path: Path) -> None:
    older, newer = make(tmp_path, "older", 1), make(tmp_path, "newer", 2)
    assert list_runs(tmp_path) == [newer, older]
    assert find_run("latest", tmp_path) == newer
    assert find_run(older.name, tmp_path) == older
    assert find_run(older.name[:-2], tmp_path) == older
    assert find_run(str(older.path), tmp_path / "elsewhere") == older


def test_the_latest_is_the_one_made_last_when_summer_time_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        runs = []
        for minute, name in ((50, "before"), (70, "after")):  # 2:50 in summer time, then 2:10 in winter time
            moment = datetime(2026, 10, 25, 0, 0, tzinfo=UTC) + timedelta(minutes=minute)
            with new_run(tmp_path, name, moment) as (folder, journal):
                journal.append(RunCreated(at=moment, run=folder.name, task=TASK, version="0"))
            runs.append(folder)
        assert runs[0].name > runs[1].name
        assert find_run("latest", tmp_path) == runs[1]
    finally:
        monkeypatch.undo()
        time.tzset()


def test_an_unclear_name_says_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(RunNotFound, match="there is no run yet"):
        find_run("latest", tmp_path)
    older = make(tmp_path, "older", 1)
    make(tmp_path, "newer", 2)
    with pytest.raises(RunNotFound, match="the beginning of 2 runs"):
        find_run(older.name[:10], tmp_path)
    with pytest.raises(RunNotFound, match="no run is called 'nothing'"):
        find_run("nothing", tmp_path)


def test_a_run_that_only_another_user_may_read_hides_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, anothers = make(tmp_path, "mine", 1), make(tmp_path, "anothers", 2)
    asked = Path.is_file

    def refused(path: Path) -> bool:
        if path == anothers.journal:
            raise PermissionError
        return asked(path)

    monkeypatch.setattr(Path, "is_file", refused)
    assert list_runs(tmp_path) == [anothers, mine]
