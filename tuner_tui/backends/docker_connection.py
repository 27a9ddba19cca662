"""A connection to the Docker Engine of this machine, and what its errors mean for a person."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tuner_tui.backends.backend import BackendUnavailable, ServerLeft, StartFailed

if TYPE_CHECKING:
    from docker import APIClient

Client = Any
"""`docker.APIClient`. Not imported at module level: that costs 115 ms."""

PROCESS_WAY_ROUND = "or set backend: process in the task"


def connect() -> APIClient:
    """A client that speaks the Engine's own API version and follows DOCKER_HOST and the Docker CLI's context.

    Blocks. Raises BackendUnavailable where no Engine answers, and where the Engine is on another machine: its
    containers could be given neither folders of this one nor a port on 127.0.0.1.
    """
    import docker
    from docker.errors import DockerException

    try:
        api: APIClient = docker.from_env().api
    except DockerException as error:
        raise unavailable(error) from error
    if not is_local(api.base_url):
        address = api.base_url
        api.close()
        raise BackendUnavailable(
            f"The Docker Engine at {address} is on another machine: run tuner-tui there, "
            "or unset DOCKER_HOST (docker context use default) to use the Engine of this one."
        )
    return api


def is_local(base_url: str) -> bool:
    """Whether docker-py's `base_url` means this machine (a Unix socket has `http+docker://localhost`)."""
    return urlsplit(base_url).hostname in {"localhost", "127.0.0.1", "::1"}


def unavailable(error: Exception) -> BackendUnavailable:
    """`error` from a call that got no answer → a sentence with the remedy."""
    text = str(error)
    if "Permission" in text and "denied" in text:
        return BackendUnavailable(
            "The Docker Engine's socket may not be opened by this user (permission denied): "
            f"sudo usermod -aG docker $USER, then log in again, {PROCESS_WAY_ROUND}."
        )
    if "timed out" in text.lower():
        return BackendUnavailable(
            "The Docker Engine does not answer in time: see journalctl -u docker, "
            f"{PROCESS_WAY_ROUND}. ({_short(text)})"
        )
    return BackendUnavailable(
        f"No Docker Engine answers: sudo systemctl start docker, {PROCESS_WAY_ROUND}. ({_short(text)})"
    )


def is_gone(error: Exception) -> bool:
    """Whether the Engine says that there is no such container or image."""
    return _status(error) == 404


def _status(error: Exception) -> int | None:
    response = getattr(error, "response", None)
    return getattr(response, "status_code", None)


