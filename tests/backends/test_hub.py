"""A model from the hub (here a small one of our own): downloaded with progress, cached, or not to be had."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from tuner_tui.backends.backend import Progress, StartFailed
from tuner_tui.backends.hub import download
from tuner_tui.backends.hub_files import is_complete, needed
from tuner_tui.engines.errors import CLASSES

COMMIT = "a" * 40
FILES = {
    "config.json": b"{}",
    "tokenizer.json": b'{"a": 1}',
    "README.md": b"not needed",
    "model-00001-of-00002.safetensors": os.urandom(2_000_000),
    "model-00002-of-00002.safetensors": os.urandom(1_000_000),
    "model.safetensors.index.json": json.dumps(
        {"weight_map": {"x": "model-00001-of-00002.safetensors", "y": "model-00002-of-00002.safetensors"}}
    ).encode(),
    "pytorch_model.bin": b"the same weights once more",
}


class Hub:
    """The few answers of the hub that a download needs (its HTTP API: /api/models, and …/resolve/…)."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.status = 200
        self.error_code = ""
        self.slow = False
        self.weights_asked = asyncio.Event()

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/api/models/{owner}/{name}", self._facts)
        app.router.add_get("/api/models/{owner}/{name}/revision/{revision}", self._facts)
        app.router.add_get("/api/models/{owner}/{name}/tree/{revision}", self._tree)
        app.router.add_route("*", "/{owner}/{name}/resolve/{revision}/{path:.*}", self._file)
        return app

    def _refusal(self) -> web.Response | None:
        if self.status == 200:
            return None
        headers = {"X-Error-Code": self.error_code} if self.error_code else {}
        return web.Response(status=self.status, headers=headers)

    async def _facts(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        siblings = [
            {"rfilename": name, "size": len(data), "blobId": hashlib.sha1(data).hexdigest()}
            | (
                {"lfs": {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 1}}
                if len(data) > 1000
                else {}
            )
            for name, data in FILES.items()
        ]
        return self._refusal() or web.json_response({"id": "o/m", "sha": COMMIT, "siblings": siblings})

    async def _tree(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        entries = [
            {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
            | (
                {"lfs": {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 1}}
                if len(data) > 1000
                else {}
            )
            for name, data in FILES.items()
        ]
        return self._refusal() or web.json_response(entries)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        self.asked.append(f"{request.method} {path}")
        data = FILES[path]
        etag = (hashlib.sha256 if len(data) > 1000 else hashlib.sha1)(data).hexdigest()
        headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{etag}"', "Content-Length": str(len(data))}
        refusal = self._refusal()
        if refusal or request.method == "HEAD":
            return refusal or web.Response(headers=headers)
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        for at in range(0, len(data), 500_000):
            await response.write(data[at : at + 500_000])
            if len(data) > 1000:
                self.weights_asked.set()
                await asyncio.sleep(30 if self.slow else 0.1)
        return response


@pytest.fixture
async def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hub]:
    made = Hub()
    runner = web.AppRunner(made.application(), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert runner.addresses
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{runner.addresses[0][1]}")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    for name in ("HF_HUB_OFFLINE", "HF_HUB_CACHE", "HF_TOKEN", "HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    yield made
    await runner.cleanup()


async def test_a_model_is_fetched_with_progress_and_then_never_again(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Progress] = []
    folder = await download("o/m", on_progress=told.append)
    assert {path.name for path in folder.iterdir()} == set(FILES) - {"README.md", "pytorch_model.bin"}
    assert (folder / "model-00001-of-00002.safetensors").read_bytes() == FILES["model-00001-of-00002.safetensors"]
    wanted = sum(len(data) for name, data in FILES.items() if (folder / name).exists())
    assert told[-1] == Progress(what="downloading o/m", done=wanted, total=wanted)
    halfway = [progress for progress in told if 0 < progress.done < wanted]
    assert halfway and all(progress.total == wanted for progress in halfway)
    hub.asked.clear()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert await download("o/m", on_progress=told.append) == folder
    assert hub.asked == []


async def test_a_file_of_the_user_that_is_named_like_the_library_is_not_taken_for_it(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "huggingface_hub.py").write_text("raise SystemExit('a file of the user, not the library')")
    monkeypatch.chdir(tmp_path)
    folder = await download("o/m", on_progress=lambda _: None)
    assert (folder / "config.json").exists()


async def test_a_cancelled_download_ends_its_process_and_is_taken_up_again(hub: Hub, tmp_path: Path) -> None:
    hub.slow = True
    downloading = asyncio.create_task(download("o/m", on_progress=lambda _: None))
    await asyncio.wait_for(hub.weights_asked.wait(), 20)
    downloading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(downloading, 2)
    assert not _children()
    snapshot = tmp_path / "hf" / "hub" / "models--o--m" / "snapshots" / COMMIT
    assert (snapshot / "tokenizer.json").exists() and not is_complete(snapshot)
    hub.slow = False
    assert is_complete(await download("o/m", on_progress=lambda _: None))


@pytest.mark.parametrize(
    ("status", "error_code", "failure_class", "words"),
    [
        (403, "GatedRepo", "gated_model", "given only on request: ask on its page"),
        (404, "RepoNotFound", "model_not_found", "The hub has no model o/m"),
        (401, "", "model_not_found", "The hub has no model o/m, or it is private"),
        (404, "RevisionNotFound", "model_not_found", "has no revision v7"),
        (503, "", "model_not_found", "The hub answered 503"),
    ],
)
async def test_a_refusal_is_one_sentence(
    status: int, error_code: str, failure_class: str, words: str, hub: Hub
) -> None:
    hub.status, hub.error_code = status, error_code
    with pytest.raises(StartFailed) as failed:
        await download("o/m", on_progress=lambda _: None, revision="v7")
    assert (failed.value.failure_class, words in failed.value.reason) == (failure_class, True), vars(failed.value)
    assert failure_class in CLASSES


async def test_no_hub_and_no_network_are_told_apart(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(StartFailed, match="cannot be reached for o/m: check the network"):
        await download("o/m", on_progress=lambda _: None)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(StartFailed, match="not complete in the cache, and HF_HUB_OFFLINE is set"):
        await download("o/m", on_progress=lambda _: None)
    with pytest.raises(StartFailed, match="is not a model id"):
        await download("a/b/c", on_progress=lambda _: None)


def test_weights_are_taken_once() -> None:
    files = ["config.json", "model-1.safetensors", "pytorch_model.bin", "original/c.pth", "README.md"]
    assert needed(files) == (["config.json"], ["model-1.safetensors"])
    assert needed(["pytorch_model.bin", "a.pth", "onnx/model.safetensors"])[1] == ["pytorch_model.bin"]


@given(st.sets(st.sampled_from(sorted(set(FILES) - {"README.md", "pytorch_model.bin"}))))
def test_a_snapshot_is_complete_only_with_every_shard(names: set[str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as made:
        for name in names:
            (Path(made) / name).write_bytes(FILES[name] if name.endswith("json") else b"")
        (Path(made) / "generation_config.json").symlink_to("/nowhere")
        index_alone_may_be_missing = set(FILES) - {"README.md", "pytorch_model.bin", "model.safetensors.index.json"}
        assert is_complete(Path(made)) == (names >= index_alone_may_be_missing)


def _children() -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().decode()
        except OSError:
            continue
        if "hub_child" in command and "o/m" in command:
            found.append(command)
    return found
