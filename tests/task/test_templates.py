"""What a new task begins with can be run as soon as a model is named, and the tasks of a folder are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ui.runs_on_disk import TASK
from tuner_tui.engines.check import check
from tuner_tui.task.editing import set_value
from tuner_tui.task.found import tasks_in
from tuner_tui.task.reader import read_text
from tuner_tui.task.samples import samples
from tuner_tui.task.space import size
from tuner_tui.task.task_keys import ENGINES
from tuner_tui.task.templates import TEMPLATES


@pytest.mark.parametrize("engine", ENGINES)
def test_a_template_misses_at_most_its_model(engine: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    text = TEMPLATES[engine]
    missing = [each.key for each in read_text(text, path).problems]
    assert missing == ([] if engine == "simulated" else ["model"])
    if missing:
        text = set_value(text, ("model",), "meta-llama/Llama-3.2-1B-Instruct")
    reading = read_text(text, path)
    assert [str(each) for each in (*reading.problems, *check(reading))] == []
    assert reading.task is not None
    assert (reading.task.engine, reading.task.name) == (engine, "mine")
    assert 2 <= size(reading.task.space) <= 4


def test_the_tasks_of_a_folder_are_told_from_other_files(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(TASK)
    (tmp_path / "old.json").write_text('{"task_name": "x", "base_runtime": "vllm",\n "benchmark": {}}')
    (tmp_path / "compose.yaml").write_text("services:\n  engine: {image: x}\n")
    (tmp_path / "big.json").write_text('{"engine": 1, "benchmark": 2, "x": "' + "y" * 300_000 + '"}')
    (tmp_path / "binary.yml").write_bytes(b"\xff\x00engine: benchmark:")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere")
    assert [each.name for each in tasks_in(tmp_path)] == ["mine.yaml", "old.json"]
    assert tasks_in(tmp_path / "nowhere") == []
    assert set(samples()) <= set(tasks_in(samples()[0].parent))
