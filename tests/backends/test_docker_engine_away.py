"""The Docker Engine goes away and comes back (its restart, with live-restore) while a container is up."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient
from docker.errors import APIError

from tests.backends.conftest import RUNNER, shell
from tuner_tui.backends import docker_container
from tuner_tui.backends.backend import LABEL_RUNNER, BackendUnavailable, Exit, ServerLeft
from tuner_tui.backends.docker import DockerBackend
from tuner_tui.backends.leftovers import remove_leftovers

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("image")]


class Door:
    """A socket before the Engine's own, which can be shut and opened as a restart would."""

    def __init__(self, path: Path, engine: str) -> None:
        self.path = path
        self._engine = engine
        self._server: asyncio.AbstractServer | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        self._server = await asyncio.start_unix_server(self._pass, self.path)

    async def shut(self) -> None:
        assert self._server is not None
        self._server.close()
        self.path.unlink()
        for writer in self._open:
            writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        engine_reader, engine_writer = await asyncio.open_unix_connection(self._engine)
        self._open |= {writer, engine_writer}
        with contextlib.suppress(ConnectionError):
            await asyncio.gather(_copy(reader, engine_writer), _copy(engine_reader, writer))
        for each in (writer, engine_writer):
            each.close()
        self._open -= {writer, engine_writer}


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    with contextlib.suppress(OSError):
        writer.write_eof()


@pytest.fixture
async def door(api: APIClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Door]:
    engine = "/var/run/docker.sock"
    if not Path(engine).exists():
        pytest.skip("the Docker Engine is not at its usual socket")
    made = Door(tmp_path / "door.sock", engine)
    await made.open()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{made.path}")
    yield made
    left = api.containers(all=True, filters={"label": f"{LABEL_RUNNER}={RUNNER}"})
    for container in left:
        api.remove_container(container["Id"], force=True)
    assert not left


class Heard:
    def __init__(self) -> None:
        self.data = bytearray()
        self.enough = asyncio.Event()
        self.awaited = b""

    def __call__(self, data: bytes) -> None:
        self.data += data
        if self.awaited in self.data:
            self.enough.set()


async def test_no_line_is_lost_and_none_is_had_twice(door: Door, tmp_path: Path) -> None:
    backend, heard, log = DockerBackend(runner=RUNNER, run=tmp_path), Heard(), tmp_path / "log"
    heard.awaited = b"\n50\n"
    # both streams, a carriage return that the Engine's log file holds back, and an end while nobody listens
    script = r"seq 1 50; printf 'loading\r'; echo warning >&2; sleep 1; seq 51 100; echo end >&2; exit 4"
    server = await backend.start(shell(script), log, heard)
    await asyncio.wait_for(heard.enough.wait(), 5)
    await asyncio.sleep(0.2)
    await door.shut()
    await asyncio.sleep(1.5)
    await door.open()
    assert await asyncio.wait_for(server.wait(), 10) == Exit(code=4)
    lines = log.read_text().replace("\r", "\n").splitlines()
    assert [line for line in lines if line.isdecimal()] == [str(number) for number in range(1, 101)]
    assert sorted(line for line in lines if not line.isdecimal()) == ["end", "loading", "warning"]
    assert bytes(heard.data) == log.read_bytes()
    await backend.close()


async def test_it_is_followed_again_while_it_runs_on(door: Door, tmp_path: Path) -> None:
    backend, heard, log = DockerBackend(runner=RUNNER, run=tmp_path), Heard(), tmp_path / "log"
    heard.awaited = b"\n5\n"
    script = "for i in 1 2 3 4 5 6 7 8 9 10; do echo $i; echo $i >&2; sleep 0.3; done; sleep 60"
    server = await backend.start(shell(script), log, heard)
    await asyncio.wait_for(heard.enough.wait(), 5)
    await door.shut()
    await door.open()
    heard.enough.clear()
    heard.awaited = b"10\n10\n"
    await asyncio.wait_for(heard.enough.wait(), 8)
    assert sorted(log.read_text().split(), key=int) == [str(number) for number in range(1, 11) for _ in range(2)]
    await server.stop()
    assert (await server.wait()).code == 143
    await backend.close()


