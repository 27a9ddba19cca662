"""A task file is read and its flags are checked in one go."""

from pathlib import Path

import pytest

from tuner_tui.engines.load_task import load_task
from tuner_tui.task.problem import BadInput

GOOD = """\
engine: sglang
model: org/m
parameters:
  mem-fraction-static: [0.7, {fraction}]
  {flag}: 8
benchmark: {{traffic: ["D(100,100)"], concurrency: [1], max_requests: 5}}
objective: {objective}
"""


def write(folder: Path, fraction: str = "0.8", flag: str = "tp-size", objective: str = "minimize_latency") -> Path:
    path = folder / "t.yaml"
    path.write_text(GOOD.format(fraction=fraction, flag=flag, objective=objective))
    return path


def test_a_good_task_comes_without_warnings(tmp_path: Path) -> None:
    task, warnings = load_task(write(tmp_path))
    assert task.engine == "sglang"
    assert warnings == []


def test_an_old_flag_is_a_warning(tmp_path: Path) -> None:
    path = write(tmp_path, flag="cuda-graph-max-bs")
    path.write_text(path.read_text() + "image: mine:latest\n")
    _, [warning] = load_task(path)
    assert (warning.severity, warning.line) == ("warning", 5)


def test_all_problems_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as raised:
        load_task(write(tmp_path, fraction="1.2", flag="max-num-seqs", objective="minimise"))
    problems = raised.value.problems
    assert [(problem.line, problem.column, problem.key) for problem in problems] == [
        (4, 30, "parameters.mem-fraction-static[1]"),
        (5, 3, "parameters.max-num-seqs"),
        (7, 12, "objective"),
    ]
    assert "1.2 is not a fraction (0–1)" in str(raised.value)
    assert "SGLang's name is `max-running-requests`" in str(raised.value)
