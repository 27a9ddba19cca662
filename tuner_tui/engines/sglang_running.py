"""SGLang's batch lines: what a server at work prints by the thousand.

Keys and their order change often, so the rest of a line is read as `key: value` pairs. A layout that was seen once is
turned into one pattern, which reads the next line like it in under a microsecond.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import itemgetter
from typing import Any, Literal, NamedTuple

from tuner_tui.engines.facts import Rank
from tuner_tui.engines.origins import NO_RANK
from tuner_tui.engines.origins import sglang as origin_of
from tuner_tui.engines.totals import COUNTS, SHARES, Figures

_BATCH = re.compile(rb"(Prefill|Decode) batch(?: \[\d+\])?[.,] (?=#)")
_FRACTION = rb"(?:\.\d{1,15})?"
_COUNT, _FIGURE, _FLAG = rb"(\d{1,15})", rb"(-?\d{1,15}" + _FRACTION + rb")", rb"(True|False)"
_KEYS: dict[bytes, tuple[str, bytes]] = {
    # key → field, and what its value must look like
    b"#running-req": ("running", _COUNT),
    b"#queue-req": ("queued", _COUNT),
    b"token usage": ("usage", _FIGURE),
    b"full token usage": ("usage", _FIGURE),  # hybrid models
    b"gpu token usage": ("usage", _FIGURE),  # HiSparse
    b"#new-token": ("new", _COUNT),
    b"#cached-token": ("cached", _COUNT),
    b"input throughput (token/s)": ("prefill", _FIGURE),
    b"gen throughput (token/s)": ("decode", _FIGURE),
    b"accept len": ("accept", _FIGURE),
    b"cuda graph": ("graphs", _FLAG),
    b"cpu graph": ("graphs", _FLAG),
    b"npu graph": ("graphs", _FLAG),
    b"xpu graph": ("graphs", _FLAG),
}
_USUAL = re.compile(rb"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?: [A-Z_]+\d{1,6})*\] ")
_TIME_BYTES = len("[2025-11-06 12:09:58")
_E = ord("e")
_FIELDS = ("running", "queued", "usage", "new", "cached", "prefill", "decode", "accept", "graphs")
_MOST_LAYOUTS, _MOST_RANKS, _MOST_KEYS, _LONGEST_KEY = 16, 1024, 40, 60


class _Layout(NamedTuple):
    pattern: re.Pattern[bytes]
    kind: Literal["prefill", "decode"]
    values: Callable[[tuple[bytes | None, ...]], tuple[Any, ...]]
    """Takes None and the pattern's groups; gives the value of each of `_FIELDS`, None where the line has none."""


class BatchReader:
    """Reads batch lines; remembers layouts and prefixes, so one reader belongs to one log."""

    word = b" batch"
    """A line without it need not be read."""

    def __init__(self) -> None:
        self._layouts: list[_Layout] = []
        self._prefix: bytes | None = None
        self._ranks: dict[bytes, Rank] = {}
        """What follows the time → whose line it is."""
        self._at, self._rank = "", NO_RANK

    def read(self, piece: bytes, found: int, at: str) -> Figures | None:
        """The batch that a line tells of; None for any other line. `found`: where `word` stands in it first. `at` is
        taken where the line has no time."""
        # "Decode" has six letters, "Prefill" seven.
        start = found - 6 if piece[found - 1] == _E else found - 7
        if start < 0 or (piece[start] not in b"DP" and piece.find(b"Decode batch") < 0 > piece.find(b"Prefill batch")):
            return None  # "Capturing batches"
        for layout in self._layouts:
            match = layout.pattern.match(piece, start)
            if match is not None:
                break
        else:
            learned = self._learn(piece)
            if learned is None:
                return None
            layout, match = learned
            start = match.start()
        prefix = piece[:start]
        if prefix != self._prefix:
            self._read_prefix(prefix)
        _, kind, values = layout
        run, queued, usage, new, cached, prefill, decode, accept, graphs = values((None, *match.groups()))
        return (
            self._at or at,
            self._rank,
            kind,
            COUNTS[run],
            COUNTS[queued],
            SHARES[usage],
            None if prefill is None else float(prefill),
            None if decode is None else float(decode),
            COUNTS[new],
            COUNTS[cached],
            None,
            None if accept is None else float(accept),
            None if graphs is None else graphs == b"True",
            None,
        )

    def _read_prefix(self, prefix: bytes) -> None:
        """Most often only the time has changed: `[2025-11-06 12:09:58 TP0] `."""
        tail = prefix[_TIME_BYTES:]
        rank = self._ranks.get(tail)
        if rank is not None and prefix[:1] == b"[" and prefix[14:15] == b":" and prefix.isascii():
            self._at, self._rank = prefix[1:_TIME_BYTES].decode(), rank
        else:
            origin = origin_of(prefix.decode("utf-8", errors="replace"))
            self._at, self._rank = origin.at, origin.rank
            if _USUAL.fullmatch(prefix) and len(self._ranks) < _MOST_RANKS:
                self._ranks[tail] = origin.rank
        self._prefix = prefix

    def _learn(self, piece: bytes) -> tuple[_Layout, re.Match[bytes]] | None:
        """The layout of a line that none of the known ones reads. A garbled line's is used once and forgotten."""
        begin = _BATCH.search(piece)
        if begin is None:
            return None
        parts = [part.partition(b": ") for part in piece[begin.end() :].rstrip(b", \r\n").split(b", ")]
        keys = [key for key, colon, _ in parts if colon]
        whole = len(keys) == len(parts) <= _MOST_KEYS and max(map(len, keys)) <= _LONGEST_KEY
        fields: list[str] = []
        values: list[bytes] = []
        for key, colon, value in parts:
            field, form = _KEYS.get(key, ("", b""))
            if not colon or not field or field in fields or re.fullmatch(form, value) is None:
                if whole:
                    values.append(re.escape(key) + rb": [^,\r\n]*")
                continue
            fields.append(field)
            # As this line has it, with a point or without: a choice would cost more than another layout.
            form = form.replace(_FRACTION, rb"\.\d{1,15}" if b"." in value else b"")
            values.append(re.escape(key) + b": " + form)
        head = begin[1] + rb" batch(?: \[\d+\])?[.,] "
        text = rb", ".join(values) + rb"[, \r\n]*$" if whole else b"".join(rb".*?" + each for each in values)
        places = tuple(fields.index(each) + 1 if each in fields else 0 for each in _FIELDS)
        kind: Literal["prefill", "decode"] = "prefill" if "prefill" in fields or "new" in fields else "decode"
        layout = _Layout(re.compile(head + text, re.DOTALL), kind, itemgetter(*places))
        match = layout.pattern.match(piece, begin.start())
        if match is None:
            return None
        if whole and len(self._layouts) < _MOST_LAYOUTS:
            self._layouts.append(layout)
        return layout, match
