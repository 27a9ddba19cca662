"""From a task and a configuration to what is started."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tuner_tui.engines.gpus import gpus_needed
from tuner_tui.engines.launch import launch_spec, served_name
from tuner_tui.task.launch_spec import Mount
from tuner_tui.task.model import Benchmark, DockerOptions, Model, Objective, ParameterSpace, ProcessOptions, Task, Value

FOLDER = Model(given="/data/m", kind="folder", path="/data/m")
HUB = Model(given="org/m", kind="hub", hub_id="org/m")


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_TOKEN", "HF_HOME", "HF_HUB_CACHE", "HF_ENDPOINT", "HF_HUB_OFFLINE", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HOME", "/home/me")


def task(engine: str = "sglang", model: Model = FOLDER, **fields: Any) -> Task:
    return Task(
        name="t",
        file="t.yaml",
        engine=engine,  # type: ignore[arg-type]
        model=model,
        space=ParameterSpace(),
        benchmark=Benchmark(traffic=("D(1,1)",), concurrency=(1,)),
        objective=Objective(name="minimize_latency", direction="minimize", metric="e2e"),
        **fields,
    )


def test_sglang_in_a_container() -> None:
    spec = launch_spec(task(image="lmsysorg/sglang:v0.5.2-cu126"), {"mem-fraction-static": 0.7}, (0, 1))
    assert spec.argv(30000) == [
        *("python3", "-m", "sglang.launch_server", "--model-path", "/model", "--host", "0.0.0.0", "--port", "30000"),
        *("--enable-metrics", "--mem-fraction-static", "0.7"),
    ]
    assert spec.mounts == (Mount(source="/data/m", target="/model", read_only=True),)
    assert (spec.image, spec.container_port, spec.gpus) == ("lmsysorg/sglang:v0.5.2-cu126", 30000, (0, 1))
    assert spec.shm_size_bytes == 16 * 2**30
    assert "CUDA_VISIBLE_DEVICES" not in spec.environment
    assert "docker run" in spec.shell_line()


def test_vllm_in_a_container_takes_the_model_as_its_first_argument() -> None:
    spec = launch_spec(task("vllm", HUB), {"max-num-seqs": 4}, ())
    assert spec.command[:3] == ("vllm", "serve", "org/m")
    assert spec.command[-2:] == ("--max-num-seqs", "4")
    assert spec.container_port == 8000
    # Engines lock files in the cache.
    assert spec.mounts == (
        Mount(source="/home/me/.cache/huggingface", target="/root/.cache/huggingface", read_only=False),
    )
    assert spec.environment["VLLM_LOGGING_COLOR"] == "0"
    assert spec.environment["DO_NOT_TRACK"] == "1"
    assert spec.shm_size_bytes is None


def test_the_hugging_face_folders_of_the_user_are_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", "~/hf")
    assert launch_spec(task(model=HUB), {}, ()).mounts[0].source == "/home/me/hf"
    monkeypatch.setenv("HF_HUB_CACHE", "/big/hub")
    assert launch_spec(task(model=HUB), {}, ()).mounts == (
        Mount(source="/big/hub", target="/root/.cache/huggingface/hub", read_only=False),
    )


def test_a_mount_of_the_user_takes_the_place_of_ours() -> None:
    options = DockerOptions(mounts=("/srv/cache:/root/.cache/huggingface:rw", "/x:7b:/y:ro"))
    assert launch_spec(task(model=HUB, docker=options), {}, ()).mounts == (
        Mount(source="/srv/cache", target="/root/.cache/huggingface", read_only=False),
        Mount(source="/x:7b", target="/y", read_only=True),
    )


def test_a_snapshot_is_mounted_with_the_blobs_its_links_lead_to() -> None:
    snapshot = "/c/hub/models--org--m/snapshots/abc"
    spec = launch_spec(task(model=Model(given=snapshot, kind="folder", path=snapshot)), {}, ())
    assert spec.mounts == (Mount(source="/c/hub/models--org--m", target="/model"),)
    assert spec.command[4] == "/model/snapshots/abc"


def test_secrets_are_passed_by_name_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:1")
    spec = launch_spec(task(env={"MY_KEY": None, "HTTPS_PROXY": "", "LEVEL": "3"}), {}, ())
    assert spec.pass_environment == ("HF_TOKEN", "MY_KEY")
    assert spec.environment["LEVEL"] == "3"
    assert spec.environment["HTTPS_PROXY"] == ""
    assert "hf_secret" not in repr(spec)


def test_everything_of_the_docker_section_arrives() -> None:
    options = DockerOptions(
        command=("python", "-m", "x"),
        shm_size_bytes=5,
        memory_bytes=6,
        cpuset="0-3",
        network="host",
        runtime="nvidia",
        user="1000",
        labels={"a": "b"},
        privileged=True,
        cap_add=("SYS_NICE",),
        security_opt=("seccomp=unconfined",),
        devices=("/dev/infiniband",),
        ulimits={"memlock": -1},
        pull="never",
    )
    spec = launch_spec(task(docker=options), {}, (3,))
    for field in options.__struct_fields__:
        if field not in ("command", "mounts"):
            assert getattr(spec, field) == getattr(options, field), field
    assert spec.command[:3] == ("python", "-m", "x")
    # On the host's network the server must not answer to others.
    assert spec.command[spec.command.index("--host") + 1] == "127.0.0.1"
    assert "-p" not in shlex.split(spec.shell_line())


def test_shared_memory_of_the_host_needs_no_size() -> None:
    assert launch_spec(task(docker=DockerOptions(ipc="host")), {}, (0,)).shm_size_bytes is None


def test_a_process_on_this_machine() -> None:
    spec = launch_spec(
        task("vllm", backend="process", process=ProcessOptions(cpus="0-1", cwd="/tmp")), {"enforce-eager": True}, (2, 3)
    )
    assert spec.argv(1234) == ["vllm", "serve", "/data/m", "--host", "127.0.0.1", "--port", "1234", "--enforce-eager"]
    assert (spec.image, spec.mounts, spec.cpuset, spec.cwd) == (None, (), "0-1", "/tmp")
    assert spec.environment["CUDA_VISIBLE_DEVICES"] == "2,3"
    assert spec.environment["PYTHONUNBUFFERED"] == "1"


def test_a_process_works_in_the_tasks_folder_wherever_the_user_stands(tmp_path: Path) -> None:
    folder = tmp_path / "tasks"
    folder.mkdir()
    written = replace(task("vllm", backend="process"), file=str(folder / "t.yaml"))
    assert launch_spec(written, {}, ()).cwd == str(folder)
    folder.rename(tmp_path / "renamed")  # while the run goes on, or before it is confirmed
    assert launch_spec(written, {}, ()).cwd == "/home/me"


@pytest.mark.parametrize(
    ("backend", "model", "configuration", "name"),
    [
        ("docker", FOLDER, {}, "/model"),
        ("process", FOLDER, {}, "/data/m"),
        ("docker", HUB, {}, "org/m"),
        ("docker", FOLDER, {"served_model_name": ["llama", "other"]}, "llama"),
        ("process", HUB, {"served-model-name": "llama"}, "llama"),
    ],
)
def test_what_a_request_calls_the_model(backend: str, model: Model, configuration: dict[str, Value], name: str) -> None:
    assert served_name(task("vllm", model, backend=backend), configuration) == name


def test_the_simulated_engine_runs_on_this_python() -> None:
    model = Model(given="llama", kind="name")
    process = launch_spec(task("simulated", model, backend="process"), {}, ())
    assert process.command[:6] == (sys.executable, "-P", "-m", "tuner_tui.engines.simulated", "--model-path", "llama")
    container = launch_spec(task("simulated", model), {}, ())
    assert container.command[0] == "python3"
    assert container.image == "tuner-tui-simulated:latest"


def test_a_missing_model_shows_the_command_that_would_be_right() -> None:
    spec = launch_spec(task(model=Model(given="m", kind="missing", path="/models/m")), {}, ())
    assert spec.mounts == (Mount(source="/models/m", target="/model"),)


@pytest.mark.parametrize(
    ("engine", "configuration", "gpus"),
    [
        ("sglang", {}, 1),
        ("sglang", {"tp_size": 2, "pp": 2, "data-parallel-size": 3}, 12),
        ("sglang", {"tp": "4"}, 4),
        ("sglang", {"tp-size": 8, "dp-size": 8, "enable-dp-attention": True}, 8),
        ("sglang", {"tp-size": 8, "dp-size": 2, "enable-dp-attention": False}, 16),
        ("sglang", {"tp-size": 8, "attn-dp-size": 4}, 8),
        ("sglang", {"tp-size": "many", "dp-size": None}, 1),
        ("vllm", {"tp": 2, "pipeline-parallel-size": 2, "dp": 2}, 8),
        ("vllm", {"dp": 8, "data-parallel-size-local": 2}, 2),
        ("vllm", {"tp-size": 4}, 1),
        ("simulated", {"tp-size": 2}, 2),
    ],
)
def test_gpus_needed(engine: str, configuration: dict[str, Value], gpus: int) -> None:
    assert gpus_needed(engine, configuration) == gpus
