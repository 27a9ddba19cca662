"""Facts, warnings and errors in the margin, to jump to."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.shared_data import shared
from tests.ui.log.panel_app import PanelApp, settled, shown_log, until
from tuner_tui.ui.log.document import LogDocument
from tuner_tui.ui.log.jump_list import JumpList
from tuner_tui.ui.log.marks import MarkReader

LOG = (
    """\
[2025-11-06 12:09:32] Load weight begin. avail mem=94.76 GB
[2025-11-06 12:09:33] Load weight end. type=LlamaForCausalLM, avail mem=92.30 GB, mem usage=2.46 GB.
[2025-11-06 12:09:33] KV Cache is allocated. #tokens: 2094537, K size: 31.96 GB, V size: 31.96 GB
"""
    + "filler\n" * 50
    + """\
[2025-11-06 12:09:53] The server is fired up and ready to roll!
[2025-11-06 12:09:54] Decode batch. #running-req: 4, #token: 606, token usage: 0.01, gen throughput (token/s): 47.74
torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 94.76 GiB
"""
)


def test_marks_are_the_facts_and_not_the_running_lines() -> None:
    reader = MarkReader("sglang")
    lines = LOG.encode().splitlines(keepends=True)
    for at in range(0, len(lines), 7):
        reader.feed(b"".join(lines[at : at + 7]))
    marks = reader.marks()
    assert [(mark.line, mark.kind) for mark in marks] == [(1, "fact"), (2, "fact"), (53, "fact"), (55, "error")]
    assert marks[0].text == "weights loaded 2.46 GiB"
    assert marks[1].text == "KV cache 2,094,537 tokens 63.92 GiB"
    assert marks[2].text == "ready"
    assert marks[3].decides


def test_a_log_that_complains_without_end_is_marked_where_it_says_something_new() -> None:
    reader = MarkReader("sglang")
    reader.feed(b"".join(b"[2025-11-06 12:09:%02d] WARNING: request %d is slow\n" % (n % 60, n) for n in range(500)))
    assert len(reader.marks()) == 1


async def test_marks_are_jumped_to(tmp_path: Path) -> None:
    log = tmp_path / "container.log"
    log.write_text(LOG)
    async with shown_log(log, size=(80, 12)) as (app, pilot):
        margins = {line[0] for line in app.on_screen()[1:]}
        assert margins == {" ", "▎", "✗"}
        await pilot.press("g")
        at = []
        for key in ("m", "m", "m", "m", "M", "e"):
            await pilot.press(key)
            await pilot.pause()
            at.append(app.current)
        assert at == [1, 2, 53, 55, 53, 55]
        await pilot.press("m")
        await pilot.pause()
        assert app.said == ["No mark below"]


async def test_the_list_of_marks_begins_with_the_error_that_decides(tmp_path: Path) -> None:
    log = tmp_path / "container.log"
    log.write_text(LOG)
    async with shown_log(log, size=(80, 20)) as (app, pilot):
        await pilot.press("o")
        await pilot.pause()
        assert isinstance(app.screen, JumpList)
        entries = [line.split("│")[1] for line in app.on_screen() if "│" in line and " 12:0" in line]
        assert entries[0].startswith("✗     56")
        assert "most telling: " in entries[0]
        assert entries[1].startswith("▎      2  12:09:33  weights loaded 2.46 GiB")
        await pilot.press("j", "j", "enter")
        await settled(app, pilot)
        assert app.current == 2
        await pilot.press("o", "escape")
        await pilot.pause()
        assert app.current == 2


async def test_a_jump_to_a_hidden_line_shows_the_others_again(tmp_path: Path) -> None:
    log = tmp_path / "container.log"
    log.write_text(LOG)
    async with shown_log(log) as (app, pilot):
        await pilot.press("slash", *"filler", "enter")
        await settled(app, pilot)
        await pilot.press("e")
        await settled(app, pilot)
        assert app.current == 55
        assert not app.view.filtered


async def test_a_log_without_marks_says_so(tmp_path: Path) -> None:
    log = tmp_path / "container.log"
    log.write_text("nothing\n")
    async with shown_log(log) as (app, pilot):
        await pilot.press("o", "e", "m")
        await pilot.pause()
        assert app.said == ["No marks in this log", "No error in this log", "No mark below"]


@pytest.mark.parametrize(
    ("name", "language", "decides"),
    [
        ("vllm-0.32.0-cpu-kv-too-small.log", "vllm", "ValueError: To serve at least one request"),
        ("sglang-0.5.23-scheduler-crash-import-error.log", "sglang", "ModuleNotFoundError"),
        ("vllm-0.32.0-port-in-use.log", "vllm", "OSError: [Errno 98]"),
    ],
)
async def test_recorded_failures_are_gone_to_with_one_key(name: str, language: str, decides: str) -> None:
    async with shown_log(shared(f"logs/{name}"), language) as (app, pilot):
        await pilot.press("g", "e")
        await settled(app, pilot)
        assert app.current is not None
        assert decides in app.view.texts(app.current, app.current)[0]


async def test_a_recorded_start_looks_like_this() -> None:
    log = shared("logs/sglang-0.5.2-exp1-startup-cr-progress.log")
    async with shown_log(log, size=(80, 14)) as (app, pilot):
        await pilot.press("t", "g", "/", *"weight|KV|graph|ready|shards", "enter", "s")
        await settled(app, pilot)
        shown = [line[:79].rstrip() for line in app.on_screen()]
        assert shown == [
            "#1 · following · 11 of 63 lines · /weight|KV|graph|ready|shards",
            "▎server_args=ServerArgs(model_path='/model', tokenizer_path='/model', tokenizer",
            " Load weight begin. avail mem=94.76 GB",
            " Loading safetensors checkpoint shards:   0% Completed | 0/1 [00:00<?, ?it/s]",
            " Loading safetensors checkpoint shards: 100% Completed | 1/1 [00:00<00:00,  2.8",
            " Loading safetensors checkpoint shards: 100% Completed | 1/1 [00:00<00:00,  2.8",
            "▎Load weight end. type=LlamaForCausalLM, dtype=torch.bfloat16, avail mem=92.35",
            "▎KV Cache is allocated. #tokens: 2094537, K size: 31.96 GB, V size: 31.96 GB",
            " Capture cuda graph begin. This can take up to several minutes. avail mem=26.23",
            " Capture cuda graph bs [1, 2, 4, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96,",
            "▎Capture cuda graph end. Time elapsed: 15.99 s. mem usage=0.60 GB. avail mem=25",
            "▎The server is fired up and ready to roll!",
            "",
            "",
        ]


async def test_what_has_not_been_read_yet_is_not_said_to_be_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def rests(self: LogDocument) -> bool:
        return False

    monkeypatch.setattr(LogDocument, "fill_in", rests)
    log = tmp_path / "container.log"
    log.write_text(LOG)
    app = PanelApp(log)
    async with app.run_test(size=(80, 20)) as pilot:
        await until(pilot, lambda: "filler" in "".join(app.shown()))
        await pilot.press("o", "e", "m")
        await pilot.pause()
        read = "so far: 0% of it has been read"
        assert app.said == [f"No marks in this log {read}", f"No error in this log {read}", f"No mark below {read}"]
