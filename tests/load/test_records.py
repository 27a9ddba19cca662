"""requests.jsonl survives a writer that was killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuner_tui.load.model import RequestRecord
from tuner_tui.load.records import RecordFile, RecordReader, mend, read_records


def record(index: int) -> RequestRecord:
    return RequestRecord(level=0, index=index, sent_s=0.5, end_s=1.5, first_s=0.75, error=None if index else "boom")


def test_records_come_back_as_written(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    for part in ((0, 1), (2,)):
        file = RecordFile(path)
        for index in part:
            file.add(record(index))
        file.close()
    assert read_records(path) == [record(0), record(1), record(2)]


@pytest.mark.parametrize("cut", [1, 2, 10])
def test_a_torn_last_line_is_dropped_and_written_over(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "requests.jsonl"
    file = RecordFile(path)
    file.add(record(0))
    file.add(record(1))
    file.close()
    path.write_bytes(path.read_bytes()[:-cut])
    assert read_records(path) == [record(0)]
    mend(path)
    again = RecordFile(path)
    again.add(record(7))
    again.close()
    assert read_records(path) == [record(0), record(7)]


def test_a_broken_line_in_the_middle_is_named(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    path.write_bytes(b'{"level":0,"index":0,"sent_s":0.0,"end_s":1.0}\nrubbish\n')
    with pytest.raises(ValueError, match=r"requests\.jsonl:2: expected a request record"):
        read_records(path)


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    RecordFile(path).close()
    assert read_records(path) == []


def test_a_file_that_grows_is_read_on_and_a_torn_line_waits_for_its_end(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    file, reader = RecordFile(path), RecordReader(path)
    file.add(record(0))
    file.add(record(1))
    file.flush()
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    assert reader.new() == [record(0)]
    assert reader.new() == []
    path.write_bytes(whole)
    assert reader.new() == [record(1)]
    path.write_bytes(whole + b"rubbish\n")
    with pytest.raises(ValueError, match=r"requests\.jsonl:3: expected a request record"):
        reader.new()
    file.close()
