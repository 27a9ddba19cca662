"""What goes back to a client: OpenAI's bodies, whole or as server-sent events.

A streamed token is written straight to the transport, as bytes of which all but the word were made beforehand: at
1.5 ms a token and hundreds of requests there is no time for JSON, nor for a task each.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from typing import Any

from tuner_tui.engines.simulated.sequence import Sequence
from tuner_tui.engines.simulated.tokens import WORDS, answer

_MARK = "\x00"
_WORDS = tuple(word.encode() for word in WORDS)


class Shape:
    """The fields that differ between text and chat completions."""

    def __init__(self, kind: str, model: str) -> None:
        self.id = f"{'cmpl' if kind == 'text' else 'chatcmpl'}-{uuid.uuid4().hex}"
        self.created = int(time.time())
        self._chat = kind == "chat"
        self._model = model

    @property
    def chat(self) -> bool:
        return self._chat

    def whole(self, text: str, reason: str, usage: dict[str, Any] | None) -> dict[str, Any]:
        said = {"message": {"role": "assistant", "content": text}} if self._chat else {"text": text}
        return {
            "id": self.id,
            "object": "chat.completion" if self._chat else "text_completion",
            "created": self.created,
            "model": self._model,
            "choices": [{"index": 0, **said, "logprobs": None, "finish_reason": reason}],
            **({"usage": usage} if usage else {}),
        }

    def piece(self, text: str, reason: str | None, *, role: bool = False) -> dict[str, Any]:
        delta: dict[str, Any] = {"role": "assistant", "content": ""} if role else {"content": text}
        said = {"delta": delta} if self._chat else {"text": text}
        return self._chunk([{"index": 0, **said, "logprobs": None, "finish_reason": reason}])

    def usage(self, usage: dict[str, Any]) -> dict[str, Any]:
        return {**self._chunk([]), "usage": usage}

    def _chunk(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "chat.completion.chunk" if self._chat else "text_completion",
            "created": self.created,
            "model": self._model,
            "choices": choices,
        }


def usage_of(sequence: Sequence) -> dict[str, Any]:
    """Token counts as the server saw them."""
    return {
        "prompt_tokens": len(sequence.prompt),
        "completion_tokens": sequence.generated,
        "total_tokens": sequence.tokens,
        "prompt_tokens_details": {"cached_tokens": sequence.cached},
    }


class Waiting:
    """For an answer in one piece."""

    def __init__(self) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def emit(self, sequence: Sequence, reason: str | None) -> None:
        if reason is not None and not self.done.done():
            self.done.set_result(None)


class Stream:
    """For an answer in pieces: every `interval` tokens, the first one at once.

    `transport` has the response's head behind it already; `chunked` tells whether the body needs HTTP's chunk
    lengths. The end of the body is left to the caller, after `done`.
    """

    def __init__(
        self,
        shape: Shape,
        transport: asyncio.WriteTransport,
        *,
        chunked: bool,
        interval: int = 1,
        usage: bool = False,
    ) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._shape = shape
        self._write = transport.write
        self._chunked = chunked
        self._interval = interval
        self._usage = usage
        self._sent = 0
        before, after = json.dumps(shape.piece(_MARK, None), separators=(",", ":")).split(json.dumps(_MARK)[1:-1])
        head, tail = f"data: {before}".encode(), f"{after}\n\n".encode()
        if chunked:
            head = b"%x\r\n%b" % (len(head) + len(_WORDS[0]) + len(tail), head)
            tail += b"\r\n"
        self._head, self._tail = head, tail

    def emit(self, sequence: Sequence, reason: str | None) -> None:
        generated = sequence.generated
        if self._sent and reason is None:
            if self._interval == 1:
                self._sent = generated
                self._write(self._head + _WORDS[(sequence.seed + generated - 1) % len(_WORDS)] + self._tail)
                return
            if generated % self._interval:
                return
        self._write(self._pieces(sequence, reason))
        self._sent = generated
        if reason is not None and not self.done.done():
            self.done.set_result(None)

    def _pieces(self, sequence: Sequence, reason: str | None) -> bytes:
        """The first or the last piece of an answer, or one of several tokens."""
        shape = self._shape
        events: list[dict[str, Any]] = []
        if not self._sent and shape.chat:
            events.append(shape.piece("", None, role=True))
        text = answer(self._sent, sequence.generated, sequence.seed)
        if reason is not None and shape.chat:
            events += [shape.piece(text, None), shape.piece("", reason)]
        else:
            events.append(shape.piece(text, reason))
        if reason is not None and self._usage:
            events.append(shape.usage(usage_of(sequence)))
        body = "".join(f"data: {json.dumps(event, separators=(',', ':'))}\n\n" for event in events)
        if reason is not None:
            body += "data: [DONE]\n\n"
        raw = body.encode()
        return b"%x\r\n%b\r\n" % (len(raw), raw) if self._chunked else raw
