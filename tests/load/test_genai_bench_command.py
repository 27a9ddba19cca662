"""genai-bench's command line: everything given, so that it never asks, and nothing secret in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuner_tui.load.genai_bench_command import arguments, environment, minutes
from tuner_tui.load.model import Job, Level

_REQUIRED = ("--api-backend", "--api-base", "--api-key", "--api-model-name", "--model-tokenizer", "--task",
             "--max-time-per-run", "--max-requests-per-run")  # fmt: skip


def options(job: Job, engine: str = "vllm") -> dict[str, str]:
    level = Level(scenario="D(100,100)", concurrency=4)
    given = arguments(level, job, engine=engine, model="m", tokenizer="/m", folder=Path("/run/00-x"), gpus=2)
    assert given[0] == "benchmark"
    return dict(zip(given[1::2], given[2::2], strict=True))


def test_every_option_that_it_would_ask_for_is_given() -> None:
    given = options(Job(url="http://127.0.0.1:30000/v1", records="r", max_requests=50))
    assert all(given[option] for option in _REQUIRED)
    assert given["--api-base"] == "http://127.0.0.1:30000"
    assert given["--traffic-scenario"] == "D(100,100)"
    assert (given["--num-concurrency"], given["--max-requests-per-run"]) == ("4", "50")
    assert (given["--experiment-base-dir"], given["--experiment-folder-name"]) == ("/run", "00-x")


@pytest.mark.parametrize(("engine", "backend"), [("vllm", "vllm"), ("sglang", "sglang"), ("simulated", "sglang")])
def test_the_backend_is_one_that_forces_the_output_length(engine: str, backend: str) -> None:
    assert options(Job(url="http://h:1", records="r", max_requests=1), engine)["--api-backend"] == backend


@pytest.mark.parametrize(("seconds", "expected"), [(60.0, 1), (120.0, 2), (61.0, 2), (1.0, 1), (None, 10080)])
def test_the_time_limit_is_whole_minutes(seconds: float | None, expected: int) -> None:
    assert minutes(seconds) == expected


def test_the_requests_own_fields_are_passed_on() -> None:
    given = options(Job(url="http://h:1", records="r", max_requests=1, request={"temperature": 0}))
    assert given["--additional-request-params"] == '{"temperature":0}'


def test_its_environment_holds_what_it_needs_and_no_secret_that_it_would_write_down(tmp_path: Path) -> None:
    user = {
        "PATH": "/bin", "HOME": "/h", "HF_HOME": "/hf", "AWS_SECRET_ACCESS_KEY": "s", "GITHUB_TOKEN": "t",
        "AZURE_AD_TOKEN": "a", "MODEL_API_KEY": "other", "NO_PROXY": "example.org", "https_proxy": "http://p:1",
    }  # fmt: skip
    given = environment(str(tmp_path), "sk-1", user)
    assert given["MODEL_API_KEY"] == "sk-1"
    assert given["ENABLE_UI"] == "false"
    assert given["HF_HUB_OFFLINE"] == "1"
    assert given["NO_PROXY"] == "example.org,127.0.0.1,localhost"
    assert not {"AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "AZURE_AD_TOKEN"} & set(given)
    by_id = environment("meta-llama/Llama-3.2-1B", None, user)
    assert "HF_HUB_OFFLINE" not in by_id
    assert "MODEL_API_KEY" not in by_id
    assert (by_id["HF_HOME"], by_id["https_proxy"]) == ("/hf", "http://p:1")
