"""What stands before most lines of a log, read once for all lines that begin alike.

The clock moves once a second, but a server prints many lines in one.
"""

from __future__ import annotations

import re
from collections.abc import Hashable

from tuner_tui.engines.facts import Rank
from tuner_tui.engines.origins import NO_RANK, Origin, rank_of_processes, rank_of_words

LONGEST_BYTES = 160
LETTERS = frozenset(b"[(DIWEC")
"""What it may begin with."""

_SGLANG = re.compile(
    rb"\[(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?P<who>(?: (?:DP|PP|ATTN_CP|MOE_DP|TP|EP)\d{1,6})*)\] "
)
_VLLM = re.compile(
    rb"(?P<who>(?:\([^()]*\) )*)"  # see `_PROCESSES`
    rb"(?:DEBUG|INFO|WARNING|ERROR|CRITICAL) (?P<at>(?:\d{4}-)?\d\d-\d\d \d\d:\d\d:\d\d) \[?[\w./-]+:\d+\] "
)
_PROCESSES = re.compile(rb"(?:\([A-Za-z][\w-]*(?: rank=\d{1,6})? pid=\d{1,9}(?:, ip=[\d.]+)?\) )*")
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
        origin = None
        if found := self._usual(begin):
            who, at = found.group("who", "at")
            known = self._who.get(who) or self._ranked(who)
            if known is not None:
                origin = Origin(at.decode(), *known)
        self[begin] = origin
        return origin

    def _ranked(self, who: bytes) -> tuple[Rank, Hashable | None] | None:
        if len(self._who) >= _MOST:
            self._who = {b"": (NO_RANK, None)}
        if self._vllm:
            if _PROCESSES.fullmatch(who) is None:
                return None
            known = rank_of_processes(who.decode().rstrip())
        else:
            rank = rank_of_words(who.decode())
            known = rank, rank.name
        self._who[who] = known
        return known
