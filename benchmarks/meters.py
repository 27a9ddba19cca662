"""How true and how fast the meters are: ours, and those of others that are installed, against known times.

    python benchmarks/meters.py [-c 1,16,64,256] [--only tuner-tui,vllm,…] [--rounds 3] [--json FILE]

A server in C (`paced_server.c`, compiled here) on CPU 0 computes nothing, emits like an engine for all running requests
in lockstep every 10 ms, and writes down when each request arrived and when its first and last token left. The meter
runs on CPU 1. Printed in the same run for each meter and concurrency:

- the error of TTFT, TPOT and E2E (p50 and p99 of |measured − true|; both sides sorted, as not every meter tells which
  request was which), the worst in parentheses being the goal's: within 1 ms or 1 %;
- streamed tokens per second of CPU time of all the meter's processes, while the load lasts, and the ratio of ours to
  the best of the others, each by its median over the rounds (in a round the meters take turns);
- that the server is faster than the meter: its own tokens per second of CPU time under the same load, as a multiple of
  the meter's; and its lateness behind its ticks, mean over all sends and p99 over the requests of the worst one (it
  does not count as anybody's error: what is true is when it sent);
- before them what the server can do at most: without ticks, read by a program in C that does nothing with what it
  reads (`plain_reader.c`); and how many tokens per CPU second that program reads with ticks, which no meter can beat:
  where one comes at a time, each wakes its reader up, and that is most of what it costs.

Meters of others are looked for under $TUNER_ENGINES (default ~/.cache/tuner-engines): vllm, genai-bench,
meters/guidellm, meters/aiperf; what is not there is passed over, and said.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ENGINES = Path(os.environ.get("TUNER_ENGINES", Path.home() / ".cache" / "tuner-engines"))
TOKENIZER = ENGINES / "models" / "tiny-llama"
FIRST_US, TICK_US, TOKENS = 50_000, 10_000, 100
REQUESTS = {1: 12, 16: 96, 64: 384, 256: 1024}
SERVER_CPU, METER_CPU = 0, 1
SAMPLE_S = 0.5
FLOOD_REQUESTS, FLOOD_TOKENS = 20, 2_000


@dataclass(frozen=True)
class Times:
    """One request, as measured or as it truly was; seconds."""

    ttft_s: float
    tpot_s: float
    e2e_s: float


@dataclass(frozen=True)
class Truth:
    """The server's log of one request; ns on CLOCK_MONOTONIC."""

    arrival: int
    first: int
    last: int
    tokens: int
    late: int
    late_mean: int

    @property
    def times(self) -> Times:
        return Times(
            (self.first - self.arrival) * 1e-9,
            (self.last - self.first) * 1e-9 / (self.tokens - 1),
            (self.last - self.arrival) * 1e-9,
        )


Meter = Callable[[int, int, int, Path], tuple[list[str], Callable[[], list[Times]], dict[str, str]]]
"""(port, concurrency, requests, folder) → command, a reader of what it measured, environment."""


def tuner_tui(port: int, concurrency: int, requests: int, folder: Path) -> Any:
    records = folder / "requests.jsonl"
    command = [sys.executable, "-m", "tuner_tui", "bench", f"http://127.0.0.1:{port}", "--traffic", "D(100,100)"]
    command += ["--concurrency", str(concurrency), "--max-requests", str(requests), "--records", str(records)]

    def read() -> list[Times]:
        found = []
        for line in records.read_text().splitlines():
            each = json.loads(line)
            first, last, sent = each["first_s"], each["last_s"], each["sent_s"]
            # E2E to the last token, as the others have it; ours to the stream's end comes in the same read.
            found.append(Times(first - sent, (last - first) / (each["output_tokens"] - 1), last - sent))
        return found

    return command, read, {}


def vllm(port: int, concurrency: int, requests: int, folder: Path) -> Any:
    command = [
        str(ENGINES / "vllm/bin/vllm"), "bench", "serve", "--backend", "openai", "--base-url",
        f"http://127.0.0.1:{port}", "--model", "scripted", "--tokenizer", str(TOKENIZER), "--dataset-name", "random",
        "--random-input-len", "100", "--random-output-len", "100", "--num-prompts", str(requests), "--max-concurrency",
        str(concurrency), "--ignore-eos", "--save-result", "--save-detailed", "--result-dir", str(folder),
        "--result-filename", "result.json", "--ready-check-timeout-sec", "0", "--disable-tqdm",
    ]  # fmt: skip

    def read() -> list[Times]:
        found = json.loads((folder / "result.json").read_text())
        rows = zip(found["ttfts"], found["latencies"], found["output_lens"], strict=True)
        return [Times(ttft, (latency - ttft) / (n - 1), latency) for ttft, latency, n in rows]

    return command, read, {"HF_HUB_OFFLINE": "1"}


