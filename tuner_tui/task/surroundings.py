"""`env`, `gpus`, `docker` and `process`: what a server is started in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tuner_tui.task.fields import Field, Section
from tuner_tui.task.model import DockerOptions, ProcessOptions
from tuner_tui.task.nodes import Scalar
from tuner_tui.task.paths import is_folder, is_there
from tuner_tui.task.variables import expand, expand_path, has_password, is_secret

_DOCKER_TEXTS = ("ipc", "network", "runtime", "user")
_DOCKER_LISTS = ("cap_add", "security_opt", "devices")
DOCKER_KEYS = (
    "command", "mounts", "shm_size", "memory", "ipc", "cpuset", "network", "runtime", "user", "labels",
    "privileged", "cap_add", "security_opt", "devices", "ulimits", "pull",
)  # fmt: skip
_PREFIX = "tuner-tui."


def read_env(section: Section | None) -> dict[str, str | None]:
    """Name → value as YAML wrote it, or None: passed from the user's environment."""
    env: dict[str, str | None] = {}
    if section is None:
        return env
    for name, _, field in section.fields():
        if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
            section.at_key(name, f"{name!r} is not the name of an environment variable")
        elif field.is_null:
            env[name] = None
        elif not isinstance(field.item, Scalar):
            field.expected("a text, or nothing to pass it from your environment")
        elif is_secret(name) or has_password(field.item.text):
            field.error(f"a secret does not belong in a task file; write `{name}:` with no value and export it")
        elif (value := expand(field, field.item.text)) is not None:
            env[name] = value
    return env


def read_gpus(field: Field | None) -> tuple[int, ...] | None:
    """GPU indices, or None where the task leaves it to what is found."""
    if field is None:
        return None
    if not field.is_list:
        field.expected("a list of GPU numbers, like [0, 1], or [] for none")
        return None
    found: list[int] = []
    for each in field.items("GPU numbers", empty=True):
        number = each.integer(0, "a GPU's number")
        if number is not None and number in found:
            each.error(f"GPU {number} is listed twice")
        elif number is not None:
            found.append(number)
    return tuple(found)


def read_docker(section: Section | None, folder: Path) -> DockerOptions:
    """What could be read; the rest is noted."""
    if section is None:
        return DockerOptions()
    section.check_names(DOCKER_KEYS, {})
    given: dict[str, Any] = {
        "command": _command(section),
        "mounts": _mounts(section.field("mounts"), folder),
        "labels": _labels(section.section("labels")),
        "ulimits": _ulimits(section.section("ulimits", "limits, like {memlock: -1}")),
    }
    for name in ("shm_size", "memory"):
        if field := section.field(name):
            given[f"{name}_bytes"] = field.size_bytes()
    for name in _DOCKER_TEXTS:
        if field := section.field(name):
            given[name] = field.text()
    for name in _DOCKER_LISTS:
        if field := section.field(name):
            given[name] = field.texts("texts")
    if field := section.field("cpuset"):
        given["cpuset"] = field.cpu_set()
    if field := section.field("privileged"):
        given["privileged"] = field.boolean()
    if field := section.field("pull"):
        given["pull"] = field.choice(("missing", "always", "never"))
    return DockerOptions(**{name: value for name, value in given.items() if value is not None})


def read_process(section: Section | None, folder: Path) -> ProcessOptions:
    """What could be read; the rest is noted."""
    if section is None:
        return ProcessOptions()
    section.check_names(("command", "cpus", "cwd"), {})
    cwd = None
    if (field := section.field("cwd")) and (text := field.text("a folder")):
        path = expand_path(field, text, folder)
        if path is not None and not is_folder(path):
            field.error(f"the folder {path} is not there")
        cwd = str(path)
    cpus = section.field("cpus")
    return ProcessOptions(command=_command(section), cpus=cpus.cpu_set() if cpus else None, cwd=cwd)


def _command(section: Section) -> tuple[str, ...] | None:
    field = section.field("command")
    words = field.texts("the words of a command, like [python3, -m, sglang.launch_server]") if field else None
    if field is None or words is None:
        return None
    expanded = [expand(field, word) for word in words]
    return tuple(word for word in expanded if word is not None)


def _mounts(field: Field | None, folder: Path) -> tuple[str, ...] | None:
    """Each as `source:target:ro` or `source:target:rw`, the source absolute; as in Docker, rw is the default."""
    if field is None:
        return None
    found = []
    for each in field.items('mounts, like ["/srv/cache:/root/.cache:ro"]'):
        text = each.text("source:target, or source:target:ro")
        parts = text.split(":") if text else []
        if text and (len(parts) not in (2, 3) or not parts[1].startswith("/") or parts[2:] not in ([], ["ro"], ["rw"])):
            each.error(f"expected source:target with a target from /, then :ro or :rw if wanted, found {text!r}")
        elif text and not parts[0].startswith(("/", "~", ".", "$")):
            each.error(
                f"expected a folder of this machine, found {parts[0]!r}; write ./{parts[0]} for one beside the file"
            )
        elif text and (source := expand_path(each, parts[0], folder)) is not None:
            if not is_there(source):
                each.warn(f"{source} is not there; Docker does not mount what is missing")
            found.append(f"{source}:{parts[1]}:{parts[2] if len(parts) == 3 else 'rw'}")
    return tuple(found)


def _labels(section: Section | None) -> dict[str, str] | None:
    if section is None:
        return None
    labels = {}
    for name, _, field in section.fields():
        if name.startswith(_PREFIX):
            section.at_key(name, f"labels that begin with {_PREFIX} are the tuner's own; take another name")
        elif field.is_null:
            labels[name] = ""
        elif (text := field.text()) is not None:
            labels[name] = text
    return labels


def _ulimits(section: Section | None) -> dict[str, int] | None:
    if section is None:
        return None
    read = {name: field.integer(-1, "a number, -1 for unlimited") for name, _, field in section.fields()}
    return {name: limit for name, limit in read.items() if limit is not None}
