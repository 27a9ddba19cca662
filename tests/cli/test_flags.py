"""`tuner-tui flags`: what a person finds there."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

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
    assert page == "tuner-tui: mem-fraction-static is a flag of SGLang; vLLM calls it gpu-memory-utilization\n"
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
    assert "not in the catalogue" not in page
