"""What a streamed answer of an OpenAI-compatible server said, and when."""

from __future__ import annotations

from typing import Any

import msgspec

_MAX_ERROR = 200


class _Delta(msgspec.Struct):
    role: str | None = None
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: Any = None


class _Choice(msgspec.Struct):
    text: str | None = None
    delta: _Delta | None = None
    finish_reason: str | None = None


class _PromptDetails(msgspec.Struct):
    cached_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _PromptDetails | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None
    object: str | None = None


_CHUNK = msgspec.json.Decoder(_Chunk)


class Answer:
    """One answer as it comes in. `first_s` and `last_s` are in the unit and on the clock given to `take`.

    Which events count as text: any with text, reasoning or a tool call. A token may also decode to nothing (half a
    UTF-8 character), and engines send such a token as a completion with empty text; it counts. These do not: the
    chat's opening `role` without content, and `usage`. An event with a finish reason and no text counts as the
    last token's only if fewer events than tokens came before it, for then it stands for a token.
    """

    __slots__ = (
        "cached_tokens",
        "chunks",
        "done",
        "error",
        "events",
        "finish_reason",
        "first_s",
        "gaps_us",
        "last_s",
        "output_tokens",
        "prompt_tokens",
        "textless_finish_s",
    )

    def __init__(self) -> None:
        self.first_s: float | None = None
        self.last_s: float | None = None
        self.chunks = 0
        self.gaps_us: list[int] = []
        self.events = 0
        self.prompt_tokens: int | None = None
        self.output_tokens: int | None = None
        self.cached_tokens: int | None = None
        self.finish_reason: str | None = None
        self.error: str | None = None
        self.done = False
        self.textless_finish_s: float | None = None

    def take(self, event: bytes, now_s: float) -> None:
        """One event's data, which arrived at `now_s`."""
        self.events += 1
        if event == b"[DONE]":
            self.done = True
            return
        try:
            chunk = _CHUNK.decode(event)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self._fail(f"unreadable event in the stream: {one_line(event[:80])}")
            return
        if chunk.error is not None or chunk.object == "error":
            self._fail(f"error in the stream: {said(event)}")
            return
        if chunk.usage is not None:
            self._count(chunk.usage)
        for choice in chunk.choices or ():
            if _carries_token(choice):
                self._token(now_s)
            elif choice.finish_reason is not None:
                self.textless_finish_s = now_s
            if choice.finish_reason is not None:
                self.finish_reason = choice.finish_reason

    def end(self) -> None:
        """The stream ended in order: settles the last token's time, and whether the answer is whole."""
        if self.textless_finish_s is not None and self.chunks < (self.output_tokens or 0):
            self._token(self.textless_finish_s)
        if self.finish_reason == "abort":
            self._fail("the server aborted the request (finish reason abort)")
        elif self.finish_reason is None and not self.done:
            self._fail(f"the stream ended early, after {self.chunks} chunks")
        elif self.first_s is None:
            self._fail("the answer held no tokens")

    def _token(self, now_s: float) -> None:
        if self.last_s is None:
            self.first_s = now_s
        else:
            self.gaps_us.append(round((now_s - self.last_s) * 1e6))
        self.last_s = now_s
        self.chunks += 1

    def _fail(self, error: str) -> None:
        if self.error is None:
            self.error = error

    def _count(self, usage: _Usage) -> None:
        if usage.prompt_tokens is not None:
            self.prompt_tokens = usage.prompt_tokens
        if usage.completion_tokens is not None:
            self.output_tokens = usage.completion_tokens
        if usage.prompt_tokens_details is not None:
            self.cached_tokens = usage.prompt_tokens_details.cached_tokens


def _carries_token(choice: _Choice) -> bool:
    delta = choice.delta
    if delta is None:
        return bool(choice.text) or (choice.text is not None and choice.finish_reason is None)
    if delta.content or delta.reasoning_content or delta.reasoning or delta.tool_calls:
        return True
    return delta.content is not None and delta.role is None and choice.finish_reason is None


def said(body: bytes) -> str:
    """An error body's message on one line: JSON's `error.message`, `message` or `detail`, else its first words."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return one_line(body)
    while isinstance(document, dict):
        inner = next((document[key] for key in ("error", "message", "detail") if document.get(key)), None)
        if inner is None:
            return one_line(body)
        document = inner
    return one_line(document.encode() if isinstance(document, str) else msgspec.json.encode(document))


def one_line(text: bytes) -> str:
    """Shortened, without line breaks or other control characters."""
    words = " ".join(text[: 4 * _MAX_ERROR].decode("utf-8", "replace").split())
    clean = "".join(letter if letter.isprintable() else "?" for letter in words)
    return clean if len(clean) <= _MAX_ERROR else clean[: _MAX_ERROR - 1] + "…"
