"""What a person is told: the place, what was expected, and the remedy, in one sentence each."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.task.golden import BENCHMARKS, BROKEN, CASES, WARNINGS
from tests.task.reading_of import REST, problems_of, reading_of, said
from tuner_tui.load import metrics
from tuner_tui.task.goal import SAMPLES_NEEDED
from tuner_tui.task.reader import read


def test_a_problem_looks_like_a_compilers(tmp_path: Path) -> None:
    reading = reading_of(tmp_path, "name: a\nobjective: minimise_latency\n", rest=REST)
    assert str(reading.problems[0]) == (
        f"{tmp_path}/task.yaml:2:12: objective: expected minimize_latency, maximize_throughput, minimize_ttft, "
        "minimize_tpot or maximize_goodput, found 'minimise_latency'; did you mean minimize_latency?\n"
        "  objective: minimise_latency\n"
        "             ^"
    )


@pytest.mark.parametrize("case", CASES)
def test_bad_input(tmp_path: Path, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "very-secret")
    text, expected = CASES[case]
    assert problems_of(tmp_path, text + "\n") == ([expected] if isinstance(expected, str) else expected)


@pytest.mark.parametrize("case", BENCHMARKS)
def test_bad_benchmark(tmp_path: Path, case: str) -> None:
    text, expected = BENCHMARKS[case]
    assert problems_of(tmp_path, f"benchmark: {text}\n", rest="engine: simulated\nmodel: tiny\n") == [expected]


def test_all_problems_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = (
        "model: /no/such\nengine: sglangg\nparameters: {a: []}\nbenchmark: {traffic: x, concurrency: [], max_time: -1s}"
    )
    reading = reading_of(tmp_path, text)
    assert [(problem.line, problem.key) for problem in reading.problems] == [
        (1, "model"),
        (2, "engine"),
        (3, "parameters.a"),
        (4, "benchmark.traffic"),
        (4, "benchmark.concurrency"),
        (4, "benchmark.max_time"),
    ]


def test_required_keys(tmp_path: Path) -> None:
    assert problems_of(tmp_path, "name: a\nengine:\n", rest="") == [
        "model: is missing; expected a folder, a Hugging Face id, or a name",
        "benchmark: is missing; expected traffic, concurrency, and max_requests or max_time",
        "2:1: engine: has no value; expected sglang, vllm or simulated",
    ]


@pytest.mark.parametrize("case", WARNINGS)
def test_warnings_leave_a_task(tmp_path: Path, case: str) -> None:
    text, expected = WARNINGS[case]
    assert problems_of(tmp_path, text + "\n") == [expected]


@pytest.mark.parametrize("text", ["parameters: {a: [1, 1.0, true, '1']}\n"])
def test_values_of_different_types_are_different(tmp_path: Path, text: str) -> None:
    assert problems_of(tmp_path, text) == []


SECRETS = ["env: {HF_TOKEN: hunter2}", "env:\n  AWS_SECRET_ACCESS_KEY: 'hunter2'", 'env: {"api_key": "hunter2", A: [}',
           "env: {http_proxy: 'http://me:hunter2@host'}", "parameters: {api-key: hunter2}"]  # fmt: skip


@pytest.mark.parametrize("text", SECRETS)
def test_a_secret_is_refused_and_never_shown(tmp_path: Path, text: str) -> None:
    reading = reading_of(tmp_path, text, rest="\n" + REST)
    assert reading.task is None
    shown = "\n".join(map(str, reading.problems))
    assert shown
    assert "hunter2" not in shown + "\n".join(reading.lines)


@pytest.mark.parametrize("name", ["TOKENIZERS_PARALLELISM", "MAX_TOKENS", "MONKEY"])
def test_names_that_only_look_like_secrets(tmp_path: Path, name: str) -> None:
    assert problems_of(tmp_path, f"env: {{{name}: 'false'}}\n") == []


@pytest.mark.parametrize("case", BROKEN)
def test_broken_files(tmp_path: Path, case: str) -> None:
    text, expected = BROKEN[case]
    found = problems_of(tmp_path, text, rest="")
    assert found == [expected]


def test_aliases_of_aliases_do_not_fill_the_memory(tmp_path: Path) -> None:
    bomb = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
        f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
    )
    (found,) = problems_of(tmp_path, bomb, rest="")
    assert found.endswith("holds more than 200,000 values once its aliases are filled in")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "demo.yaml").write_text("")
    missing = read(tmp_path / "dmeo.yaml")
    assert missing.task is None
    assert str(missing.problems[0]) == f"{tmp_path}/dmeo.yaml: is not there; did you mean {tmp_path}/demo.yaml?"
    assert str(read(tmp_path).problems[0]) == f"{tmp_path}: is a folder; expected a task file"
    (tmp_path / "latin.yaml").write_bytes(b"name: a\ndescription: caf\xe9\n")
    assert said(read(tmp_path / "latin.yaml")) == ["2:17: is not UTF-8 text; save the file as UTF-8"]
    (tmp_path / "long.yaml").write_text("a: [" + "1, " * 100_000 + "]")
    assert said(read(tmp_path / "long.yaml")) == ["is larger than 256 KiB; expected a task file"]


def test_a_percentile_that_too_few_requests_stand_behind_is_warned_of_before_hours_are_spent(tmp_path: Path) -> None:
    """Every launch would be invalid in the end."""
    rest = "engine: simulated\nmodel: tiny\nbenchmark: {traffic: ['D(1,1)'], concurrency: 1, max_requests: 50}\n"
    text = "limits: {ttft.p90: 1s, e2e.p99: 2s}\nobjective: {minimize: ttft.p99}\n"
    found = reading_of(tmp_path, text, rest=rest)
    assert found.task is not None
    words = "p99 takes 100 requests a level; with benchmark.max_requests: 50 every launch will be invalid"
    assert [(each.severity, each.key, each.message) for each in found.problems] == [
        ("warning", "limits", words),
        ("warning", "objective", words),
    ]
    assert reading_of(tmp_path, "limits: {ttft.p90: 1s}\n", rest=rest).problems == []
    assert metrics.SAMPLES_NEEDED == SAMPLES_NEEDED
