"""The adapter alone, with a stand-in for the program: what it leaves on disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.load.fake_genai_bench import fake_genai_bench
from tuner_tui.load.client import LoadError
from tuner_tui.load.genai_bench import GenaiBench
from tuner_tui.load.model import Job, Level, LoadProgress, RunLevel
from tuner_tui.load.records import read_records

LEVEL = RunLevel(level=0, traffic=Level(scenario="D(20,10)", concurrency=2))


async def measure(folder: Path, job: Job) -> list[LoadProgress]:
    progress: list[LoadProgress] = []
    tool = await GenaiBench.start(engine="vllm", tokenizer=str(folder), folder=folder / "kept")
    try:
        await tool.begin(job)
        done = await tool.run(LEVEL, progress.append)
        assert (done.done, done.failed, done.elapsed_s) == (6, 0, 1.5)
        assert tool.name == "genai-bench 0.0.5"
    finally:
        await tool.close()
    return progress


async def test_the_key_is_in_no_file_when_the_level_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_genai_bench(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("MY_KEY", "sk-never-written")
    records = tmp_path / "requests.jsonl"
    await measure(
        tmp_path,
        Job(url="http://127.0.0.1:1", records=str(records), model="m", max_requests=6, api_key_variable="MY_KEY"),
    )
    files = [path for path in (tmp_path / "kept").rglob("*") if path.is_file()]
    assert [path for path in files if b"sk-never-written" in path.read_bytes()] == []
    metadata = next(path for path in files if path.name == "experiment_metadata.json")
    assert "--model-api-key (hidden)" in metadata.read_text()
    assert len(read_records(records)) == 6


async def test_a_server_that_names_no_model_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_genai_bench(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(LoadError, match=r"http://127\.0\.0\.1:1/v1/models does not name the model"):
        await measure(tmp_path, Job(url="http://127.0.0.1:1", records=str(tmp_path / "r"), max_requests=6))
