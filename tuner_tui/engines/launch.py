"""A task and one of its configurations as a launch spec."""

from __future__ import annotations

import os
import sys
from pathlib import Path, PurePosixPath

from tuner_tui.engines.catalogue import catalogue
from tuner_tui.engines.command import flags
from tuner_tui.engines.registry import engine
from tuner_tui.task.launch_spec import LaunchSpec, Mount
from tuner_tui.task.model import Configuration, Task
from tuner_tui.task.paths import is_folder, with_home

MODEL_TARGET = "/model"
"""Where a model folder is seen inside a container."""
HUB_TARGET = "/root/.cache/huggingface"
"""Where the user's Hugging Face folder is seen inside a container."""
SHM_DEFAULT_BYTES = 16 * 2**30
"""Docker's own 64 MiB break NCCL as soon as there are two ranks."""

_PROXIES = ("http_proxy", "https_proxy", "no_proxy")
PASSED = (
    "HF_TOKEN",
    "HUGGING_FACE_HUB_TOKEN",
    "HF_ENDPOINT",
    "HF_HUB_OFFLINE",
    *_PROXIES,
    *(name.upper() for name in _PROXIES),
)
"""Names passed on from the user's environment where they are set there; values are never written down."""


def launch_spec(task: Task, configuration: Configuration, gpus: tuple[int, ...]) -> LaunchSpec:
    """Everything to start `configuration` of `task` on `gpus` (indices on this machine; may be empty).

    Reads the environment's names and the Hugging Face folder's place, nothing else: no Docker, GPU or
    network is needed.
    """
    return _docker(task, configuration, gpus) if task.backend == "docker" else _process(task, configuration, gpus)


def command_prefix(task: Task) -> tuple[str, ...]:
    """The words that start the engine, before its arguments: the task's own, or else the engine's usual ones."""
    known = engine(task.engine)
    if task.backend == "docker":
        return task.docker.command or known.docker_command
    return task.process.command or known.process_command


def _docker(task: Task, configuration: Configuration, gpus: tuple[int, ...]) -> LaunchSpec:
    known, options = engine(task.engine), task.docker
    mounts = [_mount(text) for text in options.mounts]
    model, model_mount = _model_in_container(task)
    if model_mount is not None and all(each.target != model_mount.target for each in mounts):
        mounts.append(model_mount)
    # A container on the host's network must not be reachable from outside either.
    host = "127.0.0.1" if options.network == "host" else "0.0.0.0"
    shm = options.shm_size_bytes
    if shm is None and options.ipc is None and gpus:
        shm = SHM_DEFAULT_BYTES
    return LaunchSpec(
        backend="docker",
        command=_command(task, model, host, configuration),
        image=task.image or known.default_image,
        container_port=known.container_port,
        environment=_environment(task),
        pass_environment=_passed(task),
        mounts=tuple(mounts),
        gpus=gpus,
        cpuset=options.cpuset,
        shm_size_bytes=shm,
        memory_bytes=options.memory_bytes,
        ipc=options.ipc,
        network=options.network,
        runtime=options.runtime,
        user=options.user,
        privileged=options.privileged,
        cap_add=options.cap_add,
        security_opt=options.security_opt,
        devices=options.devices,
        ulimits=options.ulimits,
        labels=options.labels,
        pull=options.pull,
    )


def _process(task: Task, configuration: Configuration, gpus: tuple[int, ...]) -> LaunchSpec:
    options = task.process
    environment = _environment(task)
    if gpus:
        environment.setdefault("CUDA_VISIBLE_DEVICES", ",".join(map(str, gpus)))
    return LaunchSpec(
        backend="process",
        command=_command(task, _model_on_machine(task), "127.0.0.1", configuration),
        environment=environment,
        pass_environment=_passed(task),
        gpus=gpus,
        cpuset=options.cpus,
        cwd=options.cwd or str(_folder_of(task)),
    )


def _folder_of(task: Task) -> Path:
    """Not where somebody stood: a resume from elsewhere starts the same server, also after the task's folder was
    renamed or removed, which most servers do not miss."""
    folder = Path(task.file).parent
    return folder if is_folder(folder) else with_home("~")


def _command(task: Task, model: str, host: str, configuration: Configuration) -> tuple[str, ...]:
    known = engine(task.engine)
    model_arguments = [model] if known.model_flag is None else [known.model_flag, model]
    return (
        *(part.replace("{python}", sys.executable) for part in command_prefix(task)),
        *model_arguments,
        "--host",
        host,
        "--port",
        "{port}",
        *flags(known, configuration, catalogue(known.catalogue)),
    )


def served_name(task: Task, configuration: Configuration) -> str:
    """What a request calls the model; vLLM answers to no other name. In a container a folder is `/model`."""
    for flag, value in configuration.items():
        if flag.replace("_", "-") == "served-model-name" and value:
            return str(value[0] if isinstance(value, list | tuple) else value)
    return _model_on_machine(task) if task.backend == "process" else _model_in_container(task)[0]


def _model_name(task: Task) -> str:
    return task.model.hub_id or task.model.given


def _is_folder(task: Task) -> bool:
    """Also for a model that is missing: the command shown is then the one that will be right once it is there."""
    return task.model.kind in ("folder", "missing")


def _model_on_machine(task: Task) -> str:
    return task.model.path if _is_folder(task) and task.model.path else _model_name(task)


def _model_in_container(task: Task) -> tuple[str, Mount | None]:
    """The model argument, and the mount that makes it true."""
    if _is_folder(task) and task.model.path:
        folder = Path(task.model.path)
        if folder.parent.name == "snapshots" and folder.parent.parent.name.startswith("models--"):
            # A snapshot of the Hugging Face cache is a folder of links into `blobs` two levels higher.
            inside = PurePosixPath(MODEL_TARGET, "snapshots", folder.name)
            return str(inside), Mount(source=str(folder.parent.parent), target=MODEL_TARGET)
        return MODEL_TARGET, Mount(source=str(folder), target=MODEL_TARGET)
    if task.model.kind == "hub":
        return _model_name(task), _hub_mount()
    return _model_name(task), None


def _hub_mount() -> Mount:
    """The user's Hugging Face cache, writable: engines keep lock files in it."""
    if hub := os.environ.get("HF_HUB_CACHE"):
        return Mount(source=str(with_home(hub)), target=f"{HUB_TARGET}/hub", read_only=False)
    home = os.environ.get("HF_HOME") or "~/.cache/huggingface"
    return Mount(source=str(with_home(home)), target=HUB_TARGET, read_only=False)


def _mount(text: str) -> Mount:
    """`source:target:ro` or `source:target:rw`, as the task reader writes it; a source may hold colons."""
    source, target, mode = text.rsplit(":", 2)
    return Mount(source=source, target=target, read_only=mode == "ro")


def _environment(task: Task) -> dict[str, str]:
    own = {name: value for name, value in task.env.items() if value is not None}
    return {**engine(task.engine).environment, **own}


def _passed(task: Task) -> tuple[str, ...]:
    """Names only. A name that the task gives a value is not passed."""
    wanted = [name for name in PASSED if name in os.environ and name not in task.env]
    return (*wanted, *(name for name, value in task.env.items() if value is None))
