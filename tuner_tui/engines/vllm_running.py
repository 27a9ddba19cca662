"""vLLM's lines of a server at work: the figures of the last ten seconds, for each engine core."""

from __future__ import annotations

import re

from tuner_tui.engines.facts import AnyFact, Rank, Running, Speculated, Where
from tuner_tui.engines.log_rows import SECONDS
from tuner_tui.engines.origins import NO_RANK
from tuner_tui.engines.totals import COUNTS, PERCENTS, Figures

_FIGURES = (
    rb"(?:Engine (\d{1,6}): )?Avg prompt throughput: (\d{1,15}\.\d{1,9}) tokens/s, "
    rb"Avg generation throughput: (\d{1,15}\.\d{1,9}) tokens/s, "
    rb"Running: (\d{1,9}) reqs,(?: Swapped: \d+ reqs,)? (?:Waiting|Pending): (\d{1,9}) reqs"
    # The usual end, read in one go.
    rb"(?:, [A-Z]+ KV cache usage: (\d{1,3}\.\d)%, Prefix cache hit rate: (\d{1,3}\.\d)%\s*$)?"
)
_USUAL = re.compile(rb"(?:\([^)]*\) )?[A-Z]+ ((?:\d{4}-)?\d\d-\d\d \d\d:\d\d:\d\d) \[[^\]]*\] " + _FIGURES)
_ANYWHERE = re.compile(rb"()" + _FIGURES)
_TIME = re.compile(rb"[A-Z]+ ((?:\d{4}-)?\d\d-\d\d \d\d:\d\d:\d\d)")
_USAGE = re.compile(rb" KV cache usage: (\d{1,9}(?:\.\d{1,9})?)%")
_HITS = re.compile(rb"(?<!External p)refix cache hit rate: (?:GPU: )?(\d{1,3}(?:\.\d{1,9})?)%")
_PREEMPTIONS = re.compile(rb", Preemptions: (\d{1,9})")
_MOST_RANKS = 1024
_ACCEPTED = re.compile(rf"[Mm]ean acceptance length: (?P<length>{SECONDS})")
_EMITTED = re.compile(rf"System efficiency: (?P<share>{SECONDS}), Number of speculative tokens: (?P<tokens>\d{{1,4}})")
"""V0: the share of the tokens that would have been emitted had every draft, and its bonus token, been accepted."""


class BatchReader:
    """Reads the lines of an interval."""

    word = b" throughput: "
    """A line without it need not be read."""

    def __init__(self) -> None:
        self._ranks: dict[bytes | None, Rank] = {None: NO_RANK}
        """The engine's number as printed → whose figures they are."""

    def read(self, piece: bytes, found: int, at: str) -> Figures | None:
        """The figures that a line tells of; None for any other line. `found`: where `word` stands in it first. `at` is
        taken where the line has no time."""
        match = _USUAL.match(piece)
        if match is None:
            match = _ANYWHERE.search(piece)
            if match is None:
                return None
            time = _TIME.search(piece, 0, match.start())
            at = time[1].decode() if time else at
        told, engine, prompt, generation, running, waiting, usage, hits = match.groups()
        rank = self._ranks.get(engine)
        if rank is None:
            copy = int(engine)
            rank = Rank(copy, f"DP{copy}") if copy else NO_RANK
            if len(self._ranks) < _MOST_RANKS:
                self._ranks[engine] = rank
        preempted = None
        if usage is None:
            end = match.end()
            usage, hits, preempted = (_first(pattern.search(piece, end)) for pattern in (_USAGE, _HITS, _PREEMPTIONS))
        return (
            told.decode() if told else at,
            rank,
            "interval",
            COUNTS[running],
            COUNTS[waiting],
            PERCENTS[usage],
            float(prompt),
            float(generation),
            None,
            None,
            PERCENTS[hits],
            None,
            None,
            int(preempted) if preempted else None,
        )


def extra(text: str, where: Where) -> AnyFact | None:
    """What is printed on a line of its own beside the interval's: speculative decoding, V0's cache hits."""
    if "SpecDecoding metrics" in text or "Speculative metrics" in text:
        if found := _ACCEPTED.search(text):
            return Speculated(where=where, accept_length=float(found["length"]))
        if found := _EMITTED.search(text):
            length = float(found["share"]) * (int(found["tokens"]) + 1)
            return Speculated(where=where, accept_length=round(length, 3))
        return None
    if "refix cache hit rate: GPU" in text:
        hits = _HITS.search(text.encode())
        return Running(where=where, kind="interval", cache_hit_rate=float(hits[1]) / 100) if hits else None
    return None


def _first(match: re.Match[bytes] | None) -> bytes | None:
    return match[1] if match is not None else None
