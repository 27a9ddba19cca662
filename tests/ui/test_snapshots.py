"""Every screen as it looks on fixed data, at a fixed time: whoever changes it sees what else has changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from tests.ui.app_under_test import app_under_test, seen
from tests.ui.runs_on_disk import BEGAN, TASK, RecordedRun, finished_run, task_file, task_of
from tests.ui.snapshots import compare, drawn
from tests.ui.test_run import runner_at_work
from tuner_tui.load.model import LoadProgress
from tuner_tui.runs.events import LevelStarted
from tuner_tui.runs.samples import EngineSample, GpuSample, Phase, Sample
from tuner_tui.runs.view import RunReader
from tuner_tui.ui.app import TunerApp

SMALL, LARGE = (80, 24), (120, 40)
LOOKS = pytest.mark.parametrize(
    ("size", "colour"), [(SMALL, True), (LARGE, True), (SMALL, False)], ids=["80x24", "120x40", "80x24-no-colour"]
)
_STILL_S = 0.3
"""A screen that has not changed for so long is drawn."""


class _Frozen(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> _Frozen:
        return cls.fromtimestamp((BEGAN + timedelta(minutes=5)).timestamp(), tz)


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_CONFIG_HOME", "/nowhere/config")
    monkeypatch.setenv("HF_HOME", "/srv/huggingface")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.setattr("tuner_tui.runs.overview.datetime", _Frozen)
    monkeypatch.setattr(RunReader, "now", property(lambda self: BEGAN + timedelta(seconds=85)))
    yield
    monkeypatch.undo()
    time.tzset()


async def _look(pilot: Pilot[None], name: str, *texts: str) -> None:
    """Compares once `texts` are there and nothing moves any more, colours included."""
    app = pilot.app
    assert isinstance(app, TunerApp)
    for line in app.screen.query("Input, TextArea").results():
        if isinstance(line, Input | TextArea):
            line.cursor_blink = False
    await seen(pilot, *texts)
    before, since = drawn(app), time.monotonic()
    while time.monotonic() - since < _STILL_S:
        await asyncio.sleep(0.05)
        await pilot.pause()
        if (now := drawn(app)) != before:
            before, since = now, time.monotonic()
    compare(app, name)


@pytest.fixture
def look(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], colour: bool) -> str:
    """The end of a snapshot's name."""
    if not colour:
        monkeypatch.setenv("NO_COLOR", "1")
    return f"{size[0]}x{size[1]}" + ("" if colour else "-no-colour")


@LOOKS
async def test_home(tmp_path: Path, size: tuple[int, int], look: str) -> None:
    finished_run(tmp_path / "runs", tmp_path)
    app = app_under_test(tmp_path)
    async with app.run_test(size=size) as pilot:
        await _look(pilot, f"home-{look}", "winner", "5m", "sglang-latency", "gpu-box-3")


@LOOKS
async def test_task(tmp_path: Path, size: tuple[int, int], look: str) -> None:
    text = TASK.replace("search:", 'constraints: ["mem_fraction_static < 0.8 or tp_size <= 4"]\nsearch:')
    text = text.replace("tp-size: 1", "tp-size: [1, 8]\n  speculative-num-draft-tokens: 4")
    app = app_under_test(tmp_path, task=task_file(tmp_path, text))
    async with app.run_test(size=size) as pilot:
        await seen(pilot, "✓ valid", "3 configurations")
        await pilot.press("down", "down")
        await _look(pilot, f"task-grid-{look}", "mem-fraction-static  float")
        app.screen.query_one("#settings").focus()
        await pilot.press("e")
        await _look(pilot, f"task-dialog-{look}", "Enter takes it")


@LOOKS
async def test_task_as_yaml(tmp_path: Path, size: tuple[int, int], look: str) -> None:
    app = app_under_test(tmp_path, task=task_file(tmp_path, TASK.replace("0.8]", "1.2]")))
    async with app.run_test(size=size) as pilot:
        await seen(pilot, "1.2 is not a fraction")
        await pilot.press("f8")
        await _look(pilot, f"task-yaml-{look}", "line 7: parameters.mem-fraction-static[1]")


