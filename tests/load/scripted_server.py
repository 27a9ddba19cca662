"""An OpenAI-compatible server that does what a test tells it, byte by byte, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec


@dataclass
class Request:
    """One request as it came in; times on the clock of `time.perf_counter`."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    received_s: float
    number: int
    writes_s: list[float] = field(default_factory=list)


class Reply:
    """The answer to one request, written piece by piece."""

    def __init__(self, writer: asyncio.StreamWriter, request: Request) -> None:
        self._writer = writer
        self._request = request
        self._chunked = False

    def start(self, status: int = 200, content_type: str = "text/event-stream", *, body: bytes | None = None) -> None:
        head = f"HTTP/1.1 {status} Scripted\r\nContent-Type: {content_type}\r\n"
        self._chunked = body is None
        head += "Transfer-Encoding: chunked\r\n\r\n" if body is None else f"Content-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + (body or b""))

    def send(self, data: bytes) -> None:
        self._request.writes_s.append(time.perf_counter())
        self._writer.write(b"%x\r\n%s\r\n" % (len(data), data))

    def end(self) -> None:
        if self._chunked:
            self._writer.write(b"0\r\n\r\n")

    def drop(self) -> None:
        """Closes the connection in the middle, without the last chunk."""
        self._writer.close()


Script = Callable[[Request, Reply], Awaitable[None]]


def token(text: str = " word", finish: str | None = None) -> bytes:
    return event({"choices": [{"index": 0, "text": text, "finish_reason": finish}]})


def chat_token(content: str | None = " word", finish: str | None = None, role: str | None = None) -> bytes:
    delta = {"content": content} | ({"role": role} if role else {})
    return event({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def usage(prompt_tokens: int, output_tokens: int, cached_tokens: int | None = None) -> bytes:
    counts: dict[str, Any] = {"prompt_tokens": prompt_tokens, "completion_tokens": output_tokens}
    if cached_tokens is not None:
        counts["prompt_tokens_details"] = {"cached_tokens": cached_tokens}
    return event({"choices": [], "usage": counts})


def event(document: Any) -> bytes:
    return b"data: " + msgspec.json.encode(document) + b"\n\n"


DONE = b"data: [DONE]\n\n"


def steady(first_s: float, gap_s: float) -> Script:
    """The first token `first_s` after the request, the others every `gap_s`; usage and the end with the last."""

    async def script(request: Request, reply: Reply) -> None:
        tokens = request.body["max_tokens"]
        reply.start()
        for index in range(tokens):
            due_s = request.received_s + first_s + index * gap_s
            await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
            if index < tokens - 1:
                reply.send(token())
            else:
                reply.send(token(finish="length") + usage(len(request.body["prompt"]), tokens) + DONE)
        reply.end()

    return script


@dataclass
class ScriptedServer:
    """Answers each POST by `script`. `peak` is the most requests that were in flight at once."""

    script: Script
    models: Any = field(default_factory=lambda: {"data": [{"id": "scripted"}]})
    requests: list[Request] = field(default_factory=list)
    in_flight: int = 0
    peak: int = 0
    in_flight_at_arrival: list[int] = field(default_factory=list)
    connections: int = 0
    url: str = ""
    port: int = 0
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _serving: set[asyncio.Task[Any]] = field(default_factory=set)
    _server: asyncio.Server | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    async def die(self) -> None:
        """As a killed process does: nothing listens any more, every connection is cut."""
        assert self._server is not None
        self._server.close()
        for writer in self._open:
            writer.transport.abort()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits for the condition, which is looked at whenever a request came in."""
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        self._open.add(writer)
        try:
            while not writer.is_closing() and (request := await self._receive(reader)) is not None:
                reply = Reply(writer, request)
                if request.path.endswith("/models"):
                    reply.start(content_type="application/json", body=msgspec.json.encode(self.models))
                    continue
                self.requests.append(request)
                self.in_flight += 1
                self.peak = max(self.peak, self.in_flight)
                self.in_flight_at_arrival.append(self.in_flight)
                self._changed.set()
                try:
                    await self.script(request, reply)
                finally:
                    self.in_flight -= 1
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(writer)
            self._serving.discard(task)
            writer.close()

    async def _receive(self, reader: asyncio.StreamReader) -> Request | None:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode().rstrip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        return Request(
            path=first.split()[1],
            headers=headers,
            body=msgspec.json.decode(body) if body else {},
            received_s=time.perf_counter(),
            number=len(self.requests),
        )


@contextlib.asynccontextmanager
async def serving(script: Script) -> AsyncIterator[ScriptedServer]:
    server = ScriptedServer(script)
    await server.start()
    try:
        yield server
    finally:
        await server.die()
