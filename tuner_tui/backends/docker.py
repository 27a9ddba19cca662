"""Servers in containers of this machine's Docker Engine."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tuner_tui.backends.backend import LABEL_RUN, LABEL_RUNNER, Exit, Image, Progress, ServerLeft
from tuner_tui.backends.docker_connection import Client, connect
from tuner_tui.backends.docker_container import (
    GivenUp,
    Started,
    remove_container,
    start_container,
    stop_container,
    wait_for_exit,
)
from tuner_tui.backends.docker_image import Pull, find_image, never_pulled
from tuner_tui.backends.log_sink import LogSink
from tuner_tui.backends.threads import in_thread
from tuner_tui.task.launch_spec import LaunchSpec

DRAIN_S = 5.0
"""After an exit, how long the last bytes of the log are waited for."""
REPORT_EVERY_S = 0.1


class DockerServer:
    """One started container. See `backend.Server`."""

    def __init__(self, api: Client, started: Started, sink: LogSink) -> None:
        self._api = api
        self._container = started.id
        self._port = started.port
        self._log = started.log
        self._sink = sink
        self._stop_asked = False
        self._removed = False
        self._given_up = threading.Event()
        self._exited = threading.Event()
        self._ended = asyncio.create_task(self._until_ended(), name=f"exit of {started.id[:12]}")

    @property
    def id(self) -> str:
        return self._container

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def owns(self, pid: int) -> bool | None:
        """See `backend.Server.owns`: the container's id is in the name of its control group, in either version."""
        try:
            return self._container in Path(f"/proc/{pid}/cgroup").read_text()
        except OSError:
            return None

    async def wait(self) -> Exit:
        """See `backend.Server.wait`. Raises BackendUnavailable if the Engine goes away for good."""
        return await asyncio.shield(self._ended)

    async def stop(self, grace_s: float = 10.0) -> None:
        """See `backend.Server.stop`. A second call with less grace overtakes the first."""
        self._stop_asked = True
        left: ServerLeft | None = None
        if not self._removed:
            left = await in_thread(lambda: self._stop(grace_s), name=f"stop {self._container[:12]}")
            self._removed = self._removed or left is None
        await asyncio.wait([self._ended])
        if not self._ended.cancelled():
            self._ended.exception()  # seen: a daemon that went away is told by wait() alone
        if left is not None and not self._removed:
            raise left

    def _stop(self, grace_s: float) -> ServerLeft | None:
        """Why it could not be removed. An Engine that is away is waited for, but only once."""
        may_be_away = not self._given_up.is_set()
        if not self._exited.is_set():
            stop_container(self._api, self._container, grace_s)
            # the exit is asked for by another thread, which needs the container to be still there
            self._exited.wait(2.0)
        self._log.wait_ended(DRAIN_S)
        try:
            remove_container(self._api, self._container, may_be_away=may_be_away)
        except ServerLeft as left:
            return left
        finally:
            self._given_up.set()
        return None

    async def _until_ended(self) -> Exit:
        try:
            code, out_of_memory = await in_thread(self._wait_for_exit, name=f"wait for {self._container[:12]}")
            stopped = self._stop_asked
            await in_thread(lambda: self._log.wait_ended(DRAIN_S), name=f"last log of {self._container[:12]}")
            return Exit(code=code, out_of_host_memory=out_of_memory, stopped=stopped)
        finally:
            self._given_up.set()
            self._log.close()
            await self._sink.flush()
            self._sink.close()

    def _wait_for_exit(self) -> tuple[int, bool]:
        try:
            return wait_for_exit(self._api, self._container, self._given_up)
        finally:
            self._exited.set()
            self._log.container_exited()


class DockerBackend:
    """See `backend.Backend`. `runner` (its uuid) and `run` (its folder) become the containers' labels."""

    def __init__(self, *, runner: str, run: Path) -> None:
        self._labels = {LABEL_RUNNER: runner, LABEL_RUN: str(run.absolute())}
        self._api: Client = None
        self._connecting = asyncio.Lock()
        self._servers: list[DockerServer] = []
        self._unsure: set[str] = set()
        """Names of containers that were asked for and are neither a server nor known to be gone."""

    async def prepare(self, spec: LaunchSpec, on_progress: Callable[[Progress], None]) -> Image | None:
        """The image `spec` names, pulled where `spec.pull` says so. Raises StartFailed, BackendUnavailable."""
        name = spec.image
        assert name is not None, "a spec for Docker names an image"
        api = await self._connected()
        found = await in_thread(lambda: find_image(api, name), name=f"look for {name}")
        if spec.pull == "always" or (found is None and spec.pull == "missing"):
            pull = Pull(name, _on_loop(on_progress))
            await in_thread(pull.run, name=f"pull {name}", give_up=pull.close)
            found = await in_thread(lambda: find_image(api, name), name=f"look for {name}")
        if found is None:
            raise never_pulled(name)
        return found

    async def start(self, spec: LaunchSpec, log: Path, on_log: Callable[[bytes], None]) -> DockerServer:
        """See `backend.Backend.start`. Raises StartFailed, BackendUnavailable, ServerLeft."""
        api = await self._connected()
        sink = LogSink(log, on_log, asyncio.get_running_loop())
        give_up = threading.Event()
        name = f"tuner-tui-{uuid.uuid4().hex[:12]}"
        self._unsure.add(name)

        def make() -> Started:
            try:
                return start_container(api, name, spec, self._labels, sink, give_up)
            except ServerLeft:
                raise
            except BaseException:
                self._unsure.discard(name)
                raise

        def unmake(started: Started) -> None:
            started.log.close()
            remove_container(api, started.id)
            self._unsure.discard(name)

        try:
            started = await in_thread(
                make,
                name="start a container",
                give_up=give_up.set,
                abandoned=unmake,
            )
        except BaseException as error:
            sink.close()
            if isinstance(error, GivenUp):  # only after a cancellation, which has passed on already
                raise asyncio.CancelledError from error
            raise
        server = DockerServer(api, started, sink)
        self._servers.append(server)
        self._unsure.discard(name)
        return server

    async def close(self) -> None:
        """See `backend.Backend.close`."""
        servers, self._servers = self._servers, []
        ends: list[BaseException | None] = await asyncio.gather(
            *(server.stop() for server in servers), return_exceptions=True
        )
        for name in tuple(self._unsure):
            ends.append(await in_thread(partial(self._look_for, name), name=f"remove {name}"))
        if self._api is not None:
            self._api.close()
            self._api = None
        for end in ends:
            if end is not None:
                raise end

    def _look_for(self, name: str) -> ServerLeft | None:
        try:
            remove_container(self._api, name)
        except ServerLeft as left:
            return left
        return None

    async def _connected(self) -> Client:
        async with self._connecting:
            if self._api is None:
                self._api = await in_thread(connect, name="connect to Docker")
            return self._api


def _on_loop(on_progress: Callable[[Progress], None]) -> Callable[[Progress], None]:
    """`on_progress`, callable from a thread, at most ten times a second."""
    loop = asyncio.get_running_loop()
    last_s = 0.0

    def report(progress: Progress) -> None:
        nonlocal last_s
        now_s = time.monotonic()
        finished = bool(progress.total) and progress.done == progress.total
        if finished or now_s - last_s >= REPORT_EVERY_S:
            last_s = now_s
            loop.call_soon_threadsafe(on_progress, progress)

    return report
