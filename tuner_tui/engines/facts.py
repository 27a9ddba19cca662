"""What an engine said in its log, typed and with units."""

from __future__ import annotations

import msgspec


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """GPU memory as the log tells it, worst rank; None where it does not say. GiB are 2**30 bytes, which both
    engines mean even where they print "GB". `kv_cache_tokens` is that of the whole server."""

    weights_gib: float | None = None
    kv_cache_gib: float | None = None
    kv_cache_tokens: int | None = None
    available_gib: float | None = None
    total_gib: float | None = None


class EngineError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a server failed, read from its log.

    `failure_class` is one of `engines.errors.CLASSES`; `reason` one sentence with advice; `line` the log line
    that says so, as printed; `line_number` counts from 1. `fatal` is True only for a pattern after which no
    engine ever recovers, so that the launch may be ended at once.
    """

    failure_class: str
    reason: str
    line: str
    line_number: int
    fatal: bool = False
