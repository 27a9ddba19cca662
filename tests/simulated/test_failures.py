"""Told to fail: what the log says, with which exit code it ends, and that the log reader understands it."""

from __future__ import annotations

import signal
import subprocess
import time

import pytest

from tests.simulated.engine import COMMAND, Engine, engine
from tuner_tui.engines.log import LogReader

KILLED = -signal.SIGKILL


def read(log: str) -> LogReader:
    reader = LogReader("sglang")
    reader.feed(log.encode())
    reader.close()
    return reader


def cause_of(log: str) -> tuple[str, bool]:
    reader = read(log)
    cause = reader.cause()
    assert cause is not None
    return cause.failure_class, reader.fatal is not None


def test_the_log_of_a_good_start_is_understood() -> None:
    with engine("--mem-fraction-static", "0.7", "--tp-size", "2", "--simulate-start-s", "2") as running:
        reader = read(running.ready().log)
    assert reader.ready
    assert reader.fatal is None
    assert reader.memory.weights_gib == pytest.approx(1.21, abs=0.01)
    assert reader.memory.kv_cache_tokens == pytest.approx(4.27e6, rel=0.01)
    assert reader.memory.available_gib == pytest.approx(25.6, abs=0.2)
    for words in ("server_args=ServerArgs(", " TP0] Load weight begin", " TP1] KV Cache is allocated. #tokens: "):
        assert words in running.log
    # Progress bars end their states with carriage returns.
    assert running.log.count("\rCapturing batches (bs=") == 35
    assert "100% Completed | 1/1" in running.log


def test_out_of_memory_above_a_fraction() -> None:
    with engine("--simulate-oom-above", "0.75", "--mem-fraction-static", "0.8") as failing:
        assert failing.ended() == KILLED
        assert "Capture cuda graph begin" in failing.log
        assert "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 512.00 MiB" in failing.log
        assert "Capture cuda graph failed" in failing.log
        assert "Received sigquit from a child process" in failing.log.splitlines()[-1]
        assert "Uvicorn" not in failing.log
        assert cause_of(failing.log) == ("cuda_out_of_memory", True)
    with engine("--simulate-oom-above", "0.75", "--mem-fraction-static", "0.75") as good:
        good.ready()


def test_out_of_memory_without_graphs_too() -> None:
    with engine("--simulate-oom-above", "0.5", "--mem-fraction-static", "0.8", "--disable-cuda-graph") as failing:
        assert failing.ended() == KILLED
        assert cause_of(failing.log) == ("cuda_out_of_memory", True)


@pytest.mark.parametrize(
    ("flags", "failure_class"),
    [
        (("--mem-fraction-static", "0.99"), "cuda_out_of_memory"),
        (("--mem-fraction-static", "0.01"), "not_enough_kv_memory"),
        (("--simulate-memory-gib", "2"), "cuda_out_of_memory"),
        (("--context-length", "200000"), "context_too_long"),
        (("--tp-size", "3"), "bad_flag_value"),
    ],
)
def test_what_does_not_fit_fails_as_on_a_gpu(flags: tuple[str, ...], failure_class: str) -> None:
    with engine(*flags) as failing:
        assert failing.ended() == KILLED
        assert cause_of(failing.log) == (failure_class, True)


def test_a_crash_after_some_requests() -> None:
    with engine("--simulate-crash-after", "3") as running:
        running.ready()
        body = {"prompt": [1, 2], "max_tokens": 3, "ignore_eos": True}
        assert [running.post("/v1/completions", body).status for _ in range(3)] == [200] * 3
        with pytest.raises(OSError):
            running.post("/v1/completions", body)
        assert running.ended() == KILLED
        assert "Scheduler hit an exception: Traceback (most recent call last)" in running.log
        assert "told to die after 3 requests" in running.log
        assert cause_of(running.log) == ("other", True)  # its own exception, not that a process died of it


def test_a_hang_says_nothing_and_opens_no_port() -> None:
    with engine("--simulate-hang") as hanging:
        hanging.said("SIMULATED ENGINE")
        with pytest.raises(subprocess.TimeoutExpired):
            hanging.process.wait(0.7)
        assert len(hanging.log.splitlines()) == 1
        assert hanging.stop() == 0


