"""Text ↔ token ids, without a tokenizer: pieces of at most six letters, hashed.

A token is a run of up to six letters or digits with the blank before it, one other sign with the blank before it, or
a run of further white space. English text has about as many of these as a real tokenizer's tokens. The answers'
words are exactly one token each.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from zlib import crc32

_PIECE = re.compile(r"\s?[^\W_]{1,6}|\s?[\W_]|\s+")
# fmt: off
WORDS = tuple(f" {word}" for word in (
    "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath",
    "inlet", "jetty", "knoll", "larch", "maple", "north", "ocean", "plain",
    "quail", "ridge", "stone", "tidal", "upper", "vales", "water", "xenon",
    "yield", "zonal", "acorn", "brook", "cliff", "drift", "earth", "field",
))
# fmt: on
"""The answers' vocabulary. All of one length, so that streamed pieces are too."""


def encode(text: str, vocabulary: int) -> tuple[int, ...]:
    """Token ids below `vocabulary`; the same text always gives the same."""
    return tuple(crc32(piece.encode("utf-8", "surrogatepass")) % vocabulary for piece in _PIECE.findall(text))


def encode_chat(messages: Sequence[tuple[str, str]], vocabulary: int) -> tuple[int, ...]:
    """(role, content) pairs in the manner of Llama 3's template: five marks around each message, five at the end."""
    text = encode("<begin>", vocabulary)[:1]
    for role, content in messages:
        text += _marks(role, vocabulary) + encode(content, vocabulary) + encode("|", vocabulary)
    return text + _marks("assistant", vocabulary)


def answer(first: int, after: int, seed: int) -> str:
    """The text of answer tokens `first` up to before `after`."""
    return "".join(WORDS[(seed + i) % len(WORDS)] for i in range(first, after))


def _marks(role: str, vocabulary: int) -> tuple[int, ...]:
    return tuple(crc32(mark.encode()) % vocabulary for mark in ("<start>", role, "<end>", "\n\n"))
