"""A server that is ready is asked what it says of itself; whatever it answers, the launch goes on."""

from __future__ import annotations

import asyncio
import time

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tuner_tui.engines.probes import Answer
from tuner_tui.runner import probe as module
from tuner_tui.runner.probe import probe


async def asked(language: str, routes: dict[str, web.StreamResponse | Exception]) -> list[Answer]:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = routes.get(request.path, web.Response(status=404))
        if isinstance(response, Exception):
            raise response
        return response

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    async with TestServer(app) as server:
        return await probe(str(server.make_url("/")).rstrip("/"), language)


async def test_sglang_before_0_5_6_is_asked_under_the_old_name() -> None:
    info = '{"version": "0.5.2", "internal_states": [{"memory_usage": {"weight": 2.41, "token_capacity": 99}}]}'
    [answer] = await asked("sglang", {"/get_server_info": web.Response(text=info)})
    assert (answer.source, answer.version, answer.memory.kv_cache_tokens) == ("server_info", "0.5.2", 99)


async def test_vllm_answers_in_the_order_of_what_tells_most() -> None:
    answers = await asked(
        "vllm",
        {
            "/version": web.Response(text='{"version": "0.32.0"}'),
            "/metrics": web.Response(text='vllm:cache_config_info{block_size="16",num_gpu_blocks="10"} 1.0\n'),
        },
    )
    assert [answer.source for answer in answers] == ["metrics", "version"]
    assert answers[0].memory.kv_cache_tokens == 160


@pytest.mark.parametrize("response", [web.Response(status=500), web.Response(body=b"\xff\x00"), ValueError("broken")])
async def test_what_the_server_does_wrong_is_left_out(response: web.Response | Exception) -> None:
    answers = await asked("vllm", {"/version": response})
    assert [answer for answer in answers if answer.version] == []


async def test_nobody_there() -> None:
    assert await probe("http://127.0.0.1:9", "sglang") == []


async def test_a_server_that_never_answers_costs_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TIMEOUT_S", 0.2)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    began = time.monotonic()
    assert await probe(f"http://127.0.0.1:{port}", "sglang") == []
    assert time.monotonic() - began < 2
    server.close()