def guidellm(port: int, concurrency: int, requests: int, folder: Path) -> Any:
    result = folder / "result.json"
    command = [
        str(ENGINES / "meters/guidellm/bin/guidellm"), "run", "--backend",
        f"kind=openai_http,target=http://127.0.0.1:{port},model=scripted,request_format=/v1/completions", "--profile",
        f"kind=concurrent,streams={concurrency}", "--constraint", f"kind=max_requests,count={requests}", "--tokenizer",
        f"kind=huggingface_auto,model={TOKENIZER}", "--data", "kind=synthetic_text,prompt_tokens=100,output_tokens=100",
        "--output", f"kind=json,path={result}", "--disable-console-interactive",
    ]  # fmt: skip

    def read() -> list[Times]:
        [benchmark] = json.loads(result.read_text())["benchmarks"]
        return [
            # Its "inter token latency" is what the others call TPOT.
            Times(each["time_to_first_token_ms"] / 1e3, each["inter_token_latency_ms"] / 1e3, each["request_latency"])
            for each in benchmark["requests"]["successful"]
        ]

    return command, read, {"HF_HUB_OFFLINE": "1"}


def aiperf(port: int, concurrency: int, requests: int, folder: Path) -> Any:
    command = [
        str(ENGINES / "meters/aiperf/bin/aiperf"), "profile", "--model", "scripted", "--url",
        f"http://127.0.0.1:{port}", "--endpoint-type", "completions", "--streaming", "--concurrency", str(concurrency),
        "--request-count", str(requests), "--isl", "100", "--osl", "100", "--tokenizer", str(TOKENIZER),
        "--use-server-token-count", "--extra-inputs", "ignore_eos:true", "--artifact-dir", str(folder / "out"), "--ui",
        "none",
    ]  # fmt: skip

    def read() -> list[Times]:
        found = []
        for line in (folder / "out" / "profile_export.jsonl").read_text().splitlines():
            values = json.loads(line)["metrics"]
            ttft, e2e = (values[name]["value"] / 1e3 for name in ("time_to_first_token", "request_latency"))
            found.append(Times(ttft, (e2e - ttft) / (TOKENS - 1), e2e))
        return found

    return command, read, {}


def genai_bench(port: int, concurrency: int, requests: int, folder: Path) -> Any:
    command = [
        str(ENGINES / "genai-bench/bin/genai-bench"), "benchmark", "--api-backend", "vllm", "--api-base",
        f"http://127.0.0.1:{port}", "--api-key", "none", "--api-model-name", "scripted", "--model-tokenizer",
        str(TOKENIZER), "--task", "text-to-text", "--traffic-scenario", "D(100,100)", "--num-concurrency",
        str(concurrency), "--max-time-per-run", "1", "--max-requests-per-run", str(requests), "--server-engine", "vLLM",
        "--server-gpu-type", "H100", "--server-version", "1", "--server-gpu-count", "1", "--experiment-base-dir",
        str(folder), "--experiment-folder-name", "result", "--log-dir", str(folder / "log"),
    ]  # fmt: skip

    def read() -> list[Times]:
        [file] = (folder / "result").glob("D100_100_*.json")
        rows = json.loads(file.read_text())["individual_request_metrics"]
        return [Times(each["ttft"], each["tpot"], each["e2e_latency"]) for each in rows if not each["error_code"]]

    return command, read, {"HF_HUB_OFFLINE": "1", "ENABLE_UI": "false"}


METERS: dict[str, tuple[Meter, Path]] = {
    "tuner-tui": (tuner_tui, Path(sys.executable)),
    "vllm": (vllm, ENGINES / "vllm/bin/vllm"),
    "guidellm": (guidellm, ENGINES / "meters/guidellm/bin/guidellm"),
    "aiperf": (aiperf, ENGINES / "meters/aiperf/bin/aiperf"),
    "genai-bench": (genai_bench, ENGINES / "genai-bench/bin/genai-bench"),
}