# What the Engine says (its API error texts, moby 20.10 to 28, runc and nvidia-container-cli) → failure class and
# sentence. Groups of the pattern fill {0}, {1} …
_SAYINGS: tuple[tuple[str, str, str], ...] = (
    (
        r"could not select device driver|unknown or invalid runtime name: nvidia|Unknown runtime specified nvidia"
        r"|could not find the nvidia|nvidia-container-runtime\S*: (?:executable file not found|no such file)",
        "no_nvidia_runtime",
        "GPUs are asked for, but this Docker Engine has no NVIDIA runtime: install the NVIDIA Container Toolkit, then "
        "sudo nvidia-ctk runtime configure --runtime=docker and sudo systemctl restart docker; or set gpus: [].",
    ),
    (
        r"unsatisfied condition: (\S+)",
        "driver_too_old",
        "The image needs {0}, and the NVIDIA driver of this machine is older: install a newer driver, or take an "
        "image built for an older CUDA.",
    ),
    (
        r"nvidia-container-cli: device error: (.*?): unknown device|unresolvable CDI devices (.*)",
        "no_nvidia_runtime",
        "A GPU asked for is not in this machine ({0}{1}): see nvidia-smi -L, and set gpus to what is there.",
    ),
    (
        r"nvidia-container-cli: (.*)",
        "no_nvidia_runtime",
        "The NVIDIA runtime could not give the container its GPUs ({0}): check that nvidia-smi works on this machine.",
    ),
    (
        r"(?:Bind for (\S+) failed: )?port is already allocated|listen tcp\S* (\S+): bind: address already in use",
        "port_in_use",
        "The port {0}{1} is taken by another program or container: see docker ps and ss -ltnp, and end what holds it.",
    ),
    (
        r'exec: \\?"(.*?)\\?": (?:executable file not found|stat \S+: no such file)'
        r'|exec:? \\?"?(\S+?)\\?"?: no such file or directory|error finding executable \\?"(.*?)\\?"',
        "command_not_found",
        "The image has no command {0}{1}{2}: set docker.command to how the engine is started in this image.",
    ),
    (
        r'exec: \\?"(.*?)\\?": permission denied',
        "command_not_found",
        "The command {0} of the image may not be executed (permission denied): set docker.command, or docker.user.",
    ),
    (
        r"bind source path does not exist: (\S+)",
        "mount_not_found",
        "The folder {0}, to be mounted in the container, does not exist: create it, or correct model or docker.mounts.",
    ),
    (
        r"invalid mount config[^:]*: (.*)|invalid volume specification: (.*)|Duplicate mount point: (.*)",
        "start_failed",
        "A folder cannot be mounted ({0}{1}{2}): correct docker.mounts.",
    ),
    (
        r"Minimum memory limit allowed is (\w+)",
        "start_failed",
        "docker.memory is less than the least a container may have, {0}: set it higher.",
    ),
    (
        r"Requested CPUs are not available - requested (\S+), available: (\S+)",
        "start_failed",
        "The CPUs {0} are asked for, this machine has {1} (docker.cpuset starts counting at 0).",
    ),
    (
        r"[Ii]nvalid value (\S+) for cpuset cpus|[Ii]nvalid cpuset|failed to write \S* to cpuset\.cpus",
        "start_failed",
        'docker.cpuset {0} is not a list of CPUs: write it as "0-3,6".',
    ),
    (
        r"cannot allocate memory|not enough memory|fork/exec .*: resource temporarily unavailable",
        "host_out_of_memory",
        "This machine has too little free memory to start the container: end what uses it (free -g, docker stats).",
    ),
    (
        r"no space left on device",
        "start_failed",
        "The Docker Engine's disk is full: docker system df shows what uses it, docker system prune frees it.",
    ),
    (
        r"network (\S+) not found|could not find network|No such network",
        "start_failed",
        "Docker has no network {0}: see docker network ls, and correct docker.network.",
    ),
    (
        r"[Uu]nknown runtime specified (\S+)|unknown or invalid runtime name: (\S+)",
        "start_failed",
        "Docker has no runtime {0}{1}: docker info lists its runtimes; correct docker.runtime.",
    ),
    (
        r"unable to find (user|group) (.*?): no matching entries",
        "start_failed",
        "The image has no {0} {1}: set docker.user to a number (id -u), or to a name the image knows.",
    ),
    (
        r"error gathering device information while adding custom device \\?\"(.*?)\\?\"",
        "start_failed",
        "The device {0} is not on this machine: correct docker.devices.",
    ),
    (
        r"[Ii]nvalid (?:capability|CapAdd): \\?\"?(\w+)|unknown capability:? \\?\"?(\w+)",
        "start_failed",
        "There is no capability {0}{1}: correct docker.cap_add.",
    ),
    (
        r"invalid --security-opt.*|seccomp profile .*|AppArmor enabled on system but .*",
        "start_failed",
        "Docker does not take the security option: correct docker.security_opt.",
    ),
    (
        r"[Ii]nvalid reference format",
        "image_not_found",
        "The image's name is not a valid one: write it as registry/name:tag, in lower case.",
    ),
    (
        r"[Nn]o such image: (\S+)|unable to find image '?(\S+?)'? locally",
        "image_not_found",
        "The image {0}{1} is not on this machine: docker pull it, or set docker.pull: missing.",
    ),
    (
        r"permission denied|operation not permitted",
        "start_failed",
        "The Docker Engine was refused a permission while it made the container: check the owner and mode of the "
        "mounted folders and devices, and docker.user.",
    ),
)


def start_failed(error: Exception) -> StartFailed | BackendUnavailable:
    """What docker-py raised while a container was made → failure class, one sentence with the remedy, the line."""
    from docker.errors import APIError

    if not isinstance(error, APIError):
        return unavailable(error)
    line = said(error)
    for pattern, failure_class, sentence in _SAYINGS:
        found = re.search(pattern, line)
        if found:
            filled = sentence.format(*(group or "" for group in found.groups()))
            return StartFailed(failure_class, re.sub(r" {2,}", " ", filled), line)
    return StartFailed("start_failed", f"The Docker Engine could not start the container: {_short(line)}", line)


def not_removed(container: str, error: Exception) -> ServerLeft:
    """What docker-py raised when `container` (an id or a name) was to be removed → a sentence with the remedy."""
    from docker.errors import APIError

    name = container if container.startswith("tuner-tui-") else container[:12]
    if isinstance(error, APIError):
        refusal = _short(said(error))
        why = f"the Docker Engine refuses to remove it ({refusal}): docker rm -f {name}, see journalctl -u docker"
    else:
        why = "no Docker Engine answers: once it does, tuner-tui clean removes what is left"
    return ServerLeft(f"The container {name} may still be up: {why}.")


def said(error: Exception) -> str:
    """The Engine's own words, on one line."""
    words = getattr(error, "explanation", None) or str(error)
    if isinstance(words, bytes):
        words = words.decode(errors="replace")
    return " ".join(str(words).split())


def _short(text: str, length: int = 300) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"
