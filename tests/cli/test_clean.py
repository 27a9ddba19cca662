"""`tuner-tui clean`: what is dead goes, what is alive or cannot be judged stays."""

from __future__ import annotations

import os
import shutil
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.runner.simulated_task import simulated_task
from tests.tuner import in_launch, start, until
from tuner_tui.backends.backend import ServerLeft
from tuner_tui.backends.leftovers import Leftover, find_leftovers
from tuner_tui.cli import clean
from tuner_tui.runs.lock import Holder, holder


def container(number: int, run: Path) -> Leftover:
    return Leftover(
        kind="container",
        id=f"id{number}",
        runner=f"runner-{number}",
        run=str(run),
        name=f"tuner-tui-{number}",
        created=datetime.now(UTC),
    )


def cleaned(monkeypatch: pytest.MonkeyPatch, *leftovers: Leftover) -> tuple[int, list[str]]:
    """`clean` on a machine where just these are; its exit code, and the ids it removed."""
    removed: list[str] = []

    def remove(leftover: Leftover) -> bool:
        if leftover.name == "tuner-tui-13":
            raise ServerLeft("The container id13 may still be up: the Docker Engine refuses to remove it.")
        removed.append(leftover.id)
        return True

    monkeypatch.setattr(clean, "find_leftovers", lambda docker=True: list(leftovers))
    monkeypatch.setattr(clean, "remove", remove)
    return clean.clean_up(), removed


def test_a_live_run_whose_folder_was_moved_or_deleted_is_left_alone(
    tmp_path: Path, runs_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    task = simulated_task(tmp_path, {}, max_requests=2000)
    with start("run", task) as following:
        folder = in_launch(runs_dir).path
        following.kill()  # the run goes on; a follower may look just when the folder is elsewhere
        servers = [each for each in find_leftovers(docker=False) if each.run == str(folder)]
        assert servers
        for look in range(2):
            if look:
                folder.rename(tmp_path / "moved")
            assert cleaned(monkeypatch, *servers) == (0, [])
            assert f"nothing to remove; {len(servers)} belong to live runs and stay" in capsys.readouterr().err
        (tmp_path / "moved").rename(folder)
    live = holder(folder / "lock")
    assert live is not None
    os.kill(live.pid, signal.SIGTERM)
    until(lambda: holder(folder / "lock") is None)
    shutil.rmtree(folder)
    until(lambda: cleaned(monkeypatch, *servers) == (0, [each.id for each in servers]))


def test_what_cannot_be_judged_or_removed_is_named_and_the_rest_is_cleaned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("theirs", "live"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "lock").touch()

    def holder(lock: Path) -> Holder:
        if lock.parent.name == "theirs":
            raise PermissionError(13, "Permission denied")
        return Holder(pid=1, runner="runner-3")

    monkeypatch.setattr(clean, "holder", holder)
    code, removed = cleaned(
        monkeypatch,
        container(1, tmp_path / "theirs"),
        container(13, tmp_path / "gone"),
        container(2, tmp_path / "gone"),
        container(3, tmp_path / "live"),
        container(4, tmp_path / "live"),  # of a runner before the one that is alive
    )
    assert (code, removed) == (1, ["id2", "id4"])
    said = capsys.readouterr().err
    assert f"not removed: container id1 (tuner-tui-1) of {tmp_path}/theirs: whether its run is live cannot be" in said
    assert "(Permission denied)" in said
    assert "not removed: container id13" in said and "refuses to remove it" in said
    assert said.endswith("2 removed; 1 belong to live runs and stay\n")
