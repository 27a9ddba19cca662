"""Live figures are read as they come, whatever the file holds, and kept within bounds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner_tui.load.model import LoadProgress
from tuner_tui.runs.samples import (
    EngineSample,
    GpuSample,
    History,
    Phase,
    Sample,
    SampleReader,
    append_sample,
    last_sample,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def at(seconds: float, running: int | None = None) -> Sample:
    engine = None if running is None else EngineSample(source="metrics", running=running)
    return Sample(at=NOON + timedelta(seconds=seconds), engine=engine)


def running(sample: Sample) -> float | None:
    return sample.engine.running if sample.engine else None


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    sample = Sample(
        at=NOON,
        phase=Phase(name="measuring", since=NOON, done=31, of=50, unit="requests", level=1, levels=3),
        load=LoadProgress(level=1, warm_up=False, elapsed_s=2.5, done=31, failed=0, running=4),
        engine=EngineSample(source="metrics", kv_usage=0.25, running=4, queued=0, decode_tokens_per_s=2498.0),
        gpus=(GpuSample(index=0, used_gib=69.2, total_gib=94.76, utilisation=0.98, throttle=("power",)),),
    )
    path = tmp_path / "samples.jsonl"
    append_sample(path, sample)
    assert SampleReader(path).read() == [sample]
    assert last_sample(path) == sample


def test_a_phase_in_words_and_as_a_share() -> None:
    def words(**fields: object) -> str:
        return Phase(since=NOON, **fields).words  # type: ignore[arg-type]

    assert words(name="starting") == "starting"
    assert words(name="loading weights", done=3, of=4) == "loading weights 3/4"
    assert words(name="pulling the image", done=120 << 20, of=2000 << 20, unit="bytes") == (
        "pulling the image 120/2,000 MiB"
    )
    assert words(name="pulling the image", done=120 << 20, of=0, unit="bytes") == "pulling the image 120 MiB"
    measuring = {"name": "measuring", "level": 1, "levels": 3}
    assert words(**measuring, done=31, of=50, unit="requests") == "measuring level 2/3, 31/50 requests"
    assert words(**measuring) == "measuring level 2/3"
    assert Phase(name="x", since=NOON, done=3, of=4).share == 0.75
    assert Phase(name="x", since=NOON, done=3, of=0).share is None


def test_the_reader_tails(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    reader = SampleReader(path)
    assert reader.read() == []
    append_sample(path, at(0))
    assert reader.read() == [at(0)]
    assert reader.read() == []
    append_sample(path, at(1))
    whole = path.read_bytes()
    with path.open("ab") as file:
        file.write(whole.splitlines()[0][:20])
    assert reader.read() == [at(1)]
    with path.open("ab") as file:
        file.write(whole.splitlines()[0][20:] + b'\nnot json\n{}\n{"at":"yesterday"}\n')
    assert reader.read() == [at(0)]
    path.write_bytes(whole)
    assert reader.read() == [at(0), at(1)]  # it became shorter: another file
    path.unlink()
    assert reader.read() == []


def test_of_a_long_file_the_end_is_read(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    for second in range(100):
        append_sample(path, at(second))
    line = len(path.read_bytes()) // 100
    reader = SampleReader(path, most_bytes=10 * line + 5)
    assert reader.read() == [at(second) for second in range(90, 100)]
    append_sample(path, at(100))
    assert reader.read() == [at(100)]
    assert last_sample(path) == at(100)


@given(st.binary(max_size=200), st.integers(1, 64))
def test_no_bytes_make_the_reader_fail(tmp_path_factory: pytest.TempPathFactory, data: bytes, piece: int) -> None:
    path = tmp_path_factory.mktemp("samples") / "samples.jsonl"
    reader = SampleReader(path)
    for start in range(0, len(data), piece):
        with path.open("ab") as file:
            file.write(data[start : start + piece])
        reader.read()
    append_sample(path, at(1))
    append_sample(path, at(2))
    assert reader.read()[-1] == at(2)


def test_a_field_of_a_newer_version_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    path.write_text(
        '{"at":"2026-11-23T12:00:00Z","moon":1,"phase":{"name":"x","since":"2026-11-23T12:00:00Z","y":2}}\n'
    )
    assert SampleReader(path).read() == [Sample(at=NOON, phase=Phase(name="x", since=NOON))]


def test_a_history_reaches_back_to_the_beginning_and_stays_small() -> None:
    history = History(most=100)
    history.add(at(second / 2, running=second) for second in range(10_000))
    assert len(history.samples) <= 100
    assert history.samples[0].at == NOON
    assert [running(sample) for sample in history.samples[-50:]] == list(range(9_950, 10_000))
    times = [sample.at for sample in history.samples]
    assert times == sorted(times)


def test_a_series_is_the_mean_of_each_span() -> None:
    history = History()
    assert history.series(running, 3) == [None, None, None]
    history.add([at(0, 2), at(1, 4), at(2), at(3), at(4, 10), at(6, 20)])
    assert history.series(running, 3) == [3.0, None, 15.0]
    last_two_s = history.series(running, 2, since=NOON + timedelta(seconds=3), until=NOON + timedelta(seconds=5))
    assert last_two_s == [None, 10.0]
    assert history.series(running, 0) == []
