"""Bytes in arbitrary chunks → the pieces of a log."""

from __future__ import annotations

import re

import msgspec

LONGEST_BYTES = 32 << 10
"""What is kept of one line; the longest an engine prints, its own arguments, are 8 KB."""

_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # colours, cursor movements
    r"|\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # window titles, links
    r"|[ -/]*[0-~])?"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class LineSplitter:
    """Cuts bytes at line feeds and carriage returns. The pieces do not depend on how the bytes were chunked.

    Each piece keeps its end: `\\n`, `\\r\\n`, or a lone `\\r`, which ends every state of a progress bar but the last.
    """

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The pieces that `data` completes. What follows the last line end is kept for the next call."""
        rest = self._rest
        if b"\n" not in data and b"\r" not in data and not rest.endswith(b"\r"):
            rest += data[: max(LONGEST_BYTES - len(rest), 0)]
            return []
        # bytes.splitlines knows \n, \r and \r\n, and nothing else (str.splitlines would cut at more).
        pieces = (bytes(rest) + data if rest else data).splitlines(keepends=True)
        rest.clear()
        # A carriage return at the very end may still get its line feed.
        if not pieces[-1].endswith(b"\n"):
            rest += _shortened(pieces.pop())
        return pieces

    def close(self) -> list[bytes]:
        """What is left after the last byte, as a piece without an end."""
        piece = bytes(self._rest)
        self._rest.clear()
        return [piece] if piece else []


def _shortened(piece: bytes) -> bytes:
    """At most as much as is kept, and still with its carriage return."""
    if len(piece) <= LONGEST_BYTES:
        return piece
    return piece[:LONGEST_BYTES] + (b"\r" if piece.endswith(b"\r") else b"")


# Docker and JSON loggers; journalctl -o json; Google's, CloudWatch's and Loki's exports.
_MESSAGE_KEYS = ("log", "message", "msg", "event", "MESSAGE", "textPayload", "@message", "line")
_TRACEBACK_KEYS = ("exc_info", "exception", "traceback", "stack_trace", "error.stack_trace")
_LEVEL_KEYS = ("levelname", "level", "severity", "log.level")
_QUIET_LEVELS = {"debug": "DEBUG:    ", "info": "INFO:     ", "warning": "WARNING:  ", "warn": "WARNING:  "}
"""A level that says that a line is no error, as uvicorn prints it: the words alone may look like one."""


def unwrapped(piece: bytes) -> tuple[bytes, ...]:
    """The pieces (see `LineSplitter`) that a log collector has wrapped in one line of JSON: Docker's own files, JSON
    loggers, one within the other. A whole traceback becomes its lines. Any other line as it is."""
    if not piece.startswith(b'{"') or len(piece) > LONGEST_BYTES or not piece.rstrip().endswith(b"}"):
        return (piece,)
    try:
        record = msgspec.json.decode(piece)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return (piece,)
    texts = [*_texts(record, _MESSAGE_KEYS)[:1], *_texts(record, _TRACEBACK_KEYS)]
    if not texts:
        return (piece,)
    level = "".join(_texts(record, _LEVEL_KEYS)[:1]).lower()
    text = _QUIET_LEVELS.get(level, "") + "\n".join(each.rstrip("\r\n") for each in texts) + "\n"
    pieces = text.encode(errors="replace").splitlines(keepends=True)
    return tuple(inner for each in pieces for inner in unwrapped(each))


def _texts(record: dict[str, object], keys: tuple[str, ...]) -> list[str]:
    return [text for key in keys if (text := _text(record.get(key))) is not None]


def _text(value: object) -> str | None:
    """journalctl writes a message that holds escape sequences as a list of its bytes."""
    if isinstance(value, list) and value and all(isinstance(each, int) and 0 <= each < 256 for each in value):
        return bytes(value).decode(errors="replace")
    return value if isinstance(value, str) else None


def line_end(piece: bytes) -> bytes:
    """What a piece ends with: nothing, or one of the line ends of `LineSplitter`."""
    return piece[len(piece.rstrip(b"\r\n")) :]


def readable(piece: bytes) -> str:
    """A piece as text without its end, escape sequences and control characters (tabs stay). What is not UTF-8
    becomes replacement characters."""
    text = piece.rstrip(b"\r\n")[:LONGEST_BYTES].decode("utf-8", errors="replace")
    if not text.isprintable():
        text = _CONTROL.sub("", _ESCAPES.sub("", text))
    return text
