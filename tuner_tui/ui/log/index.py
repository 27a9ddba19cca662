"""Where the lines of a file begin: 4 bytes a line, 8 where the file has 4 GiB."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from itertools import accumulate, chain

_PLUS_ONE = (1).__add__


def line_starts(data: bytes, base: int) -> array[int]:
    """The offset behind each line feed of `data`, whose first byte lies at offset `base` of the file."""
    pieces = data.split(b"\n")
    pieces.pop()
    ends = accumulate(chain((base,), map(_PLUS_ONE, map(len, pieces))))  # all in C: 5 million lines a second
    next(ends)
    return array(_code(base + len(data)), ends)


def _code(offset: int) -> str:
    return "I" if offset < 1 << 32 else "Q"


def _joined(first: array[int], second: array[int]) -> array[int]:
    """The first one with the other behind it; it is used up."""
    if first.typecode != second.typecode:
        if first.typecode == "I":
            first = array("Q", first)
        second = array("Q", second)
    first.extend(second)
    return first


class LineIndex:
    """The lines of the bytes from `begin` to `end` of a file.

    A large file is first indexed from near its end; its head is added in front with `prepend` when it has been read.
    Lines are numbered from 0 and end at a line feed; the last one may still lack it.
    """

    def __init__(self, begin: int = 0) -> None:
        self.begin = begin
        self.end = begin
        self._starts = array(_code(begin), (begin,))

    def __len__(self) -> int:
        return len(self._starts) - (self._starts[-1] == self.end)

    @property
    def torn(self) -> bool:
        """Whether the last line has no line feed yet."""
        return self._starts[-1] != self.end

    def extend(self, starts: array[int], end: int) -> None:
        """More bytes at the end: `starts` are those that `line_starts` found in them."""
        self._starts = _joined(self._starts, starts)
        self.end = end

    def prepend(self, head: LineIndex) -> None:
        """`head` ends where this one begins, with a line feed; it is used up."""
        head._starts.pop()
        self._starts, self.begin = _joined(head._starts, self._starts), head.begin

    def cut(self, end: int) -> None:
        """Nothing from offset `end` on is known any more."""
        if end < self.end:
            end = max(end, self.begin)
            del self._starts[max(bisect_right(self._starts, end), 1) :]
            self.end = end

    def span(self, line: int) -> tuple[int, int]:
        """The offsets of a line's first byte and of the byte behind it, its line feed included."""
        starts = self._starts
        return starts[line], starts[line + 1] if line + 1 < len(starts) else self.end

    def lines_within(self, line: int, size_bytes: int) -> int:
        """The line up to which, from `line` on, whole lines fit into `size_bytes`: at least one, if there is one."""
        return min(max(bisect_right(self._starts, self._starts[line] + size_bytes) - 1, line + 1), len(self))
