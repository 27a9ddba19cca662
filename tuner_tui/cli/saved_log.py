"""A saved log as the engine printed it, however it was saved: plain, gzipped, or as UTF-16 (Windows PowerShell)."""

from __future__ import annotations

import codecs
import itertools
import re
import zlib
from collections.abc import Iterator
from typing import BinaryIO

_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SAMPLE_BYTES = 64 << 10
_MOST_UNREADABLE = 0.3
"""Share of a text's beginning that may be no text: Git and Perl draw the line there, too."""
_ZEROS = re.compile(rb"\0{64,}")
"""What a file system leaves where a log was cut while it was written: no sign of binary data."""
_UNREADABLE = re.compile("[\x00-\x07\x0e-\x1a\x1c-\x1f\x7f\ufffd]")


def chunks(file: BinaryIO) -> Iterator[bytes]:
    """The log in `file` as UTF-8. Raises OSError where it cannot be read or is no text."""
    read = iter(lambda: file.read(_CHUNK), b"")
    first = next(read, b"")
    if first.startswith(_GZIP):
        read = _unzipped(itertools.chain((first,), read))
        first = next(read, b"")
    if first.startswith(_UTF16):
        read = _recoded(itertools.chain((first,), read))
        first = next(read, b"")
    if _binary(first):
        raise OSError("this is binary data, not text")
    yield first
    yield from read


def _unzipped(read: Iterator[bytes]) -> Iterator[bytes]:
    """`gzip` may put several files one behind the other, and zeros behind the last."""
    unzip = zlib.decompressobj(wbits=31)
    try:
        for chunk in read:
            while chunk := chunk.lstrip(b"\0") if unzip.eof else chunk:
                if unzip.eof:
                    unzip = zlib.decompressobj(wbits=31)
                if text := unzip.decompress(chunk, _CHUNK):
                    yield text
                chunk = unzip.unused_data if unzip.eof else unzip.unconsumed_tail
    except zlib.error:
        raise OSError("the gzip file is damaged") from None
    if not unzip.eof:
        raise OSError("the gzip file has no end")


def _recoded(read: Iterator[bytes]) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder("utf-16")(errors="replace")
    for chunk in read:
        yield decoder.decode(chunk).encode()
    yield decoder.decode(b"", final=True).encode()


def _binary(first: bytes) -> bool:
    sample = _ZEROS.sub(b"", first[:_SAMPLE_BYTES]).decode(errors="replace")
    return len(_UNREADABLE.findall(sample)) > _MOST_UNREADABLE * len(sample)
