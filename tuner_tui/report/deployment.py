"""A configuration as something to serve with: a command line, a Docker Compose file, a Kubernetes manifest.

Pure functions of a snapshot, and of the names in this machine's environment (`engines.launch`). Secrets are in none of
them: their names are, and their values come from the environment where it is started.
"""

from __future__ import annotations

import re
from typing import Any

import yaml
from msgspec.structs import replace

from tuner_tui.engines.launch import SHM_DEFAULT_BYTES, launch_spec
from tuner_tui.engines.registry import engine
from tuner_tui.report.words import configuration_words
from tuner_tui.runs.experiment import ExperimentState
from tuner_tui.runs.imported import IMPORTED
from tuner_tui.runs.snapshot import Snapshot
from tuner_tui.task.launch_spec import LaunchSpec
from tuner_tui.task.model import DockerOptions

_NUMBERED_USER = re.compile(r"\d+(:\d+)?", re.ASCII)
"""A user as Kubernetes takes one."""


def chosen_experiment(snapshot: Snapshot, experiment: int | None = None) -> ExperimentState | None:
    """The one with that id; without an id the leader. None where there is none."""
    wanted = snapshot.verdict.leader if experiment is None else experiment
    return next((each for each in snapshot.experiments if each.id == wanted), None)


def launch_command(snapshot: Snapshot, experiment: ExperimentState) -> str:
    """The line that starts the same server by hand; as its last launch had it, where it was launched here."""
    if experiment.launches and not any(flag.name == IMPORTED for flag in experiment.launches[-1].validity):
        return experiment.launches[-1].command
    return _spec(snapshot, experiment).shell_line()


def compose(snapshot: Snapshot, experiment: ExperimentState) -> str:
    """A `compose.yaml` with one service, published on 127.0.0.1 at the engine's usual port (docs.docker.com/reference/
    compose-file). A task of processes gets the engine's own image."""
    spec = _container(snapshot, experiment, snapshot.task.docker)
    program, *arguments = spec.argv(spec.container_port)
    service: dict[str, Any] = {
        "image": spec.image,
        "entrypoint": [program],
        "command": arguments,
        "init": True,
        "restart": "unless-stopped",
    }
    if spec.network == "host":
        service["network_mode"] = "host"
    else:
        service["ports"] = [f"127.0.0.1:{spec.container_port}:{spec.container_port}"]
        if spec.network:
            service["network_mode"] = spec.network
    environment = [f"{name}={value}" for name, value in spec.environment_at(spec.container_port).items()]
    environment += spec.pass_environment
    volumes = [
        {"type": "bind", "source": each.source, "target": each.target, "read_only": each.read_only}
        for each in spec.mounts
    ]
    optional: dict[str, Any] = {
        "environment": environment,
        "volumes": volumes,
        "shm_size": spec.shm_size_bytes,
        "mem_limit": spec.memory_bytes,
        # The same, as it was measured: no swap.
        "memswap_limit": spec.memory_bytes,
        "ipc": spec.ipc,
        "cpuset": spec.cpuset,
        "runtime": spec.runtime,
        "user": spec.user,
        "privileged": spec.privileged,
        "cap_add": list(spec.cap_add),
        "security_opt": list(spec.security_opt),
        "devices": list(spec.devices),
        "ulimits": dict(spec.ulimits),
        "labels": dict(spec.labels),
    }
    service |= {key: value for key, value in optional.items() if value}
    if spec.gpus:
        device = {"driver": "nvidia", "device_ids": [str(gpu) for gpu in spec.gpus], "capabilities": ["gpu"]}
        service["deploy"] = {"resources": {"reservations": {"devices": [device]}}}
    name = engine(snapshot.task.engine).name
    return _comment(snapshot, experiment) + _yaml({"services": {name: _without_variables(service)}})


