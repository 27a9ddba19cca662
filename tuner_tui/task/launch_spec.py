"""Everything needed to start one server, frozen, and its `docker run` line."""

from __future__ import annotations

import shlex
from typing import Literal

import msgspec


class Mount(msgspec.Struct, frozen=True, kw_only=True):
    """A folder of this machine seen inside the container."""

    source: str
    target: str
    read_only: bool = True


class LaunchSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One server to start: by Docker, or as a process of this machine.

    `command` is the whole argument vector. In it, and in `environment`, the text `{port}` stands for the
    port the server listens on: `container_port` in a container, one chosen by the backend for a process.
    `environment` holds values that may be written down; `pass_environment` holds names whose values are
    taken from the user's environment at the moment of the start, so that no secret is ever stored.
    """

    backend: Literal["docker", "process"]
    command: tuple[str, ...]
    image: str | None = None
    container_port: int = 0
    environment: dict[str, str] = {}
    pass_environment: tuple[str, ...] = ()
    mounts: tuple[Mount, ...] = ()
    gpus: tuple[int, ...] = ()
    cpuset: str | None = None
    shm_size_bytes: int | None = None
    memory_bytes: int | None = None
    ipc: str | None = None
    network: str | None = None
    runtime: str | None = None
    user: str | None = None
    privileged: bool = False
    cap_add: tuple[str, ...] = ()
    security_opt: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    ulimits: dict[str, int] = {}
    labels: dict[str, str] = {}
    pull: Literal["missing", "always", "never"] = "missing"
    cwd: str | None = None

    def argv(self, port: int) -> list[str]:
        """The command with `{port}` filled in."""
        return [part.replace("{port}", str(port)) for part in self.command]

    def environment_at(self, port: int) -> dict[str, str]:
        """The environment with `{port}` filled in."""
        return {name: value.replace("{port}", str(port)) for name, value in self.environment.items()}

    def shell_line(self) -> str:
        """A line for a person to copy: `docker run …`, or the command with its folder and environment."""
        if self.backend == "docker":
            return shlex.join(self._docker_run())
        port = self.container_port or 8000
        parts = ["cd", shlex.quote(self.cwd), "&&"] if self.cwd else []
        parts += [f"{name}={shlex.quote(value)}" for name, value in self.environment_at(port).items()]
        if self.cpuset:
            parts += ["taskset", "-c", self.cpuset]
        return " ".join([*parts, *(shlex.quote(part) for part in self.argv(port))])

    def _docker_run(self) -> list[str]:
        line = ["docker", "run", "--rm", "--init"]
        if self.gpus:
            line += ["--gpus", '"device=' + ",".join(map(str, self.gpus)) + '"']
        if self.container_port and self.network != "host":
            line += ["-p", f"127.0.0.1::{self.container_port}"]
        for mount in self.mounts:
            # `-v` would take a colon in a folder's name for its own, and make an empty folder of a missing one.
            fields = ["type=bind", f"source={mount.source}", f"target={mount.target}"]
            line += ["--mount", _csv([*fields, "readonly"] if mount.read_only else fields)]
        for name, value in self.environment_at(self.container_port).items():
            line += ["-e", f"{name}={value}"]
        for name in self.pass_environment:
            line += ["-e", name]
        single = {
            "--shm-size": _size(self.shm_size_bytes),
            "--memory": _size(self.memory_bytes),
            # The same: no swap. Docker would allow as much of it again.
            "--memory-swap": _size(self.memory_bytes),
            "--ipc": self.ipc,
            "--cpuset-cpus": self.cpuset,
            "--network": self.network,
            "--runtime": self.runtime,
            "--user": self.user,
        }
        for option, given in single.items():
            if given is not None:
                line += [option, str(given)]
        if self.privileged:
            line += ["--privileged"]
        repeated = {"--cap-add": self.cap_add, "--security-opt": self.security_opt, "--device": self.devices}
        for option, values in repeated.items():
            for each in values:
                line += [option, each]
        for name, limit in self.ulimits.items():
            line += ["--ulimit", f"{name}={limit}"]
        for name, value in self.labels.items():
            line += ["--label", f"{name}={value}"]
        assert self.image is not None
        # An image's own entrypoint (`vllm serve`, say) must not come before the command.
        program, *arguments = self.argv(self.container_port)
        return [*line, "--entrypoint", program, self.image, *arguments]


def _size(size_bytes: int | None) -> str | None:
    """Bytes as Docker's options take them: `16g`, `512m`, or the plain number."""
    if size_bytes is None:
        return None
    for unit, power in (("g", 30), ("m", 20)):
        if size_bytes and size_bytes % 2**power == 0:
            return f"{size_bytes >> power}{unit}"
    return str(size_bytes)


def _csv(fields: list[str]) -> str:
    """`fields` as one line of comma-separated values, which `--mount` takes."""
    return ",".join('"' + each.replace('"', '""') + '"' if set(each) & set(',"\n') else each for each in fields)
