"""Which chunk is the first token, which the last, and what makes an answer a failure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.load.scripted_server import chat_token, event, token, usage
from tuner_tui.load.answer import Answer, said


def data(line: bytes) -> bytes:
    return line.removeprefix(b"data: ").strip()


def answered(*events: bytes) -> Answer:
    """The first event comes at 1 s, the next at 2 s, and so on."""
    answer = Answer()
    for now_s, each in enumerate(events, 1):
        answer.take(data(each), now_s)
    answer.end()
    return answer


def test_an_empty_text_is_a_token_too() -> None:
    answer = answered(token(""), token("é"), token("", "length"), usage(10, 3), b"[DONE]")
    assert (answer.first_s, answer.last_s, answer.chunks, answer.error) == (1, 3, 3, None)


def test_a_finish_without_a_token_is_not_the_last_token() -> None:
    answer = answered(token(), token(), token("", "length"), usage(10, 2), b"[DONE]")
    assert (answer.first_s, answer.last_s, answer.chunks) == (1, 2, 2)


def test_the_only_token_may_come_with_the_finish() -> None:
    answer = answered(token("", "length"), usage(10, 1))
    assert (answer.first_s, answer.last_s, answer.chunks, answer.error) == (1, 1, 1, None)


def test_the_role_that_opens_a_chat_is_not_its_first_token() -> None:
    answer = answered(chat_token("", role="assistant"), chat_token(""), chat_token("b"), chat_token(None, "stop"))
    assert (answer.first_s, answer.last_s, answer.chunks, answer.finish_reason) == (2, 3, 2, "stop")


def test_reasoning_and_tool_calls_are_tokens() -> None:
    thought = event({"choices": [{"delta": {"content": None, "reasoning_content": "hm"}}]})
    call = event({"choices": [{"delta": {"tool_calls": [{"index": 0}]}}]})
    answer = answered(chat_token("", role="assistant"), thought, call, chat_token(None, "tool_calls"))
    assert (answer.first_s, answer.last_s) == (2, 3)


def test_counts_are_the_last_usage() -> None:
    growing = event({"choices": [{"text": "a"}], "usage": {"prompt_tokens": 10, "completion_tokens": 1}})
    answer = answered(growing, token("b", "length"), usage(10, 2, cached_tokens=8))
    assert (answer.prompt_tokens, answer.output_tokens, answer.cached_tokens) == (10, 2, 8)


@pytest.mark.parametrize(
    ("events", "error"),
    [
        ([token(), event({"error": {"message": "KV cache\n is full"}})], "error in the stream: KV cache is full"),
        ([event({"object": "error", "message": "bad"})], "error in the stream: bad"),
        ([token(), b"{broken"], "unreadable event in the stream: {broken"),
        ([event({"choices": "none"}), b"[DONE]"], 'unreadable event in the stream: {"choices":"none"}'),
        ([token(), token()], "the stream ended early, after 2 chunks"),
        ([token(), token("", "abort")], "the server aborted the request (finish reason abort)"),
        ([usage(10, 0), b"[DONE]"], "the answer held no tokens"),
    ],
)
def test_failures_are_named(events: list[bytes], error: str) -> None:
    assert answered(*events).error == error


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error": {"message": "too long", "code": 400}}', "too long"),
        (b'{"error": "overloaded"}', "overloaded"),
        (b'{"detail": [{"msg": "field required"}]}', '[{"msg":"field required"}]'),
        (b"Internal Server Error\n", "Internal Server Error"),
        (b"\x1b[31mred\xff", "?[31mred\N{REPLACEMENT CHARACTER}"),
        (b"[1, 2]", "[1,2]"),
        (b"", ""),
    ],
)
def test_an_error_body_becomes_one_line(body: bytes, words: str) -> None:
    assert said(body) == words


@given(st.lists(st.binary(max_size=40) | st.sampled_from([token(), usage(1, 2), b"[DONE]", b'{"choices":[null]}'])))
def test_any_stream_is_read_without_a_crash(events: list[bytes]) -> None:
    answer = answered(*events)
    assert answer.error is not None or answer.first_s is not None
    assert answer.error is None or ("\n" not in answer.error and len(answer.error) < 300)


@given(st.binary(max_size=2_000))
def test_any_body_is_one_short_line(body: bytes) -> None:
    assert len(said(body)) <= 200
    assert said(body).isprintable()
