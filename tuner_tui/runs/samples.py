"""samples.jsonl: live figures, one line twice a second. The journal has what happened; this has how it looked.

A launch's folder has one file from its start to its end, the run's folder one for the preparation (an image that is
pulled, a model that is downloaded). They hold figures only: what the engine said is in container.log. Nothing is read
back from them to decide anything, so a line that is lost or torn costs half a second of a curve. Fields are only ever
added, with defaults. `docs/journal.md` shows a line.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

from tuner_tui.load.model import LoadProgress

INTERVAL_S = 0.5
"""From one line to the next."""


class Phase(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is being done, since when, and how far it is.

    `name` is in words: "pulling the image", "downloading the model", "starting"; the engine's own phases as its log
    tells them ("loading weights", "allocating KV cache", "capturing graphs", "warming up" …); "warming up" and
    "measuring" a level; "serving" (a server that is kept up for a person), "stopping".
    """

    name: str
    since: datetime
    done: int | None = None
    of: int | None = None
    """None where nobody knows."""
    unit: Literal["", "bytes", "requests", "s"] = ""
    """Of `done` and `of`; "" for the engine's own steps (files, graphs). A level that only time ends counts seconds."""
    level: int | None = None
    """Index of the level that is warmed up or measured, from 0 …"""
    levels: int | None = None
    """… of so many."""
    detail: str = ""

    @property
    def share(self) -> float | None:
        """How far it is, 0 to 1; None where that is not known."""
        if self.done is None or not self.of:
            return None
        return min(1.0, max(0.0, self.done / self.of))

    @property
    def words(self) -> str:
        """On one line: "loading weights 3/4", "measuring level 2/3, 31/50 requests", "pulling the image 12/80 MiB"."""
        level = "" if self.level is None else f" level {self.level + 1}" + (f"/{self.levels}" if self.levels else "")
        steps = self._steps
        return self.name + level + (("," if level else "") + " " + steps if steps else "")

    @property
    def _steps(self) -> str:
        if self.done is None:
            return ""
        scale = 2**20 if self.unit == "bytes" else 1
        done = f"{self.done // scale:,}" + (f"/{self.of // scale:,}" if self.of else "")
        unit = "MiB" if self.unit == "bytes" else self.unit
        return f"{done} {unit}".rstrip()