def measure(meter: Meter, server: Path, concurrency: int, requests: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        port, log = _free_port(), folder / "truth"
        serving = subprocess.Popen([server, str(port), str(FIRST_US), str(TICK_US), str(TOKENS), str(log)])
        os.sched_setaffinity(serving.pid, {SERVER_CPU})
        command, read, environment = meter(port, concurrency, requests, folder)
        output = folder / "output"
        running: subprocess.Popen[bytes] | None = None
        try:
            with output.open("wb") as sink:
                running = subprocess.Popen(
                    ["taskset", "-c", str(METER_CPU), *command],
                    stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT, start_new_session=True,
                    env=os.environ | environment,
                )  # fmt: skip
                samples = []
                while running.poll() is None:
                    time.sleep(SAMPLE_S)
                    samples.append((time.monotonic(), _cpu_s(running.pid), _cpu_s(serving.pid)))
            if running.returncode:
                sys.exit(f"{command[0]} failed:\n{output.read_text(errors='replace')[-2_000:]}")
            measured = read()
        finally:
            if running is not None and running.poll() is None:
                os.killpg(running.pid, signal.SIGKILL)
            serving.send_signal(signal.SIGTERM)
            serving.wait()
        truth = [Truth(*map(int, line.split())) for line in log.read_text().splitlines()]
        # Warm-ups and trials come first, and every meter has its own number of them.
        truth = [each for each in truth if each.tokens == TOKENS][-len(measured) :]
        return {"requests": len(measured), **_errors(measured, [each.times for each in truth]), **_cost(truth, samples)}


def _errors(measured: Sequence[Times], true: Sequence[Times]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("ttft_s", "tpot_s", "e2e_s"):
        ours, theirs = (sorted(getattr(each, name) for each in side) for side in (measured, true))
        errors = sorted(abs(a - b) for a, b in zip(ours, theirs, strict=True))
        found[name] = {"p50": _percentile(errors, 0.5), "p99": _percentile(errors, 0.99)}
    return found


def at_most(server: Path, reader: Path, concurrency: int) -> dict[str, Any]:
    """What the server pushes out, without ticks and with, into a reader that does nothing with it."""
    flood = _plain(server, reader, concurrency, max(concurrency, FLOOD_REQUESTS), FLOOD_TOKENS, 0, 0)
    ticking = _plain(server, reader, concurrency, REQUESTS.get(concurrency, 6 * concurrency), TOKENS, FIRST_US, TICK_US)
    return flood | {"ticking_reader_tokens_per_cpu_s": ticking["reader_tokens_per_cpu_s"]}


def _plain(
    server: Path, reader: Path, concurrency: int, requests: int, tokens_each: int, first_us: int, tick_us: int
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        port = _free_port()
        serving = subprocess.Popen(
            [server, str(port), str(first_us), str(tick_us), str(tokens_each), str(Path(folder) / "truth")]
        )
        os.sched_setaffinity(serving.pid, {SERVER_CPU})
        try:
            time.sleep(0.2)
            command = ["taskset", "-c", str(METER_CPU), str(reader), str(port), str(concurrency), str(requests)]
            said = subprocess.run([*command, str(tokens_each)], capture_output=True, text=True, check=True).stdout
            server_cpu_s = _cpu_s(serving.pid)
        finally:
            serving.send_signal(signal.SIGTERM)
            serving.wait()
    took_s, reader_cpu_s = map(float, said.split())
    tokens = requests * tokens_each
    return {
        "tokens_per_s": tokens / took_s,
        "server_tokens_per_cpu_s": tokens / server_cpu_s,
        "reader_tokens_per_cpu_s": tokens / reader_cpu_s,
    }


def _cost(truth: Sequence[Truth], samples: Sequence[tuple[float, float, float]]) -> dict[str, Any]:
    """CPU time of meter and server while the load lasted; the monotonic clock is the server's too."""
    begin, end = min(each.arrival for each in truth) * 1e-9, max(each.last for each in truth) * 1e-9
    within = [sample for sample in samples if begin <= sample[0] <= end]
    # Tokens between the two samples, for every request by the part of its span that lies there.
    low, high = within[0][0], within[-1][0]
    tokens = sum(
        each.tokens * max(0.0, min(high, each.last * 1e-9) - max(low, each.first * 1e-9))
        / ((each.last - each.first) * 1e-9)
        for each in truth
    )  # fmt: skip
    cpu_s, server_cpu_s = (within[-1][which] - within[0][which] for which in (1, 2))
    late = sorted(each.late * 1e-9 for each in truth)
    return {
        "tokens_per_s": sum(each.tokens for each in truth) / (end - begin),
        "tokens_per_cpu_s": tokens / cpu_s if cpu_s else 0.0,
        "busy": cpu_s / (high - low),
        "server_tokens_per_cpu_s": tokens / server_cpu_s if server_cpu_s else 0.0,
        "server_late_mean_s": sum(each.late_mean for each in truth) / len(truth) * 1e-9,
        "server_late_p99_s": _percentile(late, 0.99),
    }


def _percentile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _cpu_s(root: int) -> float:
    """User and system time of a process and all below it, in whatever sessions, and of those of them that are gone."""
    parents: dict[int, int] = {}
    gone: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(folder.name)] = int(fields[1])
            gone[int(folder.name)] = sum(map(int, fields[13:15]))
    total_s = 0.0
    for process in parents:
        above = process
        while above not in (root, 0):
            above = parents.get(above, 0)
        if above == root:
            total_s += _clock_s(process) + gone[process] / os.sysconf("SC_CLK_TCK")
    return total_s


def _clock_s(process: int) -> float:
    """CPU time of a living process, all its threads, to the nanosecond: /proc counts it in hundredths of a second, of
    which one request at a time takes few."""
    try:
        return time.clock_gettime(~process << 3 | 2)  # clock_getcpuclockid(3), as Linux makes it
    except OSError:
        return 0.0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main() -> None:
    arguments = argparse.ArgumentParser(description="How true and how fast the meters are.")
    arguments.add_argument("-c", "--concurrency", default="1,16,64,256")
    arguments.add_argument("--only", default=",".join(METERS))
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--json", type=Path)
    given = arguments.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if len(os.sched_getaffinity(0)) < 2:
        sys.exit("two CPUs are needed: one for the server, one for the meter")
    os.sched_setaffinity(0, {SERVER_CPU})
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        server, reader = (_compiled(name, Path(folder)) for name in ("paced_server", "plain_reader"))
        print(f"load average {os.getloadavg()[0]:.1f}; errors in ms, p50 / p99; goal: 1 ms or 1 % at c ≤ 64")
        print(
            "meter          c   TTFT           TPOT             E2E            tok/s  tok/CPU-s   busy"
            "   server: ratio  late (ms)"
        )
        for concurrency in map(int, given.concurrency.split(",")):
            most = {"meter": "plain reader", "c": concurrency} | at_most(server, reader, concurrency)
            rows.append(most)
            print(
                f"server alone {concurrency:3}   {most['tokens_per_s']:,.0f} tok/s into a reader in C; tokens per CPU "
                f"second: {most['server_tokens_per_cpu_s']:,.0f}, the reader's {most['reader_tokens_per_cpu_s']:,.0f}, "
                f"with ticks {most['ticking_reader_tokens_per_cpu_s']:,.0f}"
            )
            for name in given.only.split(",") * given.rounds:
                meter, program = METERS[name]
                if not program.exists():
                    print(f"{name:12} {concurrency:3}   not installed ({program})")
                    continue
                row = {"meter": name, "c": concurrency}
                row |= measure(meter, server, concurrency, REQUESTS.get(concurrency, 6 * concurrency))
                rows.append(row)
                _print(row)
            _print_ratio([row for row in rows if row["c"] == concurrency])
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1))


