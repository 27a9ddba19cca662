"""Results measured elsewhere, judged and shown like a run of ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.load.genai_bench_folder import request, write_experiment
from tests.shared_data import shared
from tests.tuner import only_run, state, tuner
from tuner_tui.cli.launcher import CommandLauncher
from tuner_tui.load.records import read_records


def test_the_seed_run_is_a_tie_in_words(runs_dir: Path) -> None:
    results = shared("data/seed-run/docker-simple-tune_results.json")
    done = tuner("import", results, "--task", shared("data/seed-run/docker_task.json"), "--json")
    document = json.loads(done.stdout)
    assert (document["kind"], document["task"]["tool"], document["task"]["engine"]) == (
        "import",
        "genai-bench",
        "sglang",
    )
    verdict = document["verdict"]
    assert (verdict["kind"], verdict["leader"], verdict["tied_with"]) == ("tie", 2, [1])
    scores = {each["id"]: each["score"] for each in document["experiments"]}
    assert scores == {1: pytest.approx(0.1902, abs=5e-5), 2: pytest.approx(0.1896, abs=5e-5)}
    flags = [flag["name"] for flag in document["experiments"][0]["launches"][0]["validity"] if not flag["disqualifies"]]
    assert "imported_summary" in flags
    # The engine's own log was in the file: the KV cache is known from it.
    assert document["experiments"][1]["launches"][0]["memory"]["kv_cache_tokens"] > 2_000_000
    assert "0.62 ms apart" in done.stderr
    assert "D(100,100) × 4: #2 216 ms ± 66.8 ms, #1 217 ms ± 91.7 ms, 52 requests each" in done.stderr

    listed = tuner("runs").stdout
    assert "tie" in listed
    assert "imported" in listed
    report = (only_run(runs_dir).path / "report.md").read_text()
    assert "read from the results of another program" in report
    assert "by genai-bench, by its definitions" in report
    refused = tuner("confirm", "latest", check=2)
    assert "was imported" in refused.stderr
    assert f"tuner-tui run {shared('data/seed-run/docker_task.json')}" in refused.stderr


def test_folders_of_genai_bench_are_configurations(tmp_path: Path, runs_dir: Path) -> None:
    slow = [request(0.05 + index / 1e5, 0.02) for index in range(30)]
    fast = [request(0.05 + index / 1e5, 0.01) for index in range(30)]
    write_experiment(tmp_path / "h100" / "chunk-2048", {("D(20,10)", 2): (slow, 5.0)})
    write_experiment(tmp_path / "h100" / "chunk-8192", {("D(20,10)", 2): (fast, 3.0)})
    document = json.loads(tuner("import", tmp_path / "h100", "--json").stdout)
    assert [each["configuration"] for each in document["experiments"]] == [
        {"experiment": "chunk-2048"},
        {"experiment": "chunk-8192"},
    ]
    assert document["verdict"]["kind"] == "unconfirmed"
    assert document["verdict"]["leader"] == 2
    [level] = document["experiments"][1]["launches"][0]["levels"]
    assert level["tool"] == "genai-bench 0.0.5"
    assert level["metrics"]["output_tokens_per_s"] == pytest.approx(100.0)
    folder = only_run(runs_dir)
    assert len(read_records(folder.launch(2) / "requests.jsonl")) == 30
    assert state(folder).kind == "import"


def test_a_folder_whose_servers_flags_nobody_told_is_not_served(tmp_path: Path, runs_dir: Path) -> None:
    """Its name went out as a flag, `--experiment chunk-2048`."""
    write_experiment(tmp_path / "chunk-2048", {("D(20,10)", 2): ([request(0.05, 0.02)] * 30, 5.0)})
    tuner("import", tmp_path / "chunk-2048", check=0)
    for form in ("command", "compose", "k8s"):
        refused = tuner("export", "latest", "--format", form, check=2).stderr
        assert refused == "tuner-tui: #1 is a folder of genai-bench, which does not tell the flags of its server\n"
    assert "--experiment" not in (only_run(runs_dir).path / "report.md").read_text()


def test_an_imported_configuration_is_tried_with_the_model_from_the_screens_models_dir(
    tmp_path: Path, runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The import had no need of it."""
    results = shared("data/seed-run/docker-simple-tune_results.json")
    task = tmp_path / "task.yaml"
    task.write_text(
        "{engine: sglang, backend: process, model: tiny, parameters: {mem-fraction-static: [0.7, 0.8]}, "
        "benchmark: {traffic: ['D(100,100)'], concurrency: [1, 4], max_requests: 50}, objective: minimize_latency}"
    )
    tuner("import", results, "--task", task)
    (tmp_path / "models" / "tiny").mkdir(parents=True)
    monkeypatch.setattr("tuner_tui.runs.start.start_runner", lambda folder: 1)
    launcher = CommandLauncher(runs_dir, tmp_path / "models")
    tried = launcher.try_again(only_run(runs_dir), {"mem-fraction-static": 0.8})
    assert state(tried).task.model.path == str(tmp_path / "models" / "tiny")