def kubernetes(snapshot: Snapshot, experiment: ExperimentState) -> str:
    """A Deployment and a Service (kubernetes.io/docs/reference).

    Folders of this machine become `hostPath` volumes, names of secret variables keys of a Secret `<name>-env`; what
    Kubernetes has no word for is named in a comment.
    """
    # On the pod's own network, whatever docker.network is: on the node's it would listen on 127.0.0.1 alone, where
    # neither its probe nor its Service reaches it.
    spec = _container(snapshot, experiment, replace(snapshot.task.docker, network=None))
    name = _dns_label(snapshot.task.name)
    # Kubernetes fills in $(NAME), and takes two dollar signs for one.
    program, *arguments = [part.replace("$", "$$") for part in spec.argv(spec.container_port)]
    container: dict[str, Any] = {
        "name": engine(snapshot.task.engine).name,
        "image": spec.image,
        "command": [program],
        "args": arguments,
        "ports": [{"name": "http", "containerPort": spec.container_port}],
        "readinessProbe": {
            "httpGet": {"path": engine(snapshot.task.engine).ready_paths[0], "port": "http"},
            "periodSeconds": 5,
            "failureThreshold": max(1, round(snapshot.task.start_timeout_s / 5)),
        },
    }
    environment: list[dict[str, Any]] = [
        {"name": key, "value": value.replace("$", "$$")}
        for key, value in spec.environment_at(spec.container_port).items()
    ]
    environment += [
        {"name": key, "valueFrom": {"secretKeyRef": {"name": f"{name}-env", "key": key, "optional": True}}}
        for key in spec.pass_environment
    ]
    volumes: list[dict[str, Any]] = []
    mounts: list[dict[str, Any]] = []
    for index, each in enumerate(spec.mounts):
        volumes.append({"name": f"folder-{index}", "hostPath": {"path": each.source}})
        mounts.append({"name": f"folder-{index}", "mountPath": each.target, "readOnly": each.read_only})
    if spec.shm_size_bytes and spec.ipc != "host":
        volumes.append({"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": spec.shm_size_bytes}})
        mounts.append({"name": "shm", "mountPath": "/dev/shm"})
    limits: dict[str, Any] = {}
    if spec.gpus:
        limits["nvidia.com/gpu"] = len(spec.gpus)
    if spec.memory_bytes:
        limits["memory"] = spec.memory_bytes
    security: dict[str, Any] = {}
    if spec.privileged:
        security["privileged"] = True
    if spec.cap_add:
        security["capabilities"] = {"add": list(spec.cap_add)}
    if spec.user and _NUMBERED_USER.fullmatch(spec.user):
        ids = [int(part) for part in spec.user.split(":")]
        security |= dict(zip(("runAsUser", "runAsGroup"), ids, strict=False))
    optional = {
        "env": environment,
        "volumeMounts": mounts,
        "resources": {"limits": limits} if limits else {},
        "securityContext": security,
    }
    container |= {key: value for key, value in optional.items() if value}
    # By default a Service named `vllm` puts a VLLM_PORT of its own, a URL, into the environment of the pods beside it.
    pod: dict[str, Any] = {"enableServiceLinks": False, "containers": [container]}
    if spec.ipc == "host":
        pod["hostIPC"] = True
    if volumes:
        pod["volumes"] = volumes
    labels = {"app": name}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": 1,
            # A second one would wait for the GPUs of the first.
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": dict(labels)},
            "template": {"metadata": {"labels": dict(labels)}, "spec": pod},
        },
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": labels, "ports": [{"name": "http", "port": spec.container_port, "targetPort": "http"}]},
    }
    return (
        _comment(snapshot, experiment) + _left_out(snapshot.task.docker) + _yaml(deployment) + "---\n" + _yaml(service)
    )


def _spec(snapshot: Snapshot, experiment: ExperimentState) -> LaunchSpec:
    return launch_spec(snapshot.task, experiment.configuration, snapshot.gpus[: experiment.gpus_needed])


def _container(snapshot: Snapshot, experiment: ExperimentState, docker: DockerOptions) -> LaunchSpec:
    """The spec by Docker, whatever the run's own backend was."""
    gpus = snapshot.gpus[: experiment.gpus_needed]
    spec = launch_spec(replace(snapshot.task, backend="docker", docker=docker), experiment.configuration, gpus)
    if snapshot.image is not None and snapshot.image.image_digest:
        # The very image that was measured, also after its tag has moved on.
        spec = replace(spec, image=_by_digest(snapshot.image.name, snapshot.image.image_digest))
    if gpus and spec.shm_size_bytes is None and spec.ipc is None:
        spec = replace(spec, shm_size_bytes=SHM_DEFAULT_BYTES)
    return spec


def _by_digest(name: str, digest: str) -> str:
    """`repository@sha256:…`, also from the bare digest that older runs have."""
    if "@" in digest:
        return digest
    repository = name.split("@")[0]
    head, slash, tail = repository.rpartition("/")
    return f"{head}{slash}{tail.split(':')[0]}@{digest}"


def _comment(snapshot: Snapshot, experiment: ExperimentState) -> str:
    words = configuration_words(experiment.configuration)
    lines = [f"{snapshot.task.name}: #{experiment.id}, {words}", f"from the run {snapshot.run}"]
    if snapshot.verdict.leader == experiment.id:
        lines.append(f"{snapshot.verdict.kind}: {snapshot.verdict.sentence}")
    if snapshot.image is not None:
        lines.append(f"measured with the image {snapshot.image.name}")
    elif snapshot.task.backend == "process":
        lines.append("measured as a process of the machine, not in a container")
    if snapshot.simulated:
        lines.insert(0, "SIMULATED: no model ran; timing follows a performance model")
    return "".join(f"# {' '.join(line.split())}\n" for line in lines)


def _left_out(docker: DockerOptions) -> str:
    there = {
        "cpuset": docker.cpuset,
        "network": docker.network,
        "ipc": docker.ipc != "host" and docker.ipc,
        "runtime": docker.runtime,
        "user": docker.user and not _NUMBERED_USER.fullmatch(docker.user),
        "labels": docker.labels,
        "security_opt": docker.security_opt,
        "devices": docker.devices,
        "ulimits": docker.ulimits,
    }
    names = [name for name, value in there.items() if value]
    return f"# not carried over: docker.{', docker.'.join(names)}\n" if names else ""


def _without_variables(value: Any) -> Any:
    """Compose fills in $NAME in any value; a dollar sign of its own is written twice."""
    if isinstance(value, dict):
        return {key: _without_variables(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_variables(each) for each in value]
    return value.replace("$", "$$") if isinstance(value, str) else value


def _dns_label(name: str) -> str:
    """A name Kubernetes takes for a Service, too (RFC 1035): a letter, then lower-case letters, digits and hyphens; 50
    at most here."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not plain[:1].isalpha():
        plain = f"tuned-{plain}"
    return plain[:50].strip("-")


class _Dumper(yaml.SafeDumper):
    """YAML in which a text is read as a text by readers of YAML 1.1 and 1.2 alike."""


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    # PyYAML quotes what YAML 1.1 takes for something else. To YAML 1.2 1e-05 is a number, too, and to some y is true.
    other = re.match(r"[-+.]*\d|[yn]$", text, re.IGNORECASE)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="'" if other else None)


_Dumper.add_representer(str, _text)


def _yaml(document: object) -> str:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, default_flow_style=False, allow_unicode=True, width=120)
