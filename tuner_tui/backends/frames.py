"""The Docker Engine's multiplexed stream: stdout and stderr in one connection.

Format: Docker Engine API, "ContainerAttach", section "Stream format": one byte stream type (1 stdout, 2 stderr),
three zero bytes, the payload's length as a big-endian 32-bit number, the payload.
"""

from __future__ import annotations

import struct

HEADER = struct.Struct(">BxxxL")


class Frames:
    """Cuts a byte stream, arriving in pieces of any size, into whole frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Every frame that is complete by now: (stream type, payload), in order."""
        data = self._rest + data
        frames: list[tuple[int, bytes]] = []
        at, size = 0, len(data)
        while size - at >= HEADER.size:
            stream, length = HEADER.unpack_from(data, at)
            end = at + HEADER.size + length
            if end > size:
                break
            frames.append((stream, data[at + HEADER.size : end]))
            at = end
        self._rest = data[at:]
        return frames
