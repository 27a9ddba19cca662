"""The journal survives a torn line and says which line it cannot read."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from tuner_tui.runs.events import LaunchStarted, RunFinished, RunPaused
from tuner_tui.runs.journal import JournalReader, JournalUnreadable, JournalWriter


def test_what_was_written_is_read_as_it_comes(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    writer = JournalWriter(path)
    reader = JournalReader(path)
    assert reader.read() == []
    first = LaunchStarted(launch=1, experiment=2, command="docker run x", gpus=(0, 3))
    writer.append(first)
    assert reader.read() == [first]
    assert reader.read() == []
    assert reader.unread_bytes == 0
    last = RunFinished(reason="stopped", sentence="—")
    writer.append(last)
    writer.close()
    assert reader.unread_bytes > 0
    assert reader.read() == [last]
    assert JournalReader(path).read() == [first, last]


def test_a_torn_last_line_waits_for_a_reader_and_is_cut_off_by_the_next_writer(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    writer = JournalWriter(path)
    writer.append(RunPaused())
    writer.close()
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:20])
    assert len(JournalReader(path).read()) == 1
    writer = JournalWriter(path)
    assert path.read_bytes() == whole
    writer.append(RunFinished(reason="finished"))
    writer.close()
    assert len(JournalReader(path).read()) == 2


def test_a_line_that_finds_no_room_is_not_begun(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    writer = JournalWriter(path)
    writer.append(RunPaused())
    whole = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 20, hard))  # as a disk that is nearly full
    try:
        with pytest.raises(OSError, match="No space left on device"):
            writer.append(RunFinished(reason="finished"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == whole
    writer.append(RunFinished(reason="stopped"))  # there is room again
    writer.close()
    assert len(JournalReader(path).read()) == 2


def test_a_line_that_is_no_event_is_named(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    writer = JournalWriter(path)
    writer.append(RunPaused())
    writer.close()
    with path.open("ab") as file:
        file.write(b'{"event": "from_the_future"}\n')
    with pytest.raises(JournalUnreadable, match=r"journal.jsonl:2: not an event this version knows"):
        JournalReader(path).read()
