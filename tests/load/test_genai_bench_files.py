"""What genai-bench wrote down, read by its own definitions and in seconds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.load.genai_bench_folder import failed, request, write_experiment
from tests.shared_data import shared
from tuner_tui.load.genai_bench_files import measured_result, read_run, run_files, summary_result


def test_a_run_file_becomes_records_and_a_result(tmp_path: Path) -> None:
    requests = [request(0.050, 0.010), request(0.070, 0.020), failed(503, "Connection error:\n refused")]
    folder = write_experiment(tmp_path / "a", {("D(20,10)", 2): (requests, 1.5)})
    run = read_run(run_files(folder)[0], level=3)
    assert run.level.name == "D(20,10) × 2"
    first, _, bad = run.records
    assert (first.level, first.sent_s, first.last_s, first.finish_reason) == (3, 0.0, None, None)
    assert first.first_s == pytest.approx(0.050)
    assert first.end_s == pytest.approx(0.140)
    assert (first.asked_output_tokens, first.output_tokens, first.prompt_tokens) == (10, 10, 20)
    assert (bad.status, bad.error) == (503, "HTTP 503: Connection error: refused")
    result = measured_result(run.level, run.records, run.duration_s, tool="genai-bench 0.0.5")
    assert (result.requests, result.succeeded, result.failed, result.wrong_length) == (3, 2, 1, 0)
    metrics = result.metrics
    assert metrics.ttft_s is not None
    assert metrics.tpot_s is not None
    assert metrics.e2e_s is not None
    assert metrics.ttft_s.mean == pytest.approx(0.060)
    # genai-bench's own: (E2E − TTFT) / (n − 1)
    assert metrics.tpot_s.mean == pytest.approx(0.015)
    assert metrics.e2e_s.mean == pytest.approx((0.140 + 0.250) / 2)
    # 20 tokens in the 1.5 s that genai-bench took, whatever the requests did
    assert metrics.output_tokens_per_s == pytest.approx(20 / 1.5)
    assert metrics.total_tokens_per_s == pytest.approx(60 / 1.5)
    assert metrics.requests_per_s == pytest.approx(2 / 1.5)
    assert metrics.steady_output_tokens_per_s is None
    assert result.tool == "genai-bench 0.0.5"


def test_milliseconds_are_read_as_such(tmp_path: Path) -> None:
    folder = write_experiment(tmp_path / "a", {("D(20,10)", 1): ([request(0.05, 0.01, scale=1000)], 1.0)}, unit="ms")
    [record] = read_run(run_files(folder)[0]).records
    assert record.end_s == pytest.approx(0.14)


def test_milliseconds_that_are_called_seconds_are_noticed(tmp_path: Path) -> None:
    folder = write_experiment(tmp_path / "a", {("D(20,10)", 1): ([request(0.05, 0.01, scale=1000)], 1.0)})
    with pytest.raises(ValueError, match=r"took 140 s in all, but 1 at once for 1 s .* not in s"):
        read_run(run_files(folder)[0])


def test_a_wrong_output_length_counts_and_drawn_lengths_cannot(tmp_path: Path) -> None:
    short = [request(0.05, 0.01, tokens=7)]
    folder = write_experiment(tmp_path / "a", {("D(20,10)", 1): (short, 1.0), ("N(20,2)/(10,2)", 1): (short, 1.0)})
    fixed, drawn = (read_run(path) for path in run_files(folder))
    assert [fixed.level.scenario, drawn.level.scenario] == ["D(20,10)", "N(20,2)/(10,2)"]
    assert measured_result(fixed.level, fixed.records, 1.0, tool="x").wrong_length == 1
    assert drawn.records[0].asked_output_tokens == 0
    assert measured_result(drawn.level, drawn.records, 1.0, tool="x").wrong_length == 0


def test_goodput_is_over_the_runs_duration(tmp_path: Path) -> None:
    requests = [request(0.05, 0.01), request(0.05, 0.03)]
    folder = write_experiment(tmp_path / "a", {("D(20,10)", 2): (requests, 4.0)})
    run = read_run(run_files(folder)[0])
    metrics = measured_result(run.level, run.records, run.duration_s, {"tpot": 0.02}, tool="x").metrics
    assert (metrics.good_requests, metrics.good_requests_per_s) == (1, 0.25)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "expected a genai-bench run file"),
        ('{"individual_request_metrics": [], "aggregated_metrics": {"scenario": "D(1,2)"}}', "num_concurrency"),
        (
            '{"individual_request_metrics": [], "aggregated_metrics": {"scenario": "E(64)", "num_concurrency": 1, '
            '"run_duration": 1}}',
            "only text traffic",
        ),
        (
            '{"individual_request_metrics": [], "_time_unit": "min", "aggregated_metrics": {"scenario": "D(1,2)", '
            '"num_concurrency": 1, "run_duration": 1}}',
            "expected s or ms",
        ),
    ],
)
def test_what_cannot_be_read_is_said_with_the_file(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "D1_2_text-to-text_num_concurrency_1_time_1s.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=said) as raised:
        read_run(path)
    assert str(raised.value).startswith(str(path))


def test_a_summary_alone_keeps_means_and_makes_the_deviation_the_samples() -> None:
    data = json.loads(shared("data/seed-run/docker-simple-tune_results.json").read_text())
    raw = data["all_results"][1]["metrics"]["raw_results"][0]
    result = summary_result("there", raw, tool="genai-bench")
    assert (result.concurrency, result.requests, result.wrong_length) == (4, 52, 0)
    assert result.metrics.e2e_s is not None
    assert result.metrics.e2e_s.mean == pytest.approx(0.21592556)
    # 66.1 ms with n in the denominator
    assert result.metrics.e2e_s.std == pytest.approx(0.0661071588 * (52 / 51) ** 0.5)
    assert result.metrics.e2e_s.too_few_samples == ("p99",)
    assert result.metrics.output_tokens_per_s == pytest.approx(raw["mean_output_throughput_tokens_per_s"])
    assert result.metrics.duration_s == pytest.approx(3.0057, abs=1e-4)
