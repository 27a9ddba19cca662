"""One container: its options from a launch spec, started or not there, its end, its removal. Every call blocks."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from typing import Any

import msgspec

from tuner_tui.backends.backend import BackendUnavailable, StartFailed
from tuner_tui.backends.docker_command import check_command
from tuner_tui.backends.docker_connection import Client, is_gone, not_removed, start_failed
from tuner_tui.backends.docker_log import DockerLog
from tuner_tui.backends.log_sink import LogSink
from tuner_tui.task.launch_spec import LaunchSpec

AWAY_S = 60.0
"""How long an Engine may be away (its restart, with live-restore) before its containers are given up."""
REFUSED_S = 30.0
"""How long a removal that the Engine refuses is asked for again."""


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """A container that was started. `port` is 0 where it ended before it could be read."""

    id: str
    port: int
    log: DockerLog


class GivenUp(Exception):
    """The start was given up by who asked for it."""


def start_container(
    api: Client, name: str, spec: LaunchSpec, labels: dict[str, str], sink: LogSink, give_up: threading.Event
) -> Started:
    """Creates, attaches, starts. Raises StartFailed, BackendUnavailable, GivenUp, and then no container is left;
    or ServerLeft.

    `name` is the caller's, so that a container whose creation was answered too late can still be removed.
    """
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    log: DockerLog | None = None
    try:
        options = container_options(api, spec, labels)
        container = api.create_container(name=name, **options)["Id"]
        if give_up.is_set():
            raise GivenUp
        check_command(api, container)
        log = DockerLog(api, container, sink)
        log.attach()  # before the start: the first byte cannot be missed
        api.start(container)
        port = _published_port(api, container, spec)
        if give_up.is_set():
            raise GivenUp
        log.follow()
        return Started(id=container, port=port, log=log)
    except BaseException as error:
        if log is not None:
            log.close()
        remove_container(api, name)
        if isinstance(error, DockerException | RequestException | OSError):
            raise start_failed(error) from error
        raise


def container_options(api: Client, spec: LaunchSpec, labels: dict[str, str]) -> dict[str, Any]:
    """Arguments for docker-py's `create_container`."""
    from docker.types import DeviceRequest, LogConfig, Mount, Ulimit

    port = spec.container_port
    argv = spec.argv(port)
    environment = spec.environment_at(port)
    environment |= {name: os.environ[name] for name in spec.pass_environment if name in os.environ}
    publish = bool(port) and spec.network != "host"
    gpus = [DeviceRequest(device_ids=[str(gpu) for gpu in spec.gpus], capabilities=[["gpu"]])] if spec.gpus else None
    host = api.create_host_config(
        init=True,  # an engine as process 1 would ignore SIGTERM and leave zombies
        restart_policy={"Name": "no"},
        log_config=LogConfig(type="json-file", config={}),  # the log can be read again after the Engine's restart
        port_bindings={port: ("127.0.0.1",)} if publish else None,
        device_requests=gpus,
        shm_size=spec.shm_size_bytes,
        ipc_mode=spec.ipc,
        mem_limit=spec.memory_bytes,
        memswap_limit=spec.memory_bytes,  # the same: no swap, which would make an engine crawl and not fail
        cpuset_cpus=spec.cpuset,
        mounts=[
            Mount(
                target=mount.target,
                source=mount.source,
                # "bind" refuses a missing folder, where a volume line would silently make an empty one
                type="bind" if mount.source.startswith("/") else "volume",
                read_only=mount.read_only,
            )
            for mount in spec.mounts
        ],
        network_mode=spec.network,
        runtime=spec.runtime,
        privileged=spec.privileged,
        cap_add=list(spec.cap_add) or None,
        security_opt=list(spec.security_opt) or None,
        devices=list(spec.devices) or None,
        ulimits=[Ulimit(name=name, soft=limit, hard=limit) for name, limit in spec.ulimits.items()] or None,
    )
    return {
        "image": spec.image,
        # as the entry point, so that one the image has of its own never comes in between
        "entrypoint": argv[:1],
        "command": argv[1:],
        "environment": environment,
        "labels": spec.labels | labels,
        "ports": [port] if publish else None,
        "user": spec.user,
        "working_dir": spec.cwd,
        "host_config": host,
    }


def _published_port(api: Client, container: str, spec: LaunchSpec) -> int:
    if not spec.container_port or spec.network == "host":
        return spec.container_port
    facts = api.inspect_container(container)
    bindings = (facts["NetworkSettings"]["Ports"] or {}).get(f"{spec.container_port}/tcp") or []
    if bindings:
        return int(bindings[0]["HostPort"])
    if not facts["State"]["Running"]:
        return 0  # it ended at once; its exit and log tell why
    raise StartFailed(
        "start_failed",
        f"The network {spec.network} publishes no port to this machine: set docker.network to bridge or host.",
    )


def wait_for_exit(api: Client, container: str, given_up: threading.Event) -> tuple[int, bool]:
    """Blocks until the container has ended: its exit code, and whether the kernel ended it for its memory.

    Ends at once when the container is removed. Survives a restart of the Engine. 137 where somebody else removed
    it, so that its own code is not known. Raises BackendUnavailable if the Engine stays away.
    """
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    away_since: float | None = None
    while not given_up.is_set():
        try:
            code = int(api.wait(container, timeout=None, condition="not-running")["StatusCode"])
            return code, _out_of_memory(api, container, code)
        except (DockerException, RequestException, OSError, ValueError) as error:
            if is_gone(error):
                break
            away_since = away_since or time.monotonic()
            if time.monotonic() - away_since > AWAY_S:
                raise BackendUnavailable(
                    "The Docker Engine went away while a container was up: see journalctl -u docker."
                ) from error
            given_up.wait(0.2)
    return 137, False


def _out_of_memory(api: Client, container: str, code: int) -> bool:
    """`OOMKilled`, which the Engine may set shortly after the exit; only SIGKILL can come from the kernel's hand."""
    if code == 0:
        return False
    for last in (False, False, True):
        try:
            if api.inspect_container(container)["State"]["OOMKilled"]:
                return True
        except Exception:  # removed meanwhile, or the Engine is away: then nobody knows
            return False
        if code != 137 or last:
            break
        time.sleep(0.05)
    return False


def stop_container(api: Client, container: str, grace_s: float) -> None:
    """SIGTERM, after `grace_s` SIGKILL; returns when it has ended or is gone. It is not removed yet."""
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    with contextlib.suppress(DockerException, RequestException):
        if grace_s > 0:
            api.stop(container, timeout=max(1, round(grace_s)))
        else:
            api.kill(container)


def remove_container(api: Client, container: str, *, may_be_away: bool = False) -> bool:
    """Ends and removes it with its anonymous volumes; False where there was none. Returns when it is gone.

    Raises ServerLeft where the Engine goes on refusing, or does not answer; `may_be_away` waits for one that restarts.
    """
    from docker.errors import APIError, DockerException
    from requests.exceptions import RequestException

    began_s = time.monotonic()
    while True:
        try:
            api.remove_container(container, force=True, v=True)
            return True
        except (DockerException, RequestException, OSError) as error:
            if is_gone(error):
                return False
            # 409: another removal is under way; 500: a device or mount is still busy. Both pass.
            patience_s = REFUSED_S if isinstance(error, APIError) else AWAY_S if may_be_away else 0.0
            if time.monotonic() - began_s >= patience_s:
                raise not_removed(container, error) from error
            time.sleep(0.1)
