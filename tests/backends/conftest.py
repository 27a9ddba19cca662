"""A real Docker Engine, a tiny image, and Debian's docker-registry."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import docker
import pytest
from docker import APIClient
from docker.errors import DockerException

from tests.backends import tiny_image
from tuner_tui.backends.backend import LABEL_RUNNER
from tuner_tui.backends.docker import DockerBackend
from tuner_tui.task.launch_spec import LaunchSpec

RUNNER = f"test-of-the-backends-{uuid.uuid4().hex}"
"""Of this run of the tests alone: another beside it has containers of its own."""


@pytest.fixture(scope="session")
def api() -> Iterator[APIClient]:
    try:
        client = docker.from_env().api
    except DockerException as error:
        pytest.skip(f"no Docker Engine answers: {error}")
    yield client
    client.close()


@pytest.fixture(scope="session")
def image(api: APIClient) -> str:
    return tiny_image.make(api)


@pytest.fixture
async def backend(api: APIClient, tmp_path: Path) -> AsyncIterator[DockerBackend]:
    """A backend after which no container of its runner may be left."""
    made = DockerBackend(runner=RUNNER, run=tmp_path)
    yield made
    await made.close()
    left = api.containers(all=True, filters={"label": f"{LABEL_RUNNER}={RUNNER}"})
    for container in left:
        api.remove_container(container["Id"], force=True)
    assert not left, f"left behind: {left}"


def shell(script: str, **fields: object) -> LaunchSpec:
    """A container of the tiny image that runs `script`."""
    given: dict[str, object] = {"backend": "docker", "command": ("/bin/sh", "-c", script), "image": tiny_image.NAME}
    return LaunchSpec(**(given | fields))  # type: ignore[arg-type]


class Registry:
    """One docker-registry on 127.0.0.1 that can be ended in the middle of a pull."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self.folder = folder
        config = folder / "config.yml"
        config.write_text(
            f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder}/data}}, "
            f"delete: {{enabled: true}}}}\nhttp: {{addr: {self.address}}}\n"
        )
        with (folder / "registry.log").open("wb") as log:
            self._process = subprocess.Popen(
                ["docker-registry", "serve", str(config)], stdout=log, stderr=subprocess.STDOUT
            )
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://{self.address}/v2/", timeout=1).close()
                return
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.05)
        raise AssertionError((folder / "registry.log").read_text())

    def push(self, api: APIClient, image: str, name: str) -> str:
        """Pushes `image` as `name`, removes the local tag, returns the full name to pull."""
        full = f"{self.address}/{name}"
        repository, _, tag = full.rpartition(":")
        api.tag(image, repository, tag)
        answers = list(api.push(repository, tag=tag, stream=True, decode=True))
        assert not [answer for answer in answers if "error" in answer], answers
        api.remove_image(full, force=True)
        return full

    def blobs(self) -> list[Path]:
        """The stored layers, largest first."""
        return sorted(self.folder.glob("data/**/blobs/**/data"), key=lambda path: -path.stat().st_size)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    if shutil.which("docker-registry") is None:
        pytest.skip("docker-registry is not installed (apt-get install docker-registry)")
    folder = tmp_path / "registry"
    folder.mkdir()
    started = Registry(folder)
    yield started
    started.end()
