"""What a dead runner left behind is found by its mark, and only that is removed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from docker import APIClient

from tests.backends.conftest import shell as container
from tests.backends.test_process import shell as process
from tuner_tui.backends.backend import ENVIRONMENT_RUNNER, BackendUnavailable, ServerLeft
from tuner_tui.backends.docker import DockerBackend
from tuner_tui.backends.leftovers import Leftover, find_leftovers, remove, remove_leftovers
from tuner_tui.backends.marks import kill_marked
from tuner_tui.backends.process import ProcessBackend


async def test_processes_of_a_dead_runner_go_and_those_of_another_stay(tmp_path: Path) -> None:
    dead, alive = uuid.uuid4().hex, uuid.uuid4().hex

    def of_dead(leftover: Leftover) -> bool:
        return leftover.runner == dead

    backends = [ProcessBackend(runner=runner, run=tmp_path / "run") for runner in (dead, alive)]
    gone = await backends[0].start(process("setsid sleep 100 & exec sleep 100"), tmp_path / "1", lambda _: None)
    kept = await backends[1].start(process("exec sleep 100"), tmp_path / "2", lambda _: None)
    await asyncio.sleep(0.1)
    mine = [leftover for leftover in find_leftovers(docker=False) if leftover.runner in {dead, alive}]
    assert sorted((leftover.runner, leftover.name) for leftover in mine) == sorted(
        [(dead, "sleep 100")] * 2 + [(alive, "sleep 100")]
    )
    assert {leftover.run for leftover in mine} == {str(tmp_path / "run")}
    assert all(abs(leftover.created - datetime.now(UTC)) < timedelta(seconds=10) for leftover in mine)
    removed = await asyncio.to_thread(lambda: list(remove_leftovers(of_dead, docker=False, process=True)))
    assert len(removed) == 2 and all("sleep 100" in line for line in removed)
    assert (await gone.wait()).code == 137
    (one,) = [leftover for leftover in find_leftovers(docker=False) if leftover.runner == alive]
    assert one.id == kept.id.removeprefix("pid:")
    assert await asyncio.to_thread(remove, one)
    assert not await asyncio.to_thread(remove, one)
    for backend in backends:
        await backend.close()


def test_a_runner_under_a_mark_does_not_end_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run started from within a launch inherits that launch's mark: its children are found, it is not."""
    if os.fork() == 0:
        environment = {**os.environ, "TUNER_TUI_RUNNER": "outer"}
        program = (
            "import subprocess; from tuner_tui.backends.leftovers import remove_leftovers as r; "
            "c = subprocess.Popen(['sleep', '100']); "
            "x = list(r(lambda each: each.runner == 'outer', docker=False, process=True)); "
            "raise SystemExit(0 if [str(c.pid) in s for s in x] == [True] and c.wait() == -9 else 1)"
        )
        os.execve(os.sys.executable, [os.sys.executable, "-c", program], environment)  # type: ignore[attr-defined]
    _, status = os.wait()
    assert os.waitstatus_to_exitcode(status) == 0


def test_a_process_that_nothing_ends_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that waits for a GPU's driver: signals do nothing to it."""
    runner = uuid.uuid4().hex
    with subprocess.Popen(["sleep", "100"], env={**os.environ, ENVIRONMENT_RUNNER: runner}) as stuck:
        try:
            with monkeypatch.context() as patched, pytest.raises(ServerLeft, match=f"process {stuck.pid} .sleep 100."):
                patched.setattr(os, "kill", lambda pid, number: None)
                kill_marked(lambda process: process.runner == runner, timeout_s=0.1)
        finally:
            stuck.kill()


@pytest.mark.docker
async def test_containers_of_a_dead_runner_go_and_those_of_another_stay(
    api: APIClient, image: str, tmp_path: Path
) -> None:
    dead, alive = uuid.uuid4().hex, uuid.uuid4().hex

    def of_dead(leftover: Leftover) -> bool:
        return leftover.runner == dead

    backends = [DockerBackend(runner=runner, run=tmp_path / "run") for runner in (dead, alive)]
    gone = await backends[0].start(container("sleep 100"), tmp_path / "1", lambda _: None)
    kept = await backends[1].start(container("sleep 100"), tmp_path / "2", lambda _: None)
    found = {leftover.runner: leftover for leftover in find_leftovers(process=False)}
    assert (found[dead].id, found[dead].run, found[dead].kind) == (gone.id, str(tmp_path / "run"), "container")
    removed = await asyncio.to_thread(lambda: list(remove_leftovers(of_dead, docker=True, process=False)))
    assert removed == [f"container {found[dead].name}"]
    assert (await gone.wait()).code == 137
    (one,) = [leftover for leftover in find_leftovers(process=False) if leftover.runner in {dead, alive}]
    assert one.id == kept.id
    assert await asyncio.to_thread(remove, one)
    assert not await asyncio.to_thread(remove, one)
    for backend in backends:
        await backend.close()


def test_without_an_engine_the_processes_go_all_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    monkeypatch.setattr("tuner_tui.backends.leftovers.LOOK_AGAIN_S", 0.01)
    with pytest.raises(BackendUnavailable, match="No Docker Engine answers"):
        list(remove_leftovers(lambda each: each.runner == "nobody", docker=True, process=True, patience_s=0.1))
