"""An answer's head and body come out the same however the network cut them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner_tui.load.http import Body, NotHttp

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def read(body: Body, *pieces: bytes) -> bytes:
    return b"".join(body.feed(piece) for piece in pieces)


def chunked(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@given(st.lists(st.binary(min_size=1, max_size=30)), st.lists(st.integers(0, 400)), st.sampled_from([b"", b"A: b\r\n"]))
def test_any_cut_gives_the_same_body(parts: list[bytes], cuts: list[int], trailers: bytes) -> None:
    stream = HEAD + chunked(*parts)[:-2] + trailers + b"\r\n"
    places = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    body = Body()
    assert read(body, *(stream[a:b] for a, b in pairwise(places))) == b"".join(parts)
    assert body.ended
    assert not body.surplus


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_any_bytes_are_read_or_refused(pieces: list[bytes]) -> None:
    for head in (b"", HEAD, b"HTTP/1.1 200\r\nContent-Length: 7\r\n\r\n"):
        body = Body()
        try:
            read(body, head, *pieces)
        except NotHttp:
            continue
        assert body.head is not None or not head


def test_a_length_ends_the_body_and_what_follows_is_surplus() -> None:
    body = Body()
    assert read(body, b"HTTP/1.1 500 No\r\ncontent-length: 4\r\n\r\nab", b"cdef") == b"abcd"
    assert body.ended
    assert body.surplus
    assert body.head is not None
    assert (body.head.status, body.head.chunked, body.head.length) == (500, False, 4)


def test_an_interim_answer_is_passed_over() -> None:
    body = Body()
    assert read(body, b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", b"to the end") == b"to the end"
    assert not body.ended


@pytest.mark.parametrize(
    ("head", "kept"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: Close\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n", True),
    ],
)
def test_whether_the_connection_is_kept(head: bytes, kept: bool) -> None:
    body = Body()
    body.feed(head)
    assert body.ended
    assert body.head is not None
    assert body.head.keep_alive is kept


@pytest.mark.parametrize(
    "stream",
    [
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/2 200\r\n\r\n",
        HEAD + b"xyz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused(stream: bytes) -> None:
    with pytest.raises(NotHttp):
        Body().feed(stream)
