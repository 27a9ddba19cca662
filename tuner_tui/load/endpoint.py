"""The server's endpoint that a job is sent to: requests made, sent, and their answers read."""

from __future__ import annotations

import asyncio
import os
import ssl
from array import array
from dataclasses import dataclass
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

import msgspec

from tuner_tui import __version__
from tuner_tui.load.address import PATHS, api_base
from tuner_tui.load.answer import Answer, one_line, said
from tuner_tui.load.connection import Addresses, Connection, addresses_of
from tuner_tui.load.exchange import Exchange
from tuner_tui.load.model import Job, RequestRecord
from tuner_tui.load.prompts import Prompt
from tuner_tui.load.sse import EventSplitter

_CONNECT_TIMEOUT_S = 10.0
_ASK_TIMEOUT_S = 30.0
# Servers close a connection that is idle for 5 s or more; one is not used again shortly before that, lest the
# request and the closing cross.
_KEEP_ALIVE_S = 4.0
_MAX_SAID = 65_536
# Gateways turn away who has no name.
_AGENT = f"tuner-tui/{__version__}"


class LoadImpossible(Exception):
    """The load cannot be made: one sentence why."""


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """A request ready to send: its number within the level, its bytes, and what it asks for."""

    index: int
    data: bytes
    prompt_tokens: int
    output_tokens: int
    """0: not forced."""
    scheduled_s: float | None = None
    """When it was due, on the clock of `perf_counter`; None where there was no schedule."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A request whose answer has ended, not yet decoded. `trouble`: it never got an answer."""

    request: PreparedRequest
    exchange: Exchange
    trouble: str | None = None


