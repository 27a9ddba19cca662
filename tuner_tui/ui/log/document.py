"""A log file as lines: indexed, searched and marked in small steps outside the event loop."""

from __future__ import annotations

import asyncio
import time
from array import array
from bisect import bisect_left
from pathlib import Path
from typing import NamedTuple

from tuner_tui.ui.log.index import LineIndex, line_starts
from tuner_tui.ui.log.lines import plain
from tuner_tui.ui.log.marks import Mark, MarkReader
from tuner_tui.ui.log.query import Query
from tuner_tui.ui.log.source import NO_LOG_YET, Look, Source

STEP_BYTES = 256 << 10
"""What a thread reads before others get their turn: a few milliseconds."""
TAIL_BYTES = 1 << 20
"""A larger file is shown from its last part first."""
LONGEST_BYTES = 64 << 10
"""What is read of one line, from its beginning and from its end."""


class Raw(NamedTuple):
    """A line as text, not yet made harmless. `size_bytes` without its line feed; `cut`: not all of it is here."""

    text: str
    size_bytes: int
    cut: bool


class LogDocument:
    """The lines of `path`, known ever better with each step (`reading` has their order). Everything but the threads'
    own work happens on the event loop, so that whoever reads here sees it at rest. Lines count from 0."""

    def __init__(self, path: Path, language: str) -> None:
        self.path = path
        self.index = LineIndex()
        self.query: Query | None = None
        self.matches: array[int] = array("I")
        """The lines that the query wants, among the first `searched`."""
        self.searched = 0
        self.marks: tuple[Mark, ...] = ()
        self.trouble = NO_LOG_YET
        """Why there is nothing (more) to read; "" while there is."""
        self.limit_bytes: int | None = None
        self.restarts = 0
        """How often the lines that were known ceased to be: another file, or a shorter one."""
        self.replaced = False
        """Set when they ceased because of that, and not of another limit."""
        self.head_lines = 0
        """Set when the head of a large file has come in front of its tail: by how many lines all have moved."""
        self.language = language
        self._source: Source | None = None
        self._size_bytes = 0
        self._head: LineIndex | None = None
        self._tail_first = True
        self._searched_torn = False
        self._marker = MarkReader(language)
        self._marked = 0
        self._closed = False

    def close(self) -> None:
        self._closed = True
        if self._source is not None:
            self._source.close()

    @property
    def complete(self) -> bool:
        """Whether line 0 is the file's first line; until then the numbers are those of its tail."""
        return self.index.begin == 0

    @property
    def indexed_share(self) -> float:
        """0 to 1."""
        if self._head is None:
            return 1.0
        return self._head.end / max(self.index.begin, 1)

    @property
    def marked_to_end(self) -> bool:
        return self._marked >= len(self.index) - self.index.torn

    @property
    def marked_share(self) -> float:
        """0 to 1."""
        return self._marked / max(len(self.index), 1) if self.complete else 0.0

    def ask(self, query: Query | None) -> None:
        """Another query; the matches come with the next steps."""
        self.query = query
        self.matches = array("I")
        self.searched, self._searched_torn = 0, False

    async def look(self) -> None:
        """Whether the file is there, and how long it is now: what `catch_up` goes by."""
        look = await asyncio.to_thread(Look, self.path, self._source)
        if self._closed:
            if look.source is not None:
                look.source.close()
            return
        self._settle(look)

    async def catch_up(self) -> bool:
        """One step towards the end of what `look` has found, and of the search. True: there is more to do."""
        source = self._source
        if source is None:
            return False
        if self.index.end < self._size_bytes:
            await self._read_on(source, self._size_bytes)
        elif self._may_search and self.query is not None:
            await self._search_on(source, self.query)
        return self.behind

    @property
    def behind(self) -> bool:
        """Whether `catch_up` has something to do."""
        return self._source is not None and (self.index.end < self._size_bytes or self._may_search)

    @property
    def _may_search(self) -> bool:
        """Lines are searched in their order, once line 0 is known."""
        return self.query is not None and self._head is None and self.searched < len(self.index)

    async def fill_in(self) -> bool:
        """One step of what nobody waits for at the end of the log: its head, and its marks. False: all is done."""
        source = self._source
        if source is None:
            return False
        if self._head is not None:
            await self._read_head(source)
        elif not self.marked_to_end:
            await self._mark_on(source)
        else:
            return False
        return True

    def _settle(self, look: Look) -> None:
        """Takes in what a look has found."""
        self.trouble = look.trouble
        size = look.size_bytes
        if look.source is not self._source:
            if self._source is not None:
                self._source.close()
                self._restart()
            self._source = look.source
        elif size < self._size_bytes and size < self.index.end:
            self._restart()  # truncated: what is there now is another log
        if self.limit_bytes is not None:
            size = min(size, self.limit_bytes)
        if size < self.index.end:
            self._cut(size)
        if self._tail_first and not self.index.end and size > 2 * TAIL_BYTES:
            begin = size - TAIL_BYTES
            self.index, self._head = LineIndex(begin), LineIndex()
        self._size_bytes = size

    def _restart(self) -> None:
        self.index, self._head = LineIndex(), None
        self.restarts += 1
        self.replaced = True
        self._size_bytes = 0
        self.ask(self.query)
        self._unmark()

    def _cut(self, size: int) -> None:
        """Only the first `size` bytes exist."""
        if size <= self.index.begin:
            self.index, self._head = LineIndex(), None
            self.restarts += 1
        else:
            self.index.cut(size)
        lines = len(self.index)
        if self.searched >= lines:
            del self.matches[bisect_left(self.matches, max(lines - 1, 0)) :]
            self.searched, self._searched_torn = max(lines - 1, 0), False
        if self._marked > lines - self.index.torn:
            self._unmark()

    def _unmark(self) -> None:
        self._marker, self._marked, self.marks = MarkReader(self.language), 0, ()

    async def _read_on(self, source: Source, end: int) -> None:
        index = self.index
        begin = index.end
        starts, read = await asyncio.to_thread(_starts, source, begin, min(end - begin, STEP_BYTES))
        if not read:
            self._size_bytes = begin  # it has become shorter; the next look tells
            return
        if self._head is not None and begin == index.begin:  # the tail begins in the middle of a line
            if starts:
                self.index = index = LineIndex(starts.pop(0))
            elif begin + read < end:
                self.index = LineIndex(begin + read)
                return
            else:
                self._tail_first = False
                self.index, self._head = LineIndex(), None
                return
        self._redo_torn()
        index.extend(starts, begin + read)

    async def _read_head(self, source: Source) -> None:
        head, index = self._head, self.index
        assert head is not None
        starts, read = await asyncio.to_thread(_starts, source, head.end, min(index.begin - head.end, STEP_BYTES))
        if self._head is not head:
            return
        head.extend(starts, head.end + read)
        if head.end >= index.begin or not read:
            self.head_lines = len(head)
            self.index.prepend(head)
            self._head = None

    def _redo_torn(self) -> None:
        """The last line goes on: it is searched once more."""
        if self._searched_torn and self.searched == len(self.index):
            self.searched -= 1
            if self.matches and self.matches[-1] == self.searched:
                self.matches.pop()
            self._searched_torn = False

    async def _search_on(self, source: Source, query: Query) -> None:
        index, first = self.index, self.searched
        stop = index.lines_within(first, STEP_BYTES)
        begin, end = index.span(first)[0], index.span(stop - 1)[1]
        torn = stop == len(index) and index.torn
        matches = self.matches
        if stop == first + 1:
            found = await asyncio.to_thread(lambda: [first] if query.takes(plain(self.raw(first).text)) else [])
        else:
            found = await asyncio.to_thread(_matching, source, query, first, begin, end)
        if self.matches is matches and self.index is index and self.searched == first:
            matches.extend(found)
            self.searched, self._searched_torn = stop, torn

    async def _mark_on(self, source: Source) -> None:
        marker, index, first = self._marker, self.index, self._marked
        stop = min(index.lines_within(first, STEP_BYTES // 4), len(index) - index.torn)  # the reader takes longer
        begin, end = index.span(first)[0], index.span(stop - 1)[1]
        began = time.monotonic()
        marks = await asyncio.to_thread(_marks, marker, source, begin, end)
        # It rests as long as it has worked: reading facts is nearly all there is to do, and not urgent.
        await asyncio.sleep(time.monotonic() - began)
        if self._marker is marker and self.index is index:
            self._marked = stop
            if marks != self.marks:
                self.marks = marks

    def raw(self, line: int) -> Raw:
        """What a line holds, and how much of it there is; nothing of one that has ceased to be."""
        source = self._source
        if source is None or line >= len(self.index):
            return Raw("", 0, False)
        begin, end = self.index.span(line)
        size = end - begin
        if line < len(self.index) - 1 or not self.index.torn:
            size -= 1  # the line feed
        if size <= LONGEST_BYTES:
            data, cut = source.read(begin, size), False
        else:
            data, cut = source.read(begin, LONGEST_BYTES // 2), True
            last = source.read(begin + size - LONGEST_BYTES // 2, LONGEST_BYTES // 2)
            if b"\r" in last.rstrip(b"\r\n"):
                data = last  # a progress bar that has been at it for long
        return Raw(data.decode("utf-8", errors="replace"), size, cut)

    def raws(self, first: int, stop: int) -> list[str]:
        """Several lines at once, as `raw` gives their texts; short ones come in one read."""
        if first >= len(self.index):
            return []
        stop = min(stop, len(self.index))
        begin, end = self.index.span(first)[0], self.index.span(stop - 1)[1]
        if end - begin > STEP_BYTES or self._source is None:
            return [self.raw(line).text for line in range(first, stop)]
        lines = self._source.read(begin, end - begin).decode("utf-8", errors="replace").split("\n")
        return [*lines, *[""] * (stop - first)][: stop - first]


def _starts(source: Source, begin: int, size: int) -> tuple[array[int], int]:
    data = source.read(begin, size)
    return line_starts(data, begin), len(data)


def _matching(source: Source, query: Query, first: int, begin: int, end: int) -> list[int]:
    text = source.read(begin, end - begin).decode("utf-8", errors="replace").removesuffix("\n")
    if not (text.isascii() and "\x1b" not in text and "\r" not in text):
        text = "\n".join(map(plain, text.split("\n")))
    return [first + number for number in query.taken(text)]


def _marks(marker: MarkReader, source: Source, begin: int, end: int) -> tuple[Mark, ...]:
    data = source.read(begin, min(end - begin, STEP_BYTES))
    # Of a line that is longer than a step its beginning will do.
    marker.feed(data if data.endswith(b"\n") else data + b"\n")
    return marker.marks()
