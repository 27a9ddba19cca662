"""The HTTP server: OpenAI's API and SGLang's own paths."""

from __future__ import annotations

import asyncio
import itertools
import random
from argparse import Namespace
from http import HTTPStatus
from typing import Any

from aiohttp import web

from tuner_tui.engines.simulated.answers import Shape, Stream, Waiting, usage_of
from tuner_tui.engines.simulated.arguments import context_tokens
from tuner_tui.engines.simulated.completion_request import BadRequest, Bounds, CompletionRequest, read_completion
from tuner_tui.engines.simulated.engine_loop import EngineLoop
from tuner_tui.engines.simulated.info import VERSION, Histogram, longest_tokens, metrics, models, server_info
from tuner_tui.engines.simulated.log import Log
from tuner_tui.engines.simulated.memory import MemoryPlan
from tuner_tui.engines.simulated.sequence import Emit, Sequence
from tuner_tui.engines.simulated.tokens import answer, encode

_LARGEST_BODY = 64 * 2**20
_EVENTS = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}


class Server:
    """The handlers, and what they need. `ready` is set from outside once the warm-up is over."""

    def __init__(
        self, args: Namespace, plan: MemoryPlan, replicas: list[EngineLoop], log: Log, chance: random.Random
    ) -> None:
        self.ready = False
        self._args = args
        self._plan = plan
        self._replicas = replicas
        self._next = itertools.cycle(replicas)
        self._log = log
        self._chance = chance
        self._ttft, self._e2e, self._answered = Histogram(), Histogram(), 0
        self._bounds = Bounds(
            model=args.served_model_name,
            vocabulary=args.simulate_vocabulary,
            context_tokens=context_tokens(args),
            longest_tokens=longest_tokens(args, plan),
        )

    def application(self) -> web.Application:
        app = web.Application(client_max_size=_LARGEST_BODY, middlewares=[self._errors])
        app.on_response_prepare.append(self._note_response)
        add = app.router.add_route
        add("POST", "/v1/completions", self._completions)
        add("POST", "/v1/chat/completions", self._chat)
        add("GET", "/v1/models", self._models)
        for path in ("/health", "/v1/health"):
            add("GET", path, self._health)
        add("GET", "/health_generate", self._health_generate)
        add("GET", "/get_model_info", self._model_info)
        add("GET", "/model_info", self._model_info)
        add("GET", "/get_server_info", self._server_info)
        add("GET", "/server_info", self._server_info)
        add("GET", "/metrics", self._metrics)
        add("*", "/flush_cache", self._flush)
        add("POST", "/tokenize", self._tokenize)
        return app

    # Completions

    async def _completions(self, request: web.Request) -> web.StreamResponse:
        return await self._complete(request, "text")

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        return await self._complete(request, "chat")

    async def _complete(self, request: web.Request, kind: str) -> web.StreamResponse:
        received_s = asyncio.get_running_loop().time()
        if not self.ready:
            raise BadRequest("The server is not ready yet.", status=503, kind="ServiceUnavailableError")
        asked = read_completion(await request.read(), kind, self._bounds, self._chance)
        if self._chance.random() < self._args.simulate_error_rate:
            raise BadRequest(
                "Simulated internal error (--simulate-error-rate).", status=500, kind="InternalServerError"
            )
        most = self._args.max_queued_requests
        if most is not None and min(each.queued for each in self._replicas) >= most:
            raise BadRequest("The request queue is full.", status=503, kind="ServiceUnavailableError")
        shape = Shape(kind, self._bounds.model)
        if asked.stream:
            return await self._streamed(request, asked, shape, received_s)
        waiting = Waiting()
        sequence = await self._run(asked, waiting.emit, waiting.done, received_s)
        usage = None if self._args.simulate_no_usage else usage_of(sequence)
        text = answer(0, sequence.generated, sequence.seed)
        return web.json_response(shape.whole(text, sequence.reason, usage))

    async def _streamed(
        self, request: web.Request, asked: CompletionRequest, shape: Shape, received_s: float
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers=_EVENTS)
        chunked = request.version >= (1, 1)
        if chunked:
            response.enable_chunked_encoding()
        await response.prepare(request)
        transport = request.transport
        if transport is None:
            return response  # gone already
        stream = Stream(
            shape,
            transport,
            chunked=chunked,
            interval=self._args.stream_interval,
            usage=asked.include_usage and not self._args.simulate_no_usage,
        )
        await self._run(asked, stream.emit, stream.done, received_s)
        await response.write_eof()
        return response

    async def _run(
        self, asked: CompletionRequest, emit: Emit, done: asyncio.Future[None], received_s: float
    ) -> Sequence:
        """Has the request served; `done` is set by `emit`. Cancelled when the client goes: then it is forgotten."""
        loop = asyncio.get_running_loop()

        def emit_and_time(sequence: Sequence, reason: str | None) -> None:
            emit(sequence, reason)
            if sequence.generated == 1:
                self._ttft.add(loop.time() - sequence.arrived_s)
            if reason is not None:
                self._answered += 1
                self._e2e.add(loop.time() - sequence.arrived_s)
                sequence.emit = _nothing

        sequence = Sequence(
            asked.prompt, limit=asked.max_tokens, length=asked.length, reason=asked.reason, emit=emit_and_time
        )
        replica = next(self._next)
        replica.submit(sequence, received_s)
        try:
            await done
        except asyncio.CancelledError:
            sequence.emit = _nothing
            replica.abort(sequence)
            raise
        return sequence

    # Everything else

    async def _health(self, request: web.Request) -> web.Response:
        return web.Response(status=200 if self.ready else 503)

    async def _health_generate(self, request: web.Request) -> web.Response:
        if not self.ready:
            return web.Response(status=503)
        asked = CompletionRequest(
            prompt=(0,), max_tokens=1, length=1, reason="length", stream=False, include_usage=False
        )
        waiting = Waiting()
        await self._run(asked, waiting.emit, waiting.done, asyncio.get_running_loop().time())
        return web.Response()

    async def _models(self, request: web.Request) -> web.Response:
        return web.json_response(models(self._args))

    async def _model_info(self, request: web.Request) -> web.Response:
        told = {"model_path": self._args.model_path, "tokenizer_path": self._args.tokenizer_path}
        return web.json_response({**told, "is_generation": True, "simulated": True})

    async def _server_info(self, request: web.Request) -> web.Response:
        return web.json_response(server_info(self._args, self._plan, self._replicas))

    async def _metrics(self, request: web.Request) -> web.Response:
        text = metrics(self._args, self._plan, self._replicas, self._ttft, self._e2e, self._answered)
        return web.Response(text=text, content_type="text/plain")

    async def _flush(self, request: web.Request) -> web.Response:
        flushed = [each.queued == 0 and each.scheduler.flush() for each in self._replicas]
        if all(flushed):
            self._log.line("Cache flushed successfully!")
            return web.Response(text="Cache flushed.\n")
        return web.Response(status=400, text="Cache not flushed: requests are running or waiting.\n")

    async def _tokenize(self, request: web.Request) -> web.Response:
        try:
            fields = await request.json()
            ids = encode(fields["prompt"], self._bounds.vocabulary)
        except (ValueError, KeyError, TypeError):
            raise BadRequest("Expected a JSON object with a text under `prompt`.", param="prompt") from None
        return web.json_response({"tokens": ids, "count": len(ids), "max_model_len": self._bounds.context_tokens})

    # Around every request

    @web.middleware
    async def _errors(self, request: web.Request, handler: Any) -> web.StreamResponse:
        try:
            response: web.StreamResponse = await handler(request)
        except BadRequest as error:
            body = {"message": str(error), "type": error.kind, "param": error.param, "code": error.status}
            return web.json_response({"error": body}, status=error.status)
        except web.HTTPException as error:
            body = {"message": error.reason, "type": "invalid_request_error", "param": None, "code": error.status}
            return web.json_response({"error": body}, status=error.status)
        return response

    async def _note_response(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Server"] = f"tuner-tui-simulated/{VERSION}"
        peer = request.transport.get_extra_info("peername") if request.transport else None
        told = f"{request.method} {request.path_qs} HTTP/{request.version.major}.{request.version.minor}"
        address = f"{peer[0]}:{peer[1]}" if peer else "-"
        self._log.access(address, told, response.status, HTTPStatus(response.status).phrase)


def _nothing(sequence: Sequence, reason: str | None) -> None:
    """For a request that nobody listens to any more."""
