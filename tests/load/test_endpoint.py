"""One request: what is sent, what is timed, and what is made of a server that misbehaves."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.load.scripted_server import DONE, Reply, Request, Script, event, serving, steady, token, usage
from tuner_tui.load.address import api_base
from tuner_tui.load.endpoint import Endpoint, LoadImpossible
from tuner_tui.load.model import Job, RequestRecord
from tuner_tui.load.prompts import Prompts


@contextlib.asynccontextmanager
async def endpoint(url: str, **options: Any) -> AsyncIterator[Endpoint]:
    made = Endpoint(Job(url=url, records="", max_requests=1, **options))
    try:
        await made.find_model()
        yield made
    finally:
        await made.close()


async def one(script: Script, **options: Any) -> tuple[RequestRecord, Request]:
    async with serving(script) as server, endpoint(server.url, **options) as made:
        prompts = Prompts(1)
        chat = options.get("endpoint") == "chat"
        request = made.prepare(0, prompts.text(0, 12) if chat else prompts.token_ids(0, 12), 3)
        record = made.read(await made.send(request), 0, 0.0)
        return record, server.requests[0]


async def test_what_is_sent() -> None:
    record, request = await one(steady(0, 0), request={"temperature": 0, "stream": False})
    assert request.path == "/v1/completions"
    prompt = request.body.pop("prompt")
    assert len(prompt) == 12
    assert request.body == {
        "model": "scripted",
        "max_tokens": 3,
        "min_tokens": 3,
        "ignore_eos": True,
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0,
    }
    assert request.headers["accept-encoding"] == "identity"
    assert (record.asked_prompt_tokens, record.asked_output_tokens) == (12, 3)
    assert (record.prompt_tokens, record.output_tokens, record.chunks) == (12, 3, 3)
    assert (record.status, record.finish_reason, record.error) == (200, "length", None)


async def test_the_users_keys_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "s3cret")
    record, request = await one(
        steady(0, 0), model="mine", request={"max_tokens": 5, "ignore_eos": False}, api_key_variable="SOME_KEY"
    )
    assert (request.body["max_tokens"], request.body["min_tokens"], request.body["ignore_eos"]) == (5, 5, False)
    assert request.body["model"] == "mine"
    assert request.headers["authorization"] == "Bearer s3cret"
    assert record.asked_output_tokens == 5


async def test_a_length_that_is_not_forced_is_not_asked() -> None:
    record, request = await one(steady(0, 0), force_length=False)
    assert "min_tokens" not in request.body
    assert "ignore_eos" not in request.body
    assert record.asked_output_tokens == 0


async def test_chat() -> None:
    async def script(request: Request, reply: Reply) -> None:
        reply.start()
        reply.send(event({"choices": [{"delta": {"role": "assistant", "content": ""}}]}))
        reply.send(event({"choices": [{"delta": {"content": "a"}, "finish_reason": "length"}]}) + usage(19, 1) + DONE)
        reply.end()

    record, request = await one(script, endpoint="chat")
    assert request.path == "/v1/chat/completions"
    assert len(request.body["messages"][0]["content"].split()) == 12
    assert (record.prompt_tokens, record.chunks, record.error) == (19, 1, None)


async def test_events_cut_anywhere_and_several_in_a_chunk() -> None:
    async def script(request: Request, reply: Reply) -> None:
        reply.start()
        stream = b": hello\n\n" + token("é") + token() + token(finish="length") + usage(12, 3) + DONE
        for at in range(0, len(stream), 7):
            reply.send(stream[at : at + 7])
            await asyncio.sleep(0)
        reply.end()

    record, _ = await one(script)
    assert (record.chunks, record.output_tokens, record.error) == (3, 3, None)


async def test_without_usage_counts_are_unknown() -> None:
    async def script(request: Request, reply: Reply) -> None:
        reply.start()
        reply.send(token() + token(finish="length") + DONE)
        reply.end()

    record, _ = await one(script)
    assert (record.output_tokens, record.prompt_tokens, record.chunks, record.error) == (None, None, 2, None)


def refusing(status: int, body: bytes, content_type: str = "application/json") -> Script:
    async def script(request: Request, reply: Reply) -> None:
        reply.start(status, content_type, body=body)

    return script


def breaking(*pieces: bytes, end: bool = False) -> Script:
    async def script(request: Request, reply: Reply) -> None:
        reply.start()
        for piece in pieces:
            reply.send(piece)
        if end:
            reply.end()
        else:
            await asyncio.sleep(0.02)
            reply.drop()

    return script


async def silent(request: Request, reply: Reply) -> None:
    reply.start()
    reply.send(token())
    await asyncio.sleep(30)


async def vanishing(request: Request, reply: Reply) -> None:
    reply.drop()


@pytest.mark.parametrize(
    ("script", "status", "error"),
    [
        (refusing(500, b"Internal Server Error", "text/plain"), 500, "HTTP 500: Internal Server Error"),
        (refusing(429, b'{"error":{"message":"slow down"}}'), 429, "HTTP 429: slow down"),
        (refusing(503, b""), 503, "HTTP 503"),
        (refusing(307, b"elsewhere"), 307, "HTTP 307: elsewhere"),
        (
            refusing(400, b'{"error":{"message":"unknown field: ignore_eos"}}'),
            400,
            "HTTP 400: unknown field: ignore_eos (the server refuses ignore_eos, without which output lengths cannot "
            "be forced)",
        ),
        (
            refusing(200, b'{"choices":[]}'),
            200,
            'the answer is not an event stream (application/json): {"choices":[]}',
        ),
        (breaking(token(), token()), 200, "the server closed the connection after 2 chunks"),
        (breaking(token(), token(), end=True), 200, "the stream ended early, after 2 chunks"),
        (breaking(token(finish="length") + DONE), 200, None),
        (breaking(token() + event({"error": {"message": "boom"}}) + DONE, end=True), 200, "error in the stream: boom"),
        (vanishing, None, "the server closed the connection"),
    ],
)
async def test_failures_are_recorded_for_what_they_are(script: Script, status: int | None, error: str | None) -> None:
    record, _ = await one(script)
    assert (record.status, record.error) == (status, error)
    assert record.end_s >= record.sent_s


async def test_a_server_that_stalls_is_given_up() -> None:
    record, _ = await one(silent, request_timeout_s=0.3)
    assert record.error == "no end within 0.3 s after 1 chunks"
    assert record.end_s - record.sent_s == pytest.approx(0.3, abs=0.2)
    assert record.first_s is not None


async def test_what_is_no_http_is_said() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    async with server, endpoint(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", model="m") as made:
        record = made.read(await made.send(made.prepare(0, Prompts(1).token_ids(0, 2), 2)), 0, 0.0)
    assert record.status is None
    assert record.error is not None
    assert record.error.startswith("not an HTTP answer: ")


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_an_answer_may_end_with_its_connection(version: str) -> None:
    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/{version} 200 OK\r\nConnection: close\r\n".encode())
        if head.startswith(b"GET"):
            writer.write(b'Content-Type: application/json\r\n\r\n{"data": [{"id": "m"}]}')
        else:
            writer.write(b"Content-Type: text/event-stream\r\n\r\n" + token())
            await writer.drain()
            await asyncio.sleep(0.05)
            writer.write(token(finish="length") + usage(2, 2) + DONE)
        writer.close()

    server = await asyncio.start_server(closing, "127.0.0.1", 0)
    async with server, endpoint(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as made:
        records = [
            made.read(await made.send(made.prepare(serial, Prompts(1).token_ids(serial, 2), 2)), 0, 0.0)
            for serial in range(2)
        ]
    assert [record.error for record in records] == [None, None]
    assert [record.output_tokens for record in records] == [2, 2]
    assert all((record.last_s or 0) - (record.first_s or 0) > 0.03 for record in records)


async def test_a_proxy_is_never_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    record, _ = await one(steady(0, 0))
    assert record.error is None


@pytest.mark.parametrize(
    ("models", "reason"),
    [
        ({"data": []}, "names no model"),
        ({"models": []}, "did not answer with a list of models"),
        ([], "did not answer with a list of models"),
    ],
)
async def test_no_model_is_said(models: Any, reason: str) -> None:
    async with serving(steady(0, 0)) as server:
        server.models = models
        with pytest.raises(LoadImpossible, match=reason):
            async with endpoint(server.url):
                pass


async def test_no_server_and_no_key_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(steady(0, 0)) as server:
        url = server.url
    with pytest.raises(LoadImpossible, match=r"/v1/models: connection refused"):
        async with endpoint(url):
            pass
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    with pytest.raises(LoadImpossible, match="NO_SUCH_KEY, which is to hold the API key, is not set"):
        async with endpoint(url, api_key_variable="NO_SUCH_KEY"):
            pass


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/v1"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/v1"),
        ("https://host/api/v1/", "https://host/api/v1"),
        ("http://host/v1/chat/completions", "http://host/v1"),
        ("http://[::1]:80/v1/completions", "http://[::1]:80/v1"),
        ("https://host/v1beta/openai/chat/completions", "https://host/v1beta/openai"),
        ("http://host/models", "http://host"),
        ("http://host/my models/ü%20/v1", "http://host/my%20models/%C3%BC%20/v1"),
    ],
)
def test_the_address_is_taken_with_and_without_v1(url: str, base: str) -> None:
    assert api_base(url) == base


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "localhost", "", "ftp://host", "http://", "http://host:port"])
def test_what_is_no_url_is_said(url: str) -> None:
    with pytest.raises(ValueError, match=r"expected one like http://127\.0\.0\.1:8000"):
        api_base(url)


@pytest.mark.parametrize("url", ["http://me:s3cret@host/v1", "http://s3cret@host:port", "me:s3cret@host:8000"])
def test_a_password_in_an_address_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ValueError, match="--api-key-variable") as refused:
        api_base(url)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("url", ["https://host/v1?key=s3cret", "https://host/openai/chat/completions?api-version=3"])
def test_a_query_is_refused_as_it_could_not_be_sent(url: str) -> None:
    with pytest.raises(ValueError, match=r"what follows \? or # in a server's URL") as refused:
        api_base(url)
    assert "s3cret" not in str(refused.value)


async def test_a_kept_connection_that_the_server_closes_as_the_request_comes_costs_no_request() -> None:
    answered = 0

    async def once_a_connection(request: Request, reply: Reply) -> None:
        nonlocal answered
        if answered == 1 and request.number == 1:
            reply.drop()
            return
        answered += 1
        reply.start()
        reply.send(token(finish="length") + usage(12, 1) + DONE)
        reply.end()

    async with serving(once_a_connection) as server, endpoint(server.url) as made:
        for number in range(2):
            sent = await made.send(made.prepare(number, Prompts(1).token_ids(number, 12), 1))
            record = made.read(sent, 0, 0.0)
            assert record.error is None
        assert [request.number for request in server.requests] == [0, 1, 2]
        # What is timed is the request that was answered.
        assert record.sent_s == pytest.approx(server.requests[2].received_s, abs=0.05)


async def test_where_a_redirection_leads_is_said() -> None:
    async def moved(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 308 No\r\nLocation: https://Else.where/v1/completions\r\nContent-Length: 0\r\n\r\n")

    server = await asyncio.start_server(moved, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with endpoint(url, model="m") as made:
            record = made.read(await made.send(made.prepare(0, Prompts(1).token_ids(0, 4), 1)), 0, 0.0)
    assert record.error == "HTTP 308: moved to https://Else.where/v1/completions; give that address"


async def test_heartbeats_are_no_tokens_and_events_may_come_in_any_dress() -> None:
    async def script(request: Request, reply: Reply) -> None:
        reply.start()
        for piece in (b": ping\n\n", b": ping\r\n\r\n"):
            reply.send(piece)
        await asyncio.sleep(0.05)
        reply.send(token().replace(b"data: ", b"data:").replace(b"\n", b"\r\n"))
        reply.send(b": ping\n\n")
        await asyncio.sleep(0.05)
        reply.send(token(finish="length") + usage(12, 2) + DONE)
        reply.end()

    record, request = await one(script)
    assert (record.error, record.chunks, record.output_tokens) == (None, 2, 2)
    assert record.first_s is not None
    assert record.first_s - request.received_s >= 0.045


async def test_an_address_of_ipv6() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 23\r\n\r\n{"data":[{"id":"six"}]}')

    asked: list[bytes] = []
    try:
        server = await asyncio.start_server(serve, "::1", 0)
    except OSError:
        pytest.skip("this machine has no IPv6")
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with endpoint(f"http://[::1]:{port}") as made:
            assert made.model == "six"
    assert f"Host: [::1]:{port}\r\n".encode() in asked[0]
