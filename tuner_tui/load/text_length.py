"""How long texts are in a server's tokens: asked of its `/tokenize`, or learned from the usage it tells."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from random import Random
from typing import Any

import msgspec

from tuner_tui.load.address import PATHS
from tuner_tui.load.endpoint import Endpoint, LoadImpossible
from tuner_tui.load.model import Job, TextLength
from tuner_tui.load.prompts import WORDS

_SHORT, _LONG = 8, 72
_REPEATS = 8
_ENOUGH_WORDS = 24
_AT_ONCE = 8
_TEXTS, _CHARACTERS = 32, 2_000

_Count = Callable[[str], Awaitable[int]]


async def find_text_length(endpoint: Endpoint, job: Job) -> TextLength:
    """Exact where enough of our words are one token each (as in all common vocabularies); else a mean.

    Raises LoadImpossible where the server tells no counts at all.
    """
    count = await _counter(endpoint, job)
    random = Random(job.seed)
    short, long = random.sample(WORDS, _SHORT), random.sample(WORDS, _LONG)
    few, many = await count(" ".join(short)), await count(" ".join(long))
    one = WORDS
    if many - few != _LONG - _SHORT:
        # Some are several tokens: each is asked for repeated, so that what stands around it does not count.
        once = await _each(count, ([word] * _REPEATS for word in WORDS))
        twice = await _each(count, ([word] * (2 * _REPEATS) for word in WORDS))
        one = tuple(word for word, a, b in zip(WORDS, once, twice, strict=True) if b - a == _REPEATS)
    # At the beginning of a text, without a blank before it, a word may be more tokens than elsewhere: those that are
    # as many there as most are kept.
    alone = await _each(count, ([word] for word in one))
    usual = Counter(alone).most_common(1)[0][0] if alone else 0
    words = tuple(word for word, tokens in zip(one, alone, strict=True) if tokens == usual)
    if len(words) >= _ENOUGH_WORDS:
        return TextLength(words=words, overhead_tokens=usual - 1)
    per_word = max(0.1, (many - few) / (_LONG - _SHORT))
    return TextLength(words=WORDS, overhead_tokens=round(few - _SHORT * per_word), tokens_per_word=per_word)


async def _each(count: _Count, texts: Iterable[list[str]]) -> list[int]:
    """Of each text (its words) the tokens; a few are asked for at a time."""
    free = asyncio.Semaphore(_AT_ONCE)

    async def one(words: list[str]) -> int:
        async with free:
            return await count(" ".join(words))

    return await asyncio.gather(*(one(words) for words in texts))


async def find_tokens_per_character(endpoint: Endpoint, job: Job, texts: Sequence[str]) -> float:
    """Tokens that this server makes of a character, from the first few of `texts`. Raises LoadImpossible."""
    count = await _counter(endpoint, job)
    around = await count("time") - 1
    sample = [text[:_CHARACTERS] for text in texts[:_TEXTS]]
    tokens = sum([max(1, await count(text) - around) for text in sample])
    return tokens / sum(map(len, sample))


async def _counter(endpoint: Endpoint, job: Job) -> _Count:
    """A function from a text to the tokens of the whole prompt, template included."""

    async def by_tokenize(text: str) -> int:
        body = {"model": endpoint.model, **_prompt(text, job)}
        status, answer = await endpoint.ask("POST", endpoint.root + "/tokenize", msgspec.json.encode(body))
        count = _number(answer, "count") if status == 200 else None
        if count is None:
            raise LoadImpossible("no /tokenize")
        return count

    async def by_usage(text: str) -> int:
        body = {"model": endpoint.model, **_prompt(text, job), "max_tokens": 1, "stream": False}
        path = endpoint.path + PATHS[job.endpoint]
        status, answer = await endpoint.ask("POST", path, msgspec.json.encode(body))
        count = _number(answer, "usage", "prompt_tokens") if status == 200 else None
        if count is None:
            raise LoadImpossible(
                f"the server tells no prompt lengths (HTTP {status}, no usage), so that a text of asked length cannot "
                "be made for it"
            )
        return count

    try:
        await by_tokenize("time")
    except LoadImpossible:
        return by_usage
    return by_tokenize


def _prompt(text: str, job: Job) -> dict[str, Any]:
    if job.endpoint == "chat":
        return {"messages": [{"role": "user", "content": text}]}
    return {"prompt": text}


def _number(answer: bytes, *keys: str) -> int | None:
    try:
        found: Any = msgspec.json.decode(answer)
        for key in keys:
            found = found[key]
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError):
        return None
    return found if isinstance(found, int) else None
