"""What a person takes away from a run: a page, a table, and what starts the winner."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from tests.report.some_run import CLEAR, run_of
from tests.runs.test_state import CREATED, at, fold
from tuner_tui.report.deployment import chosen_experiment, compose, kubernetes, launch_command
from tuner_tui.report.export import FORMATS, exported
from tuner_tui.report.markdown import report
from tuner_tui.report.results import results, results_json
from tuner_tui.report.results_csv import results_csv
from tuner_tui.runs.events import (
    AnyEvent,
    LaunchesAdded,
    LaunchFinished,
    LaunchStarted,
    PreparationFinished,
    RunStarted,
)
from tuner_tui.runs.experiment import ExperimentState
from tuner_tui.runs.snapshot import Snapshot
from tuner_tui.task.model import DockerOptions, Limit, Model

DOCKER = DockerOptions(ipc=None, cpuset="0-3", cap_add=("SYS_PTRACE",), memory_bytes=2**36)
SERVED: dict[str, Any] = {
    "engine": "vllm",
    "model": Model(given="/data/m", kind="folder", path="/data/m"),
    "docker": DOCKER,
    "env": {"HF_TOKEN": None, "PRICE": "$5"},
}


def test_an_invalid_experiment_is_called_so_while_it_is_launched_once_more() -> None:
    events: list[AnyEvent] = [
        RunStarted(at=at(1), runner="u", pid=1, host="h"),
        LaunchStarted(at=at(1), launch=1, experiment=1, command="x"),
        LaunchFinished(at=at(2), launch=1, status="invalid", total_s=1.0),
        LaunchesAdded(at=at(3), experiments=(1,)),
        LaunchStarted(at=at(3), launch=2, experiment=1, command="x"),
    ]
    [experiment] = results(fold(*CREATED, *events))["experiments"]
    assert experiment["status"] == "invalid"


def served(**task: Any) -> tuple[Snapshot, ExperimentState]:
    snapshot = run_of(*CLEAR, **(SERVED | task))
    image = PreparationFinished(
        what="image", name="vllm/vllm-openai:v0.32.0", elapsed_s=1.0, image_digest="vllm/vllm-openai@sha256:abc"
    )
    snapshot = replace(snapshot, gpus=(0, 1), image=image)
    leader = chosen_experiment(snapshot)
    assert leader is not None
    return snapshot, replace(leader, gpus_needed=2)


def a_pod(snapshot: Snapshot, experiment: ExperimentState) -> dict[str, Any]:
    deployment, _ = yaml.safe_load_all(kubernetes(snapshot, experiment))
    pod: dict[str, Any] = deployment["spec"]["template"]["spec"]
    return pod


def test_the_table_has_a_row_for_each_launch_and_level_and_one_for_a_failed_launch() -> None:
    rows = list(csv.DictReader(io.StringIO(results_csv(run_of(*CLEAR, failed=9)).decode())))
    assert len(rows) == 7
    first, last = rows[0], rows[-1]
    assert (first["experiment"], first["launch"], first["level"]) == ("1", "1", "D(100,100) × 4")
    assert float(first["E2E mean (s)"]) == 0.2
    assert first["flag mem-fraction-static"] == "0.7"
    assert (last["status"], last["failure"], last["level"], last["E2E mean (s)"]) == (
        "failed",
        "cuda_out_of_memory",
        "",
        "",
    )
    assert len({len(row) for row in rows}) == 1


def test_the_page_says_who_won_by_how_much_and_how_to_serve_it() -> None:
    text = report(run_of(*CLEAR, failed=9, limits=(Limit(metric="e2e", statistic="mean", most_s=0.19),))).decode()
    assert "**winner**" not in text  # with #1 out by the limit there is nobody left to win against
    assert "breaks: e2e.mean 200 ms [" in text
    assert "| ★ ahead | 2 | 0.8 |" in text
    assert "serve --n 2" in text
    assert "cuda_out_of_memory" in text
    winner = report(run_of(*CLEAR)).decode()
    assert "**winner**: #2 with mean end-to-end latency 0.1800 s wins: −10.0 % [" in winner
    assert "+11.1 % [" in winner
    assert "No doubts" in winner


def test_nothing_that_an_engine_says_becomes_markup() -> None:
    snapshot = run_of(*CLEAR, description="<script>alert(1)</script> ![x](http://x)\n# not a head")
    text = report(snapshot).decode()
    assert "<script>" not in text
    assert "\n# not a head" not in text
    assert "![x]" not in text


def test_a_compose_file_starts_what_was_measured() -> None:
    snapshot, leader = served()
    document = yaml.safe_load(compose(snapshot, leader))
    [service] = document["services"].values()
    # The very image that was measured, whatever the tag will be by then.
    assert service["image"] == "vllm/vllm-openai@sha256:abc"
    words = [*service["entrypoint"], *service["command"]]
    assert words[words.index("--mem-fraction-static") + 1] == "0.8"
    assert service["ports"] == ["127.0.0.1:8000:8000"]
    assert {"type": "bind", "source": "/data/m", "target": "/model", "read_only": True} in service["volumes"]
    # A secret by its name alone, and no dollar sign that Compose would fill in.
    assert "HF_TOKEN" in service["environment"]
    assert "PRICE=$$5" in service["environment"]
    [device] = service["deploy"]["resources"]["reservations"]["devices"]
    assert device["device_ids"] == ["0", "1"]
    assert service["shm_size"] == 16 * 2**30
    assert service["cpuset"] == "0-3"
    # No swap, as it was measured.
    assert service["mem_limit"] == service["memswap_limit"] == 2**36


def test_a_kubernetes_manifest_starts_what_was_measured() -> None:
    snapshot, leader = served()
    text = kubernetes(snapshot, leader)
    deployment, service = yaml.safe_load_all(text)
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "vllm/vllm-openai@sha256:abc"
    assert container["args"][container["args"].index("--mem-fraction-static") + 1] == "0.8"
    assert container["resources"]["limits"] == {"nvidia.com/gpu": 2, "memory": 2**36}
    secret = next(each for each in container["env"] if each["name"] == "HF_TOKEN")
    assert secret["valueFrom"]["secretKeyRef"]["key"] == "HF_TOKEN"
    assert container["readinessProbe"]["httpGet"]["path"] == "/health"
    assert {"mountPath": "/dev/shm", "name": "shm"} in container["volumeMounts"]
    assert service["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"] == {"app": "t"}
    assert "# not carried over: docker.cpuset" in text
    assert "&id" not in text


class Yaml12(yaml.SafeLoader):
    """Reads plain words as YAML 1.2 does (yaml.org/spec/1.2.2, 10.3.2), and y and n as some readers in Go do."""


NUMBER = (
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
WORD = r"true|True|TRUE|false|False|FALSE|null|Null|NULL|~||[yYnN]"
Yaml12.yaml_implicit_resolvers = {None: [("!other", re.compile(f"({NUMBER}|{WORD})$"))]}
Yaml12.add_constructor("!other", lambda _, node: ("not a text", node.value))

TRICKY = ("1e-05", "1E5", "-1e-5", ".5", "0o17", "0x1F", "1_000", "y", "N", "no", "null", "~", "", "1:30", "2026-11-30")
"""What one reader of YAML or another takes for a number, a truth or nothing."""


@pytest.mark.parametrize("loader", [yaml.SafeLoader, Yaml12])
def test_numbers_and_words_stay_the_texts_they_are_for_every_reader(loader: type[yaml.SafeLoader]) -> None:
    env: dict[str, str | None] = {f"V{index}": text for index, text in enumerate(TRICKY)}
    docker = DockerOptions(command=("serve", *TRICKY), labels=dict(zip(TRICKY, TRICKY, strict=True)))
    snapshot, leader = served(env=env, docker=docker, name="y")

    [service] = yaml.load(compose(snapshot, leader), loader)["services"].values()
    assert tuple(service["command"][: len(TRICKY)]) == TRICKY
    assert service["labels"] == docker.labels
    assert {f"{name}={text}" for name, text in env.items()} <= set(service["environment"])

    deployment, _ = yaml.load_all(kubernetes(snapshot, leader), loader)
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    assert tuple(container["args"][: len(TRICKY)]) == TRICKY
    assert env.items() <= {each["name"]: each["value"] for each in container["env"]}.items()
    assert deployment["metadata"]["name"] == "y"


@pytest.mark.parametrize("text", ["a$b", "a$$b", "$(HOME)", "$$(HOME)", "$", "$(", "${HOME}"])
def test_dollar_signs_arrive_as_they_are(text: str) -> None:
    docker = DockerOptions(command=("serve", text), labels={"x": text})
    snapshot, leader = served(env={"X": text}, docker=docker)

    [service] = yaml.safe_load(compose(snapshot, leader))["services"].values()
    for written in (service["command"][0], service["labels"]["x"], service["environment"][-1].removeprefix("X=")):
        # Nothing is left for Compose to fill in where every dollar sign is one of a pair.
        assert "$" not in written.replace("$$", "") and written.replace("$$", "$") == text

    [container] = a_pod(snapshot, leader)["containers"]
    assert _kubelet(container["args"][0]) == text
    assert _kubelet({each["name"]: each["value"] for each in container["env"]}["X"]) == text


def _kubelet(text: str) -> str:
    """What a container gets of `text` (Kubernetes, forked/golang/expansion: `$$` is `$`, `$(NAME)` is filled in)."""
    return re.sub(r"\$\$|\$\(([^)]*)\)", lambda found: "$" if found[0] == "$$" else f"<{found[1]}>", text)


def test_the_port_is_filled_in_wherever_the_server_is_told_of_it() -> None:
    snapshot, leader = served(env={"VLLM_PORT": "{port}"})
    [service] = yaml.safe_load(compose(snapshot, leader))["services"].values()
    assert "VLLM_PORT=8000" in service["environment"]
    [container] = a_pod(snapshot, leader)["containers"]
    assert {"name": "VLLM_PORT", "value": "8000"} in container["env"]


def test_a_pod_is_reached_by_its_service_whatever_network_the_container_had() -> None:
    snapshot, leader = served(docker=DockerOptions(network="host", user="me", labels={"a": "b"}))
    pod = a_pod(snapshot, leader)
    [container] = pod["containers"]
    assert "hostNetwork" not in pod
    assert container["args"][container["args"].index("--host") + 1] == "0.0.0.0"
    assert "# not carried over: docker.network, docker.user, docker.labels\n" in kubernetes(snapshot, leader)
    # A service named like the engine does not come between: its VLLM_PORT would be a URL.
    assert pod["enableServiceLinks"] is False
    # On the machine's own network the server answers to the machine alone.
    [service] = yaml.safe_load(compose(snapshot, leader))["services"].values()
    assert service["network_mode"] == "host"
    assert service["command"][service["command"].index("--host") + 1] == "127.0.0.1"


@pytest.mark.parametrize(
    ("task", "name"),
    [
        ("7b-tune", "tuned-7b-tune"),
        ("Llama 3.2", "llama-3-2"),
        ("日本", "tuned"),
        ("7" + "-b" * 40, "tuned-7" + "-b" * 21),
    ],
)
def test_a_service_has_a_name_that_kubernetes_takes(task: str, name: str) -> None:
    snapshot, leader = served(name=task)
    deployment, service = yaml.safe_load_all(kubernetes(snapshot, leader))
    assert service["metadata"]["name"] == deployment["metadata"]["name"] == name
    assert re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", name) and len(name) <= 63  # RFC 1035, as for Services


def test_a_pipeline_finds_the_image_and_its_bare_digest() -> None:
    snapshot, _ = served()
    task = json.loads(results_json(snapshot))["task"]
    assert (task["image"], task["image_digest"]) == ("vllm/vllm-openai:v0.32.0", "sha256:abc")


def test_the_command_is_the_one_that_was_run() -> None:
    snapshot = run_of(*CLEAR)
    assert launch_command(snapshot, snapshot.experiments[1]) == "serve --n 2"


def test_every_format_can_be_had_and_those_of_the_winner_need_one() -> None:
    snapshot = run_of(*CLEAR)
    leader = chosen_experiment(snapshot)
    for name in FORMATS:
        assert exported(snapshot, name, leader).endswith(b"\n")
    nobody = run_of(*CLEAR, limits=(Limit(metric="e2e", statistic="mean", most_s=0.01),))
    assert chosen_experiment(nobody) is None
    with pytest.raises(ValueError, match="no configuration leads in r: No configuration keeps the limits"):
        exported(nobody, "compose", None)


def test_a_launch_command_is_a_line_a_shell_takes(tmp_path: Path) -> None:
    snapshot, leader = served()
    line = launch_command(snapshot, replace(leader, launches=()))
    assert subprocess.run(["sh", "-n", "-c", line], cwd=tmp_path).returncode == 0
    assert "--entrypoint" in line
