"""HTTP/1.1 answers: the head, and where the body ends (RFC 9112). Written for streams that are timed read by read."""

from __future__ import annotations

import re
from dataclasses import dataclass

_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?:[ \r\n]|$)")
_MAX_HEAD = 65_536
_MAX_SIZE_LINE = 4_096


class NotHttp(Exception):
    """What came is no HTTP answer: a few words on it."""


@dataclass(frozen=True, slots=True)
class Head:
    """What an answer's head says."""

    status: int
    content_type: str
    chunked: bool
    length: int | None
    keep_alive: bool
    location: str = ""
    """Where a redirection leads."""


def parse_head(text: bytes) -> Head:
    """From the status line to the last header, without the empty line. Raises NotHttp."""
    first, *lines = text.split(b"\n")
    found = _STATUS.match(first)
    if found is None:
        raise NotHttp(first[:80].decode("latin-1"))
    headers: dict[bytes, bytes] = {}
    for line in lines:
        name, _, value = line.partition(b":")
        headers[name.strip().lower()] = value.strip()
    status = int(found[1])
    chunked = headers.get(b"transfer-encoding", b"").lower().endswith(b"chunked")
    length: int | None = None
    if status in (204, 304):
        length = 0
    elif not chunked and (given := headers.get(b"content-length")) is not None:
        if not re.fullmatch(rb"\d{1,15}", given):
            raise NotHttp(f"Content-Length {given[:40].decode('latin-1')}")
        length = int(given)
    connection = headers.get(b"connection", b"").lower()
    keep_alive = b"close" not in connection and (first.startswith(b"HTTP/1.1") or b"keep-alive" in connection)
    content_type, location = (headers.get(name, b"").decode("latin-1") for name in (b"content-type", b"location"))
    return Head(status, content_type.lower(), chunked, length, keep_alive, location)


class Body:
    """Takes an answer piece by piece as it was read and gives the body's bytes; knows where it ends.

    `feed` raises NotHttp. Interim answers (100 Continue) are passed over. `ended` is set by the last piece, or stays
    False for a body that only the closing of the connection ends.
    """

    __slots__ = ("_left", "_missing", "_trailing", "ended", "head", "surplus")

    def __init__(self) -> None:
        self.head: Head | None = None
        self.ended = False
        self.surplus = False
        """Bytes came after the end: the connection cannot be used again."""
        self._left = b""
        self._missing = 0  # bytes of the present chunk (and its line end), or of the whole body
        self._trailing = False

    def feed(self, piece: bytes) -> bytes:
        head = self.head
        if head is None:
            piece = self._take_head(piece)
            head = self.head
            if head is None:
                return b""
        if self.ended:
            self.surplus = self.surplus or bool(piece)
            return b""
        if head.chunked:
            return self._take_chunks(piece)
        if head.length is None:
            return piece
        body = piece[: self._missing]
        self._missing -= len(body)
        if not self._missing:
            self.ended = True
            self.surplus = len(piece) > len(body)
        return body

    def _take_head(self, piece: bytes) -> bytes:
        """What follows the head, once it is whole; sets `head`."""
        text = self._left + piece
        while True:
            if text[:5] != b"HTTP/"[: len(text)]:
                raise NotHttp(text[:80].split(b"\n")[0].decode("latin-1"))
            end = text.find(b"\r\n\r\n")
            if end < 0:
                if len(text) > _MAX_HEAD:
                    raise NotHttp("a head without an end")
                self._left = text
                return b""
            head = parse_head(text[:end])
            text = text[end + 4 :]
            if head.status >= 200 or head.status == 101:
                break
            if not text:
                self._left = b""
                return b""
        self._left = b""
        self.head = head
        self._missing = head.length or 0
        self.ended = head.length == 0
        return text

    def _take_chunks(self, piece: bytes) -> bytes:
        left, missing = self._left, self._missing
        if not left and not missing:
            # Nearly always: one chunk, whole.
            line = piece.find(b"\r\n")
            try:
                if len(piece) == line + 4 + (size := int(piece[:line], 16)) and size and piece[-2:] == b"\r\n":
                    return piece[line + 2 : -2]
            except ValueError:
                pass
        text = left + piece if left else piece
        at, parts = 0, []
        while True:
            if missing:
                # The chunk's line end belongs to it, so that `missing` is above 2 while there is data to come.
                data = text[at : at + missing - 2] if missing > 2 else b""
                taken = min(missing, len(text) - at)
                parts.append(data)
                at += taken
                missing -= taken
                if missing:
                    left = b""
                    break
            if self._trailing:
                at = self._skip_trailers(text, at)
                left = text[at:] if not self.ended else b""
                self.surplus = self.ended and at < len(text)
                break
            line = text.find(b"\r\n", at)
            if line < 0:
                left = text[at:]
                if len(left) > _MAX_SIZE_LINE:
                    raise NotHttp("a chunk without a size")
                break
            missing = _size(text[at:line])
            at = line + 2
            if missing:
                missing += 2
            else:
                self._trailing = True
        self._left, self._missing = left, missing
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _skip_trailers(self, text: bytes, at: int) -> int:
        """Over the lines after the last chunk, up to the empty one."""
        while (line := text.find(b"\r\n", at)) >= 0:
            empty = line == at
            at = line + 2
            if empty:
                self.ended = True
                break
        return at


def _size(line: bytes) -> int:
    digits = line.partition(b";")[0].strip()
    if not re.fullmatch(rb"[0-9a-fA-F]{1,12}", digits):
        raise NotHttp(f"chunk size {line[:40].decode('latin-1')}")
    return int(digits, 16)
