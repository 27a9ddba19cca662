"""`tuner-tui plan`: what would be launched, word for word, without Docker, GPU or network."""

from __future__ import annotations

import shlex
from pathlib import Path

from tests.tuner import tuner

TASK = """\
name: small
engine: sglang
image: lmsysorg/sglang:v0.5.2-cu126
model: {model}
gpus: [0, 1]
env: {{HF_HUB_OFFLINE: "1"}}
docker: {{shm_size: 16g, cpuset: "0-3"}}
parameters:
  tp-size: [1, 2, 4]
  enable-mixed-chunk: [false, true]
constraints: ["tp_size <= 2"]
benchmark:
  traffic: ["D(100,100)"]
  concurrency: [1, 4]
  max_requests: 50
  max_time: 10s
"""


def test_the_whole_plan(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    path = tmp_path / "small.yaml"
    path.write_text(TASK.format(model=tmp_path / "model"))
    done = tuner("plan", path)
    assert "4 configurations" in done.stdout
    assert "2 levels: D(100,100) × 1, D(100,100) × 4" in done.stdout
    assert "GPUs: up to 2 at a time, of 0, 1" in done.stdout
    assert "2 excluded:" in done.stdout
    assert "tp-size 4, no enable-mixed-chunk: " in done.stdout
    commands = [shlex.split(line) for line in done.stdout.splitlines() if line.startswith("  docker run")]
    assert len(commands) == 4
    last = commands[-1]
    assert last[last.index("--gpus") + 1] == '"device=0,1"'
    assert last[last.index("-p") + 1].startswith("127.0.0.1::")
    assert last[last.index("--mount") + 1] == f"type=bind,source={tmp_path / 'model'},target=/model,readonly"
    assert last[last.index("--entrypoint") + 1] == "python3"
    assert last[last.index("lmsysorg/sglang:v0.5.2-cu126") + 1 :][:2] == ["-m", "sglang.launch_server"]
    assert last[last.index("--shm-size") + 1] == "16g"
    assert last[last.index("--tp-size") + 1] == "2"
    assert "--enable-mixed-chunk" in last
    assert "--enable-mixed-chunk" not in commands[0]
    assert commands[0][commands[0].index("--gpus") + 1] == '"device=0"'


def test_without_a_gpu_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    path = tmp_path / "small.yaml"
    path.write_text(TASK.format(model=tmp_path / "model").replace("gpus: [0, 1]", "gpus: []"))
    done = tuner("plan", path)
    assert "no GPU" in done.stdout
    assert "--gpus" not in done.stdout


def test_what_is_left_out_of_a_dataset_is_told(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "prompts.jsonl").write_text('{"prompt": "a", "output_tokens": 3}\n{"conversations": []}\n')
    path = tmp_path / "small.yaml"
    benchmark = "traffic: [dataset]\n  dataset: ./prompts.jsonl"
    path.write_text(TASK.format(model=tmp_path / "model").replace('traffic: ["D(100,100)"]', benchmark))
    notes = [line for line in tuner("plan", path).stdout.splitlines() if line.startswith("note: ")]
    assert f"note: {tmp_path}/prompts.jsonl: 1 of 2 entries are left out: chats in which no question is asked" in notes
