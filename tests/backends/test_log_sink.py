"""Output on its way from a thread to its file and to the event loop."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner_tui.backends import log_sink
from tuner_tui.backends.frames import HEADER, Frames
from tuner_tui.backends.log_sink import LogSink
from tuner_tui.backends.threads import in_thread


async def test_a_flood_wakes_the_loop_seldom_and_loses_nothing(tmp_path: Path) -> None:
    calls: list[bytes] = []
    sink = LogSink(tmp_path / "log", calls.append, asyncio.get_running_loop())
    lines = 100_000

    def flood() -> None:
        for number in range(lines):
            sink.write(b"%d\n" % number)

    begun_s = time.monotonic()
    await in_thread(flood, name="flood")
    took_s = time.monotonic() - begun_s
    await sink.flush()
    sink.close()
    assert b"".join(calls) == b"".join(b"%d\n" % number for number in range(lines)) == (tmp_path / "log").read_bytes()
    assert len(calls) < 20 + took_s / log_sink.PAUSE_S * 2


async def test_a_loop_that_does_not_keep_up_holds_the_writer_and_not_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_sink, "WAITING_BYTES", 1000)
    heard = bytearray()
    sink = LogSink(tmp_path / "log", heard.extend, asyncio.get_running_loop())
    written = 0

    def write() -> None:
        nonlocal written
        for _ in range(50):
            sink.write(b"x" * 500)
            written += 1

    writing = asyncio.create_task(in_thread(write, name="write"))
    await asyncio.sleep(0)
    time.sleep(0.1)  # noqa: ASYNC251 – the loop stands still on purpose
    assert written < 5
    await writing
    await sink.flush()
    assert len(heard) == 25_000
    sink.close()


async def test_a_full_disk_is_said_once_and_the_listener_goes_on_hearing() -> None:
    heard = bytearray()
    sink = LogSink(Path("/dev/full"), heard.extend, asyncio.get_running_loop())
    await asyncio.to_thread(sink.write, b"one\n")
    await asyncio.to_thread(sink.write, b"two\n")
    await sink.flush()
    sink.close()
    assert heard.startswith(b"one\n") and heard.endswith(b"two\n")
    assert heard.count(b"[tuner-tui] the log file cannot be written: [Errno 28] No space left on device") == 1


async def test_a_listener_that_raises_does_not_end_the_log(tmp_path: Path) -> None:
    heard, whole = bytearray(), asyncio.Event()

    def on_log(data: bytes) -> None:
        heard.extend(data)
        if bytes(heard) == b"one\ntwo\n":
            whole.set()
        if data == b"one\n":
            raise ValueError("a fault of the listener")

    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda *_: None)
    sink = LogSink(tmp_path / "log", on_log, loop)
    await asyncio.to_thread(sink.write, b"one\n")
    await asyncio.sleep(0.05)
    await asyncio.to_thread(sink.write, b"two\n")
    await asyncio.wait_for(whole.wait(), 5)
    sink.close()


@given(
    st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=40)), max_size=20),
    st.lists(st.integers(1, 60), min_size=1),
)
def test_frames_cut_anywhere_are_read_the_same(frames: list[tuple[int, bytes]], cuts: list[int]) -> None:
    sent = b"".join(HEADER.pack(stream, len(payload)) + payload for stream, payload in frames)
    reader, read, at = Frames(), [], 0
    for turn in range(len(sent)):
        size = cuts[turn % len(cuts)]
        read += reader.feed(sent[at : at + size])
        at += size
    assert read == frames