async def test_an_engine_that_stays_away_is_told_in_the_end(
    door: Door, tmp_path: Path, api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docker_container, "AWAY_S", 0.5)
    backend = DockerBackend(runner=RUNNER, run=tmp_path)
    server = await backend.start(shell("sleep 60"), tmp_path / "log", lambda _: None)
    await door.shut()
    with pytest.raises(BackendUnavailable, match="went away while a container was up"):
        await asyncio.wait_for(server.wait(), 5)
    with pytest.raises(ServerLeft, match=f"The container {server.id[:12]} may still be up: no Docker Engine answers"):
        await asyncio.wait_for(backend.close(), 10)  # nothing hangs; the guard has the rest to do
    await asyncio.to_thread(api.remove_container, server.id, force=True)


async def test_a_server_stopped_while_the_engine_restarts_is_removed_once_it_is_back(
    door: Door, tmp_path: Path, api: APIClient
) -> None:
    backend = DockerBackend(runner=RUNNER, run=tmp_path)
    server = await backend.start(shell("sleep 60"), tmp_path / "log", lambda _: None)
    await door.shut()
    stopping = asyncio.create_task(server.stop(grace_s=0))
    await asyncio.sleep(3.0)
    assert not stopping.done()
    await door.open()
    await asyncio.wait_for(stopping, 15)
    assert not await asyncio.to_thread(api.containers, all=True, filters={"id": server.id})
    await backend.close()


async def test_a_removal_that_the_engine_refuses_is_told(
    door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: APIClient, container: str, **options: Any) -> None:
        raise APIError("500", explanation="could not kill container: tried to kill it, but got no exit event")

    backend = DockerBackend(runner=RUNNER, run=tmp_path)
    server = await backend.start(shell("sleep 60"), tmp_path / "log", lambda _: None)
    monkeypatch.setattr(docker_container, "REFUSED_S", 0.1)
    with monkeypatch.context() as engine:
        engine.setattr(APIClient, "remove_container", refuse)
        with pytest.raises(ServerLeft, match=f"refuses to remove it .could not kill.*docker rm -f {server.id[:12]}"):
            await server.stop(grace_s=0)
    await backend.close()  # asked again, it is removed


async def test_a_container_whose_start_broke_off_is_not_forgotten(
    door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = asyncio.Event()
    loop = asyncio.get_running_loop()
    goes_away = asyncio.create_task(_shut_when(made, door))
    create = APIClient.create_container

    def create_and_break_off(self: APIClient, **options: Any) -> object:
        answer = create(self, **options)
        loop.call_soon_threadsafe(made.set)
        while not goes_away.done():
            time.sleep(0.01)
        return answer

    monkeypatch.setattr(APIClient, "create_container", create_and_break_off)
    backend = DockerBackend(runner=RUNNER, run=tmp_path)
    with pytest.raises(ServerLeft, match=r"The container tuner-tui-[0-9a-f]+ may still be up"):
        await backend.start(shell("sleep 60"), tmp_path / "log", lambda _: None)
    await door.open()
    await backend.close()


async def _shut_when(made: asyncio.Event, door: Door) -> None:
    await made.wait()
    await door.shut()


async def test_who_removes_leftovers_waits_for_an_engine_that_is_away(
    door: Door, tmp_path: Path, api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuner_tui.backends.leftovers.LOOK_AGAIN_S", 0.02)
    backend = DockerBackend(runner=RUNNER, run=tmp_path)
    server = await backend.start(shell("sleep 60"), tmp_path / "log", lambda _: None)
    await door.shut()
    removing = asyncio.create_task(asyncio.to_thread(_remove_all_of_the_runner))
    await asyncio.sleep(2.0)
    assert not removing.done()
    await door.open()
    assert [words.split()[0] for words in await asyncio.wait_for(removing, 10)] == ["container"]
    assert not await asyncio.to_thread(api.containers, all=True, filters={"id": server.id})
    await backend.close()


def _remove_all_of_the_runner() -> list[str]:
    return list(remove_leftovers(lambda each: each.runner == RUNNER, docker=True, process=False, patience_s=60))
