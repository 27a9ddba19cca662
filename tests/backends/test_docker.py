"""A container's life: started, followed, waited for, stopped, gone."""

from __future__ import annotations

import asyncio
import shlex
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient

from tests.backends.conftest import RUNNER, shell
from tuner_tui.backends.backend import LABEL_RUN, LABEL_RUNNER, Exit
from tuner_tui.backends.docker import DockerBackend
from tuner_tui.task.launch_spec import Mount

OPTIONS: dict[str, Any] = {
    "cpuset": "0",
    "shm_size_bytes": 32 * 2**20,
    "memory_bytes": 512 * 2**20,
    "ulimits": {"nofile": 1234},
    "user": "1000",
    "labels": {"team": "inference"},
}

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("image")]


def ignore(_: bytes) -> None:
    pass


def names(api: APIClient) -> set[str]:
    return {container["Id"] for container in api.containers(all=True)}


async def test_what_it_prints_is_complete_from_the_first_byte_and_the_exit_is_told(
    backend: DockerBackend, tmp_path: Path
) -> None:
    log, heard = tmp_path / "container.log", bytearray()
    server = await backend.start(shell("echo first; echo second >&2; exit 7"), log, heard.extend)
    assert await server.wait() == Exit(code=7)
    assert sorted(log.read_bytes().splitlines()) == [b"first", b"second"]
    assert bytes(heard) == log.read_bytes()


async def test_two_hundred_thousand_lines_arrive_in_order_and_the_loop_stays_free(
    backend: DockerBackend, tmp_path: Path
) -> None:
    log, heard = tmp_path / "container.log", bytearray()
    server = await backend.start(shell("seq 200000"), log, heard.extend)
    assert (await server.wait()).code == 0
    assert log.read_bytes() == b"".join(b"%d\n" % number for number in range(1, 200001))
    assert bytes(heard) == log.read_bytes()


async def test_a_progress_bar_without_line_feeds_is_seen_as_it_moves(backend: DockerBackend, tmp_path: Path) -> None:
    seen = asyncio.Event()
    heard = bytearray()

    def on_log(data: bytes) -> None:
        heard.extend(data)
        seen.set()

    server = await backend.start(shell(r"printf '10%%\r'; sleep 30"), tmp_path / "log", on_log)
    await asyncio.wait_for(seen.wait(), 3)
    assert bytes(heard) == b"10%\r"
    await server.stop(grace_s=0)


async def test_stop_ends_it_with_its_signal_and_removes_it(
    backend: DockerBackend, api: APIClient, tmp_path: Path
) -> None:
    before = names(api)
    server = await backend.start(shell("sleep 60"), tmp_path / "log", ignore)
    assert names(api) - before == {server.id}
    await server.stop()
    assert names(api) == before
    assert await server.wait() == Exit(code=143, stopped=True)
    await server.stop()  # again, when it is gone


async def test_stop_of_one_that_ignores_sigterm_waits_for_the_grace_and_kills(
    backend: DockerBackend, tmp_path: Path
) -> None:
    log, ready = tmp_path / "log", asyncio.Event()
    server = await backend.start(shell("trap '' TERM; echo up; while :; do sleep 60; done"), log, lambda _: ready.set())
    await ready.wait()
    begun_s = time.monotonic()
    await asyncio.gather(server.stop(grace_s=1), server.stop(grace_s=1))
    assert 0.9 < time.monotonic() - begun_s < 5
    assert await server.wait() == Exit(code=137, stopped=True)


async def test_a_second_stop_with_no_grace_overtakes_the_first(backend: DockerBackend, tmp_path: Path) -> None:
    ready = asyncio.Event()
    script = "trap '' TERM; echo up; while :; do sleep 60; done"
    server = await backend.start(shell(script), tmp_path / "log", lambda _: ready.set())
    await ready.wait()
    patient = asyncio.create_task(server.stop(grace_s=30))
    await asyncio.sleep(0.3)
    await asyncio.wait_for(server.stop(grace_s=0), 5)
    await asyncio.wait_for(patient, 5)


