"""A task file with everything in it becomes the task the user meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.task.reading_of import REST, problems_of, reading_of, task_of
from tuner_tui.task.model import DockerOptions, Model, Objective, Parameter, ProcessOptions, Search

FULL = """
name: chat
description: what our users do
engine: sglang
image: lmsysorg/sglang:v0.5.2-cu126
model: ./weights
backend: docker
gpus: [0, 2]
env: {HF_HUB_OFFLINE: 1, FAST: on, HF_TOKEN: , LITERAL: $$5}
docker:
  command: [python3, -m, sglang.launch_server]
  mounts: [".:/cache", "~/x:/y:ro"]
  shm_size: 16g
  memory: 1.5GiB
  ipc: host
  cpuset: 0-3, 8
  network: bridge
  runtime: nvidia
  user: 1000:10
  labels: {team: a, empty: }
  privileged: false
  cap_add: [SYS_PTRACE]
  security_opt: ["seccomp=unconfined"]
  devices: [/dev/fuse]
  ulimits: {memlock: -1, stack: 67108864}
  pull: never
process: {command: [sglang, serve], cpus: 0, cwd: .}
parameters:
  tp-size: 1
  mem-fraction-static: [0.7, 0.8]
  chunked-prefill-size: {from: 2048, to: 16384, times: 2}
  enable-mixed-chunk: [false, true]
  page-size: null
  cuda-graph-bs: [[1, 2], [4]]
unchecked: {some-new_flag: [1e-3, text]}
linked: [{dp-size: 2, attn: a}, {dp-size: 1}]
constraints: ["tp_size * dp_size <= gpus"]
benchmark:
  tool: builtin
  traffic: ["D(100, 100)", "N(480,240)/(300,150)", "U(10,20)/(5,6)", "U(100,50)"]
  concurrency: [1, 4]
  max_requests: 150
  max_time: 1m30s
  request: {temperature: 0, stop: ["x"]}
  cpus: "1"
