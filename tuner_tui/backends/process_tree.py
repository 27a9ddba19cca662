"""One command of this machine with all its descendants: started, read, ended. Every call blocks."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import threading
from pathlib import Path

from tuner_tui.backends.backend import StartFailed
from tuner_tui.backends.cpuset import parse_cpuset
from tuner_tui.backends.log_sink import LogSink
from tuner_tui.backends.marks import ENVIRONMENT_LAUNCH, kill_marked
from tuner_tui.task.launch_spec import LaunchSpec

READ_BYTES = 256 * 1024


def free_port() -> int:
    """A TCP port of 127.0.0.1 that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def spawn(spec: LaunchSpec, port: int, environment: dict[str, str], sink: LogSink) -> ProcessTree:
    """Starts `spec` in a session of its own; what it prints goes to `sink`. Raises StartFailed.

    CPUs are set on the calling thread for the moment of the start (so it must not be the event loop's): the child
    inherits them from its first instruction on, as all its threads and children do.
    """
    argv = spec.argv(port)
    cwd = Path(spec.cwd) if spec.cwd else Path.cwd()
    if not cwd.is_dir():
        raise StartFailed("command_not_found", f"The working folder {cwd} does not exist: correct process.cwd.")
    program = _find(argv[0], cwd, environment)
    unpinned = os.sched_getaffinity(0)
    if spec.cpuset:
        _pin(spec.cpuset)
    read_end, write_end = os.pipe()
    try:
        process = subprocess.Popen(
            argv,
            executable=program,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=write_end,
            stderr=write_end,
            start_new_session=True,
        )
    except OSError as error:
        os.close(read_end)
        reason = f"{program} cannot be started ({error.strerror}): correct process.command."
        raise StartFailed("command_not_found", reason, str(error)) from error
    finally:
        os.close(write_end)
        os.sched_setaffinity(0, unpinned)
    return ProcessTree(process, environment[ENVIRONMENT_LAUNCH], read_end, sink)


def _find(command: str, cwd: Path, environment: dict[str, str]) -> str:
    """The program's path. Looked for in the PATH it will have itself, and not in tuner-tui's."""
    if "/" in command:
        path = cwd / command
        if os.access(path, os.X_OK) and path.is_file():
            return str(path)
        why = "may not be executed" if path.exists() else "does not exist"
        raise StartFailed("command_not_found", f"The command {path} {why}: correct process.command.")
    found = shutil.which(command, path=environment.get("PATH", os.defpath))
    if found is None:
        raise StartFailed(
            "command_not_found",
            f"There is no command {command} on this machine: install the engine, or set process.command to its full "
            "path (…/bin/python).",
        )
    return found


def _pin(cpuset: str) -> None:
    try:
        asked = parse_cpuset(cpuset)
        os.sched_setaffinity(0, asked)
        got = os.sched_getaffinity(0)
    except ValueError as error:
        raise StartFailed("start_failed", f"process.cpus: {error}") from error
    except OSError:
        got = set()
    if got != asked:
        there = os.cpu_count() or 1
        raise StartFailed(
            "start_failed",
            f"process.cpus: the CPUs {cpuset} are asked for, this machine has 0-{there - 1}, "
            "and not all of those asked for may be used.",
        )


class ProcessTree:
    """A started command. Its log is read by a thread of its own until every descendant has closed it."""

    def __init__(self, process: subprocess.Popen[bytes], launch: str, read_end: int, sink: LogSink) -> None:
        self.pid = process.pid
        self._process = process
        self._launch = launch
        self._sink = sink
        self._exited = threading.Event()
        self._log_ended = threading.Event()
        self._closing, self._close_now = os.pipe()
        threading.Thread(target=self._read, args=(read_end,), name=f"log of {self.pid}", daemon=True).start()

    @property
    def mark(self) -> bytes:
        """The entry in the environment of each of its processes, as /proc has it."""
        return f"{ENVIRONMENT_LAUNCH}={self._launch}".encode()

    def wait(self) -> int:
        """Until the command itself has ended; 128 + n for signal n.

        It stays unreaped until `kill_rest`, so that its number, which is also its group's, cannot be given to
        another process meanwhile.
        """
        result = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        self._exited.set()
        assert result is not None
        return result.si_status if result.si_code == os.CLD_EXITED else 128 + result.si_status

    def stop(self, grace_s: float) -> None:
        """SIGTERM to the group; SIGKILL to all of the launch once the command has ended, at the latest after
        `grace_s`. Raises ServerLeft."""
        if grace_s > 0:
            self._signal_group(signal.SIGTERM)
            self._exited.wait(grace_s)
        self._kill_all()

    def kill_rest(self) -> None:
        """After the command has ended: SIGKILL to all descendants, and the command is reaped. Raises ServerLeft."""
        try:
            self._kill_all()
        finally:
            self._process.wait()

    def wait_log_ended(self, timeout_s: float) -> bool:
        """Until the last byte is in the sink, at most `timeout_s`."""
        return self._log_ended.wait(timeout_s)

    def close(self) -> None:
        """Ends the reading thread, even where somebody still holds the log open. Idempotent."""
        if self._close_now >= 0:
            os.close(self._close_now)
            self._close_now = -1

    def _signal_group(self, number: signal.Signals) -> None:
        if self._process.returncode is None:  # not reaped: the number is still its own
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def _kill_all(self) -> None:
        self._signal_group(signal.SIGKILL)
        kill_marked(lambda process: process.launch == self._launch)

    def _read(self, read_end: int) -> None:
        poll = select.poll()
        poll.register(read_end, select.POLLIN)
        poll.register(self._closing, select.POLLIN)
        try:
            while True:
                ready = {descriptor for descriptor, _ in poll.poll()}
                if self._closing in ready:
                    break
                data = os.read(read_end, READ_BYTES)
                if not data:
                    break
                self._sink.write(data)
        finally:
            os.close(read_end)
            os.close(self._closing)
            self._log_ended.set()
