"""What stands before most lines of a log, read once for all lines that begin alike.

The clock moves once a second, but a server prints many lines in one.
"""

from __future__ import annotations

import re
from collections.abc import Hashable

from tuner_tui.engines.facts import Rank
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
        self._usual = (_VLLM if self._vllm else _SGLANG).fullmatch
        self._who: dict[bytes, tuple[Rank, Hashable | None]] = {b"": (NO_RANK, None)}

    def __missing__(self, begin: bytes) -> Origin | None:
        if len(self) >= _MOST:
            self.clear()
        self[begin] = origin = self._read(begin)
        return origin

    def _read(self, begin: bytes) -> Origin | None:
        found = self._usual(begin)
        if found is None:
            return None
        who, at = found["who"], found["at"]
        rank, member = self._who.get(who) or self._ranked(who)
        return Origin(at.decode(), rank, member)

    def _ranked(self, who: bytes) -> tuple[Rank, Hashable | None]:
        if len(self._who) >= _MOST:
            self._who = {b"": (NO_RANK, None)}
        if self._vllm:
            known = rank_of_processes(who.decode().rstrip())
        else:
            rank = rank_of_words(who.decode())
            known = rank, rank.name
        self._who[who] = known
        return known
