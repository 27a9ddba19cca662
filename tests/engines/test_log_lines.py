"""Chunks of bytes become the same lines however they are cut."""

from hypothesis import given
from hypothesis import strategies as st

from tuner_tui.engines.log_lines import LONGEST_BYTES, Line, LineSplitter

# Bytes that matter to the splitter come often, all others sometimes.
LOG_BYTES = st.lists(
    st.one_of(
        st.sampled_from([b"\r", b"\n", b"\r\n", b"\x1b[1;36m", b"\x1b]0;t\x07", "█▎".encode(), b"ab"]), st.binary()
    )
).map(b"".join)


def lines(*chunks: bytes) -> list[Line]:
    splitter = LineSplitter()
    return [line for chunk in chunks for line in splitter.feed(chunk)] + list(splitter.close())


def test_a_progress_bar_is_partial_until_its_line_ends() -> None:
    assert lines(b"start\n\r 0%\r 50%\r100%\nend") == [
        Line("start", 1, False),
        Line("", 2, True),
        Line(" 0%", 2, True),
        Line(" 50%", 2, True),
        Line("100%", 2, False),
        Line("end", 3, False),
    ]


def test_a_docker_terminal_ends_lines_with_both() -> None:
    assert lines(b"one\r", b"\ntwo\r\n") == [Line("one", 1, False), Line("two", 2, False)]


def test_colours_titles_and_controls_go_tabs_and_umlauts_stay() -> None:
    [line] = lines("\x1b[1;36m(EngineCore pid=1)\x1b[0;0m\x1b]0;title\x07\tgrün\x00\x08 \x1b[2K█\n".encode())
    assert line.text == "(EngineCore pid=1)\tgrün █"


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert lines(b"a\xff\xfeb\n")[0].text == "a��b"


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    splitter = LineSplitter()
    for _ in range(100):
        assert list(splitter.feed(b"x" * 10_000)) == []
    [line] = splitter.feed(b"\n")
    assert line.text == "x" * LONGEST_BYTES


@given(LOG_BYTES, st.data())
def test_the_cut_does_not_matter(data: bytes, draws: st.DataObject) -> None:
    cuts = sorted(draws.draw(st.lists(st.integers(0, len(data)), max_size=8)))
    chunks = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    assert lines(*chunks) == lines(data) == lines(*(bytes([byte]) for byte in data))


@given(LOG_BYTES)
def test_nothing_is_left_that_could_steer_a_terminal(data: bytes) -> None:
    for line in lines(data):
        assert not any(ord(letter) < 32 and letter != "\t" for letter in line.text)
        assert "\x1b" not in line.text
