"""`tuner-tui flags`: what a person finds there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Literal

import pytest
from click.testing import CliRunner

from tests.engines.real_task import real_task
from tuner_tui.cli.main import main


def flags(*arguments: str, code: int = 0) -> str:
    result = CliRunner(env={"COLUMNS": "80"}).invoke(main, ["flags", *arguments])
    assert result.exit_code == code, result.output
    return result.output


@pytest.mark.parametrize("name", ["tp-size", "--tensor-parallel-size", "tp_size", "tp"])
def test_one_flag_by_any_of_its_names(name: str) -> None:
    page = flags("sglang", "--", name)
    assert page.startswith("--tp-size  <int ≥ 1 GPUs, default 1>")
    assert "divides the model's attention heads" in page
    assert "vLLM         tensor-parallel-size" in page


def test_a_flag_of_older_versions_leads_to_the_one_of_today() -> None:
    page = flags("sglang", "cuda-graph-max-bs")
    assert page.startswith("cuda-graph-max-bs: up to about SGLang 0.5.18; now it is cuda-graph-max-bs-decode")
    assert "formerly     cuda-graph-max-bs, up to about 0.5.18" in page
    assert flags("vllm", "swap-space") == "swap-space: up to about vLLM 0.16.0\n"


def test_a_search_finds_names_and_what_flags_do() -> None:
    page = flags("vllm", "prefix")
    assert "enable-prefix-caching <switch>" in page
    assert "disable-cascade-attn" in page, "its text speaks of prefixes"
    assert "max-num-seqs" not in page


def test_all_that_are_explained_fit_80_columns() -> None:
    for engine in ("sglang", "vllm", "simulated"):
        page = flags(engine)
        assert max(map(len, page.splitlines())) <= 80
        assert page.count("\n    ") >= 20


def test_a_flag_of_the_other_engine_is_named_as_such() -> None:
    page = flags("vllm", "mem-fraction-static", code=2)
    assert page.startswith("tuner-tui: mem-fraction-static is a flag of SGLang; vLLM has gpu-memory-utilization: ")
    assert "SGLang calls it max-running-requests\n" in flags("sglang", "max-num-seqs", code=2)
    assert "SGLang has disable-radix-cache: the opposite\n" in flags("sglang", "enable-prefix-caching", code=2)
    assert "did you mean max-num-seqs" in flags("vllm", "max-num-seq-s", code=2)


def test_a_flag_the_tuner_sets_itself_says_why() -> None:
    assert "refused" in flags("sglang", "port")


def test_an_image_that_is_not_here() -> None:
    said = flags("sglang", "--image", "nosuch/image:1", code=2)
    assert "nosuch/image:1 is not on this machine" in said or "Docker" in said


@pytest.mark.docker
def test_an_image_says_what_it_takes() -> None:
    page = flags("simulated", "mem-fraction", "--from-image")
    assert "--mem-fraction-static" in page
    assert "the same as in the catalogue of" in page


TASK = """\
engine: simulated
model: simulated-8b
backend: {backend}
parameters: {{mem-fraction-static: 0.8}}
benchmark: {{traffic: ["D(100,100)"], concurrency: [1], max_requests: 4}}
"""


@pytest.mark.parametrize("backend", ["process", pytest.param("docker", marks=pytest.mark.docker)])
def test_the_engine_is_asked_where_a_task_would_start_it(backend: str, tmp_path: Path) -> None:
    task = tmp_path / "task.yaml"
    task.write_text(TASK.format(backend=backend))
    page = flags("simulated", "mem-fraction", "--task", str(task))
    assert "--mem-fraction-static" in page
    assert "not in the catalogue" not in page


def test_a_task_that_cannot_be_asked(tmp_path: Path) -> None:
    task = tmp_path / "task.yaml"
    task.write_text(TASK.format(backend="process"))
    assert "is a task of simulated: tuner-tui flags simulated" in flags("vllm", "--task", str(task), code=2)
    task.write_text(TASK.format(backend="process") + "process: {command: [/no/such/program]}\n")
    assert "/no/such/program could not be started: No such file" in flags("simulated", "--task", str(task), code=2)
    task.write_text("engine: simulatd\n")
    assert "task.yaml:1:9" in flags("simulated", "--task", str(task), code=2)


@pytest.mark.acceptance
@pytest.mark.docker
@pytest.mark.parametrize(
    ("engine", "word", "flag"),
    [
        pytest.param("vllm", "max-num", "--max-num-seqs", marks=pytest.mark.vllm),
        pytest.param("sglang", "running-req", "--max-running-requests", marks=pytest.mark.sglang),
    ],
)
def test_a_real_engine_in_an_image_of_one_s_own(
    engine: Literal["vllm", "sglang"], word: str, flag: str, tmp_path: Path
) -> None:
    """The image knows nothing of the engine: the task's mounts, environment and command make it run."""
    page = flags(engine, word, "--task", str(real_task(tmp_path, engine, "docker", {})))
    assert re.search(r"engine-base:bookworm takes [3-9]\d\d flags", page)
    assert f"\n{flag}\n" in page
    assert "the same as in the catalogue of" in page
    left = subprocess.run(["docker", "ps", "-aq", "--filter", "label=tuner-tui.help"], capture_output=True, check=True)
    assert left.stdout == b""
