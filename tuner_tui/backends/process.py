"""Servers as processes of this machine, for machines where the user has no Docker."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Callable
from pathlib import Path

from tuner_tui.backends.backend import ENVIRONMENT_RUNNER, Exit, Progress, ServerLeft
from tuner_tui.backends.log_sink import LogSink
from tuner_tui.backends.marks import ENVIRONMENT_LAUNCH, ENVIRONMENT_RUN
from tuner_tui.backends.process_tree import ProcessTree, free_port, spawn
from tuner_tui.backends.threads import in_thread
from tuner_tui.task.launch_spec import LaunchSpec

LAST_WORDS_S = 2.0
"""After the main process has ended, how long its descendants may go on printing before they are killed."""
DRAIN_S = 3.0
"""After that, how long the last bytes of the log are waited for."""

OURS_ALONE = ("VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "PYTHONHOME", "COLUMNS", "LINES", "PYTEST_CURRENT_TEST")
"""What describes tuner-tui's own interpreter or the user's terminal, and would only mislead an engine."""


class ProcessServer:
    """One started process with all its descendants. See `backend.Server`."""

    def __init__(self, tree: ProcessTree, port: int, sink: LogSink) -> None:
        self._tree = tree
        self._port = port
        self._sink = sink
        self._stop_asked = False
        self._ended = asyncio.create_task(self._until_ended(), name=f"exit of {tree.pid}")

    @property
    def id(self) -> str:
        return f"pid:{self._tree.pid}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def owns(self, pid: int) -> bool | None:
        """See `backend.Server.owns`: by the mark that every descendant inherits."""
        try:
            return self._tree.mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except PermissionError:
            return False  # another user's
        except OSError:
            return None

    async def wait(self) -> Exit:
        """See `backend.Server.wait`. When it returns, no descendant is left either. Raises ServerLeft."""
        return await asyncio.shield(self._ended)

    async def stop(self, grace_s: float = 10.0) -> None:
        """See `backend.Server.stop`. A second call with less grace overtakes the first."""
        if not self._ended.done():
            self._stop_asked = True
            await in_thread(lambda: self._tree.stop(grace_s), name=f"stop {self._tree.pid}")
        await asyncio.wait([self._ended])
        if not self._ended.cancelled() and isinstance(left := self._ended.exception(), ServerLeft):
            raise left

    async def _until_ended(self) -> Exit:
        tree = self._tree
        try:
            code = await in_thread(tree.wait, name=f"wait for {tree.pid}")
            stopped = self._stop_asked
            await in_thread(lambda: self._clear_up(stopped), name=f"clear up after {tree.pid}")
            return Exit(code=code, stopped=stopped)
        finally:
            tree.close()
            await self._sink.flush()
            self._sink.close()

    def _clear_up(self, stopped: bool) -> None:
        if not stopped:
            self._tree.wait_log_ended(LAST_WORDS_S)
        self._tree.kill_rest()
        self._tree.wait_log_ended(DRAIN_S)


class ProcessBackend:
    """See `backend.Backend`. `runner` (its uuid) and `run` (its folder) go into the processes' environment."""

    def __init__(self, *, runner: str, run: Path) -> None:
        self._marks = {ENVIRONMENT_RUNNER: runner, ENVIRONMENT_RUN: str(run.absolute())}
        self._servers: list[ProcessServer] = []

    async def prepare(self, spec: LaunchSpec, on_progress: Callable[[Progress], None]) -> None:
        """A command needs no image."""

    async def start(self, spec: LaunchSpec, log: Path, on_log: Callable[[bytes], None]) -> ProcessServer:
        """See `backend.Backend.start`. Raises StartFailed.

        The port is a free one at the moment of asking. Should another program take it before the server does, the
        server fails with "address already in use", and nobody tries again.
        """
        port = free_port()
        marks = self._marks | {ENVIRONMENT_LAUNCH: uuid.uuid4().hex}
        sink = LogSink(log, on_log, asyncio.get_running_loop())

        def unmake(tree: ProcessTree) -> None:
            tree.stop(0)
            tree.wait()
            tree.kill_rest()
            tree.close()

        try:
            tree = await in_thread(
                lambda: spawn(spec, port, environment_of(spec, port) | marks, sink),
                name="start a process",
                abandoned=unmake,
            )
        except BaseException:
            sink.close()
            raise
        server = ProcessServer(tree, port, sink)
        self._servers.append(server)
        return server

    async def close(self) -> None:
        """See `backend.Backend.close`."""
        servers, self._servers = self._servers, []
        ends = await asyncio.gather(*(server.stop() for server in servers), return_exceptions=True)
        for end in ends:
            if end is not None:
                raise end


def environment_of(spec: LaunchSpec, port: int) -> dict[str, str]:
    """The user's environment without what is only about tuner-tui itself, and what the spec adds."""
    own = {name: value for name, value in os.environ.items() if name not in OURS_ALONE}
    own = {name: value for name, value in own.items() if not name.startswith("TUNER_TUI_")}
    return own | spec.environment_at(port)
