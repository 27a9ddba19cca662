"""`bench` as a user runs it, against servers that behave well and badly."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
from typing import Any

import msgspec
import pytest

from tests.load.scripted_server import DONE, Reply, Request, Script, event, serving, steady, token, usage
from tests.load.test_metrics import good
from tests.tuner import TUNER, tuner
from tuner_tui.cli.bench_report import print_results
from tuner_tui.load.metrics import level_result
from tuner_tui.load.model import Level


async def bench(url: str, *arguments: object, check: int | None = 0) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(tuner, "bench", url, *arguments, check=check)


def context_of(most_tokens: int) -> Script:
    """A server that refuses longer prompts."""
    answers = steady(0.001, 0.001)

    async def script(request: Request, reply: Reply) -> None:
        if len(request.body["prompt"]) > most_tokens:
            error = {"error": {"message": f"maximum context length is {most_tokens} tokens"}}
            reply.start(400, "application/json", body=json.dumps(error).encode())
            return
        await answers(request, reply)

    return script


async def test_what_was_measured_is_told_though_a_later_level_fails() -> None:
    levels = ("--traffic", "D(10,5)", "--traffic", "D(100,5)", "--concurrency", 2, "--max-requests", 12)
    async with serving(context_of(50)) as server:
        done = await bench(server.url, *levels, check=1)
        document = json.loads((await bench(server.url, *levels, "--json", check=1)).stdout)
    assert "D(10,5) × 2  12 requests" in done.stdout
    assert "every warm-up request of D(100,5) × 2 failed: HTTP 400: maximum context length" in done.stderr
    assert [(level["scenario"], level["succeeded"]) for level in document["levels"]] == [("D(10,5)", 12)]


async def test_what_was_measured_is_told_after_ctrl_c() -> None:
    async def script(request: Request, reply: Reply) -> None:
        await (steady(0, 0) if len(request.body["prompt"]) < 50 else steady(60, 0))(request, reply)

    async with serving(script) as server:
        command = [*TUNER, "bench", server.url, "--traffic", "D(10,5)", "--traffic", "D(100,5)", "--concurrency", "1"]
        running = await asyncio.create_subprocess_exec(
            *command, "--max-requests", "3", stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        await server.until(lambda: any(len(request.body["prompt"]) == 100 for request in server.requests))
        running.send_signal(signal.SIGINT)
        output, errors = await running.communicate()
    assert running.returncode == 130
    assert "D(10,5) × 1  3 requests" in output.decode()
    assert errors.decode().strip() == "interrupted"


def test_no_figure_is_cut_off_at_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    level = Level(scenario="N(480,240)/(30,15)", request_rate=33.333, arrivals="poisson")
    answers = [good(sent_s, sent_s + 12.345, sent_s + 112.345, sent_s + 112.345) for sent_s in (100.0, 100.7, 101.4)]
    records = [msgspec.structs.replace(each, scheduled_s=each.sent_s - 11) for each in answers]
    print_results([level_result(level, records)], {})
    table, _, remarks = capsys.readouterr().out.partition("\n\n")
    heading, name, ttft, tpot, e2e, delay = table.splitlines()
    assert max(map(len, table.splitlines())) <= 80
    assert heading.split() == ["mean", "p50", "p90", "p99", "max"]
    assert name == "N(480,240)/(30,15) @ 33.333/s poisson  3 requests, 0 tok/s, sent 1.43/s"
    assert re.fullmatch(r"  TTFT ( +12345 ms){5}", ttft)
    assert re.fullmatch(r"  TPOT ( +25000 ms){5}", tpot)
    assert re.fullmatch(r"  E2E  ( +112345 ms){5}", e2e)
    assert re.fullmatch(r"  delay( +11000 ms){5}", delay)
    assert "1.43 requests a second were sent, 4% of those asked for" in remarks


def told(prompt_tokens: int, cached_tokens: int) -> Script:
    async def script(request: Request, reply: Reply) -> None:
        reply.start()
        tokens = request.body["max_tokens"]
        for index in range(tokens):
            reply.send(token(finish="length" if index == tokens - 1 else None))
        reply.send(usage(prompt_tokens, tokens, cached_tokens) + DONE)
        reply.end()

    return script


@pytest.mark.parametrize(
    ("script", "remark"),
    [
        (told(10, 10), "100.0% of prompt tokens came from a cache, by the answers' usage; prompts repeat"),
        (told(30, 0), "prompts were 200.0% longer than asked, by the server's usage"),
    ],
)
async def test_what_makes_figures_no_measure_is_said(script: Script, remark: str) -> None:
    async with serving(script) as server:
        done = await bench(server.url, "--traffic", "D(10,5)", "--concurrency", 1, "--max-requests", 5)
    assert f"D(10,5) × 1: {remark}" in done.stdout


async def test_a_server_that_tells_no_usage_keeps_no_limit_on_tpot() -> None:
    async def script(request: Request, reply: Reply) -> None:
        reply.start()
        for _ in range(request.body["max_tokens"]):
            reply.send(event({"choices": [{"index": 0, "text": " word", "finish_reason": None}]}))
        reply.send(DONE)
        reply.end()

    async with serving(script) as server:
        search = ("--find-max", "concurrency", "--most", 2.5, "--limit", "tpot.mean=5s")
        done = await bench(server.url, "--traffic", "D(10,5)", *search, "--max-requests", 4, check=1)
    assert (
        "breaks the limits: tpot.mean cannot be told: no answer gave a TPOT; 0 of 4 requests keep them" in done.stdout
    )
    assert "no answer told how long its output was" in done.stdout
    assert done.stdout.splitlines()[-1] == "Not even 1 request at once keeps tpot.mean=5s at D(10,5)."


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--max-time", "abc"], "--max-time: expected a duration like 10s"),
        (["--limit", "ttft.p99="], "--limit 'ttft.p99=': expected a duration like 10s"),
        (["--cpus", "4096"], "cpus: '4096' is not within the CPUs"),
        (["--api-key-variable", "NO_SUCH_KEY"], "--api-key-variable: $NO_SUCH_KEY is not set"),
        (["--records", __file__], "exists already; name a new file"),
        (["--request-rate", "nan"], "nan is no number that can be sent"),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_sent(
    arguments: list[Any], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    done = tuner("bench", "http://127.0.0.1:9", *arguments, check=2)
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1
