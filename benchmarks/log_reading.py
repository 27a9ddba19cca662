"""How many lines of a log are read in a second, on one core. `python benchmarks/log_reading.py [LOG …] [--json]`

Each log is repeated to about 4 MB and fed in pieces of 64 KB, as `docker logs` gives them. A state of a progress bar
counts as a line. Three figures: *again* repeats the log as it is (a server that starts over and over, or many ranks
that say the same), *changed* has other figures in it at every repetition, so that hardly a line comes twice, and
*facts* is *again* with somebody listening to every fact, as a run does. CPU time, best of three. Beside them the bare
minimum on the same machine: cutting the bytes into lines and decoding those.

Without a LOG: lines of servers at work, written here as the engines print them, and the real logs in `../shared`
(`$TUNER_SHARED`) where they are there.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from tuner_tui.engines.detect import engine_of
from tuner_tui.engines.facts import AnyFact
from tuner_tui.engines.log import LogReader

_BYTES, _CHUNK = 4_000_000, 64 << 10
_SHARED = Path(os.environ.get("TUNER_SHARED", Path(__file__).resolve().parents[2] / "shared"))
_CLASSES = {
    "at work": ("sglang-0.5.2-exp1-running", "sglang-0.5.23-cpu-running", "sglang-0.5.9-pd", "vllm-0.32.0-cpu-running"),
    "start-up": (
        *("sglang-0.5.2-exp1-startup", "sglang-0.5.23-cpu-startup", "sglang-0.4.2-docker-timestamps"),
        *("vllm-0.32.0-cpu-startup", "vllm-0.9-v1-tp2"),
    ),
    "failed": ("sglang-0.5.8-tp16-nccl", "vllm-0.32.0-cpu-kv-too-small"),
}
_SEED_RUN = "data/seed-run/docker-simple-tune_results.json"


class Speed(msgspec.Struct, frozen=True, kw_only=True):
    """`*_per_s`: lines a second."""

    engine: str
    lines: int
    mb: float
    again_per_s: int
    changed_per_s: int
    facts_per_s: int
    bare_per_s: int


def _sglang() -> bytes:
    lines = []
    for i in range(400):
        at = f"[2026-11-06 12:{i // 60:02}:{i % 60:02}]"
        lines.append(
            f"{at} Prefill batch. #new-seq: 1, #new-token: {101 + i % 7}, #cached-token: {i % 31}, "
            f"token usage: 0.0{i % 9}, "
            f"#running-req: {i % 4}, #queue-req: 0, "
        )
        lines += [
            f"{at} Decode batch. #running-req: 4, #token: {606 + j}, token usage: 0.01, cuda graph: True, "
            f"gen throughput (token/s): {2400 + j}.{i % 10}3, #queue-req: {i % 3}, "
            for j in range(3)
        ]
        lines.append(f'{at} INFO:     127.0.0.1:{51000 + i} - "POST /v1/chat/completions HTTP/1.1" 200 OK')
    return "\n".join(lines).encode() + b"\n"


def _vllm() -> bytes:
    lines = []
    for i in range(400):
        head = f"(APIServer pid=76) INFO 11-23 {i // 360:02}:{i // 6 % 60:02}:{i % 6}1 [loggers.py:335] Engine 000: "
        lines.append(
            f"{head}Avg prompt throughput: {270 + i}.0 tokens/s, Avg generation throughput: {260 + i}.1 tokens/s, "
            f"Running: {i % 16} reqs, Waiting: 0 reqs, GPU KV cache usage: {i % 90}.5%, Prefix cache hit rate: 3.0%"
        )
        lines += [
            f'(APIServer pid=76) INFO:     127.0.0.1:{51000 + j} - "POST /v1/completions HTTP/1.1" 200 OK'
            for j in range(4)
        ]
    return "\n".join(lines).encode() + b"\n"


def _copies() -> bytes:
    """SGLang with eight data-parallel copies, whose figures are added up."""
    return b"".join(
        f"[2026-11-06 12:{i // 600 % 60:02}:{i // 10 % 60:02} DP{copy} TP{copy}] Decode batch. #running-req: {i % 40}, "
        f"#token: {i}, token usage: 0.{i % 90:02}, cuda graph: True, "
        f"gen throughput (token/s): {2400 + i % 77}.{i % 10}3, #queue-req: {i % 3}, \n".encode()
        for i in range(4000)
        for copy in range(8)
    )


def _requests() -> bytes:
    """vLLM with every request in its log, as it is by default up to 0.9: no line has the shape of another."""
    dice, lines = random.Random(1), []
    words = ["".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=dice.randint(2, 9))) for _ in range(3000)]
    for i in range(8000):
        name, head = (
            f"chatcmpl-{dice.getrandbits(128):032x}",
            f"INFO 06-23 {i // 3600:02}:{i // 60 % 60:02}:{i % 60:02}",
        )
        lines += [
            f"{head} [logger.py:43] Received request {name}: prompt: '{' '.join(dice.choices(words, k=40))}', params: "
            "SamplingParams(n=1, temperature=0.7, top_p=0.8, seed=None, stop=[], max_tokens=512), lora_request: None.",
            f"{head} [async_llm.py:270] Added request {name}.",
            f'INFO:     127.0.0.1:{dice.randint(30000, 60000)} - "POST /v1/chat/completions HTTP/1.1" 200 OK',
            f"{head} [engine.py:310] Finished request {name}.",
        ]
    return "\n".join(lines).encode() + b"\n"


def _usual() -> Iterator[tuple[str, bytes]]:
    yield "at work: as sglang writes it", _sglang()
    yield "at work: as vllm writes it", _vllm()
    yield "at work: sglang with eight copies", _copies()
    yield "at work: vllm with every request logged", _requests()
    for kind, names in _CLASSES.items():
        for name in names:
            for path in sorted((_SHARED / "logs").glob(f"{name}*.log")):
                yield f"{kind}: {path.stem}", path.read_bytes()
    if (_SHARED / _SEED_RUN).exists():
        results = json.loads((_SHARED / _SEED_RUN).read_text())["all_results"]
        for number, result in enumerate(results, 1):
            yield f"whole: seed run, experiment {number}", result["container_logs"].encode()


def _changed(log: bytes, times: int) -> bytes:
    """`log` again and again with its digits exchanged. 0 and 1 stay, or HTTP/1.1 would be no HTTP."""
    dice = random.Random(log[:100])
    orders = (bytes(dice.sample(b"23456789", 8)) for _ in itertools.count())
    return b"".join(log.translate(bytes.maketrans(b"23456789", next(orders))) for _ in range(times))


def _decoded(log: bytes) -> None:
    for at in range(0, len(log), _CHUNK):
        for piece in log[at : at + _CHUNK].splitlines(keepends=True):
            piece.decode("utf-8", errors="replace")


def _read(engine: Literal["sglang", "vllm"], log: bytes, on_fact: Callable[[AnyFact], None] | None = None) -> None:
    reader = LogReader(engine, on_fact)
    for at in range(0, len(log), _CHUNK):
        reader.feed(log[at : at + _CHUNK])
    reader.close()


def _best(work: Callable[[], None]) -> float:
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return best


def measure(log: bytes) -> Speed:
    engine = engine_of(log[: 256 << 10]) or "sglang"
    if not log.endswith(b"\n"):
        log += b"\n"
    times = max(_BYTES // max(len(log), 1), 1)
    again, changed = log * times, _changed(log, times)
    lines = len(again.splitlines())
    return Speed(
        engine=engine,
        lines=lines,
        mb=len(again) / 1e6,
        again_per_s=int(lines / _best(lambda: _read(engine, again))),
        changed_per_s=int(lines / _best(lambda: _read(engine, changed))),
        facts_per_s=int(lines / _best(lambda: _read(engine, again, lambda fact: None))),
        bare_per_s=int(lines / _best(lambda: _decoded(again))),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("logs", nargs="*", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    logs = ((path.name, path.read_bytes()) for path in options.logs) if options.logs else _usual()
    found: dict[str, Speed] = {}
    if not options.json:
        print(
            f"{'lines a second':54} {'again':>8} {'changed':>8} {'facts':>8} {'MB/s':>6} {'again ÷ decoding alone':>24}"
        )
    for name, log in logs:
        speed = found[name] = measure(log)
        if not options.json:
            mb_per_s = speed.mb * speed.again_per_s / speed.lines
            print(
                f"{name[:54]:54} {speed.again_per_s:>8,} {speed.changed_per_s:>8,} {speed.facts_per_s:>8,} "
                f"{mb_per_s:>6.1f} {speed.again_per_s / speed.bare_per_s:>24.1%}",
                flush=True,
            )
    if options.json:
        print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())


if __name__ == "__main__":
    main()
