"""How many lines of a log are read in a second, on one core. `python benchmarks/log_reading.py LOG …`

Each log is repeated to about 8 MB and fed in pieces of 64 KB, as `docker logs` gives them. A state of a progress bar
counts as a line. CPU time, best of three. Beside it the bare minimum on the same machine: cutting the bytes into lines
and decoding those. Without a LOG: lines of servers at work, written here as the engines print them. Prints a table, or
with `--json` one object.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from tuner_tui.engines.detect import engine_of
from tuner_tui.engines.log import LogReader

_BYTES, _CHUNK = 8_000_000, 64 << 10


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


def _decoded(log: bytes) -> None:
    for at in range(0, len(log), _CHUNK):
        for piece in log[at : at + _CHUNK].splitlines(keepends=True):
            piece.decode("utf-8", errors="replace")


def _read(engine: Literal["sglang", "vllm"], log: bytes) -> None:
    reader = LogReader(engine)
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


def measure(log: bytes) -> tuple[str, int, float, float]:
    """The engine, the lines, and the seconds of CPU time for reading and for only decoding them."""
    engine = engine_of(log[: 256 << 10]) or "sglang"
    log *= max(_BYTES // max(len(log), 1), 1)
    lines = len(log.splitlines())
    return engine, lines, _best(lambda: _read(engine, log)), _best(lambda: _decoded(log))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("logs", nargs="*", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    logs = {path.name: path.read_bytes() for path in options.logs}
    results: dict[str, dict[str, Any]] = {}
    for name, log in (logs or {"sglang at work": _sglang(), "vllm at work": _vllm()}).items():
        engine, lines, seconds, bare_s = measure(log)
        results[name] = {
            "engine": engine,
            "lines": lines,
            "seconds": round(seconds, 3),
            "lines_per_s": int(lines / seconds),
            "bare_lines_per_s": int(lines / bare_s),
        }
    if options.json:
        json.dump(results, sys.stdout, indent=2)
        print()
        return
    for name, result in results.items():
        times = result["bare_lines_per_s"] / result["lines_per_s"]
        print(f"{name:55} {result['engine']:7} {result['lines_per_s']:>9,} lines/s, {times:.0f} × decoding alone")


if __name__ == "__main__":
    main()
