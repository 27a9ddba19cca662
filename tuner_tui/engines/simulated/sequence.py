"""One request inside the engine."""

from __future__ import annotations

from collections.abc import Callable

from tuner_tui.engines.simulated.prefix_cache import Node

Emit = Callable[["Sequence", "str | None"], None]
"""Called after each step that gave the request a token; with a finish reason, "stop" or "length", after its last."""


class Sequence:
    """A prompt, how many tokens will be answered, and how far it is.

    `length` tokens are answered in all; the server knows that from the start because nothing is really generated,
    but the scheduler plans with `limit`, which is all that a real one would know.
    """

    __slots__ = (
        "arrived_s",
        "cached",
        "emit",
        "generated",
        "length",
        "limit",
        "node",
        "own",
        "prompt",
        "reason",
        "seed",
        "shared",
        "to_compute",
    )

    def __init__(self, prompt: tuple[int, ...], *, limit: int, length: int, reason: str, emit: Emit) -> None:
        self.prompt = prompt
        self.limit = limit
        self.length = length
        self.reason = reason
        self.emit = emit
        self.generated = 0
        self.arrived_s = 0.0
        self.cached = 0
        """Prompt tokens that the prefix cache spared, when first scheduled; what the usage says."""
        self.shared = 0
        """Tokens held in the prefix cache at `node`."""
        self.node: Node | None = None
        self.own = 0
        """Tokens of KV cache that only this request holds, in whole pages."""
        self.to_compute = 0
        """Tokens still to prefill."""
        self.seed = hash(prompt) & 0xFFFFFFFF

    @property
    def tokens(self) -> int:
        """Prompt and answer so far."""
        return len(self.prompt) + self.generated

    def ids(self, vocabulary: int) -> tuple[int, ...]:
        """Prompt and answer so far, as token ids."""
        return self.prompt + tuple(self.token(i, vocabulary) for i in range(self.generated))

    def token(self, i: int, vocabulary: int) -> int:
        """The id of answer token `i`: the same for the same prompt, as at temperature 0."""
        return (self.seed + i * 2654435761) % vocabulary
