"""The tasks that come with the project say what they claim to."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuner_tui.task.model import Task
from tuner_tui.task.reader import read
from tuner_tui.task.space import expand

_FOLDER = Path(__file__).resolve().parents[2] / "sample_tasks"


def _sample(name: str) -> Task:
    reading = read(_FOLDER / f"{name}.yaml")
    assert [str(problem) for problem in reading.problems] == []
    assert reading.task is not None
    return reading.task


@pytest.mark.parametrize("path", sorted(_FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_sample_is_a_task_named_as_its_file(path: Path) -> None:
    assert _sample(path.stem).name == path.stem


def test_the_demo_is_a_grid_of_four_on_no_gpu() -> None:
    task = _sample("demo")
    assert (task.engine, task.backend) == ("simulated", "process")
    assert len(expand(task.space).kept) == 4


def test_the_container_sample_is_the_grid_of_two() -> None:
    task = _sample("simulated-docker")
    assert expand(task.space).kept == (
        {"tp-size": 1, "mem-fraction-static": 0.7},
        {"tp-size": 1, "mem-fraction-static": 0.8},
    )
    assert (task.benchmark.traffic, task.benchmark.concurrency, task.benchmark.max_requests) == (
        ("D(100,100)",),
        (1, 4),
        50,
    )


def test_the_vllm_sample_fits_its_two_gpus() -> None:
    task = _sample("vllm-throughput")
    expansion = expand(task.space, gpus=len(task.gpus or ()))
    assert 0 < len(expansion.kept) < expansion.total
