"""The states of progress bars, of which a server that starts prints more than of anything else.

Only a bar that has its line to itself is read here; whatever stands before or behind it makes it one for the rows of
`log_rows`, which say the same of it.
"""

from __future__ import annotations

import re

from tuner_tui.engines.facts import Entered, Where
from tuner_tui.engines.origins import NO_RANK

LETTERS = frozenset(b"LMC 1")
"""What they begin with."""

_BAR = re.compile(
    rb"(?:(Loading|Multi-thread loading)(?: [a-z]+)* shards: +\d{1,3}% Completed \|"
    rb"|(Capturing) (?:batches|num tokens|prefill shape|[A-Z]{2,4} graph(?: shape)?s)"
    rb"(?: \((?:[a-z_]+=[\d.]+(?: GB)? ?)*\))?: +\d{1,3}%\|[^|\nA-Za-z]{0,400}\|"
    rb"| *\d{1,3}%\|[^|\nA-Za-z]{0,400}\|)"
    rb" (\d{1,9})/(\d{1,9}) \[[\d:<?., ]*(?:s/it|it/s)\]\s*"
)


def progress(piece: bytes, number: int, at: str) -> Entered | None:
    """What a piece (see `LineSplitter`), the `number`th line, says if it is a bar and nothing else."""
    match = _BAR.fullmatch(piece)
    if match is None:
        return None
    weights, graphs, done, of = match.groups()
    return Entered(
        where=Where(number, at, NO_RANK),
        phase="weights" if weights else "graphs",
        done=int(done),
        of=int(of),
        bar=not (weights or graphs),
    )
