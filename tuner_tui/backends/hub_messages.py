"""What the downloading process tells: one JSON object a line, on standard output."""

from __future__ import annotations

import msgspec


class Moved(msgspec.Struct, frozen=True, kw_only=True, tag="moved"):
    """Bytes there and bytes wanted; `detail` names what is waited for."""

    done: int
    total: int
    detail: str = ""


class Finished(msgspec.Struct, frozen=True, kw_only=True, tag="finished"):
    """The snapshot's folder."""

    path: str


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    """As `backend.StartFailed`."""

    failure_class: str
    reason: str
    line: str


Message = Moved | Finished | Failed
