"""Images: there, pulled with progress, or not to be had, from a real registry on this machine."""

from __future__ import annotations

import asyncio
import io
import itertools
import os
import tarfile
from typing import Any

import pytest
from docker import APIClient
from hypothesis import example, given
from hypothesis import strategies as st

from tests.backends.conftest import Registry, shell
from tuner_tui.backends.backend import Progress, StartFailed
from tuner_tui.backends.docker import DockerBackend
from tuner_tui.backends.docker_image import Layers, pull_failed

_PULLED = {"id": "a", "status": "Pull complete"}
_TRIED_AGAIN = {"id": "a", "status": "Downloading", "progressDetail": {"current": 1, "total": 3}}


@pytest.mark.docker
async def test_an_imported_image_has_an_id_and_no_digest(backend: DockerBackend, image: str) -> None:
    found = await backend.prepare(shell("true"), lambda _: None)
    assert found is not None
    assert (found.name, found.digest) == (image, None)
    assert found.id.startswith("sha256:")


@pytest.mark.docker
async def test_a_missing_image_is_pulled_with_progress_and_its_digest_kept(
    backend: DockerBackend, api: APIClient, registry: Registry
) -> None:
    big = _with_a_layer(api, 8_000_000)
    name = registry.push(api, big, "engines/sglang:v1")
    api.remove_image(big, force=True)
    told: list[Progress] = []
    try:
        pulled = await backend.prepare(shell("true", image=name), told.append)
        assert pulled is not None and pulled.digest is not None
        assert pulled.digest.startswith(f"{name.removesuffix(':v1')}@sha256:")
        api.tag(name, "my-sglang", "of-today")
        try:
            renamed = await backend.prepare(shell("true", image="my-sglang:of-today"), told.append)
        finally:
            api.remove_image("my-sglang:of-today")
        # No registry has a my-sglang.
        assert renamed is not None and renamed.digest == pulled.digest
        assert told and {progress.what for progress in told} == {f"pulling {name}"}
        assert max(progress.total for progress in told) > 8_000_000  # random bytes do not shrink
        assert max(progress.done for progress in told) == max(progress.total for progress in told)
        assert all(before.done <= after.done for before, after in itertools.pairwise(told))
        told.clear()
        again = await backend.prepare(shell("true", image=name), told.append)
        assert (again, told) == (pulled, [])  # it is there: the registry is not asked
        always = await backend.prepare(shell("true", image=name, pull="always"), told.append)
        assert always == pulled
    finally:
        api.remove_image(name, force=True)


@pytest.mark.docker
async def test_a_missing_tag_is_told_from_a_missing_registry(
    backend: DockerBackend, api: APIClient, registry: Registry, image: str
) -> None:
    name = registry.push(api, image, "engines/sglang:v1")
    with pytest.raises(StartFailed, match=r"has no image .*sglang:v9: check its name and tag") as failed:
        await backend.prepare(shell("true", image=name.replace("v1", "v9")), lambda _: None)
    assert failed.value.failure_class == "image_not_found"
    assert "v9" in failed.value.line
    with pytest.raises(StartFailed, match=r"docker\.pull is never"):
        await backend.prepare(shell("true", image=name, pull="never"), lambda _: None)
    registry.end()
    with pytest.raises(StartFailed, match="cannot be reached: check the Docker Engine's network") as failed:
        await backend.prepare(shell("true", image=name), lambda _: None)
    assert "connection refused" in failed.value.line


@pytest.mark.docker
async def test_a_pull_whose_registry_lost_a_layer_fails_in_one_sentence(
    backend: DockerBackend, api: APIClient, registry: Registry
) -> None:
    big = _with_a_layer(api, 8_000_000)
    name = registry.push(api, big, "engines/sglang:v1")
    api.remove_image(big, force=True)
    registry.blobs()[0].write_bytes(b"not what was pushed")
    with pytest.raises(StartFailed, match=f"The pull of {name} broke off: run again") as failed:
        await asyncio.wait_for(backend.prepare(shell("true", image=name), lambda _: None), 60)
    assert failed.value.failure_class == "image_not_found"
    assert failed.value.line
    assert not api.images(name)