class EngineSample(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the engine says of itself: the whole server, its data-parallel copies added up. None: it does not say.

    `source` is its `/metrics` (asked once a second), or its log where it has none (older than the metrics: SGLang
    prints a line every 40 steps, vLLM every ten seconds). Shares are 0 to 1.
    """

    source: Literal["log", "metrics"]
    kv_usage: float | None = None
    """Share of the KV cache in use; the fullest copy."""
    running: int | None = None
    """Requests in the batch …"""
    queued: int | None = None
    """… and waiting for it."""
    prefill_tokens_per_s: float | None = None
    decode_tokens_per_s: float | None = None
    cached_tokens: int | None = None
    """Prompt tokens that came from the prefix cache, since the server began …"""
    cache_hit_rate: float | None = None
    """… and their share of all prompt tokens since then (vLLM's log: of the last 1,000 requests)."""
    accept_length: float | None = None
    """Tokens that one step of speculative decoding gained, the step's own included."""
    preemptions: int | None = None
    """Requests thrown out of the batch for want of KV cache (SGLang: retractions), since the server began."""


class GpuSample(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One GPU of the launch, by NVML. GiB are 2**30 bytes. None: this GPU or driver does not tell."""

    index: int
    used_gib: float
    """By everybody, the driver included."""
    total_gib: float
    utilisation: float | None = None
    """Share of the last moment (up to a second) in which any kernel ran, 0 to 1."""
    power_w: float | None = None
    power_limit_w: float | None = None
    temperature_c: int | None = None
    clock_mhz: int | None = None
    """Of the streaming multiprocessors, now …"""
    clock_max_mhz: int | None = None
    """… and at most."""
    throttle: tuple[str, ...] = ()
    """Why the clock is held down: "power", "thermal", "power brake", "sync", "settings"; idleness is no reason."""
    foreign_gib: float | None = None
    """Memory of processes that are not this launch's …"""
    foreign_processes: int | None = None
    """… and how many those are."""


class Sample(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line: a moment of a launch (or, with nothing but a phase, of the preparation)."""

    at: datetime
    phase: Phase | None = None
    load: LoadProgress | None = None
    """Of the level under way; None where there is none."""
    engine: EngineSample | None = None
    """None before the server is ready."""
    gpus: tuple[GpuSample, ...] = ()
    """Empty without NVML."""
    log_bytes: int | None = None
    """Size of the launch's container.log: a replay shows it only as far as it had come."""


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Sample)


def append_sample(path: Path, sample: Sample) -> None:
    """Writes one line to the end of the file, by one `write`. Raises OSError."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        os.write(file, _encoder.encode(sample) + b"\n")
    finally:
        os.close(file)


class SampleReader:
    """Tails a samples file: `read` gives what has come since the last call. Cheap when nothing has.

    Never raises for what the file holds or for its absence: a torn last line waits until it is whole, a line that is no
    sample is passed over, a file that became shorter is read anew. Of a file that is long already when it is opened,
    the last `most_bytes` are read (8 MiB are some hours).
    """

    def __init__(self, path: Path, *, most_bytes: int = 8 << 20) -> None:
        self._path = path
        self._most_bytes = most_bytes
        self._offset = 0

    def read(self) -> list[Sample]:
        """The new samples, oldest first."""
        try:
            with self._path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size < self._offset:
                    self._offset = 0
                if size == self._offset:
                    return []
                cut = size - self._offset > self._most_bytes
                file.seek(size - self._most_bytes if cut else self._offset)
                data = file.read(size - file.tell())
        except OSError:
            return []
        start = data.find(b"\n") + 1 if cut else 0
        whole = data.rfind(b"\n") + 1
        if whole > 0:
            self._offset = size - len(data) + whole
        return [sample for line in data[start:whole].splitlines() if (sample := _decoded(line)) is not None]


def last_sample(path: Path) -> Sample | None:
    """The newest sample of a file of any length; None where there is none."""
    samples = SampleReader(path, most_bytes=16_384).read()
    return samples[-1] if samples else None


def _decoded(line: bytes) -> Sample | None:
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


class History:
    """The samples of one launch, bounded: at most `most`, the newer half as they came, the older ever thinner.

    So it always reaches back to the first sample, and a curve over the last minutes loses nothing.
    """

    def __init__(self, most: int = 2_400) -> None:
        if most < 4:
            raise ValueError(f"most is {most}, at least 4 are needed")
        self._most = most
        self._samples: list[Sample] = []

    def add(self, samples: Iterable[Sample]) -> None:
        """Takes in what a reader gave, in its order."""
        for sample in samples:
            self._samples.append(sample)
            if len(self._samples) > self._most:
                half = self._most // 2
                # The first one stays for good: it is the launch's beginning.
                self._samples[:half] = self._samples[:half:2]

    @property
    def samples(self) -> Sequence[Sample]:
        """All that are kept, oldest first."""
        return self._samples

    @property
    def last(self) -> Sample | None:
        return self._samples[-1] if self._samples else None

    def series(
        self,
        pick: Callable[[Sample], float | None],
        points: int,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[float | None]:
        """A figure over time, in `points` equal spans from `since` to `until` (default: the first and the last sample).

        Each is the mean of the figure in its span, None where it has none. `pick` takes it out of a sample:
        `series(lambda sample: sample.engine and sample.engine.kv_usage, 40)`.
        """
        if points < 1 or not self._samples:
            return [None] * max(0, points)
        begin, end = since or self._samples[0].at, until or self._samples[-1].at
        span_s = max((end - begin).total_seconds(), 1e-3)
        sums, counts = [0.0] * points, [0] * points
        for sample in reversed(self._samples):
            place = (sample.at - begin).total_seconds() / span_s
            if place < 0:
                break
            if place > 1 or (value := pick(sample)) is None:
                continue
            slot = min(points - 1, int(place * points))
            sums[slot] += value
            counts[slot] += 1
        return [total / count if count else None for total, count in zip(sums, counts, strict=True)]
