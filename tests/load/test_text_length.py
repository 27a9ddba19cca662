"""Texts of asked length, against servers with vocabularies of their own: the count they tell is what must come out."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tests.load.scripted_server import Reply, Request, Script, ScriptedServer, serving
from tuner_tui.load.endpoint import Endpoint, LoadImpossible
from tuner_tui.load.model import Job, TextLength
from tuner_tui.load.prompts import WORDS, Prompts
from tuner_tui.load.text_length import find_text_length, find_tokens_per_character

Tokens = Callable[[str], int]
TEMPLATE = 11
"""Tokens that the chat template adds."""


def by_word(text: str) -> int:
    """A common vocabulary: each of our words is one token."""
    return len(text.split())


def some_in_two(text: str) -> int:
    """A small vocabulary: four words in ten are two tokens."""
    return sum(2 if zlib.crc32(word.encode()) % 10 < 4 else 1 for word in text.split())


def some_in_two_at_the_start(text: str) -> int:
    """A word without a blank before it is another token, or two: one in five here."""
    return by_word(text) + (zlib.crc32(text.split()[0].encode()) % 5 == 0)


def by_letter(text: str) -> int:
    """No word is one token."""
    return len(text)


def text_of(body: dict[str, Any]) -> tuple[str, int]:
    """What is to be counted, and what the template adds to it."""
    if "messages" in body:
        return body["messages"][0]["content"], TEMPLATE
    return body["prompt"], 1  # a token that begins every prompt


def counting(tokens: Tokens, *, tokenize: bool, usage: bool = True) -> Script:
    """A server that counts by `tokens`, with `/tokenize` or by the usage of what it generates."""

    async def script(request: Request, reply: Reply) -> None:
        text, added = text_of(request.body)
        count = tokens(text) + added
        status: int
        answer: dict[str, Any]
        if request.path == "/tokenize":
            status, answer = (200, {"count": count}) if tokenize else (404, {"detail": "Not Found"})
        else:
            status, answer = 200, {"usage": {"prompt_tokens": count}} if usage else {}
        reply.start(status, "application/json", body=msgspec.json.encode(answer))

    return script


async def found(script: Script, *, chat: bool = True) -> tuple[TextLength, ScriptedServer]:
    job = Job(url="", records="", endpoint="chat" if chat else "completions", max_requests=1, model="m", seed=5)
    async with serving(script) as server:
        endpoint = Endpoint(msgspec.structs.replace(job, url=server.url))
        try:
            return await find_text_length(endpoint, job), server
        finally:
            await endpoint.close()


def counts(length: TextLength, tokens: Tokens, asked: int, added: int) -> list[int]:
    """What the server would count of two hundred prompts of `asked` tokens."""
    prompts = Prompts(3, length.words)
    texts = [prompts.text(serial, asked, length.count(asked)).content for serial in range(200)]
    return [tokens(str(text)) + added for text in texts]


@pytest.mark.parametrize("tokenize", [True, False])
@pytest.mark.parametrize("chat", [True, False])
@pytest.mark.parametrize("tokens", [by_word, some_in_two, some_in_two_at_the_start])
async def test_prompts_have_the_asked_length_to_the_token(tokens: Tokens, chat: bool, tokenize: bool) -> None:
    length, _ = await found(counting(tokens, tokenize=tokenize), chat=chat)
    for asked in (40, 100, 2_000):
        assert set(counts(length, tokens, asked, TEMPLATE if chat else 1)) == {asked}


async def test_who_counts_without_generating_is_not_made_to_generate() -> None:
    _, server = await found(counting(by_word, tokenize=True))
    assert {request.path for request in server.requests} == {"/tokenize"}
    _, server = await found(counting(by_word, tokenize=False))
    asked = [request.path for request in server.requests]
    assert (asked[0], set(asked[1:])) == ("/tokenize", {"/v1/chat/completions"})
    # A common vocabulary: each word once, and two texts.
    assert len(asked) == 1 + 2 + len(WORDS)
    body = server.requests[-1].body
    assert (body["max_tokens"], body["stream"], body["model"]) == (1, False, "m")


async def test_only_words_of_one_token_are_used() -> None:
    length, _ = await found(counting(some_in_two, tokenize=True))
    assert 24 <= len(length.words) < len(WORDS)
    assert all(some_in_two(word) == 1 for word in length.words)


async def test_where_no_word_is_one_token_the_mean_is_met() -> None:
    length, _ = await found(counting(by_letter, tokenize=True))
    assert length.words == WORDS
    made = counts(length, by_letter, 1_000, TEMPLATE)
    assert sum(made) / len(made) == pytest.approx(1_000, rel=0.05)


async def test_a_prompt_shorter_than_the_template_is_one_word() -> None:
    length, _ = await found(counting(by_word, tokenize=True))
    assert set(counts(length, by_word, TEMPLATE - 3, TEMPLATE)) == {TEMPLATE + 1}


async def test_a_server_that_tells_no_lengths_is_refused() -> None:
    with pytest.raises(LoadImpossible, match="tells no prompt lengths"):
        await found(counting(by_word, tokenize=False, usage=False))


async def test_how_long_recorded_answers_are() -> None:
    """Half a token a letter, whatever the template adds."""
    texts = ["a" * 100, "b" * 300, "c" * 40_000]
    async with serving(counting(lambda text: len(text) // 2, tokenize=False)) as server:
        job = Job(url=server.url, records="", endpoint="chat", max_requests=1, model="m")
        endpoint = Endpoint(job)
        try:
            assert await find_tokens_per_character(endpoint, job, texts) == pytest.approx(0.5, rel=0.01)
        finally:
            await endpoint.close()
    assert max(len(text_of(request.body)[0]) for request in server.requests) == 2_000