def _compiled(name: str, folder: Path) -> Path:
    program = folder / name
    subprocess.run(["cc", "-O2", "-o", str(program), str(Path(__file__).with_name(f"{name}.c"))], check=True)
    return program


def _print(row: dict[str, Any]) -> None:
    ttft, tpot, e2e = (f"{row[m]['p50'] * 1e3:.2f} / {row[m]['p99'] * 1e3:.2f}" for m in ("ttft_s", "tpot_s", "e2e_s"))
    late = f"{row['server_late_mean_s'] * 1e3:.2f} / {row['server_late_p99_s'] * 1e3:.1f}"
    ratio = row["server_tokens_per_cpu_s"] / row["tokens_per_cpu_s"] if row["tokens_per_cpu_s"] else 0.0
    print(
        f"{row['meter']:12} {row['c']:3}   {ttft:14} {tpot:16} {e2e:14} {row['tokens_per_s']:6.0f} "
        f"{row['tokens_per_cpu_s']:9.0f}  {row['busy']:5.0%}   {ratio:6.1f} ×       {late}",
        flush=True,
    )


def _print_ratio(rows: Sequence[dict[str, Any]]) -> None:
    found: dict[str, list[float]] = {}
    for row in rows:
        if row["meter"] != "plain reader":
            found.setdefault(row["meter"], []).append(row["tokens_per_cpu_s"])
    medians = {name: statistics.median(values) for name, values in found.items()}
    ours = medians.pop("tuner-tui", None)
    if ours and medians:
        best = max(medians, key=lambda name: medians[name])
        print(
            f"             c = {rows[0]['c']}: {ours / medians[best]:.2f} × the tokens per CPU second of {best} "
            f"({ours:,.0f} and {medians[best]:,.0f}, medians of {len(found[best])})"
        )


if __name__ == "__main__":
    main()
