"""One connection to a server, read as soon as bytes are there and stamped by the kernel where it can.

Not asyncio's transports: those take a 256 KiB buffer anew for every read, which costs several times what reading a
token does, and they hand over no time stamps.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import perf_counter
from typing import Any

_READ_BYTES = 16_384
_STAMP = struct.Struct("@qq")
_STAMP_ROOM = socket.CMSG_SPACE(_STAMP.size) if hasattr(socket, "CMSG_SPACE") else 0
# SO_TIMESTAMPNS, which the socket module does not name. Linux gives stamps for TCP since 4.16.
_SO_TIMESTAMPNS = 35 if sys.platform == "linux" else None

Control = Sequence[tuple[int, int, bytes]]
"""What the kernel said beside the bytes: the arrival of their last packet, or nothing."""

Addresses = Sequence[tuple[Any, ...]]
"""As `socket.getaddrinfo` gives them."""

Take = Callable[[bytes, float, Control], bool]
"""Told of each read: bytes (none: the other side closed), `perf_counter` after the read, the kernel's stamp. Returns
whether it only noted it, so that nobody need be woken."""


def arrival_s(control: Control, offset_s: float) -> float | None:
    """The kernel's stamp on the clock of `perf_counter`; None where it gave none. `offset_s`: see `clock_offset_s`."""
    for level, kind, data in control:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(data) == _STAMP.size:
            seconds, nanoseconds = _STAMP.unpack(data)
            return float(seconds - int(offset_s) + nanoseconds * 1e-9 - (offset_s - int(offset_s)))
    return None


def clock_offset_s() -> float:
    """Wall clock − `perf_counter`, the best of three looks: the kernel stamps by the former.

    Both run at one pace (the kernel steers them together); only a step of the wall clock changes the offset.
    """
    best = (1.0, 0.0)
    for _ in range(3):
        before = perf_counter()
        wall = time.time()
        width = perf_counter() - before
        best = min(best, (width, wall - before - width / 2))
    return best[1]


class Connection:
    """An open connection. Its owner sets `take` and calls `close` in any case."""

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket, tls: _Tls | None) -> None:
        self.take: Take | None = None
        self.closed = False
        self.idle_since_s = 0.0
        self._loop = loop
        self._socket = sock
        self._receive = sock.recvmsg
        self._tls = tls
        self._unsent = b""

    @classmethod
    async def open(cls, addresses: Addresses, host: str, tls: ssl.SSLContext | None) -> Connection:
        """To the first of the addresses that answers. Raises OSError (also ssl.SSLError)."""
        loop = asyncio.get_running_loop()
        sock = await _connect(loop, addresses)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if _SO_TIMESTAMPNS is not None:
                with suppress(OSError):  # no stamps, then
                    sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            session = None
            if tls is not None:
                session = _Tls(tls, host)
                await session.shake_hands(loop, sock)
            made = cls(loop, sock, session)
            loop.add_reader(sock.fileno(), made._readable_tls if session else made._readable)
            return made
        except BaseException:
            sock.close()
            raise

    def send(self, data: bytes) -> None:
        """Hands the bytes to the socket; what it does not take at once follows when it can."""
        if self._tls is not None:
            data = self._tls.encrypt(data)
        try:
            sent = self._socket.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            return  # reading tells
        if sent < len(data):
            self._unsent = data[sent:]
            self._loop.add_writer(self._socket.fileno(), self._writable)

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        self._loop.remove_reader(self._socket.fileno())
        self._loop.remove_writer(self._socket.fileno())
        self._socket.close()

    def _readable(self) -> bool:
        """As `load.reading_loop` has it: True where nobody need be woken."""
        try:
            data, control, _, _ = self._receive(_READ_BYTES, _STAMP_ROOM)
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            data, control = b"", []
        if self.take is not None:
            return self.take(data, perf_counter(), control)
        self.close()  # closed by the server while idle, or it speaks unasked
        return False

    def _readable_tls(self) -> bool:
        assert self._tls is not None
        try:
            data, control, _, _ = self._receive(_READ_BYTES, _STAMP_ROOM)
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            data, control = b"", []
        now_s = perf_counter()
        ended = not data
        if data:
            data, ended = self._tls.decrypt(data)
            if not data and not ended:
                return True  # half a TLS record
        if self.take is None:
            if data or ended:
                self.close()
            return False
        noted = self.take(data, now_s, control) if data else True
        if ended and self.take is not None and not self.closed:
            noted = self.take(b"", now_s, control)
        return noted

    def _writable(self) -> None:
        try:
            sent = self._socket.send(self._unsent)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            sent = len(self._unsent)  # reading tells
        self._unsent = self._unsent[sent:]
        if not self._unsent:
            self._loop.remove_writer(self._socket.fileno())


class _Tls:
    """The TLS side of a connection, on bytes in memory."""

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)

    async def shake_hands(self, loop: asyncio.AbstractEventLoop, sock: socket.socket) -> None:
        while True:
            try:
                self._object.do_handshake()
                break
            except ssl.SSLWantReadError:
                await loop.sock_sendall(sock, self._outgoing.read())
                data = await loop.sock_recv(sock, _READ_BYTES)
                if not data:
                    raise ConnectionResetError from None
                self._incoming.write(data)
        await loop.sock_sendall(sock, self._outgoing.read())

    def encrypt(self, data: bytes) -> bytes:
        self._object.write(data)
        return self._outgoing.read()

    def decrypt(self, data: bytes) -> tuple[bytes, bool]:
        """The plain bytes that these complete, and whether the other side said goodbye."""
        self._incoming.write(data)
        pieces: list[bytes] = []
        try:
            while piece := self._object.read(_READ_BYTES):
                pieces.append(piece)
        except ssl.SSLWantReadError:
            return b"".join(pieces), False
        except ssl.SSLError:
            pass
        return b"".join(pieces), True


async def addresses_of(host: str, port: int) -> Addresses:
    """Raises OSError, and UnicodeError where the host cannot be a name."""
    return await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)


async def _connect(loop: asyncio.AbstractEventLoop, addresses: Addresses) -> socket.socket:
    """Raises OSError of the last that did not answer."""
    failure = OSError("the host has no address")
    for family, kind, protocol, _, address in addresses:
        sock = socket.socket(family, kind | getattr(socket, "SOCK_CLOEXEC", 0), protocol)
        sock.setblocking(False)
        try:
            await loop.sock_connect(sock, address)
            return sock
        except OSError as error:
            failure = error
            sock.close()
        except BaseException:
            sock.close()
            raise
    raise failure
