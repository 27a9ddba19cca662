"""The body of a completion request, checked."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any

from tuner_tui.engines.simulated.tokens import encode, encode_chat

_DEFAULT_TOKENS = {"text": 16, "chat": 128}


class BadRequest(Exception):
    """To be answered with `status` and OpenAI's error body; `kind` is its type."""

    def __init__(
        self, message: str, *, status: int = 400, kind: str = "invalid_request_error", param: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.param = param


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionRequest:
    """What a client asks for. `max_tokens` is what it may get, `length` what it will get, `reason` why that ends."""

    prompt: tuple[int, ...]
    max_tokens: int
    length: int
    reason: str
    stream: bool
    include_usage: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What the server takes: `model` its served name, sizes in tokens."""

    model: str
    vocabulary: int
    context_tokens: int
    longest_tokens: int


def read_completion(body: bytes, kind: str, bounds: Bounds, chance: random.Random) -> CompletionRequest:
    """Reads the body of /v1/completions (`kind` "text") or /v1/chat/completions ("chat"). Raises BadRequest."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"The request body is not JSON: {error}.") from None
    if not isinstance(fields, dict):
        raise BadRequest("The request body must be a JSON object.")
    model = fields.get("model")
    if model is not None and model != bounds.model:
        raise BadRequest(
            f"The model `{model}` does not exist; this server has `{bounds.model}`.",
            status=404,
            kind="NotFoundError",
            param="model",
        )
    if _integer(fields, "n", 1, least=1) != 1:
        raise BadRequest("Only n = 1 is supported.", param="n")
    prompt = _prompt(fields, bounds) if kind == "text" else _messages(fields, bounds)
    asked = "max_completion_tokens" if fields.get("max_completion_tokens") is not None else "max_tokens"
    room = min(bounds.context_tokens, bounds.longest_tokens) - len(prompt)
    default = min(_DEFAULT_TOKENS[kind], max(room, 1))
    max_tokens = _integer(fields, asked, default, least=1)
    if max_tokens > room:
        most = min(bounds.context_tokens, bounds.longest_tokens)
        what = "model's maximum context length" if most == bounds.context_tokens else "KV cache's capacity"
        raise BadRequest(
            f"Requested token count exceeds the {what} of {most} tokens. You requested {len(prompt)} tokens of input "
            f"and {max_tokens} tokens of completion. Shorten the input or ask for fewer tokens.",
            param=asked,
        )
    length, reason = _length(fields, max_tokens, chance)
    return CompletionRequest(
        prompt=prompt,
        max_tokens=max_tokens,
        length=length,
        reason=reason,
        stream=bool(fields.get("stream")),
        include_usage=_include_usage(fields),
    )


def _length(fields: dict[str, Any], max_tokens: int, chance: random.Random) -> tuple[int, str]:
    """Without `ignore_eos` an answer ends by itself: an exponential length of mean 0.6 * max_tokens."""
    least = _integer(fields, "min_tokens", 0, least=0)
    if least > max_tokens:
        raise BadRequest(f"min_tokens ({least}) is above max_tokens ({max_tokens}).", param="min_tokens")
    if fields.get("ignore_eos"):
        return max_tokens, "length"
    length = max(int(chance.expovariate(1 / (0.6 * max_tokens))) + 1, least, 1)
    return (length, "stop") if length < max_tokens else (max_tokens, "length")


def _prompt(fields: dict[str, Any], bounds: Bounds) -> tuple[int, ...]:
    given = fields.get("prompt")
    if isinstance(given, list) and len(given) == 1 and isinstance(given[0], str | list):
        given = given[0]
    if isinstance(given, str):
        ids = encode(given, bounds.vocabulary)
    elif isinstance(given, list) and all(type(each) is int for each in given):
        ids = tuple(given)
        if ids and not (min(ids) >= 0 and max(ids) < bounds.vocabulary):
            raise BadRequest(f"Token ids must be from 0 to {bounds.vocabulary - 1}.", param="prompt")
    else:
        raise BadRequest("The prompt must be one text, or one list of token ids.", param="prompt")
    if not ids:
        raise BadRequest("The prompt is empty.", param="prompt")
    return ids


def _messages(fields: dict[str, Any], bounds: Bounds) -> tuple[int, ...]:
    messages = fields.get("messages")
    if not isinstance(messages, list) or not messages:
        raise BadRequest("messages must be a list with at least one message.", param="messages")
    pairs = []
    for message in messages:
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise BadRequest("Each message needs a role and a content.", param="messages")
        pairs.append((message["role"], _content(message.get("content"))))
    return encode_chat(pairs, bounds.vocabulary)


def _content(content: Any) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        return "".join(part["text"] for part in content if isinstance(part.get("text"), str))
    raise BadRequest("A message's content must be a text or a list of parts.", param="messages")


def _integer(fields: dict[str, Any], name: str, default: int, *, least: int) -> int:
    value = fields.get(name)
    if value is None:
        return default
    if type(value) is not int or value < least:
        raise BadRequest(f"{name} must be an integer of at least {least}, not {value!r}.", param=name)
    return value


def _include_usage(fields: dict[str, Any]) -> bool:
    options = fields.get("stream_options")
    return bool(options.get("include_usage")) if isinstance(options, dict) else False