_LOG = """\
[2026-11-23 12:11:20] server_args=ServerArgs(model_path='meta-llama/Llama-3.2-1B-Instruct', tp_size=1)
[2026-11-23 12:11:23] Attention backend not explicitly specified. Use flashinfer backend by default.
[2026-11-23 12:11:26] Load weight begin. avail mem=94.32 GB
Loading safetensors checkpoint shards: 100% Completed | 1/1 [00:00<00:00,  2.61it/s]
[2026-11-23 12:11:27] Load weight end. type=LlamaForCausalLM, dtype=torch.bfloat16, avail mem=91.82 GB
[2026-11-23 12:11:28] KV Cache is allocated. #tokens: 2405039, K size: 36.70 GB, V size: 36.70 GB
[2026-11-23 12:11:29] \x1b[33mWARNING\x1b[0m: Tokenizer has no pad token [bold]not markup[/bold]
[2026-11-23 12:11:34] The server is fired up and ready to roll!
[2026-11-23 12:11:50] Decode batch. #running-req: 4, #token: 712, token usage: 0.00, gen throughput (token/s): 2513.40
"""


def _live(tmp_path: Path) -> RecordedRun:
    """The second of four launches is being measured: its log, and its figures of twenty seconds."""
    run = RecordedRun(tmp_path / "runs", task_of(task_file(tmp_path)))
    run.launch(1, 0.19)
    number = run.begin(2)
    run.ready(number, 2_405_039)
    run.write(LevelStarted(at=run.at, launch=number, level=0))
    folder = run.folder.launch(number)
    (folder / "container.log").write_text(_LOG)
    with (folder / "samples.jsonl").open("wb") as file:
        for tick in range(40):
            at = run.at + timedelta(seconds=tick / 2)
            sample = Sample(
                at=at,
                phase=Phase(name="measuring", since=run.at, done=tick // 4, of=20, unit="requests", level=0, levels=2),
                load=LoadProgress(
                    level=0, warm_up=False, elapsed_s=tick / 2, done=tick // 4, failed=0, running=1,
                    output_tokens_per_s=521.0, ttft_mean_s=0.0243, e2e_mean_s=0.1917,
                ),
                engine=EngineSample(
                    source="metrics", kv_usage=0.002 * (tick % 9), running=tick % 5, queued=0,
                    decode_tokens_per_s=2400.0 + 30 * (tick % 7), prefill_tokens_per_s=900.0, cache_hit_rate=0.0,
                ),
                gpus=(GpuSample(index=0, used_gib=69.14, total_gib=94.76, utilisation=0.93, power_w=412.0),),
            )  # fmt: skip
            file.write(msgspec.json.encode(sample) + b"\n")
    return run


@LOOKS
async def test_run(tmp_path: Path, size: tuple[int, int], look: str) -> None:
    run = _live(tmp_path)
    with ExitStack() as stack:
        stack.enter_context(runner_at_work(run.folder))
        app = app_under_test(tmp_path, reader=RunReader(run.folder))
        async with app.run_test(size=size) as pilot:
            await _look(pilot, f"run-{look}", "level 1/2", "9/20", "2,405,039", "fired up and ready")


@LOOKS
async def test_the_log_over_the_whole_screen(tmp_path: Path, size: tuple[int, int], look: str) -> None:
    run = _live(tmp_path)
    app = app_under_test(tmp_path, reader=RunReader(run.folder))
    async with app.run_test(size=size) as pilot:
        await seen(pilot, "fired up and ready")
        await pilot.press("f")
        await _look(pilot, f"log-{look}", "Attention backend", "9 lines", "![12:11:29]")


@LOOKS
async def test_compare(tmp_path: Path, size: tuple[int, int], look: str) -> None:
    folder = finished_run(tmp_path / "runs", tmp_path)
    app = app_under_test(tmp_path, reader=RunReader(folder))
    async with app.run_test(size=size) as pilot:
        await seen(pilot, "WINNER")
        await pilot.press("f5")
        await _look(pilot, f"compare-table-{look}", "WINNER", "E2E")
        await pilot.press("right_square_bracket")
        await _look(pilot, f"compare-chart-{look}", "WINNER")


@pytest.mark.parametrize(("size", "colour"), [(SMALL, True)])
async def test_help(tmp_path: Path, size: tuple[int, int], look: str) -> None:
    app = app_under_test(tmp_path, task=task_file(tmp_path))
    async with app.run_test(size=size) as pilot:
        await seen(pilot, "✓ valid")
        await pilot.press("question_mark")
        await _look(pilot, f"help-{look}", "task.start")


@pytest.mark.parametrize(("size", "colour"), [((40, 12), True), ((39, 11), True)])
async def test_terminals_that_are_almost_too_small(tmp_path: Path, size: tuple[int, int], look: str) -> None:
    app = app_under_test(tmp_path, task=task_file(tmp_path))
    async with app.run_test(size=size) as pilot:
        await _look(pilot, f"small-{look}", *(["✓ valid"] if size[0] == 40 else ["this terminal is 39×11"]))
