"""Real vLLM and SGLang on the CPU: their log read as it grows, and checked against what they answer themselves."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Literal

import aiohttp
import pytest

from tuner_tui.engines.cross_check import cross_check
from tuner_tui.engines.facts import AnyFact, Running
from tuner_tui.engines.inspection import inspect
from tuner_tui.engines.log import LogReader
from tuner_tui.engines.probes import Answer
from tuner_tui.runner.probe import probe
from tuner_tui.runner.readiness import wait_ready

RUN = Path(__file__).with_name("run")
START_S = 180


class Live:
    """A server, its log so far, and the reader that followed it."""

    def __init__(self, language: Literal["sglang", "vllm"], url: str) -> None:
        self.url = url
        self.facts: list[AnyFact] = []
        self.reader = LogReader(language, self.facts.append)
        self.log = b""
        self.phases: list[str] = []
        self._grew = asyncio.Event()

    async def follow(self, pipe: asyncio.StreamReader) -> None:
        while chunk := await pipe.read(777):
            self.log += chunk
            self.reader.feed(chunk)
            if self.reader.phase and self.reader.phase not in self.phases:
                self.phases.append(self.reader.phase)
            self._grew.set()
        self.reader.close()

    async def until(self, said: Callable[[], bool]) -> None:
        """Waits until the log has said it, at most 30 s."""
        async with asyncio.timeout(30):
            while not said():
                self._grew.clear()
                await self._grew.wait()


@contextlib.asynccontextmanager
async def live(engine: Literal["sglang", "vllm"], *flags: str) -> AsyncIterator[Live]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Live(engine, f"http://127.0.0.1:{port}")
    process = await asyncio.create_subprocess_exec(
        *(str(RUN), engine, "process", str(port), *flags),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdout is not None
    following = asyncio.create_task(server.follow(process.stdout))
    try:
        async with asyncio.timeout(START_S):
            await wait_ready(server.url, ["/health"])
        yield server
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(20):
                await following
        except TimeoutError:
            pass
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def generate(url: str, requests: int) -> None:
    body = {"model": "tiny-llama", "prompt": "one two three four", "max_tokens": 100, "ignore_eos": True}
    async with aiohttp.ClientSession() as session:

        async def one() -> None:
            async with session.post(f"{url}/v1/completions", json=body) as answer:
                assert answer.status == 200
                await answer.read()

        await asyncio.gather(*(one() for _ in range(requests)))


def of(answers: list[Answer], source: str) -> Answer:
    [answer] = [each for each in answers if each.source == source]
    return answer


@pytest.mark.acceptance
@pytest.mark.sglang
async def test_sglang_says_the_same_in_its_log_and_over_http() -> None:
    async with live("sglang", "--decode-log-interval", "10") as server:
        answers = await probe(server.url, "sglang")
        await generate(server.url, 4)
        await server.until(lambda: server.reader.ready)
    log = server.reader.memory
    checked = cross_check(log, answers)
    assert checked.differences == ()
    assert log.kv_cache_tokens == of(answers, "server_info").memory.kv_cache_tokens == 65_536
    assert of(answers, "metrics").memory.kv_cache_tokens == 65_536
    assert checked.sources["kv_cache_gib"] == "server_info"
    assert checked.memory.kv_cache_gib == pytest.approx(log.kv_cache_gib, abs=0.01)
    assert checked.memory.available_gib == pytest.approx(log.available_gib, abs=0.01)
    assert server.reader.state.limit["context_tokens"] == of(answers, "models").context_tokens
    assert of(answers, "server_info").attention_backend == server.reader.state.told["attention_backend"]
    assert server.phases[0] == "starting"
    assert server.phases[-1] == "ready"
    batches = [fact for fact in server.facts if isinstance(fact, Running) and fact.kind == "decode"]
    assert max(batch.running or 0 for batch in batches) >= 2
    assert all((batch.decode_tokens_per_s or 0) > 0 for batch in batches)
    found = inspect([server.log])
    assert (found.engine, found.ready, found.errors, found.unread) == ("sglang", True, (), 0)
    assert found.memory == log
    assert found.arguments["max_total_tokens"] == 65_536


@pytest.mark.acceptance
@pytest.mark.vllm
async def test_vllm_says_the_same_in_its_log_and_over_http() -> None:
    async with live("vllm") as server:
        answers = await probe(server.url, "vllm")
        await generate(server.url, 4)
        await server.until(lambda: any(isinstance(fact, Running) for fact in server.facts))
    log = server.reader.memory
    checked = cross_check(log, answers)
    assert checked.differences == ()
    assert log.kv_cache_tokens == of(answers, "metrics").memory.kv_cache_tokens
    assert checked.sources == {"kv_cache_gib": "log", "kv_cache_tokens": "metrics"}
    concurrency = server.reader.state.concurrency[0]
    assert of(answers, "metrics").max_concurrency == pytest.approx(concurrency, abs=0.01)
    assert of(answers, "version").version == server.reader.state.told["engine_version"]
    assert of(answers, "models").context_tokens == server.reader.state.told["context_tokens"] == 2048
    assert server.phases[-1] == "ready"
    found = inspect([server.log])
    assert (found.engine, found.ready, found.errors, found.unread) == ("vllm", True, (), 0)
    assert found.graphs_enabled is False
    assert found.throughput.decode_tokens_per_s.max is not None
    assert found.arguments["max_model_len"] == 2048
