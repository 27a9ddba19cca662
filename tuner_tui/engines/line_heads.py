"""What stands before most lines of a log, read once for all lines that begin alike.

The clock moves once a second, but a server prints many lines in one.
"""

from __future__ import annotations

import re

from tuner_tui.engines.origins import NO_RANK, Origin, rank_of_processes, rank_of_words

LONGEST_BYTES = 160

_SGLANG = re.compile(
    rb"\[(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?P<who>(?: (?:DP|PP|ATTN_CP|MOE_DP|TP|EP)\d{1,6})*)\] "
)
_VLLM = re.compile(
    rb"(?P<who>(?:\([A-Za-z][\w-]*(?: rank=\d{1,6})? pid=\d{1,9}(?:, ip=[\d.]+)?\) )*)"
    rb"(?:DEBUG|INFO|WARNING|ERROR|CRITICAL) (?P<at>(?:\d{4}-)?\d\d-\d\d \d\d:\d\d:\d\d) \[?[\w./-]+:\d+\] "
)
_MOST = 4096


class Heads(dict[bytes, Origin | None]):
    """How lines of one log begin, up to the first "] " → their origin; None where that is unusual, so that it has to
    be looked for in the whole line."""

    def __init__(self, language: str) -> None:
        self._vllm = language == "vllm"

    def __missing__(self, begin: bytes) -> Origin | None:
        if len(self) >= _MOST:
            self.clear()
        self[begin] = origin = self._read(begin)
        return origin

    def _read(self, begin: bytes) -> Origin | None:
        found = (_VLLM if self._vllm else _SGLANG).fullmatch(begin)
        if found is None:
            return None
        at, who = found["at"].decode(), found["who"].decode()
        if not who:
            return Origin(at, NO_RANK, None)
        if self._vllm:
            return Origin(at, *rank_of_processes(who.rstrip()))
        rank = rank_of_words(who)
        return Origin(at, rank, rank.name)
