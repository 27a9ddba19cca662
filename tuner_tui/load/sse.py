"""Server-sent events, cut out of the pieces a socket gives."""

from __future__ import annotations


class EventSplitter:
    """Turns pieces of a byte stream into the data of whole events.

    Follows the event stream format of the HTML standard as far as data goes: lines end in LF, CR LF or CR, `:`
    starts a comment, several `data` lines of one event are joined by a line feed, an empty line ends an event.
    Other fields (`event`, `id`, `retry`) are passed over. More liberal in one thing: an event without its empty
    line is still given by `rest`.
    """

    def __init__(self) -> None:
        self._left = b""
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> list[bytes]:
        """The data of each event that `piece` completes, in order."""
        text = self._left + piece if self._left else piece
        # A CR at the end may be the first half of CR LF: it waits for what follows.
        end = max(text.rfind(b"\n"), text.rfind(b"\r", 0, len(text) - 1)) + 1
        if not end:
            self._left = text
            return []
        self._left = text[end:]
        return self._take(text[:end])

    def rest(self) -> list[bytes]:
        """At the end of the stream: the event that was not ended by an empty line, if there is one."""
        left, self._left = self._left, b""
        return self._take(left + b"\n\n")

    def _take(self, lines: bytes) -> list[bytes]:
        events = []
        for line in lines.splitlines():
            if line.startswith(b"data:"):
                self._data.append(line[6:] if line[5:6] == b" " else line[5:])
            elif not line and self._data:
                events.append(self._data[0] if len(self._data) == 1 else b"\n".join(self._data))
                self._data = []
        return events