class Endpoint:
    """Connections to one server. A proxy is never used; a connection is kept for the next request; compressed answers
    are not asked for, as compression would hold chunks back."""

    def __init__(self, job: Job) -> None:
        """Raises LoadImpossible."""
        try:
            self._base = api_base(job.url)
        except ValueError as error:
            raise LoadImpossible(str(error)) from error
        parts = urlsplit(self._base)
        assert parts.hostname is not None
        self._host, self.path = parts.hostname, parts.path
        self.root = self.path.removesuffix("/v1")
        """Where the paths begin that are not OpenAI's."""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = _tls(job) if parts.scheme == "https" else None
        self._headers = (
            f"Host: {parts.netloc.rpartition('@')[2]}\r\nAccept-Encoding: identity\r\nUser-Agent: {_AGENT}\r\n"
        )
        if job.api_key_variable is not None:
            self._headers += f"Authorization: Bearer {_key(job.api_key_variable)}\r\n"
        self._job = job
        self._post = self._head("POST", self.path + PATHS[job.endpoint])
        self._addresses: Addresses = ()
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._under_way: set[Exchange] = set()
        self.model = job.model

    @property
    def reads_under_way(self) -> int:
        """About how many tokens came for the requests that are in flight."""
        return sum(exchange.reads for exchange in self._under_way)

    async def close(self) -> None:
        for connection in self._open:
            connection.close()
        self._open.clear()

    async def find_model(self) -> None:
        """Asks the server for its model's name where the job has none. Raises LoadImpossible."""
        if self.model is not None:
            return
        url = f"{self._base}/models"
        status, body = await self.ask("GET", self.path + "/models")
        if status != 200:
            raise LoadImpossible(
                f"{url}: HTTP {status}: {said(body)}; is this an OpenAI-compatible server? "
                "Where it only lacks this path, name the model"
            )
        try:
            document: Any = msgspec.json.decode(body)
            self.model = str(next(iter(document["data"]))["id"])
        except StopIteration:
            raise LoadImpossible(f"{url} names no model: the server has none loaded") from None
        except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
            raise LoadImpossible(f"{url} did not answer with a list of models: {one_line(body[:80])}") from error

    async def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """One plain request, at a path from the server's root: status and body. Raises LoadImpossible."""
        sent = await self._exchange(
            PreparedRequest(0, self._head(method, path) + _body(body or b""), 0, 0), _ASK_TIMEOUT_S
        )
        exchange = sent.exchange
        answer = b"".join(part for part, _, _ in exchange.pieces())
        trouble = sent.trouble or _trouble(exchange, _ASK_TIMEOUT_S)
        if trouble is not None or exchange.status is None:
            raise LoadImpossible(f"{self._base.removesuffix(self.path)}{path}: {trouble or 'no answer'}")
        return exchange.status, answer

    def prepare(self, index: int, prompt: Prompt, output_tokens: int | None) -> PreparedRequest:
        """The bytes to send. The job's own request keys win over ours, except `stream`.

        `output_tokens` None: the model may end where it likes (traffic of a dataset that names no lengths).
        """
        own = self._job.request
        chat = self._job.endpoint == "chat"
        for key in ("max_tokens", "max_completion_tokens") if chat else ("max_tokens",):
            if isinstance(own.get(key), int):
                output_tokens = own[key]
        body: dict[str, Any] = {"model": self.model}
        body["messages" if chat else "prompt"] = prompt.body(chat=chat)
        forced = self._job.force_length and output_tokens is not None
        if output_tokens is not None and "max_completion_tokens" not in own:
            body["max_tokens"] = output_tokens
        if forced:
            body["min_tokens"] = output_tokens
            body["ignore_eos"] = True
        body["stream_options"] = {"include_usage": True}
        body |= own
        body["stream"] = True
        data = self._post + _body(msgspec.json.encode(body))
        return PreparedRequest(index, data, prompt.tokens, (output_tokens or 0) if forced else 0)

    async def send(self, request: PreparedRequest) -> Sent:
        """Sends one request and waits for its answer's end, whatever comes; raises nothing but CancelledError."""
        return await self._exchange(request, self._job.request_timeout_s)

    def read(self, sent: Sent, level: int, zero_s: float, lateness_s: array[float] | None = None) -> RequestRecord:
        """Decodes an answer. `zero_s` is the level's start on the clock of `perf_counter`.

        `lateness_s` takes by how much the first token's time may be wrong because this process was late: nothing where
        the kernel stamped it alone; where other tokens had joined it, whose packet's stamp it has then, the time they
        lay. (The last token is always stamped by its own packet.)
        """
        request, exchange = sent.request, sent.exchange
        answer = Answer()
        status: int | None = None
        if sent.trouble is not None:
            answer.error = sent.trouble
        else:
            pieces = exchange.pieces()
            status = exchange.status
            if status == 200:
                _read_stream(exchange, pieces, answer, zero_s, lateness_s)
            elif status is not None:
                answer.error = self._refusal(status, b"".join(part for part, _, _ in pieces)[:_MAX_SAID])
                if 300 <= status < 400 and exchange.location:
                    answer.error = f"HTTP {status}: moved to {one_line(exchange.location.encode())}; give that address"
            trouble = _trouble(exchange, self._job.request_timeout_s)
            if status != 200:
                answer.error = answer.error or trouble
            elif trouble is not None and not (answer.done and not exchange.expired):
                after = f" after {answer.chunks} chunks" if answer.chunks else ""
                answer.error = trouble + after
            elif answer.events:
                answer.end()
        return RequestRecord(
            level=level,
            index=request.index,
            scheduled_s=None if request.scheduled_s is None else request.scheduled_s - zero_s,
            sent_s=exchange.sent_s - zero_s,
            end_s=exchange.end_s - zero_s,
            first_s=answer.first_s,
            last_s=answer.last_s,
            asked_prompt_tokens=request.prompt_tokens,
            asked_output_tokens=request.output_tokens,
            prompt_tokens=answer.prompt_tokens,
            output_tokens=answer.output_tokens,
            cached_tokens=answer.cached_tokens,
            chunks=answer.chunks,
            gaps_us=answer.gaps_us,
            finish_reason=answer.finish_reason,
            status=status,
            error=answer.error,
        )

    async def _exchange(self, request: PreparedRequest, timeout_s: float) -> Sent:
        """On a kept connection, if there is one. Where the server closed that without a word, the request crossed with
        the closing, and is sent anew on a connection of its own."""
        kept = self._kept()
        sent = await self._exchange_on(kept, request, timeout_s)
        if kept is not None and sent.exchange.unheard:
            sent = await self._exchange_on(None, request, timeout_s)
        return sent

    async def _exchange_on(self, connection: Connection | None, request: PreparedRequest, timeout_s: float) -> Sent:
        """`connection` None: on a new one."""
        loop = asyncio.get_running_loop()
        exchange = Exchange(loop)
        if connection is None:
            exchange.sent_s = perf_counter()
            try:
                async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                    connection = await self._connect()
            except (OSError, UnicodeError) as error:
                exchange.end_s = perf_counter()
                return Sent(request, exchange, _no_connection(error))
            self._open.add(connection)
        expiry = loop.call_later(timeout_s, exchange.expire)
        self._under_way.add(exchange)
        try:
            exchange.begin(connection, request.data)
            await exchange.ended
        except BaseException:
            self._drop(connection)
            raise
        finally:
            expiry.cancel()
            self._under_way.discard(exchange)
        if exchange.reusable:
            connection.idle_since_s = perf_counter()
            self._idle.append(connection)
        else:
            self._drop(connection)
        return Sent(request, exchange)

    async def _connect(self) -> Connection:
        if not self._addresses:
            self._addresses = await addresses_of(self._host, self._port)
        return await Connection.open(self._addresses, self._host, self._tls)

    def _kept(self) -> Connection | None:
        """The connection that was used last, if it is fresh."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed and perf_counter() - connection.idle_since_s < _KEEP_ALIVE_S:
                return connection
            self._drop(connection)
        return None

    def _drop(self, connection: Connection) -> None:
        connection.close()
        self._open.discard(connection)

    def _head(self, method: str, path: str) -> bytes:
        return f"{method} {path} HTTP/1.1\r\n{self._headers}".encode("latin-1", "replace")

    def _refusal(self, status: int, body: bytes) -> str:
        words = said(body)
        error = f"HTTP {status}: {words}" if words else f"HTTP {status}"
        named = [field for field in ("ignore_eos", "min_tokens") if field in words]
        if self._job.force_length and status in (400, 422) and named:
            error += f" (the server refuses {named[0]}, without which output lengths cannot be forced)"
        return error


def _read_stream(
    exchange: Exchange,
    pieces: list[tuple[bytes, float, float | None]],
    answer: Answer,
    zero_s: float,
    lateness_s: array[float] | None,
) -> None:
    splitter = EventSplitter()
    for piece, arrived_s, lay_s in pieces:
        before = answer.chunks
        for event in splitter.feed(piece):
            answer.take(event, arrived_s - zero_s)
        if lateness_s is not None and lay_s is not None and not before and answer.chunks:
            lateness_s.append(lay_s if answer.chunks > 1 else 0.0)
    for event in splitter.rest():
        answer.take(event, exchange.end_s - zero_s)
    if not answer.events and not exchange.closed and not exchange.expired:
        head = b"".join(piece for piece, _, _ in pieces)[:2_000]
        answer.error = f"the answer is not an event stream ({exchange.content_type}): {said(head)}"


def _body(content: bytes) -> bytes:
    if not content:
        return b"\r\n"
    return b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(content) + content


def _key(variable: str) -> str:
    key = os.environ.get(variable, "").strip()
    if not key:
        raise LoadImpossible(f"the environment variable {variable}, which is to hold the API key, is not set")
    if not key.isprintable() or not key.isascii():
        raise LoadImpossible(f"the environment variable {variable} holds no API key: it has characters no header takes")
    return key


def _tls(job: Job) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=job.ca_file)
    except OSError as error:
        raise LoadImpossible(f"{job.ca_file}: no certificates can be read: {one_line(str(error).encode())}") from error
    if job.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context


def _trouble(exchange: Exchange, timeout_s: float) -> str | None:
    """Why an answer did not end in order, in a few words; None where it did."""
    if exchange.error is not None:
        return f"not an HTTP answer: {one_line(str(exchange.error).encode())}"
    if exchange.expired:
        return f"no end within {timeout_s:g} s"
    return "the server closed the connection" if exchange.closed else None


def _no_connection(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no connection within {_CONNECT_TIMEOUT_S:g} s"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {one_line(str(getattr(error, 'verify_message', None) or error.reason or error).encode())}"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, UnicodeError) or type(error).__name__ == "gaierror":
        return "the host's name is not known"
    if isinstance(error, ConnectionError):
        return "the server closed the connection"
    return f"cannot connect: {one_line(str(getattr(error, 'strerror', None) or error).encode())}"
