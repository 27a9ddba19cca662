"""Server-sent events come out whole, however the network cut them."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tuner_tui.load.sse import EventSplitter


def events(*pieces: bytes) -> list[bytes]:
    splitter = EventSplitter()
    return [event for piece in pieces for event in splitter.feed(piece)] + splitter.rest()


def test_several_in_one_piece() -> None:
    assert events(b'data: {"a":1}\n\ndata: {"b":2}\n\ndata: [DONE]\n\n') == [b'{"a":1}', b'{"b":2}', b"[DONE]"]


def test_comments_other_fields_and_blank_lines_are_no_events() -> None:
    assert events(b": keep-alive\n\n\n\nevent: x\nid: 4\nretry: 10\n\ndata:tight\n\n") == [b"tight"]


def test_several_data_lines_are_one_event() -> None:
    assert events(b"data: {\r\ndata: }\r\n\r\n") == [b"{\n}"]


def test_an_event_is_given_as_soon_as_it_is_whole() -> None:
    splitter = EventSplitter()
    assert splitter.feed(b"data: on") == []
    assert splitter.feed(b"e\n") == []
    assert splitter.feed(b"\ndata: tw") == [b"one"]
    assert splitter.rest() == [b"tw"]


@given(
    st.lists(st.binary(min_size=1, max_size=12).map(lambda raw: raw.replace(b"\n", b"n").replace(b"\r", b"r"))),
    st.sampled_from([b"\n", b"\r\n", b"\r"]),
    st.lists(st.integers(0, 200)),
)
def test_any_cut_gives_the_same_events(data: list[bytes], line_end: bytes, cuts: list[int]) -> None:
    stream = b"".join(b": c" + line_end + b"data: " + each + line_end + line_end for each in data)
    places = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    assert events(*(stream[a:b] for a, b in pairwise(places))) == data
