"""Our meter, genai-bench and vllm bench serve on the same real server: what each says, and the ratio to ours.

    python benchmarks/agreement.py [vllm] [sglang] [--requests 100] [--rounds 2]

Starts the engine on the tiny model (tests/engines/setup vllm sglang genai-bench), on core 0, its prefix cache off.
Every client runs on core 1, one after the other, in turn within a round; each warms up first and asks for temperature
0, because drawing tokens takes an engine on a CPU time and the clients' defaults differ. Per level: mean TTFT, TPOT and
E2E in ms, and output tokens/s over the client's own time; of each the median over the rounds, for a machine may stall
for seconds, and in parentheses that of the ratios to ours in the same round, with the least and the greatest: where
these lie on both sides of 1, the machine swings more than the clients differ. `chat` is our meter by the endpoint that
genai-bench uses.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Literal

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tuner_tui.load.bench import bench
from tuner_tui.load.genai_bench import GenaiBench
from tuner_tui.load.genai_bench_files import measured_result
from tuner_tui.load.model import Job, Level, LevelResult, RunLevel
from tuner_tui.load.records import read_records

ENGINES = Path(os.environ.get("TUNER_ENGINES", Path.home() / ".cache" / "tuner-engines"))
MODEL = ENGINES / "models" / "tiny-llama"
RUN = Path(__file__).resolve().parents[1] / "tests" / "engines" / "run"
NO_CACHE = {"vllm": "--no-enable-prefix-caching", "sglang": "--disable-radix-cache"}
# The weights are bfloat16, which most CPUs compute several times slower.
FLAGS = ("--dtype", "float32")
CLIENT_CPUS = "1"
SCENARIO = "D(100,100)"
GREEDY = {"temperature": 0}
Figures = tuple[float, float, float, float]
"""TTFT, TPOT, E2E (ms), output tokens/s."""


@contextmanager
def server(engine: str) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["taskset", "-c", "0", str(RUN), engine, "process", str(port), NO_CACHE[engine], *FLAGS]
    log = tempfile.TemporaryFile()  # noqa: SIM115 (as long as the process)
    process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                with urllib.request.urlopen(f"{url}/health", timeout=2):
                    break
            except OSError:
                if process.poll() is not None:
                    sys.exit(f"{engine} ended with code {process.returncode} before it was ready")
                time.sleep(1)
        else:
            sys.exit(f"{engine} was not ready within 4 minutes")
        yield url
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def figures(result: LevelResult) -> Figures:
    metrics = result.metrics
    ttft, tpot, e2e = (each.mean * 1000 if each else 0.0 for each in (metrics.ttft_s, metrics.tpot_s, metrics.e2e_s))
    return ttft, tpot, e2e, metrics.output_tokens_per_s


async def ours(url: str, level: Level, requests: int, endpoint: Literal["completions", "chat"]) -> Figures:
    [result] = await bench(
        Job(url=url, records="", endpoint=endpoint, max_requests=requests, request=GREEDY), [level], cpus=CLIENT_CPUS
    )
    return figures(result)


async def genai_bench(url: str, level: Level, requests: int, engine: str) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        records = Path(folder) / "requests.jsonl"
        tool = await GenaiBench.start(engine=engine, tokenizer=str(MODEL), folder=Path(folder), cpus=CLIENT_CPUS)
        try:
            await tool.begin(Job(url=url, records=str(records), max_requests=requests, request=GREEDY))
            await tool.run(RunLevel(level=0, traffic=level, warm_up=True), lambda progress: None)
            done = await tool.run(RunLevel(level=0, traffic=level), lambda progress: None)
        finally:
            await tool.close()
        return figures(measured_result(level, read_records(records), done.elapsed_s, tool=tool.name))


def vllm_bench(url: str, level: Level, requests: int, seed: int) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        command = [
            "taskset", "-c", CLIENT_CPUS, ENGINES / "vllm/bin/vllm", "bench", "serve", "--backend", "openai",
            "--base-url", url, "--endpoint", "/v1/completions", "--model", "tiny-llama", "--tokenizer", MODEL,
            "--dataset-name", "random", "--random-input-len", "100", "--random-output-len", "100", "--ignore-eos",
            "--num-prompts", requests, "--max-concurrency", level.concurrency, "--seed", seed,
            "--temperature", "0", "--num-warmups", level.concurrency,
            "--percentile-metrics", "ttft,tpot,e2el", "--save-result", "--result-dir", folder,
            "--result-filename", "result.json", "--disable-tqdm",
        ]  # fmt: skip
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env={**os.environ, **OFFLINE})
        if done.returncode:
            sys.exit(done.stderr[-2000:])
        said = json.loads((Path(folder) / "result.json").read_text())
    return said["mean_ttft_ms"], said["mean_tpot_ms"], said["mean_e2el_ms"], said["output_throughput"]


OFFLINE = {"HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1", "OMP_NUM_THREADS": "1", "VLLM_NO_USAGE_STATS": "1"}


async def compare(engine: str, levels: Sequence[Level], requests: int, rounds: int) -> None:
    with server(engine) as url:
        for level in levels:
            seen: dict[str, list[Figures]] = defaultdict(list)
            for number in range(rounds):
                seen["tuner-tui"].append(await ours(url, level, requests, "completions"))
                seen["tuner-tui, chat"].append(await ours(url, level, requests, "chat"))
                seen["genai-bench"].append(await genai_bench(url, level, requests, engine))
                if (ENGINES / "vllm/bin/vllm").exists():
                    seen["vllm bench"].append(vllm_bench(url, level, requests, number))
            show(f"{engine}, {level.name}, {requests} requests, {rounds} rounds", seen)


def show(title: str, seen: dict[str, list[Figures]]) -> None:
    print(f"\n{title}; load average {os.getloadavg()[0]:.1f}")
    print(f"{'':18}" + "".join(f"{name:>26}" for name in ("TTFT ms", "TPOT ms", "E2E ms", "tok/s")))
    for name, rounds in seen.items():
        cells = []
        for values, known in zip(zip(*rounds, strict=True), zip(*seen["tuner-tui"], strict=True), strict=True):
            ratios = [value / of_ours for value, of_ours in zip(values, known, strict=True)]
            cells.append(f"{median(values):.4g} ({median(ratios):.2f}: {min(ratios):.2f}–{max(ratios):.2f})")
        print(f"{name:18}" + "".join(f"{cell:>26}" for cell in cells), flush=True)


def main() -> None:
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))  # so that the engine is ended then, too
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    # Not by `choices`: Python 3.11 refuses with them that none is named.
    parser.add_argument("engines", nargs="*", metavar="vllm|sglang")
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 4])
    given = parser.parse_args()
    for engine in set(given.engines) - {"vllm", "sglang"}:
        parser.error(f"expected vllm or sglang, found {engine!r}")
    programs = str(ENGINES / "genai-bench" / "bin")
    os.environ["PATH"] += os.pathsep + programs
    levels = [Level(scenario=SCENARIO, concurrency=each) for each in given.concurrency]
    for engine in given.engines or ["vllm", "sglang"]:
        asyncio.run(compare(engine, levels, given.requests, given.rounds))


if __name__ == "__main__":
    main()
