"""Every way a container cannot be started: one sentence with the remedy, and nothing is left behind."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient

from tests.backends.conftest import RUNNER, shell
from tuner_tui.backends import docker_container
from tuner_tui.backends.backend import BackendUnavailable, StartFailed
from tuner_tui.backends.docker import DockerBackend
from tuner_tui.backends.docker_connection import is_local, start_failed
from tuner_tui.engines.errors import CLASSES
from tuner_tui.task.launch_spec import Mount


@pytest.fixture
async def same_containers_after(api: APIClient, image: str) -> AsyncIterator[None]:
    before = {container["Id"] for container in api.containers(all=True)}
    yield
    assert {container["Id"] for container in api.containers(all=True)} <= before


FAILURES: dict[str, tuple[dict[str, Any], str, str]] = {
    "GPUs without an NVIDIA runtime": ({"gpus": (0,)}, "no_nvidia_runtime", "nvidia-ctk runtime configure"),
    "no such command": ({"command": ("sglang", "serve")}, "command_not_found", "no command sglang"),
    "no such command, by path": (
        {"command": ("/opt/none/sglang",)},
        "command_not_found",
        "no command /opt/none/sglang",
    ),
    "a folder as the command": ({"command": ("/tmp",)}, "command_not_found", "/tmp of the image may not be executed"),
    "the model folder is missing": (
        {"mounts": (Mount(source="/no/such/model", target="/model"),)},
        "mount_not_found",
        "The folder /no/such/model",
    ),
    "the same place twice": (
        {"mounts": (Mount(source="/tmp", target="/m"), Mount(source="/usr", target="/m"))},
        "start_failed",
        "docker.mounts",
    ),
    "too little memory": ({"memory_bytes": 4096}, "start_failed", "docker.memory"),
    "CPUs that are not there": ({"cpuset": "900"}, "start_failed", "The CPUs 900 are asked for"),
    "not a list of CPUs": ({"cpuset": "a-b"}, "start_failed", "docker.cpuset"),
    "no such image": ({"image": "tuner-tui-test:none"}, "image_not_found", "image tuner-tui-test:none is not on this"),
    "no such network": ({"network": "tuner-none"}, "start_failed", "docker network ls"),
    "a network without ports": ({"network": "none", "container_port": 80}, "start_failed", "publishes no port"),
    "no such runtime": ({"runtime": "kata9"}, "start_failed", "no runtime kata9"),
    "no such user": ({"user": "nobody9"}, "start_failed", "no user nobody9"),
    "no such device": ({"devices": ("/dev/nvidia99",)}, "start_failed", "/dev/nvidia99"),
    "no such capability": ({"cap_add": ("NO_CAP",)}, "start_failed", "no capability"),
    "no such security option": ({"security_opt": ("nothing",)}, "start_failed", "docker.security_opt"),
}


def failed_before_the_engine_spoke(failure_class: str, case: str) -> bool:
    return failure_class == "command_not_found" or case == "a network without ports"


@pytest.mark.docker
@pytest.mark.parametrize("case", FAILURES)
@pytest.mark.usefixtures("same_containers_after")
async def test_a_failed_start_says_why_and_leaves_nothing(case: str, backend: DockerBackend, tmp_path: Path) -> None:
    fields, failure_class, words = FAILURES[case]
    with pytest.raises(StartFailed) as failed:
        await backend.start(shell("sleep 60", **fields), tmp_path / "log", lambda _: None)
    assert (failed.value.failure_class, words in failed.value.reason) == (failure_class, True), vars(failed.value)
    assert failure_class in CLASSES
    assert "\n" not in failed.value.reason and len(failed.value.reason) < 400
    assert failed.value.line or failed_before_the_engine_spoke(failure_class, case)


@pytest.mark.docker
@pytest.mark.usefixtures("same_containers_after")
async def test_a_taken_port_is_named(backend: DockerBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker chooses the port, so it is only ever taken in between: here the option is bent to a taken one."""
    honest = docker_container.container_options
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        def bent(*arguments: Any) -> dict[str, Any]:
            options = honest(*arguments)
            options["host_config"]["PortBindings"]["8000/tcp"][0]["HostPort"] = str(port)
            return options

        monkeypatch.setattr(docker_container, "container_options", bent)
        with pytest.raises(StartFailed, match=f"{port} is taken by another") as failed:
            await backend.start(shell("sleep 60", container_port=8000), tmp_path / "log", lambda _: None)
    assert failed.value.failure_class == "port_in_use"


@pytest.mark.docker
@pytest.mark.usefixtures("same_containers_after")
@pytest.mark.parametrize("after_s", [0.0, 0.01, 0.03, 0.06, 0.1, 0.15, 0.2])
async def test_a_start_cancelled_at_any_moment_leaves_nothing(
    after_s: float, backend: DockerBackend, tmp_path: Path
) -> None:
    starting = asyncio.create_task(backend.start(shell("sleep 60"), tmp_path / "log", lambda _: None))
    await asyncio.sleep(after_s)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not asyncio.all_tasks() - {asyncio.current_task()}


async def test_no_engine_says_how_to_start_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    backend = DockerBackend(runner=RUNNER, run=tmp_path)
    with pytest.raises(BackendUnavailable, match="sudo systemctl start docker"):
        await backend.prepare(shell("true"), lambda _: None)
    await backend.close()


async def test_an_engine_that_went_away_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(f"{tmp_path}/deaf.sock")  # bound, nobody listens: what a crashed daemon leaves
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/deaf.sock")
        backend = DockerBackend(runner=RUNNER, run=tmp_path)
        with pytest.raises(BackendUnavailable, match="No Docker Engine answers"):
            await backend.start(shell("true"), tmp_path / "log", lambda _: None)


def test_a_socket_that_may_not_be_opened_says_which_group() -> None:
    refused = OSError("('Connection aborted.', PermissionError(13, 'Permission denied'))")
    assert "usermod -aG docker" in str(start_failed(refused))


@pytest.mark.parametrize(
    ("base_url", "local"),
    [
        ("http+docker://localhost", True),
        ("http://127.0.0.1:2375", True),
        ("http+docker://ssh", False),
        ("https://gpu7.example:2376", False),
    ],
)
def test_an_engine_on_another_machine_is_told_apart(base_url: str, local: bool) -> None:
    assert is_local(base_url) is local


@pytest.mark.parametrize(
    ("line", "failure_class", "words"),
    [  # what no machine without a GPU can say by itself
        (
            "OCI runtime create failed: nvidia-container-cli: requirement error: unsatisfied condition: cuda>=13.0, "
            "please update your driver to a newer version",
            "driver_too_old",
            "needs cuda>=13.0,",
        ),
        ("nvidia-container-cli: device error: 3: unknown device: unknown", "no_nvidia_runtime", "(3)"),
        (
            "nvidia-container-cli: initialization error: nvml error: driver not loaded: unknown",
            "no_nvidia_runtime",
            "nvml error: driver not loaded",
        ),
        ("unknown or invalid runtime name: nvidia", "no_nvidia_runtime", "nvidia-ctk"),
        ("write /var/lib/docker/tmp/x: no space left on device", "start_failed", "docker system df"),
        ("something nobody has seen", "start_failed", "something nobody has seen"),
    ],
)
def test_the_engines_words_are_read(line: str, failure_class: str, words: str) -> None:
    from docker.errors import APIError

    failed = start_failed(APIError("500 Server Error", explanation=line))
    assert isinstance(failed, StartFailed)
    assert (failed.failure_class, failed.line) == (failure_class, line)
    assert words in failed.reason