def test_some_requests_are_answered_with_500_and_the_same_ones_for_a_seed() -> None:
    def statuses() -> list[int]:
        with engine("--simulate-error-rate", "0.3", "--simulate-speed", "100") as running:
            running.ready()
            body = {"prompt": [1], "max_tokens": 1}
            return [running.post("/v1/completions", body).status for _ in range(60)]

    first = statuses()
    assert first == statuses()
    assert 8 <= first.count(500) <= 30
    assert first.count(200) + first.count(500) == 60


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--no-such-flag", "1"), "error: unrecognized arguments: --no-such-flag 1"),
        (("--mem-fraction", "0.8"), "error: unrecognized arguments: --mem-fraction 0.8"),
        (("--max-running-requests", "many"), "error: argument --max-running-requests: invalid int value: 'many'"),
        (("--max-running-requests", "0"), "must be at least 1"),
        (("--mem-fraction-static", "x"), "error: argument --mem-fraction-static: invalid float value: 'x'"),
        (("--mem-fraction-static", "1.2"), "must be from 0 to 1"),
        (("--schedule-policy", "best"), "invalid choice: 'best'"),
        (("--chunked-prefill-size", "100", "--page-size", "16"), "must be a multiple of --page-size"),
        (("--simulate-speed", "0"), "must be above 0"),
    ],
)
def test_a_bad_flag_ends_with_usage_and_2(flags: tuple[str, ...], words: str) -> None:
    done = subprocess.run([*COMMAND, *flags], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: ")
    assert words in done.stderr.splitlines()[-1]
    assert done.stdout == ""
    assert cause_of(done.stderr)[0] in ("unknown_flag", "bad_flag_value")


def test_a_taken_port_ends_with_1() -> None:
    with engine() as first:
        port = first.url.rpartition(":")[2]
        second = Engine("--simulate-start-s", "0", "--port", port)
        assert second.ended() == 1
        assert cause_of(second.log)[0] == "port_in_use"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_at_once_even_with_a_request_under_way(number: int) -> None:
    import http.client
    import json
    import urllib.parse

    with engine("--simulate-speed", "1") as running:
        running.ready()
        client = http.client.HTTPConnection(urllib.parse.urlsplit(running.url).netloc)
        body = {"prompt": [1], "max_tokens": 10_000, "ignore_eos": True, "stream": True}
        client.request("POST", "/v1/completions", json.dumps(body))
        client.getresponse().read(20)
        before = time.monotonic()
        assert running.stop(number) == 0
        assert time.monotonic() - before < 0.5
        assert "Shutting down" in running.log
        assert "Finished server process" in running.log
        assert "Traceback" not in running.log


@pytest.mark.parametrize("words", ["SIMULATED ENGINE", "Load weight begin", "Capture cuda graph begin", "Uvicorn"])
def test_it_stops_at_once_during_every_phase_of_the_start(words: str) -> None:
    with engine("--simulate-start-s", "30") as starting:
        starting.said(words)
        before = time.monotonic()
        assert starting.stop() == 0
        assert time.monotonic() - before < 0.5
        assert "Shutting down" in starting.log


def test_noise_is_one_factor_a_launch() -> None:
    def throughput(seed: int, *flags: str) -> float:
        """Decode steps a second of one long answer, by the engine's own log."""
        with engine("--simulate-seed", str(seed), "--simulate-speed", "4", "--disable-radix-cache", *flags) as running:
            running.ready()
            running.post("/v1/completions", {"prompt": [1], "max_tokens": 161, "ignore_eos": True})
            said = [line for line in running.log.splitlines() if "gen throughput" in line]
            return float(said[-1].partition("gen throughput (token/s): ")[2].partition(",")[0])

    plain = throughput(1)
    assert plain == pytest.approx(4 / 1.526e-3, rel=0.05)
    noisy = [throughput(seed, "--simulate-noise", "0.3") for seed in (1, 1, 2)]
    assert noisy[0] == pytest.approx(noisy[1], rel=0.02)
    assert noisy[0] != pytest.approx(noisy[2], rel=0.02)
