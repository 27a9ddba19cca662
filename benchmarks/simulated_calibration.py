"""The simulated engine against the run it is calibrated to: target, measured, ratio.

    python benchmarks/simulated_calibration.py [--requests N]

Starts the engine as a process of its own and asks it with a plain aiohttp client: 100 tokens in, 100 out, one and
four requests at a time. The targets are p50 and p75 of SGLang 0.5.2 with Llama-3.2-1B on one Hopper GPU, each the mean
of two launches. A machine that is busy with other things is late, and this shows it; p75 of TTFT also varies by some
5 % from run to run, because handling times are drawn. Exit 1 if a ratio is off by more than 5 %.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import statistics
import subprocess
import sys
import time

import aiohttp

TARGETS_MS = {
    # concurrency: {metric: (p50, p75)}
    1: {"TTFT": (10.42, 11.39), "TPOT": (1.526, 1.527), "E2E": (161.69, 162.93)},
    4: {"TTFT": (27.91, 32.91), "TPOT": (1.640, 1.674), "E2E": (190.95, 197.24)},
}
_TOLERANCE = 0.05


async def _one(session: aiohttp.ClientSession, url: str, chance: random.Random) -> tuple[float, float, float]:
    """TTFT, TPOT and end-to-end latency of one request, in milliseconds."""
    body = {
        "prompt": [chance.randrange(128256) for _ in range(100)],
        "max_tokens": 100,
        "ignore_eos": True,
        "stream": True,
    }
    sent = time.perf_counter()
    times = []
    async with session.post(f"{url}/v1/completions", json=body) as answer:
        answer.raise_for_status()
        async for line in answer.content:
            if b'"text"' in line:
                times.append(time.perf_counter())
    if len(times) != 100:
        raise RuntimeError(f"{len(times)} tokens came instead of 100")
    return (times[0] - sent) * 1e3, (times[-1] - times[0]) / 99 * 1e3, (times[-1] - sent) * 1e3


async def _level(url: str, concurrency: int, requests: int) -> list[tuple[float, float, float]]:
    chance = random.Random()
    left = requests
    measured = []

    async def stream(session: aiohttp.ClientSession) -> None:
        nonlocal left
        while left > 0:
            left -= 1
            measured.append(await _one(session, url, chance))

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(stream(session) for _ in range(concurrency)))
    return measured


async def _measure(url: str, requests: int) -> bool:
    """Prints the table; whether all is within the tolerance."""
    good = True
    print(f"{'concurrency':>11} {'':6}{'':5} {'target ms':>10} {'measured':>10} {'ratio':>7}")
    for concurrency, targets in TARGETS_MS.items():
        await _level(url, concurrency, 2 * concurrency)  # warm-up
        measured = await _level(url, concurrency, requests)
        for column, (metric, wanted) in enumerate(targets.items()):
            quartiles = statistics.quantiles([each[column] for each in measured], n=4, method="inclusive")
            for name, target, found in zip(("p50", "p75"), wanted, quartiles[1:], strict=True):
                ratio = found / target
                off = abs(ratio - 1) > _TOLERANCE
                good = good and not off
                note = "  off by more than 5 %" if off else ""
                print(f"{concurrency:>11} {metric:6}{name:5} {target:>10.3f} {found:>10.3f} {ratio:>7.3f}{note}")
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description="The simulated engine against the run it is calibrated to.")
    parser.add_argument("--requests", type=int, default=200, help="requests at each concurrency (default: 200)")
    requests = parser.parse_args().requests
    command = [sys.executable, "-m", "tuner_tui.engines.simulated", "--model-path", "calibration", "--port", "0"]
    engine = subprocess.Popen([*command, "--simulate-start-s", "0"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        assert engine.stderr is not None
        url = next(match[1] for line in engine.stderr if (match := re.search(r"running on (\S+)", line.decode())))
        next(line for line in engine.stderr if b"ready to roll" in line)
        # A full pipe would stop the engine.
        drain = subprocess.Popen(["cat"], stdin=engine.stderr, stdout=subprocess.DEVNULL)
        good = asyncio.run(_measure(url, requests))
    finally:
        engine.terminate()
        engine.wait()
    drain.wait()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
