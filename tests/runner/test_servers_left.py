"""A server that cannot be removed: nothing is started beside it, the guard is not sent home, and whoever takes the run
up again removes it first."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runner.simulated_task import simulated_task
from tests.tuner import in_launch, start, state, tuner
from tuner_tui.backends import leftovers
from tuner_tui.backends.backend import Backend, Exit, Image, Progress, ServerLeft
from tuner_tui.backends.leftovers import find_leftovers
from tuner_tui.cli.load import load
from tuner_tui.cli.run import prepare_run
from tuner_tui.runner import __main__ as runner
from tuner_tui.runner import guard
from tuner_tui.runs.events import LaunchFinished, LaunchStarted
from tuner_tui.runs.folder import RunFolder
from tuner_tui.runs.journal import JournalReader
from tuner_tui.runs.lock import holder
from tuner_tui.task.launch_spec import LaunchSpec


class StubbornServer:
    """Ends at once, and cannot be removed."""

    id = "stubborn"
    url = "http://127.0.0.1:1"

    def owns(self, pid: int) -> bool | None:
        return False

    async def wait(self) -> Exit:
        return Exit(code=1)

    async def stop(self, grace_s: float = 10.0) -> None:
        raise ServerLeft("The container stubborn may still be up: no Docker Engine answers.")


class StubbornBackend:
    """Its servers cannot be removed."""

    def __init__(self) -> None:
        self._server = StubbornServer()

    async def prepare(self, spec: LaunchSpec, on_progress: Callable[[Progress], None]) -> Image | None:
        return None

    async def start(self, spec: LaunchSpec, log: Path, on_log: Callable[[bytes], None]) -> StubbornServer:
        return self._server

    async def close(self) -> None:
        await self._server.stop()


class Beside:
    """A guard that only remembers whether it was sent home."""

    dismissed = False

    def dismiss(self) -> None:
        self.dismissed = True


@pytest.fixture
def prepared(tmp_path: Path, runs_dir: Path) -> RunFolder:
    task = simulated_task(tmp_path, {"mem-fraction-static": [0.7, 0.8]})
    folder, _ = prepare_run(load(task, None), runs_dir, say=lambda note: None)
    return folder


async def _carried_out(folder: RunFolder, monkeypatch: pytest.MonkeyPatch, backend: Backend | None) -> Beside:
    """The run carried out here and not in a process of its own; its guard as it was left."""
    beside = Beside()
    monkeypatch.setattr(guard.Guard, "start", lambda runner, kind: beside)
    if backend is not None:
        monkeypatch.setattr(runner, "backend_for", lambda kind, runner, run: backend)
    loop = asyncio.get_running_loop()
    try:
        await runner._execute(folder, "a-runner", None)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    return beside


async def test_none_is_started_beside_it_and_the_guard_stays(
    prepared: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = await _carried_out(prepared, monkeypatch, StubbornBackend())
    assert not beside.dismissed
    events = JournalReader(prepared.journal).read()
    assert sum(isinstance(event, LaunchStarted) for event in events) == 1
    assert not any(isinstance(event, LaunchFinished) for event in events), "it would say that the server is removed"
    over = state(prepared)
    assert over.finished is not None
    assert (over.finished.reason, over.launch) == ("failed", None)
    assert [launch.status for each in over.experiments for launch in each.launches] == ["interrupted"]
    assert over.finished.sentence == "The container stubborn may still be up: no Docker Engine answers."


async def test_after_a_run_in_order_the_guard_goes(prepared: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    beside = await _carried_out(prepared, monkeypatch, None)
    assert beside.dismissed
    assert state(prepared).launches_done == 2


def test_a_guard_that_finds_no_engine_says_so_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    monkeypatch.setattr(guard, "_PATIENCE_S", 0.0)
    monkeypatch.setattr(os, "read", lambda descriptor, size: b"")  # its runner ended without a goodbye
    guard.main("a-runner", "docker")
    last = capsys.readouterr().err.splitlines()[-1]
    assert "guard: given up" in last and "No Docker Engine answers" in last and "`tuner-tui clean`" in last


def test_a_guard_says_what_it_cannot_end_and_not_that_clean_could(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stuck(chosen: object) -> None:
        raise ServerLeft("The process 7 (vllm) does not end. A reboot ends it.")

    monkeypatch.setattr(leftovers, "kill_marked", stuck)
    monkeypatch.setattr(os, "read", lambda descriptor, size: b"")
    guard.main("a-runner", "process")
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "guard: given up: The process 7 (vllm) does not end. A reboot ends it."


def test_resume_removes_what_the_runner_before_left_and_then_launches(tmp_path: Path, runs_dir: Path) -> None:
    task = simulated_task(tmp_path, {"mem-fraction-static": [0.7, 0.8]}, max_requests=60, concurrency=(1,))
    with start("run", task) as following:
        folder = in_launch(runs_dir)
        live = holder(folder.lock)
        assert live is not None
        os.kill(_guard_of(live.runner), signal.SIGKILL)
        os.kill(live.pid, signal.SIGKILL)
        assert following.wait(20) == 1
    left = {each.id for each in find_leftovers(docker=False) if each.runner == live.runner}
    assert left, "without its guard, the server outlives the runner"
    results = json.loads(tuner("resume", folder.path, "--json").stdout)
    assert [experiment["status"] for experiment in results["experiments"]] == ["succeeded", "succeeded"]
    log = folder.runner_log.read_text()
    assert all(f"an earlier runner of this run had left process {pid}" in log for pid in left)
    assert not left & {each.id for each in find_leftovers(docker=False)}


def _guard_of(uuid: str) -> int:
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            try:
                command = (process / "cmdline").read_bytes()
            except OSError:
                continue
            if b"tuner_tui.runner.guard" in command and uuid.encode() in command:
                return int(process.name)
    raise AssertionError("the runner has no guard")
