"""A process's life, with all its descendants: nothing of it may be left."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tuner_tui.backends.backend import Exit, StartFailed
from tuner_tui.backends.marks import marked_processes
from tuner_tui.backends.process import ProcessBackend
from tuner_tui.engines.errors import CLASSES
from tuner_tui.task.launch_spec import LaunchSpec

RUNNER = f"test-of-processes-{os.getpid()}"


def ours() -> list[str]:
    return [process.command for process in marked_processes() if process.runner == RUNNER]


@pytest.fixture
async def backend(tmp_path: Path) -> AsyncIterator[ProcessBackend]:
    """A backend after which no process of its runner, no thread and no descriptor may be left."""
    descriptors, threads = len(os.listdir("/proc/self/fd")), threading.active_count()  # noqa: PTH208
    made = ProcessBackend(runner=RUNNER, run=tmp_path)
    yield made
    await made.close()
    assert not ours()
    assert len(os.listdir("/proc/self/fd")) <= descriptors  # noqa: PTH208
    for _ in range(100):
        if threading.active_count() <= threads:
            break
        await asyncio.sleep(0.01)
    assert threading.active_count() <= threads


def shell(script: str, **fields: object) -> LaunchSpec:
    given: dict[str, object] = {"backend": "process", "command": ("sh", "-c", script)}
    return LaunchSpec(**(given | fields))  # type: ignore[arg-type]


def ignore(_: bytes) -> None:
    pass


async def test_what_it_prints_is_complete_and_in_order(backend: ProcessBackend, tmp_path: Path) -> None:
    log, heard = tmp_path / "log", bytearray()
    server = await backend.start(shell("echo first; seq 200000; echo last >&2; exit 3"), log, heard.extend)
    assert await server.wait() == Exit(code=3)
    assert log.read_bytes() == b"first\n" + b"".join(b"%d\n" % n for n in range(1, 200001)) + b"last\n"
    assert bytes(heard) == log.read_bytes()


async def test_the_port_and_the_environment_are_its_own(
    backend: ProcessBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "s3cret")
    monkeypatch.setenv("VIRTUAL_ENV", "/tuner/venv")
    monkeypatch.setenv("TUNER_TUI_LAUNCH", "of-somebody-else")
    log = tmp_path / "log"
    script = 'echo {port} $WHERE $SECRET_TOKEN "<$VIRTUAL_ENV>" $TUNER_TUI_LAUNCH $PWD; cat; ps -o sid= -p $$; echo $$'
    server = await backend.start(
        shell(script, environment={"WHERE": "at-{port}"}, pass_environment=("SECRET_TOKEN",), cwd=str(tmp_path)),
        log,
        ignore,
    )
    port = server.url.removeprefix("http://127.0.0.1:")
    assert (await server.wait()).code == 0
    first, session, pid = log.read_text().splitlines()
    words = first.split()
    assert words[:4] == [port, f"at-{port}", "s3cret", "<>"]
    assert words[4] != "of-somebody-else" and words[5] == str(tmp_path)
    assert session.strip() == pid and server.id == f"pid:{pid}"


async def test_the_line_to_copy_starts_the_same(backend: ProcessBackend, tmp_path: Path) -> None:
    (tmp_path / "my work").mkdir()
    program = tmp_path / "my work" / "serve"
    program.write_text('#!/bin/sh\necho "$PWD" "$PORT_IS" "$@"\n')
    program.chmod(0o755)
    spec = LaunchSpec(
        backend="process",
        command=("./serve", "--port", "{port}"),
        environment={"PORT_IS": "the {port}"},
        cpuset="0",
        cwd=str(program.parent),
    )
    log = tmp_path / "log"
    server = await backend.start(spec, log, ignore)
    await server.wait()
    launched = log.read_text().replace(server.url.rpartition(":")[2], "8000")
    by_hand = await asyncio.create_subprocess_shell(spec.shell_line(), cwd="/", stdout=asyncio.subprocess.PIPE)
    printed, _ = await by_hand.communicate()
    assert printed.decode() == launched == f"{program.parent} the 8000 --port 8000\n"


async def test_stop_ends_workers_in_sessions_of_their_own(backend: ProcessBackend, tmp_path: Path) -> None:
    """As engines do: a worker in its own session, which ignores SIGTERM, and whose parent has gone."""
    ready = asyncio.Event()
    script = """
