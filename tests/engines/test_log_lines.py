"""Chunks of bytes become the same lines however they are cut."""

from hypothesis import given
from hypothesis import strategies as st

from tuner_tui.engines.log_lines import LONGEST_BYTES, LineSplitter, readable

# Bytes that matter to the splitter come often, all others sometimes.
LOG_BYTES = st.lists(
    st.one_of(
        st.sampled_from([b"\r", b"\n", b"\r\n", b"\x1b[1;36m", b"\x1b]0;t\x07", "█▎".encode(), b"ab"]), st.binary()
    )
).map(b"".join)


def pieces(*chunks: bytes) -> list[bytes]:
    splitter = LineSplitter()
    return [piece for chunk in chunks for piece in splitter.feed(chunk)] + splitter.close()


def test_every_state_of_a_progress_bar_is_a_piece_of_its_own() -> None:
    assert pieces(b"start\n\r 0%\r 50%\r100%\nend") == [b"start\n", b"\r", b" 0%\r", b" 50%\r", b"100%\n", b"end"]


def test_a_docker_terminal_ends_lines_with_both() -> None:
    assert pieces(b"one\r", b"\ntwo\r\n") == [b"one\r\n", b"two\r\n"]


def test_colours_titles_and_controls_go_tabs_and_umlauts_stay() -> None:
    line = "\x1b[1;36m(EngineCore pid=1)\x1b[0;0m\x1b]0;title\x07\tgrün\x00\x08 \x1b[2K█\n".encode()
    assert readable(line) == "(EngineCore pid=1)\tgrün █"


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert readable(b"a\xff\xfeb\n") == "a\ufffd\ufffdb"


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    splitter = LineSplitter()
    for _ in range(100):
        assert splitter.feed(b"x" * 10_000) == []
    [piece] = splitter.feed(b"\n")
    assert readable(piece) == "x" * LONGEST_BYTES


@given(LOG_BYTES, st.data())
def test_the_cut_does_not_matter(data: bytes, draws: st.DataObject) -> None:
    cuts = sorted(draws.draw(st.lists(st.integers(0, len(data)), max_size=8)))
    chunks = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    assert pieces(*chunks) == pieces(data) == pieces(*(bytes([byte]) for byte in data))


@given(LOG_BYTES)
def test_nothing_is_left_that_could_steer_a_terminal(data: bytes) -> None:
    for text in map(readable, pieces(data)):
        assert not any(ord(letter) < 32 and letter != "\t" for letter in text)
        assert "\x1b" not in text
