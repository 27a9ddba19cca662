"""What is remembered of a log's lines makes reading fast, and changes nothing of what is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engines.obvious_reader import ObviousReader
from tests.engines.test_log_reader import DATA, FRAGMENTS, Language
from tests.shared_data import shared
from tuner_tui.engines.detect import engine_of
from tuner_tui.engines.facts import AnyFact
from tuner_tui.engines.log import LogReader

Dress = Callable[[int, bytes], bytes]

# Other figures at every repetition; 0 and 1 stay, or no status of an HTTP answer would be one.
PERMUTED = bytes.maketrans(b"23456789", b"35792468")

DRESSES: dict[str, Dress] = {
    "plain": lambda number, line: line,
    "docker": lambda number, line: b"2026-01-14T15:14:%02d.%09dZ " % (number % 60, number) + line,
    "kubernetes": lambda number, line: b"2026-01-14T16:14:%02d.%03d+01:00 stderr F " % (number % 60, number) + line,
    "compose": lambda number, line: b"engine-1  | " + line,
    "colours": lambda number, line: b"\x1b[36m" + line.replace(b"]", b"\x1b[0m]", 1),
    "windows": lambda number, line: line.replace(b"\n", b"\r\n"),
    "json": lambda number, line: json.dumps({"log": line.decode(errors="replace")}).encode() + b"\n",
}


def names() -> list[str]:
    return [row.split("\t")[0] for row in shared("logs/index.tsv").read_text().splitlines()[1:] if ".log" in row]


def seed_logs() -> list[bytes]:
    document: dict[str, Any] = json.loads(shared("data/seed-run/docker-simple-tune_results.json").read_text())
    return [result["container_logs"].encode() for result in document["all_results"]]


def same(language: Literal["sglang", "vllm"], log: bytes, chunk: int = 5000) -> None:
    obvious = ObviousReader(language, log)
    facts: list[AnyFact] = []
    for reader in (LogReader(language, facts.append), LogReader(language)):
        for at in range(0, len(log), chunk):
            reader.feed(log[at : at + chunk])
        reader.close()
        assert reader.memory == obvious.state.memory
        assert reader.phase == obvious.state.phase
        assert reader.cause() == obvious.causes.cause()
        assert reader.errors() == obvious.causes.errors()
        state, expected = reader.state, obvious.state
        assert (state.starts, state.warnings, state.unread) == (expected.starts, expected.warnings, expected.unread)
        assert (state.told, state.limit, state.members) == (expected.told, expected.limit, expected.members)
        assert state.timeline.steps == expected.timeline.steps
        assert (state.totals.load, state.totals.requests) == (expected.totals.load, expected.totals.requests)
        assert state.totals.decode.throughput == expected.totals.decode.throughput
        assert state.totals.prefill.throughput == expected.totals.prefill.throughput
        assert state.totals.decode_by_requests == expected.totals.decode_by_requests
    assert facts == obvious.facts


@pytest.mark.parametrize("dress", DRESSES)
def test_every_recorded_log_three_times_over(dress: str) -> None:
    logs = [shared(f"logs/{name}").read_bytes() for name in names()] + seed_logs()
    logs += [path.read_bytes() for path in sorted(DATA.glob("*.log"))]
    assert len(logs) >= 45
    for log in logs:
        log = log if log.endswith(b"\n") else log + b"\n"
        thrice = (log + log.translate(PERMUTED) + log).splitlines(keepends=True)
        engine = engine_of(log)
        languages: tuple[Language, ...] = (engine,) if engine else ("sglang", "vllm")
        for language in languages:
            same(language, b"".join(DRESSES[dress](number, line) for number, line in enumerate(thrice)))


@given(st.lists(FRAGMENTS, max_size=4), st.sampled_from(["sglang", "vllm"]), st.integers(1, 300))
@settings(max_examples=80, deadline=None)
def test_any_bytes(parts: list[bytes], language: Language, chunk: int) -> None:
    same(language, b"\n".join([*parts, *parts]), chunk)


SHORT_CUTS = (
    # Bars with a line to themselves, and such that share it.
    b"Loading safetensors checkpoint shards:  50% Completed | 1/2 [00:00<00:01,  1.28it/s]\r",
    b"Multi-thread loading shards: 100% Completed | 3/3 [00:01<00:00, 16.88it/s]\n",
    b"\rCapturing batches (bs=256 avail_mem=25.86 GB):   3%|\xe2\x96\x8e         | 1/35 [00:14<08:17, 14.62s/it]\r",
    b"Capturing CUDA graph shapes:  11%|#1        | 4/35 [00:02<00:17,  1.77it/s]",
    b" 25%|##5       | 1/4 [00:01<00:03,  1.14s/it]\n",
    b"  0%|          | 0/8 [00:00<?, ?it/s]RuntimeError: no room\n",
    b"100%|##########| 8/8 [00:01<00:00,  5.77it/s][2025-11-04 13:05:29 TP0] Memory pool end. avail mem=10.51 GB\n",
    b"[2025-11-04 13:05:29 TP1]  50%|#####     | 1/2 [00:01<00:03,  1.14s/it]\n",
    # What users wrote, in a line and behind one.
    b"INFO 06-23 12:00:01 [logger.py:43] Received request cmpl-1: prompt: 'RuntimeError: CUDA out of memory'.\n",
    b"(APIServer pid=7) INFO 06-23 12:00:02 [async_llm.py:270] Added request chatcmpl-2.\n",
    b"[2025-11-04 13:05:30 TP1] Receive: obj=GenerateReqInput(text='Traceback (most recent call last):')\n",
    b"[2025-11-04 13:05:31] Finish: obj=x[2025-11-04 13:05:32 TP0] max_total_num_tokens=5, max_prefill_tokens=9\n",
    # A collector's time, before the engine's and alone.
    b"2026-01-14T15:14:02.000000001Z [2025-11-04 13:05:33 TP2] Init torch distributed begin.\n",
    b'2026-01-14 15:14:03 INFO:     127.0.0.1:9 - "GET /health HTTP/1.1" 200 OK\n',
    b"2026-01-14 15:14:04 \n",
    # A traceback, in which anything may be told.
    b"Traceback (most recent call last):\n",
    b'  File "/x/y.py", line 3, in f\n',
    b"Loading checkpoint shards: 100% Completed | 2/2 [00:01<00:00, 16.88it/s]\n",
    b"ValueError: 3 heads\n",
)


@pytest.mark.parametrize("language", ["sglang", "vllm"])
def test_what_is_read_without_detours(language: Literal["sglang", "vllm"]) -> None:
    same(language, b"".join(SHORT_CUTS))
    for piece in SHORT_CUTS:
        same(language, piece)


@given(st.lists(st.sampled_from(SHORT_CUTS), max_size=8), st.sampled_from(["sglang", "vllm"]), st.integers(1, 300))
@settings(max_examples=80, deadline=None)
def test_short_cuts_in_any_order(parts: list[bytes], language: Language, chunk: int) -> None:
    same(language, b"".join(parts), chunk)