setsid sh -c 'trap "" TERM; setsid sh -c "trap \\"\\" TERM; echo up; while :; do sleep 100; done" & exit' &
wait
while :; do sleep 100; done
"""
    server = await backend.start(shell(script), tmp_path / "log", lambda _: ready.set())
    other = await backend.start(shell("exec sleep 100"), tmp_path / "log2", ignore)
    await asyncio.wait_for(ready.wait(), 30)
    for _ in range(1500):
        up = ours()
        if (up.count("sleep 100"), len(up)) == (3, 5):  # two shells and their sleeps, and the other's: its shell is it
            break
        await asyncio.sleep(0.02)
    else:
        pytest.fail(f"these are up: {up}")
    await server.stop(grace_s=5)
    assert await server.wait() == Exit(code=143, stopped=True)
    assert ours() == ["sleep 100"]  # another launch of the same runner goes on
    await other.stop()


async def test_what_outlives_the_command_is_ended_too_and_the_log_does_not_wait_for_it(
    backend: ProcessBackend, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    server = await backend.start(shell("setsid sh -c 'echo child; sleep 100' & sleep 0.2; exit 5"), log, ignore)
    begun_s = time.monotonic()
    assert await server.wait() == Exit(code=5)
    assert time.monotonic() - begun_s < 4
    assert log.read_bytes() == b"child\n"
    assert not ours()


async def test_last_words_of_a_worker_are_in_the_log(backend: ProcessBackend, tmp_path: Path) -> None:
    log = tmp_path / "log"
    server = await backend.start(shell("(sleep 0.5; echo the cause) & exit 1"), log, ignore)
    assert await server.wait() == Exit(code=1)
    assert log.read_bytes() == b"the cause\n"


@pytest.mark.parametrize(("signal", "code"), [("KILL", 137), ("SEGV", 139), ("TERM", 143)])
async def test_a_signal_is_told_as_the_shell_does(
    signal: str, code: int, backend: ProcessBackend, tmp_path: Path
) -> None:
    server = await backend.start(shell(f"ulimit -c 0; kill -{signal} $$"), tmp_path / "log", ignore)
    assert await server.wait() == Exit(code=code)


async def test_stop_kills_after_the_grace_and_may_be_asked_twice(backend: ProcessBackend, tmp_path: Path) -> None:
    ready = asyncio.Event()
    script = "trap '' TERM; echo up; while :; do sleep 100; done"
    server = await backend.start(shell(script), tmp_path / "log", lambda _: ready.set())
    await ready.wait()
    patient = asyncio.create_task(server.stop(grace_s=30))
    await asyncio.sleep(0.1)
    await asyncio.wait_for(server.stop(grace_s=0.2), 3)
    await asyncio.wait_for(patient, 3)
    assert await server.wait() == Exit(code=137, stopped=True)
    await server.stop()


async def test_cpus_hold_for_the_whole_tree_and_not_for_us(backend: ProcessBackend, tmp_path: Path) -> None:
    last = max(os.sched_getaffinity(0))
    before = {thread: os.sched_getaffinity(int(thread)) for thread in os.listdir("/proc/self/task")}  # noqa: PTH208
    log = tmp_path / "log"
    script = "import os, subprocess, sys; print(os.sched_getaffinity(0), flush=True); subprocess.run(['nproc'])"
    spec = LaunchSpec(backend="process", command=(sys.executable, "-c", script), cpuset=str(last))
    server = await backend.start(spec, log, ignore)
    during = {thread: os.sched_getaffinity(int(thread)) for thread in os.listdir("/proc/self/task")}  # noqa: PTH208
    assert (await server.wait()).code == 0
    assert log.read_text().splitlines() == [f"{{{last}}}", "1"]
    assert set(map(frozenset, during.values())) == set(map(frozenset, before.values()))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"command": ("sglang-nowhere", "serve")}, "no command sglang-nowhere on this machine: install"),
        ({"command": ("/no/bin/python",)}, "The command /no/bin/python does not exist"),
        ({"command": ("/tmp",)}, "The command /tmp may not be executed"),
        ({"cwd": "/no/folder"}, "The working folder /no/folder does not exist"),
        ({"cpuset": "900"}, "the CPUs 900 are asked for, this machine has 0-"),
        ({"cpuset": "zero"}, 'process.cpus: "zero" is not a list of CPUs'),
    ],
)
async def test_a_failed_start_says_why(
    fields: dict[str, object], words: str, backend: ProcessBackend, tmp_path: Path
) -> None:
    with pytest.raises(StartFailed) as failed:
        await backend.start(shell("sleep 100", **fields), tmp_path / "log", ignore)
    assert words in failed.value.reason
    assert failed.value.failure_class in CLASSES


async def test_a_program_that_is_none_says_so(backend: ProcessBackend, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("neither a script nor a program")
    (tmp_path / "text").chmod(0o755)
    with pytest.raises(StartFailed, match=r"text cannot be started \(Exec format error\)"):
        await backend.start(shell("", command=(str(tmp_path / "text"),)), tmp_path / "log", ignore)


async def test_a_start_cancelled_at_any_moment_leaves_nothing(backend: ProcessBackend, tmp_path: Path) -> None:
    for after_ms in range(0, 12, 2):
        starting = asyncio.create_task(backend.start(shell("sleep 100"), tmp_path / "log", ignore))
        await asyncio.sleep(after_ms / 1000)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
            await (await starting).stop()
            raise asyncio.CancelledError  # it was started in time
    # the fixture looks for what is left


async def test_close_stops_what_is_up(backend: ProcessBackend, tmp_path: Path) -> None:
    server = await backend.start(shell("sleep 100"), tmp_path / "log", ignore)
    await backend.close()
    assert (await server.wait()).stopped