async def test_one_that_somebody_else_removes_has_ended(backend: DockerBackend, api: APIClient, tmp_path: Path) -> None:
    server = await backend.start(shell("sleep 60"), tmp_path / "log", ignore)
    await asyncio.to_thread(api.remove_container, server.id, force=True)
    assert await asyncio.wait_for(server.wait(), 3) == Exit(code=137)
    await server.stop()


async def test_an_exit_is_noticed_at_once(backend: DockerBackend, tmp_path: Path) -> None:
    printed_s = 0.0

    def on_log(_: bytes) -> None:
        nonlocal printed_s
        printed_s = time.monotonic()

    server = await backend.start(shell("sleep 0.5; echo last"), tmp_path / "log", on_log)
    await server.wait()
    assert time.monotonic() - printed_s < 0.5


async def test_killed_for_its_memory_is_told_from_killed(backend: DockerBackend, tmp_path: Path) -> None:
    eater = shell("head -c 200m /dev/zero | tail", memory_bytes=20 * 2**20)
    server = await backend.start(eater, tmp_path / "log", ignore)
    assert await server.wait() == Exit(code=137, out_of_host_memory=True)
    killed = await backend.start(shell("kill -9 $$"), tmp_path / "log2", ignore)
    assert await killed.wait() == Exit(code=137)


async def test_the_container_is_made_as_the_spec_says(
    backend: DockerBackend, api: APIClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("the weights")
    monkeypatch.setenv("SECRET_TOKEN", "s3cret")
    monkeypatch.delenv("ABSENT_TOKEN", raising=False)
    script = (
        "cat /models/it/config.json; echo; echo x > /models/it/new && echo written; echo $WHERE $SECRET_TOKEN;"
        "echo ${ABSENT_TOKEN-absent}; nproc; df -k /dev/shm | tail -n 1; ulimit -n; echo at {port}; id -u"
    )
    spec = shell(
        script,
        container_port=8000,
        environment={"WHERE": "port-{port}"},
        pass_environment=("SECRET_TOKEN", "ABSENT_TOKEN"),
        mounts=(Mount(source=str(tmp_path / "model"), target="/models/it"),),
        **OPTIONS,
    )
    log = tmp_path / "log"
    server = await backend.start(spec, log, ignore)
    facts = await asyncio.to_thread(api.inspect_container, server.id)
    assert (await server.wait()).code == 0
    lines = log.read_text().splitlines()
    assert "the weights" in log.read_text() and "written" not in lines
    assert "port-8000 s3cret" in lines and "absent" in lines and "1" in lines and "1234" in lines
    assert "at 8000" in lines and "1000" in lines
    assert any("32768" in line for line in lines), lines
    host, config = facts["HostConfig"], facts["Config"]
    assert config["Labels"].items() >= {LABEL_RUNNER: RUNNER, LABEL_RUN: str(tmp_path), "team": "inference"}.items()
    assert (host["Memory"], host["MemorySwap"], host["Init"]) == (2**29, 2**29, True)
    assert (host["RestartPolicy"]["Name"], host["LogConfig"]["Type"]) == ("no", "json-file")


@pytest.mark.parametrize("folder", ["model", "llama3:8b", "a,b"])
async def test_the_line_to_copy_makes_the_same_container(
    backend: DockerBackend, api: APIClient, tmp_path: Path, folder: str
) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "config.json").write_text("the weights")
    spec = shell(
        "cat /models/it/config.json; echo; echo $WHERE at {port}",
        container_port=8000,
        environment={"WHERE": "port-{port}", "SAYS": "it's $HOME"},
        mounts=(
            Mount(source=str(tmp_path / folder), target="/models/it"),
            Mount(source=str(tmp_path), target="/cache", read_only=False),
        ),
        **OPTIONS,
    )
    log = tmp_path / "log"
    server = await backend.start(spec, log, ignore)
    launched = await asyncio.to_thread(api.inspect_container, server.id)
    await server.wait()

    line = shlex.split(spec.shell_line())
    assert line[:3] == ["docker", "run", "--rm"]
    copied = (await asyncio.to_thread(_docker, "create", *line[3:])).strip()
    try:
        printed = await asyncio.to_thread(_docker, "start", "-a", copied)
        by_hand = await asyncio.to_thread(api.inspect_container, copied)
    finally:
        api.remove_container(copied, force=True)
    assert printed == log.read_text() == "the weights\nport-8000 at 8000\n"
    assert _made_of(by_hand) == _made_of(launched)