@pytest.mark.docker
async def test_a_cancelled_pull_ends_at_once(backend: DockerBackend, api: APIClient) -> None:
    """A registry that accepts and never answers: nothing but the cancellation ends the pull."""

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        await over.wait()
        writer.close()

    connected, over = asyncio.Event(), asyncio.Event()
    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        pulling = asyncio.create_task(backend.prepare(shell("true", image=f"127.0.0.1:{port}/x:v1"), lambda _: None))
        await asyncio.wait_for(connected.wait(), 10)
        pulling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(pulling, 1)
        over.set()


@pytest.mark.docker
async def test_a_name_that_is_none_is_said_to_be_none(backend: DockerBackend) -> None:
    with pytest.raises(StartFailed, match="not a valid") as failed:
        await backend.prepare(shell("true", image="Not A Name:!"), lambda _: None)
    assert failed.value.failure_class == "image_not_found"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("pull access denied for x, repository does not exist or may require 'docker login'", "docker login"),
        ("Get https://r.example/v2/: dial tcp: lookup r.example: no such host", "cannot be reached"),
        ("manifest for x:v9 not found: manifest unknown: manifest unknown", "check its name and tag"),
        ("no matching manifest for linux/arm64/v8 in the manifest list entries", "this machine's processor"),
        ("Get https://r/v2/: http: server gave HTTP response to HTTPS client", "insecure-registries"),
        ("filesystem layer verification failed for digest sha256:ab", "broke off"),
        ("write /var/lib/docker/tmp/GetImageBlob1: no space left on device", "does not fit"),
    ],
)
def test_the_engines_words_on_a_pull_are_read(line: str, words: str) -> None:
    assert words in pull_failed("x:v9", line).reason


def test_layers_are_summed_and_those_already_here_cost_nothing() -> None:
    layers = Layers("x")
    events: list[dict[str, Any]] = [
        {"status": "Pulling from x", "id": "v1"},
        {"status": "Already exists", "id": "a"},
        {"status": "Pulling fs layer", "id": "b"},
        {"status": "Pulling fs layer", "id": "c"},
        {"status": "Downloading", "id": "b", "progressDetail": {"current": 10, "total": 100}},
        {"status": "Downloading", "id": "c", "progressDetail": {"current": 30, "total": 50}},
    ]
    for event in events:
        last = layers.take(event)
    assert (last.done, last.total, last.detail) == (40, 150, "1 of 3 layers, downloading")
    last = layers.take({"status": "Downloading", "id": "c", "progressDetail": {"current": 5, "total": 50}})
    assert last.done == 40  # a layer that starts anew does not go back
    layers.take({"status": "Download complete", "id": "b"})
    last = layers.take({"status": "Pull complete", "id": "b"})
    assert (last.done, last.total, last.detail) == (130, 150, "2 of 3 layers, downloading")


@example([{"id": "a", "status": "Downloading", "progressDetail": {"current": 2, "total": 1}}, _PULLED])
@example([{"id": "a", "status": "Downloading", "progressDetail": {"total": 9}}, _PULLED, _TRIED_AGAIN])
@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "id": st.sampled_from(["a", "b", "v1"]) | st.none(),
                "status": st.sampled_from(["Downloading", "Extracting", "Pull complete", "Already exists", "?"]),
                "progressDetail": st.none()
                | st.fixed_dictionaries({}, optional={"current": st.integers(0, 99), "total": st.integers(1, 99)}),
            },
        )
    )
)
def test_progress_never_goes_back_whatever_the_engine_says(events: list[dict[str, Any]]) -> None:
    layers = Layers("x")
    done = 0
    for event in events:
        progress = layers.take(event)
        assert done <= progress.done <= progress.total
        done = progress.done


def _with_a_layer(api: APIClient, size_bytes: int) -> str:
    """The tiny image and one layer of random bytes more."""
    made = api.create_container("tuner-tui-test:shell", command=["x"], entrypoint=["/bin/sh"])
    try:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            entry = tarfile.TarInfo("weights")
            entry.size = size_bytes
            tar.addfile(entry, io.BytesIO(os.urandom(size_bytes)))
        api.put_archive(made["Id"], "/tmp", buffer.getvalue())
        api.commit(made["Id"], repository="tuner-tui-test", tag="layered")
    finally:
        api.remove_container(made["Id"])
    return "tuner-tui-test:layered"
