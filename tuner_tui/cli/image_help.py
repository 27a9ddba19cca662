"""Runs an engine once to hear its `--help`: in its image, or as a task says."""

from __future__ import annotations

import contextlib
import os
import subprocess

import msgspec

from tuner_tui.backends.backend import StartFailed
from tuner_tui.backends.docker_connection import connect, said, unavailable
from tuner_tui.backends.docker_container import container_options
from tuner_tui.backends.docker_image import find_image
from tuner_tui.engines.launch import command_prefix, launch_spec
from tuner_tui.engines.registry import engine
from tuner_tui.task.launch_spec import LaunchSpec
from tuner_tui.task.model import Task

_TIMEOUT_S = 180
_ENVIRONMENT = {"COLUMNS": "160", "NO_COLOR": "1"}


class HelpFailed(Exception):
    """The image is not here, or the engine has no help to give; one sentence says which."""


def asking_image(name: str, image: str) -> LaunchSpec:
    """To ask the engine called `name` in `image`, without network."""
    return LaunchSpec(
        backend="docker", image=image, command=engine(name).docker_command, environment=_ENVIRONMENT, network="none"
    )


def asking_task(task: Task) -> LaunchSpec:
    """To ask the engine of `task` where the task would start it: with its mounts, environment and command."""
    spec = launch_spec(task, {}, task.gpus or ())
    return msgspec.structs.replace(
        spec,
        command=spec.command[: len(command_prefix(task))],
        container_port=0,
        environment={**spec.environment, **_ENVIRONMENT},
        network="none" if task.backend == "docker" else None,
    )


def engine_help(spec: LaunchSpec, *, all_groups: bool = False) -> str:
    """What the command of `spec` prints with `--help`. A container is removed at once, an image never pulled.

    `all_groups`: the program shows its flags in groups and has `--help=all`. Raises HelpFailed, BackendUnavailable.
    """
    ask = _ask_process if spec.backend == "process" else _ask_container
    last = ""
    for question in ["--help=all", "--help"] if all_groups else ["--help"]:
        code, output, complaint = ask(msgspec.structs.replace(spec, command=(*spec.command, question)))
        if code == 0 and "--" in output:
            return output
        last = complaint.strip().splitlines()[-1] if complaint.strip() else "nothing"
    where = f" in {spec.image}" if spec.image else ""
    raise HelpFailed(f"{' '.join(spec.command)} --help{where} ended with code {code} and said: {last}")


def _ask_process(spec: LaunchSpec) -> tuple[int, str, str]:
    try:
        done = subprocess.run(
            spec.argv(0),
            env={**os.environ, **spec.environment_at(0)},
            cwd=spec.cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_TIMEOUT_S,
        )
    except OSError as error:
        raise HelpFailed(f"{spec.command[0]} could not be started: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise HelpFailed(f"{' '.join(spec.command)} took longer than {_TIMEOUT_S} s") from error
    return done.returncode, done.stdout, done.stderr


def _ask_container(spec: LaunchSpec) -> tuple[int, str, str]:
    from docker.errors import APIError, DockerException
    from requests.exceptions import RequestException

    api, image = connect(), spec.image
    assert image is not None
    try:
        if find_image(api, image) is None:
            raise HelpFailed(f"{image} is not on this machine: docker pull {image}")
        container = api.create_container(**container_options(api, spec, {"tuner-tui.help": "1"}))["Id"]
        try:
            api.start(container)
            code = int(api.wait(container, timeout=_TIMEOUT_S)["StatusCode"])
            output: str = api.logs(container, stdout=True, stderr=False).decode("utf-8", errors="replace")
            complaint: str = api.logs(container, stdout=False, stderr=True).decode("utf-8", errors="replace")
        finally:
            with contextlib.suppress(APIError):
                api.remove_container(container, force=True, v=True)
        return code, output, complaint
    except StartFailed as failed:
        raise HelpFailed(failed.reason) from failed
    except (DockerException, RequestException) as error:
        if isinstance(error, APIError):
            raise HelpFailed(f"{image} could not be asked: {said(error)}") from error
        raise unavailable(error) from error
    finally:
        api.close()