def _docker(*words: str) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _made_of(facts: dict[str, Any]) -> dict[str, Any]:
    """What a container is made of, without what is another one's each time."""
    config, host = facts["Config"], facts["HostConfig"]
    limits = ("Memory", "MemorySwap", "ShmSize", "CpusetCpus", "Ulimits", "Init", "Privileged", "NetworkMode")
    return {
        **{name: config[name] for name in ("Image", "Entrypoint", "Cmd", "User", "ExposedPorts")},
        **{name: host[name] for name in limits},
        "Env": sorted(config["Env"]),
        "Labels": {name: value for name, value in config["Labels"].items() if not name.startswith("tuner-tui.")},
        "Mounts": sorted((each["Type"], each["Source"], each["Destination"], each["RW"]) for each in facts["Mounts"]),
        "Ports": [(port, [each["HostIp"] for each in to]) for port, to in host["PortBindings"].items()],
    }


async def test_the_port_is_chosen_by_docker_and_only_this_machine_reaches_it(
    backend: DockerBackend, api: APIClient, tmp_path: Path
) -> None:
    servers = [await backend.start(shell("sleep 60", container_port=8000), tmp_path / str(i), ignore) for i in range(2)]
    assert len({server.url for server in servers}) == 2
    for server in servers:
        facts = await asyncio.to_thread(api.inspect_container, server.id)
        (binding,) = facts["NetworkSettings"]["Ports"]["8000/tcp"]
        assert binding["HostIp"] == "127.0.0.1"
        assert server.url == f"http://127.0.0.1:{binding['HostPort']}"
    with socket.socket() as probe:
        probe.settimeout(2)
        probe.connect(("127.0.0.1", int(servers[0].url.rsplit(":", 1)[1])))
    # close() stops what is up; the fixture looks for leftovers


async def test_on_the_hosts_network_the_port_is_the_containers_own(backend: DockerBackend, tmp_path: Path) -> None:
    server = await backend.start(shell("sleep 60", container_port=8123, network="host"), tmp_path / "log", ignore)
    assert server.url == "http://127.0.0.1:8123"


async def test_an_image_with_an_entry_point_of_its_own_runs_only_our_command(
    backend: DockerBackend, api: APIClient, tmp_path: Path
) -> None:
    made = api.create_container("tuner-tui-test:shell", command=["x"], entrypoint=["/bin/sh"])
    try:
        api.commit(made["Id"], repository="tuner-tui-test", tag="entry", conf={"Entrypoint": ["/bin/cat"]})
    finally:
        api.remove_container(made["Id"])
    try:
        log = tmp_path / "log"
        server = await backend.start(shell("echo ours", image="tuner-tui-test:entry"), log, ignore)
        assert (await server.wait()).code == 0
        assert log.read_bytes() == b"ours\n"
        await server.stop()
    finally:
        api.remove_image("tuner-tui-test:entry", force=True)


async def test_the_event_loop_is_never_blocked(backend: DockerBackend, tmp_path: Path) -> None:
    async def heartbeat() -> float:
        longest_s, last_s = 0.0, time.monotonic()
        try:
            while True:
                await asyncio.sleep(0.002)
                now_s = time.monotonic()
                longest_s, last_s = max(longest_s, now_s - last_s), now_s
        except asyncio.CancelledError:
            return longest_s

    gaps_s = []
    for attempt in range(3):  # a busy machine can hold anybody up once; a blocking call does it every time
        beat = asyncio.create_task(heartbeat())
        server = await backend.start(shell("seq 20000; sleep 60"), tmp_path / str(attempt), ignore)
        await server.stop()
        beat.cancel()
        gaps_s.append(await beat)
        if gaps_s[-1] < 0.05:
            return
    raise AssertionError(f"the loop stood still for {gaps_s} s")
