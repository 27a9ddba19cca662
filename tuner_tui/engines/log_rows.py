"""One row of a table of log wordings."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from tuner_tui.engines.log_state import LogState, Rank

Apply = Callable[[LogState, Rank, "re.Match[str]"], None]


class Row(NamedTuple):
    """A wording: `pattern` is searched in lines that contain `needle`, and `apply` notes what it says.

    `versions` is the span known to print it, `example` a line of it.
    """

    needle: str
    pattern: re.Pattern[str]
    apply: Apply
    versions: str
    example: str


def row(needle: str, pattern: str, apply: Apply, versions: str, example: str) -> Row:
    return Row(needle, re.compile(pattern), apply, versions, example)


def number(text: str) -> float:
    """A figure as engines print it, thousands commas allowed."""
    return float(text.replace(",", ""))


def shards(state: LogState, rank: Rank, match: re.Match[str]) -> None:
    state.enter("weights", f"{match['n']}/{match['of']}")


def graphs(state: LogState, rank: Rank, match: re.Match[str]) -> None:
    state.enter("graphs", f"{match['n']}/{match['of']}")


SHARDS = row(
    "% Completed |",
    r"(?:[Ss]hards|[Ll]oad\w*).*?: +\d+% Completed \| (?P<n>\d+)/(?P<of>\d+)",
    shards,
    "all",
    "Loading safetensors checkpoint shards:  50% Completed | 1/2 [00:00<00:01,  1.28it/s]",
)
CAPTURE = row(
    "Capturing ",
    r"Capturing (?:batches|num tokens|CUDA graph shapes|CUDA graphs)(?: \([^)]*\))?: "
    r"+\d+%\|[^|]*\| (?P<n>\d+)/(?P<of>\d+)",
    graphs,
    "all",
    "Capturing batches (bs=256 avail_mem=25.86 GB):   3%|▎         | 1/35 [00:14<08:17, 14.62s/it]",
)