objective: {minimize: ttft.p99, level: "D(100,100)x4"}
limits: {ttft.p99: 500ms, tpot: 0.05}
search: {strategy: grid, launches: 3, min_difference: 1%, budget: 1h30m, baseline: true}
start_timeout: 20m
"""


def test_every_key_arrives_with_its_type_and_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "weights").mkdir()
    (tmp_path / "x").mkdir()
    task = task_of(tmp_path, FULL, rest="")
    assert (task.name, task.engine, task.backend, task.gpus) == ("chat", "sglang", "docker", (0, 2))
    assert task.image == "lmsysorg/sglang:v0.5.2-cu126"
    assert task.model == Model(given="./weights", kind="folder", path=str(tmp_path / "weights"))
    assert task.env == {"HF_HUB_OFFLINE": "1", "FAST": "on", "HF_TOKEN": None, "LITERAL": "$5"}
    assert task.docker == DockerOptions(
        command=("python3", "-m", "sglang.launch_server"),
        mounts=(f"{tmp_path}:/cache:rw", f"{tmp_path}/x:/y:ro"),
        shm_size_bytes=16 * 2**30,
        memory_bytes=1536 * 2**20,
        ipc="host",
        cpuset="0-3,8",
        network="bridge",
        runtime="nvidia",
        user="1000:10",
        labels={"team": "a", "empty": ""},
        cap_add=("SYS_PTRACE",),
        security_opt=("seccomp=unconfined",),
        devices=("/dev/fuse",),
        ulimits={"memlock": -1, "stack": 67108864},
        pull="never",
    )
    assert task.process == ProcessOptions(command=("sglang", "serve"), cpus="0", cwd=str(tmp_path))
    assert task.space.parameters == (
        Parameter(name="tp-size", values=(1,)),
        Parameter(name="mem-fraction-static", values=(0.7, 0.8)),
        Parameter(name="chunked-prefill-size", values=(2048, 4096, 8192, 16384)),
        Parameter(name="enable-mixed-chunk", values=(False, True)),
        Parameter(name="page-size", values=(None,)),
        Parameter(name="cuda-graph-bs", values=([1, 2], [4])),
        Parameter(name="some-new_flag", values=(0.001, "text"), checked=False),
    )
    assert task.space.linked == ({"dp-size": 2, "attn": "a"}, {"dp-size": 1, "attn": None})
    assert [each.text for each in task.space.constraints] == ["tp_size * dp_size <= gpus"]
    benchmark = task.benchmark
    assert benchmark.traffic == ("D(100,100)", "N(480,240)/(300,150)", "U(10,20)/(5,6)", "U(100,50)")
    assert (benchmark.concurrency, benchmark.max_requests, benchmark.max_time_s) == ((1, 4), 150, 90.0)
    assert (benchmark.request, benchmark.cpus) == ({"temperature": 0, "stop": ["x"]}, "1")
    assert [(limit.name, limit.most_s) for limit in task.limits] == [("ttft.p99", 0.5), ("tpot.mean", 0.05)]
    assert task.search == Search(launches=3, min_difference=0.01, budget_s=5400.0, baseline=True)
    assert task.objective == Objective(
        name="minimize ttft.p99", direction="minimize", metric="ttft", statistic="p99", level="D(100,100) × 4"
    )
    assert task.start_timeout_s == 1200.0


def test_a_short_task_has_sensible_defaults(tmp_path: Path) -> None:
    task = task_of(tmp_path, name="nightly.yaml")
    assert (task.name, task.backend, task.gpus, task.image) == ("nightly", "docker", None, None)
    assert task.file == str(tmp_path / "nightly.yaml")
    assert task.objective.name == "minimize_latency"
    assert (task.objective.metric, task.objective.statistic, task.objective.level) == ("e2e", "mean", None)


def test_sections_that_are_all_comments_count_as_absent(tmp_path: Path) -> None:
    task = task_of(tmp_path, "docker:\n  # shm_size: 16g\nparameters:\ngpus:\nobjective:\n")
    assert (task.docker, task.space.parameters, task.gpus) == (DockerOptions(), (), None)


def test_a_byte_order_mark_moves_no_column(tmp_path: Path) -> None:
    assert problems_of(tmp_path, "\ufeffnam: x\n") == ["1:1: nam: unknown key; did you mean name?"]


def test_gpus_of_an_empty_list_means_none_asked_for(tmp_path: Path) -> None:
    assert task_of(tmp_path, "gpus: []\n").gpus == ()


@pytest.mark.parametrize(
    ("given", "metric", "direction"),
    [
        ("maximize_throughput", "output_tokens_per_s_per_gpu", "maximize"),
        ("minimize_ttft", "ttft", "minimize"),
        ("minimize_tpot", "tpot", "minimize"),
        ("{maximize: output_tokens_per_s_per_gpu}", "output_tokens_per_s_per_gpu", "maximize"),
        ("{minimize: e2e}", "e2e", "minimize"),
    ],
)
def test_objectives(tmp_path: Path, given: str, metric: str, direction: str) -> None:
    objective = task_of(tmp_path, f"objective: {given}\n").objective
    assert (objective.metric, objective.direction, objective.statistic) == (metric, direction, "mean")


def test_the_same_task_as_json_indented_by_tabs(tmp_path: Path) -> None:
    text = (
        '{\n\t"engine": "simulated",\n\t"model":\t"tiny",\n\t"parameters": {"x": [1e5, "a\\tb", "\\ud83d\\ude00"]},\n'
        '\t"benchmark": {"traffic": ["D(1,1)"], "concurrency": [1], "max_requests": 1}\n}\n'
    )
    task = task_of(tmp_path, text, rest="", name="task.json")
    assert task.space.parameters == (Parameter(name="x", values=(1e5, "a\tb", "😀")),)
    wrong = problems_of(tmp_path, text.replace('"engine"', '"engina"'), rest="", name="task.json")
    assert wrong[0] == "2:2: engina: unknown key; did you mean engine?"


def test_what_yaml_makes_of_plain_words(tmp_path: Path) -> None:
    text = "parameters: {a: 2024-01-01, b: 1e-3, c: 1_000, d: 0x10, e: 08, f: =, g: '010', h: -.5e2}\n"
    values = [each.values[0] for each in task_of(tmp_path, text).space.parameters]
    assert values == ["2024-01-01", 0.001, 1000, 16, "08", "=", "010", -50.0]


def test_anchors_and_merge_keys(tmp_path: Path) -> None:
    text = """
    parameters: {a: &values [1, 2], b: *values}
    docker: &both {shm_size: 1g, pull: never}
    process: {}
    benchmark:
      <<: {traffic: ["D(1,1)"], concurrency: [1], max_requests: 5}
      max_requests: 7
    """
    task = task_of(tmp_path, text, rest="engine: simulated\nmodel: tiny\n")
    assert [each.values for each in task.space.parameters] == [(1, 2), (1, 2)]
    assert (task.benchmark.traffic, task.benchmark.max_requests) == (("D(1,1)",), 7)


def test_what_is_readable_is_kept_for_the_flag_check(tmp_path: Path) -> None:
    reading = reading_of(tmp_path, "engine: sglang\nparameters: {tp_size: [1, 2], a: []}\nlinked: [{b: 1}]\n")
    assert reading.task is None
    assert reading.engine == "sglang"
    assert reading.space is not None
    assert [each.name for each in reading.space.parameters] == ["tp_size"]
    assert reading.places["parameters.tp_size"] == (2, 14)
    assert reading.places["parameters.tp_size[1]"] == (2, 27)
    assert reading.places["linked[0].b"] == (3, 11)


def test_a_double_value_moves_no_place(tmp_path: Path) -> None:
    reading = reading_of(tmp_path, "parameters: {a: [1, 1, 2]}\n", rest=REST)
    assert reading.space and reading.space.parameters[0].values == (1, 2)
    assert reading.places["parameters.a[1]"] == (1, 24)


class TestModel:
    def test_a_hugging_face_id(self, tmp_path: Path) -> None:
        task = task_of(
            tmp_path, "model: org/name-1.0\n", rest=REST.replace("model: tiny", "").replace("simulated", "vllm")
        )
        assert task.model == Model(given="org/name-1.0", kind="hub", hub_id="org/name-1.0")

    def test_a_bare_name_under_models_dir(self, tmp_path: Path) -> None:
        (tmp_path / "models" / "tiny").mkdir(parents=True)
        task = task_of(tmp_path, rest=REST.replace("simulated", "vllm"))
        assert task.model == Model(given="tiny", kind="folder", path=str(tmp_path / "models" / "tiny"))

    def test_the_task_names_models_dir_itself(self, tmp_path: Path) -> None:
        (tmp_path / "mine" / "tiny").mkdir(parents=True)
        task = task_of(tmp_path, "models_dir: mine\n", rest=REST.replace("simulated", "vllm"))
        assert task.model.path == str(tmp_path / "mine" / "tiny")

    def test_a_bare_name_that_is_nowhere_is_a_warning(self, tmp_path: Path) -> None:
        reading = reading_of(tmp_path, "", rest=REST.replace("simulated", "vllm"))
        assert [each.severity for each in reading.problems] == ["warning"]
        assert str(tmp_path / "models") in reading.problems[0].message
        assert reading.task and reading.task.model.kind == "missing"
        assert reading.task.model.path == str(tmp_path / "models" / "tiny")

    @pytest.mark.parametrize("name", ["tiny", "org/tiny"])
    def test_the_simulated_engine_takes_any_name(self, tmp_path: Path, name: str) -> None:
        assert task_of(tmp_path, rest=REST.replace("tiny", name)).model == Model(given=name, kind="name")

    def test_a_missing_folder_is_an_error(self, tmp_path: Path) -> None:
        wrong = problems_of(tmp_path, "model: /no/such\n", rest=REST.replace("model: tiny", ""))
        assert wrong == [
            "1:8: model: the model folder /no/such is not there; correct the path, "
            "or write org/name for a Hugging Face id"
        ]

    def test_a_path_inside_the_container(self, tmp_path: Path) -> None:
        text = f'model: /in/m\ndocker: {{mounts: ["{tmp_path}:/in"]}}\n'
        task = task_of(tmp_path, text, rest=REST.replace("model: tiny", ""))
        assert (task.model.kind, task.model.given) == ("name", "/in/m")
        without_container = reading_of(tmp_path, "backend: process\n" + text, rest=REST.replace("model: tiny", ""))
        assert [problem.key for problem in without_container.problems] == ["model"]

    def test_variables_are_filled_in(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WHERE", str(tmp_path))
        task = task_of(tmp_path, "model: ${WHERE}/.\n", rest=REST.replace("model: tiny", ""))
        assert task.model.path == str(tmp_path)


def test_a_time_per_token_is_asked_for_where_there_are_tokens(tmp_path: Path) -> None:
    """Levels of one token beside, with another level as the objective, are not in its way."""
    why = "gives outputs of one token, which have no time per output token"
    rest = "engine: simulated\nmodel: tiny\nbenchmark: {traffic: [%s], concurrency: 1, max_requests: 9}\n"
    text = 'objective: {minimize: tpot, level: "%s × 1"}\nlimits: {tpot: 9ms}\n'
    both = rest % '"D(9,1)", "D(9,11)"'
    assert task_of(tmp_path, text % "D(9,11)", rest=both).objective.level == "D(9,11) × 1"
    refused = f"1:1: objective: D(9,1) {why}; ask for two tokens or more, or for another objective"
    assert problems_of(tmp_path, text % "D(9,1)", rest=both) == [refused]
    neither = rest % '"D(9,1)", "U(9,1)"'
    assert problems_of(tmp_path, "objective: minimize_tpot\nlimits: {ttft: 1s, tpot: 9ms}\n", rest=neither) == [
        refused,
        f"2:20: limits.tpot.mean: D(9,1) {why}; take this limit out, or ask for two tokens or more",
    ]
    normal = rest % '"N(9,1)/(1,1)"'  # two at least
    assert task_of(tmp_path, "objective: minimize_tpot\n", rest=normal).objective.metric == "tpot"


class TestTheHighestLoad:
    """`max` for the concurrency or the rate."""

    REST = 'engine: simulated\nmodel: tiny\nbenchmark: {traffic: ["D(1,1)"], %s, max_requests: 9}\n'

    @pytest.mark.parametrize(
        ("written", "kind"),
        [("concurrency: max", "concurrency"), ("request_rate: max, arrivals: poisson, max_in_flight: 9", "rate")],
    )
    def test_it_needs_limits_and_makes_goodput_the_goal(self, tmp_path: Path, written: str, kind: str) -> None:
        # Both are held against the load as a whole, so that a metric may have several.
        task = task_of(tmp_path, "limits: {ttft.p99: 1s, ttft.mean: 0.2}\n", rest=self.REST % written)
        assert (task.benchmark.seek, task.benchmark.concurrency, task.benchmark.request_rate) == (kind, (), ())
        assert task.objective.name == "maximize_goodput"
        named = "objective: maximize_goodput\nlimits: {ttft.p99: 1s}\n"
        assert task_of(tmp_path, named, rest=self.REST % written).objective == task.objective

    def test_what_does_not_go_with_it(self, tmp_path: Path) -> None:
        rest = self.REST % "request_rate: max"
        assert problems_of(tmp_path, "", rest=rest) == [
            "limits: is missing; expected what the highest load is to keep, like {ttft.p99: 500ms}"
        ]
        assert problems_of(tmp_path, "objective: minimize_ttft\nlimits: {ttft.p99: 1s}\n", rest=rest) == [
            "1:12: objective: where the load is max, the best is who sustains most; write maximize_goodput, "
            "or leave it out"
        ]
