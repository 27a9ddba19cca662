"""One streamed request to an OpenAI-compatible server, timed."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import aiohttp
import msgspec
from yarl import URL

from tuner_tui.load.address import PATHS, api_base
from tuner_tui.load.answer import Answer, one_line, said
from tuner_tui.load.model import Job, RequestRecord
from tuner_tui.load.prompts import Prompts
from tuner_tui.load.sse import EventSplitter

_CONNECT_TIMEOUT_S = 10.0
_MODELS_TIMEOUT_S = 30.0
# Servers close a connection that is idle for 5 s or more; one is not used again shortly before that, lest the
# request and the closing cross.
_KEEP_ALIVE_S = 4.0


class LoadImpossible(Exception):
    """The load cannot be made: one sentence why."""


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """A request ready to send: its number within the level, its body, and what it asks for."""

    index: int
    body: bytes
    prompt_tokens: int
    output_tokens: int


class Endpoint:
    """The server's endpoint that a job is sent to.

    A proxy is never used, and a connection is kept for the next request; compressed answers are not asked for,
    as compression would hold chunks back.
    """

    def __init__(self, job: Job) -> None:
        """To be made within a running loop. Raises LoadImpossible."""
        try:
            self._base = api_base(job.url)
        except ValueError as error:
            raise LoadImpossible(str(error)) from error
        headers = {"Accept-Encoding": "identity", "Content-Type": "application/json"}
        if job.api_key_variable is not None:
            key = os.environ.get(job.api_key_variable)
            if not key:
                raise LoadImpossible(
                    f"the environment variable {job.api_key_variable}, which is to hold the API key, is not set"
                )
            headers["Authorization"] = f"Bearer {key}"
        self._job = job
        self._model = job.model
        self._url = URL(self._base + PATHS[job.endpoint])
        self._timeout = aiohttp.ClientTimeout(total=job.request_timeout_s, sock_connect=_CONNECT_TIMEOUT_S)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=headers,
        )

    async def close(self) -> None:
        await self._session.close()

    async def find_model(self) -> None:
        """Asks the server for its model's name where the job has none. Raises LoadImpossible."""
        if self._model is not None:
            return
        url = f"{self._base}/models"
        try:
            timeout = aiohttp.ClientTimeout(total=_MODELS_TIMEOUT_S, sock_connect=_CONNECT_TIMEOUT_S)
            async with self._session.get(url, timeout=timeout) as response:
                body = await response.read()
        except (aiohttp.ClientError, OSError) as error:
            raise LoadImpossible(f"{url}: {_trouble(error, _MODELS_TIMEOUT_S)}") from error
        if response.status != 200:
            raise LoadImpossible(
                f"{url}: HTTP {response.status}: {said(body)}; is this an OpenAI-compatible server? "
                "Where it only lacks this path, name the model"
            )
        try:
            document: Any = msgspec.json.decode(body)
            self._model = str(next(iter(document["data"]))["id"])
        except StopIteration:
            raise LoadImpossible(f"{url} names no model: the server has none loaded") from None
        except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
            raise LoadImpossible(f"{url} did not answer with a list of models: {one_line(body[:80])}") from error

    def prepare(self, index: int, prompts: Prompts, prompt_tokens: int, output_tokens: int) -> PreparedRequest:
        """The body to send. The job's own request keys win over ours, except `stream`."""
        own = self._job.request
        chat = self._job.endpoint == "chat"
        for key in ("max_tokens", "max_completion_tokens") if chat else ("max_tokens",):
            if isinstance(own.get(key), int):
                output_tokens = own[key]
        body: dict[str, Any] = {"model": self._model}
        if chat:
            body["messages"] = [{"role": "user", "content": prompts.text(prompt_tokens)}]
        else:
            body["prompt"] = msgspec.Raw(prompts.token_ids(prompt_tokens))
        if "max_completion_tokens" not in own:
            body["max_tokens"] = output_tokens
        if self._job.force_length:
            body["min_tokens"] = output_tokens
            body["ignore_eos"] = True
        body["stream_options"] = {"include_usage": True}
        body |= own
        body["stream"] = True
        return PreparedRequest(index, msgspec.json.encode(body), prompt_tokens, output_tokens)

    async def send(self, request: PreparedRequest, answer: Answer, level: int, zero_s: float) -> RequestRecord:
        """Sends one request and reads its answer to the end, whatever comes; never raises but CancelledError.

        `zero_s` is the level's start on the clock of `time.perf_counter`. A chunk's time is taken when it is
        handed over, before it is parsed.
        """
        status: int | None = None
        sent_s = perf_counter()
        try:
            async with self._session.post(
                self._url, data=request.body, timeout=self._timeout, allow_redirects=False
            ) as response:
                status = response.status
                if status == 200:
                    await _read(response, answer, zero_s)
                else:
                    answer.error = self._refusal(status, await response.content.read(65_536))
        except Exception as error:
            # Whatever goes wrong is this request's result, not the end of the load. After [DONE] nothing was lost.
            if answer.done and not isinstance(error, TimeoutError):
                answer.end()
            else:
                after = f" after {answer.chunks} chunks" if answer.chunks else ""
                answer.error = _trouble(error, self._job.request_timeout_s) + after
        end_s = perf_counter()
        return RequestRecord(
            level=level,
            index=request.index,
            sent_s=sent_s - zero_s,
            end_s=end_s - zero_s,
            first_s=answer.first_s,
            last_s=answer.last_s,
            asked_prompt_tokens=request.prompt_tokens,
            asked_output_tokens=request.output_tokens if self._job.force_length else 0,
            prompt_tokens=answer.prompt_tokens,
            output_tokens=answer.output_tokens,
            cached_tokens=answer.cached_tokens,
            chunks=answer.chunks,
            finish_reason=answer.finish_reason,
            status=status,
            error=answer.error,
        )

    def _refusal(self, status: int, body: bytes) -> str:
        words = said(body)
        error = f"HTTP {status}: {words}" if words else f"HTTP {status}"
        named = [field for field in ("ignore_eos", "min_tokens") if field in words]
        if self._job.force_length and status in (400, 422) and named:
            error += f" (the server refuses {named[0]}, without which output lengths cannot be forced)"
        return error


async def _read(response: aiohttp.ClientResponse, answer: Answer, zero_s: float) -> None:
    splitter = EventSplitter()
    content = response.content
    head = b""
    while piece := await content.readany():
        now_s = perf_counter() - zero_s
        for event in splitter.feed(piece):
            answer.take(event, now_s)
        if not answer.events and len(head) < 2_000:
            head += piece
    now_s = perf_counter() - zero_s
    for event in splitter.rest():
        answer.take(event, now_s)
    if answer.events:
        answer.end()
    else:
        answer.error = f"the answer is not an event stream ({response.content_type}): {said(head)}"


def _trouble(error: Exception, timeout_s: float) -> str:
    """What went wrong with a connection, in a few words."""
    cause = getattr(error, "os_error", None) or error
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return f"no connection within {_CONNECT_TIMEOUT_S:g} s"
    if isinstance(error, TimeoutError):
        return f"no end within {timeout_s:g} s"
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return f"TLS: {one_line(str(getattr(error, 'certificate_error', cause)).encode())}"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "the host's name is not known"
    if isinstance(cause, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"cannot connect: {one_line(str(getattr(cause, 'strerror', None) or cause).encode())}"
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError | ConnectionError):
        return "the server closed the connection"
    if isinstance(error, aiohttp.ClientResponseError):
        return f"not an HTTP answer: {one_line(error.message.encode())}"
    return f"{type(error).__name__}: {one_line(str(error).encode())}"
