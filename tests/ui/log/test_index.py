"""However a file grows, its lines are those of the whole."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tuner_tui.ui.log.index import LineIndex, line_starts

CHUNKS = st.lists(st.binary(max_size=20) | st.sampled_from([b"\n", b"a\n", b"\r\n", b"x" * 50]), max_size=30)


def lines_of(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")
    return [line + b"\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def read(index: LineIndex, data: bytes) -> list[bytes]:
    return [data[slice(*index.span(line))] for line in range(len(index))]


def indexed(data: bytes, begin: int = 0) -> LineIndex:
    index = LineIndex(begin)
    index.extend(line_starts(data[begin:], begin), len(data))
    return index


@given(CHUNKS)
def test_lines_do_not_depend_on_how_the_bytes_came(chunks: list[bytes]) -> None:
    index, data = LineIndex(), b""
    for chunk in chunks:
        index.extend(line_starts(chunk, len(data)), len(data) + len(chunk))
        data += chunk
        assert read(index, data) == lines_of(data)
        assert index.torn == (bool(data) and not data.endswith(b"\n"))


@given(st.binary(max_size=200), st.integers(0, 200))
def test_a_tail_with_its_head_in_front_is_the_whole(data: bytes, near: int) -> None:
    begin = data.find(b"\n", near) + 1
    tail, head = indexed(data, begin), indexed(data[:begin])
    tail.prepend(head)
    assert read(tail, data) == lines_of(data)
    assert tail.begin == 0
    more = data + b"\nmore\n"
    tail.extend(line_starts(b"\nmore\n", len(data)), len(more))
    assert read(tail, more) == lines_of(more)


@given(CHUNKS, st.integers(0, 100))
def test_beyond_4_gib_offsets_are_as_true(chunks: list[bytes], before: int) -> None:
    at = base = (1 << 32) - before
    index, ends = LineIndex(base), [base]
    for chunk in chunks:
        index.extend(line_starts(chunk, at), at + len(chunk))
        ends += [at + n + 1 for n, byte in enumerate(chunk) if byte == ord("\n")]
        at += len(chunk)
    assert [index.span(line)[0] for line in range(len(index))] == ends[: len(index)]
    assert len(index) == len(ends) - (ends[-1] == at)
    head = LineIndex()
    head.extend(line_starts(b"\n", base - 1), base)
    index.prepend(head)
    assert [index.span(line)[0] for line in range(len(index))][:1] == [0]
    assert len(index) == len(ends) - (ends[-1] == at) + 1


@given(st.binary(max_size=200), st.integers(0, 250))
def test_cut_off_at_a_byte_only_what_lies_before_is_known(data: bytes, end: int) -> None:
    index = indexed(data)
    index.cut(end)
    assert read(index, data) == lines_of(data[:end])
    rest = data[index.end :]
    index.extend(line_starts(rest, index.end), len(data))
    assert read(index, data) == lines_of(data)


@given(st.binary(min_size=1, max_size=200), st.integers(1, 50))
def test_steps_of_whole_lines_miss_none(data: bytes, size: int) -> None:
    index, at, seen = indexed(data), 0, b""
    while at < len(index):
        stop = index.lines_within(at, size)
        step = data[index.span(at)[0] : index.span(stop - 1)[1]]
        assert len(step) <= size or stop == at + 1
        seen, at = seen + step, stop
    assert seen == data
