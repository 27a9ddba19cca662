"""The examples of docs/task-file.md are what the reader takes, and every key stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.task.reading_of import reading_of
from tuner_tui.task.surroundings import DOCKER_KEYS
from tuner_tui.task.task_keys import KEYS

_TEXT = (Path(__file__).resolve().parents[2] / "docs" / "task-file.md").read_text(encoding="utf-8")
_BLOCKS = re.findall(r"```yaml\n(.*?)```", _TEXT, re.S)
_REST = {
    "engine": "engine: sglang",
    "model": "model: org/name",
    "benchmark": "benchmark: {traffic: ['D(1,2)'], concurrency: 1, max_time: 1s}",
    "parameters": "parameters: {max-running-requests: 1, mem-fraction-static: 1}",
    "linked": "linked: [{tp-size: 1, dp-size: 1}]",
}


@pytest.mark.parametrize("block", _BLOCKS, ids=lambda block: block.split(":")[0])
def test_every_example_reads_without_an_error(tmp_path: Path, block: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "work").mkdir()
    needed = [key for key in _REST if key != "linked" or "constraints:" in block]
    rest = "\n".join(_REST[key] for key in needed if not re.search(rf"^{key}:", block, re.M))
    reading = reading_of(tmp_path, block, rest=rest)
    assert [str(problem) for problem in reading.problems if problem.severity == "error"] == []


def test_every_key_is_described() -> None:
    missing = [key for key in (*KEYS, *DOCKER_KEYS) if not re.search(rf"\b{key}\b", _TEXT)]
    assert missing == []


@pytest.mark.parametrize(("given", "values"), re.findall(r"^\| `([a-z-]+: \{from.*?\})` \| ([\d., ]+\d)", _TEXT, re.M))
def test_the_ranges_are_what_the_table_says(tmp_path: Path, given: str, values: str) -> None:
    rest = "\n".join(text for key, text in _REST.items() if key not in ("parameters", "linked"))
    reading = reading_of(tmp_path, f"parameters:\n  {given}\n", rest=rest)
    assert reading.space
    assert [str(value) for value in reading.space.parameters[0].values] == values.split(", ")