def test_a_folder_named_twice_was_measured_once_and_two_of_one_name_are_two(tmp_path: Path, runs_dir: Path) -> None:
    for folder, gap_s in (("chunk-2048/genai", 0.02), ("chunk-8192/genai", 0.01)):
        answers = [request(0.05 + index / 1e5, gap_s) for index in range(30)]
        write_experiment(tmp_path / folder, {("D(20,10)", 2): (answers, 5.0)})
    one, other = tmp_path / "chunk-2048", tmp_path / "chunk-8192"
    document = json.loads(tuner("import", one, other, one / "genai", f"{other}/", "--json").stdout)
    assert [each["configuration"] for each in document["experiments"]] == [
        {"experiment": "chunk-2048/genai"},
        {"experiment": "chunk-8192/genai"},
    ]
    assert [len(each["launches"]) for each in document["experiments"]] == [1, 1]
    assert (document["verdict"]["kind"], document["verdict"]["leader"]) == ("unconfirmed", 2)


def test_a_level_that_one_folder_lacks_fails_it_alone(tmp_path: Path, runs_dir: Path) -> None:
    good = [request(0.05, 0.01)] * 10
    write_experiment(tmp_path / "a", {("D(20,10)", 1): (good, 2.0), ("D(20,10)", 2): (good, 2.0)})
    write_experiment(tmp_path / "b", {("D(20,10)", 1): (good, 2.0)})
    document = json.loads(tuner("import", tmp_path / "a", tmp_path / "b", "--json").stdout)
    whole, part = document["experiments"]
    assert (whole["status"], part["status"]) == ("succeeded", "failed")
    assert "D(20,10) × 2 was not measured" in part["failure"]["reason"]


def test_throughput_can_be_the_objective(tmp_path: Path, runs_dir: Path) -> None:
    good = [request(0.05, 0.01)] * 10
    write_experiment(tmp_path / "a", {("D(20,10)", 1): (good, 2.0)})
    document = json.loads(tuner("import", tmp_path / "a", "--objective", "maximize_throughput", "--json").stdout)
    assert document["experiments"][0]["score"] == pytest.approx(-50.0)


TASK = """\
engine: vllm
model: org/tiny
benchmark: {{traffic: ["D(20,10)"], {load}, max_requests: 40}}
{rest}
"""


def test_the_loads_of_a_task_give_way_to_those_that_were_measured(tmp_path: Path, runs_dir: Path) -> None:
    good = [request(0.05, 0.01)] * 10
    write_experiment(tmp_path / "a", {("D(20,10)", 1): (good, 2.0)})
    task = tmp_path / "task.yaml"
    task.write_text(TASK.format(load="request_rate: [2, 4]", rest=""))
    document = json.loads(tuner("import", tmp_path / "a", "--task", task, "--json").stdout)
    assert (document["task"]["concurrency"], document["task"]["request_rate"]) == ([1], [])
    assert document["verdict"]["leader"] == 1


def test_what_was_not_measured_is_no_objective(tmp_path: Path, runs_dir: Path) -> None:
    good = [request(0.05, 0.01)] * 10
    write_experiment(tmp_path / "a", {("D(20,10)", 1): (good, 2.0), ("D(20,10)", 4): (good, 2.0)})
    task = tmp_path / "task.yaml"
    level = 'objective: {minimize: ttft, level: "D(20,10) × 8"}'
    task.write_text(TASK.format(load="concurrency: [1, 8]", rest=level))
    done = tuner("import", tmp_path / "a", "--task", task, check=2)
    assert "D(20,10) × 8 was not measured; there are D(20,10) × 1, D(20,10) × 4" in done.stderr
    sought = "limits: {ttft.p99: 1s}"
    task.write_text(TASK.format(load="request_rate: max", rest=sought))
    done = tuner("import", tmp_path / "a", "--task", task, check=2)
    assert "goodput cannot be told" in done.stderr
    named = tuner("import", tmp_path / "a", "--task", task, "--objective", "minimize_ttft", "--json", check=1)
    document = json.loads(named.stdout)
    assert document["task"]["seek"] is None
    assert document["experiments"][0]["status"] == "invalid", "p99 of ten requests; not for want of a level"


def test_outputs_without_a_time_per_token_say_why_they_cannot_be_judged_by_it(tmp_path: Path, runs_dir: Path) -> None:
    write_experiment(tmp_path / "a", {("D(20,1)", 1): ([request(0.05, 0.01, tokens=1)] * 10, 2.0)})
    done = tuner("import", tmp_path / "a", "--objective", "minimize_tpot", check=1)
    said = " ".join(done.stdout.split())
    assert "#1 invalid: D(20,1) × 1: none of 10 requests had a figure for the objective, mean time per" in said
    assert "The only configuration gave no valid measurement." in said


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"x.json": "{}"}, "expected a results file with task_name and all_results"),
        ({"x.json": '{"task_name": "t", "all_results": []}'}, "nothing was measured"),
        ({"folder/readme": ""}, "expected an experiment folder of genai-bench"),
    ],
)
def test_what_is_no_result_is_refused(tmp_path: Path, runs_dir: Path, files: dict[str, str], said: str) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    done = tuner("import", tmp_path / next(iter(files)).split("/")[0], check=2)
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert not runs_dir.exists()


def test_an_engine_nobody_names_is_asked_for(tmp_path: Path, runs_dir: Path) -> None:
    good = [request(0.05, 0.01)] * 10
    write_experiment(tmp_path / "a", {("D(20,10)", 1): (good, 2.0)}, engine=None, backend="openai")
    assert "say --engine sglang or --engine vllm" in tuner("import", tmp_path / "a", check=2).stderr
    assert json.loads(tuner("import", tmp_path / "a", "--engine", "vllm", "--json").stdout)["task"]["engine"] == "vllm"
