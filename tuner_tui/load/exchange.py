"""One request under way: what was read and when. Nothing is decoded while it runs."""

from __future__ import annotations

import asyncio
from time import perf_counter

from tuner_tui.load.connection import Connection, Control, arrival_s, clock_offset_s
from tuner_tui.load.http import Body, NotHttp

# The last chunk of a chunked body, after the line end of the one before (or of the head).
_END = b"\r\n0\r\n\r\n"


class Exchange:
    """A request on its connection, from its first byte sent to the last one read.

    `ended` is done when the answer is whole, the connection closed, or `expire` was called. While a stream runs, a
    read is noted with its time and its last bytes are looked at, no more; `pieces` makes of it what it was. All
    times are `perf_counter`'s.
    """

    __slots__ = (
        "_body",
        "_connection",
        "_fed",
        "_parts",
        "_reads",
        "_stream",
        "closed",
        "end_s",
        "ended",
        "error",
        "expired",
        "sent_s",
    )  # fmt: skip

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.ended: asyncio.Future[None] = loop.create_future()
        self.sent_s = 0.0
        self.end_s = 0.0
        self.closed = False
        """The connection ended before the answer did."""
        self.expired = False
        self.error: NotHttp | None = None
        self._reads: list[tuple[bytes, float, Control]] = []
        self._parts: list[bytes] = []
        self._fed = 0
        self._body = Body()
        self._stream = False
        self._connection: Connection | None = None

    @property
    def status(self) -> int | None:
        """None where no head came."""
        return self._body.head.status if self._body.head else None

    @property
    def location(self) -> str:
        """Where a redirection leads; empty where it is none."""
        return self._body.head.location if self._body.head else ""

    @property
    def unheard(self) -> bool:
        """The connection was closed without a single byte of an answer."""
        return self.closed and not any(data for data, _, _ in self._reads)

    @property
    def content_type(self) -> str:
        return self._body.head.content_type if self._body.head else ""

    @property
    def reads(self) -> int:
        """How often something came: about a chunk each."""
        return len(self._reads)

    def begin(self, connection: Connection, data: bytes) -> None:
        self._connection = connection
        connection.take = self.take
        self.sent_s = perf_counter()
        connection.send(data)

    def take(self, data: bytes, now_s: float, control: Control) -> bool:
        """The connection's next read. This is the hot path: once for every token of every stream. False: it ended."""
        self._reads.append((data, now_s, control))
        if self._stream:
            if data[-4:] != b"\r\n\r\n" and len(data) >= len(_END):
                return True
            if data[-7:] == _END:
                self._end()
                return False
        self._look()
        return not self.ended.done()

    def expire(self) -> None:
        """The time allowed is over."""
        if not self.ended.done():
            self.expired = True
            self.end_s = perf_counter()
            self._end()

    @property
    def reusable(self) -> bool:
        """Whether the connection may serve another request."""
        head = self._body.head
        whole = not (self.closed or self.expired or self.error or self._body.surplus)
        return whole and head is not None and head.keep_alive and (head.chunked or head.length is not None)

    def pieces(self) -> list[tuple[bytes, float, float | None]]:
        """The body as it was read: bytes, arrival, and how long they had lain there (None: not known).

        The arrival is the kernel's stamp where it gave one, so that a generator that is busy does not add its own
        lateness; otherwise when the read returned. A read's stamp is that of its last packet.
        """
        self._feed()
        offset_s = clock_offset_s()
        found: list[tuple[bytes, float, float | None]] = []
        before_s = self.sent_s
        for (_, now_s, control), part in zip(self._reads, self._parts, strict=False):
            stamp_s = arrival_s(control, offset_s)
            # A stamp outside of what is possible: the wall clock was set meanwhile.
            if stamp_s is not None and before_s - 0.001 <= stamp_s <= now_s + 0.001:
                before_s = min(max(stamp_s, before_s), now_s)
                found.append((part, before_s, now_s - before_s))
            else:
                before_s = now_s
                found.append((part, now_s, None))
        if not self.expired and self._reads:
            self.end_s = before_s if not self.closed else max(before_s, self._reads[-1][1])
        if self.error is None and not (self.closed or self.expired or self._body.ended or self._ends_by_closing()):
            self.error = NotHttp("the body's end came in the middle of a chunk")
        return found

    def _look(self) -> None:
        if not self._reads[-1][0]:
            self.closed = not (self._body.head is not None and not self._stream and self._ends_by_closing())
            self._end()
            return
        self._feed()
        head = self._body.head
        if self.error is not None or self._body.ended:
            self._end()
        elif head is not None:
            self._stream = head.chunked and head.content_type.startswith("text/event-stream")

    def _ends_by_closing(self) -> bool:
        head = self._body.head
        return head is not None and not head.chunked and head.length is None

    def _feed(self) -> None:
        """Brings the framing up to the last read."""
        reads = self._reads
        while self._fed < len(reads) and self.error is None:
            data = reads[self._fed][0]
            self._fed += 1
            try:
                self._parts.append(self._body.feed(data))
            except NotHttp as error:
                self.error = error

    def _end(self) -> None:
        if self._connection is not None:
            self._connection.take = None
        if not self.ended.done():
            self.ended.set_result(None)
