"""One row of a table of log wordings, and the wordings that both engines share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from tuner_tui.engines.facts import AnyFact, Entered, MemoryTold, Told, Where

Read = Callable[["re.Match[str]", Where], Iterable[AnyFact]]

GIB = r"-?\d{1,9}(?:\.\d{1,9})?"
COUNT = r"\d{1,15}"
SECONDS = r"\d{1,9}(?:\.\d{1,9})?"


class Row(NamedTuple):
    """A wording: `pattern` is searched in lines that contain `needle`, and `read` makes facts of what it found.

    `since` and `until` are the first and last versions known to print it ("": no bound is known), `example` a line
    of it. A new wording of an engine is one more row. `settings`: the line lists the engine's settings, by the
    hundred, and nothing else is read in it.
    """

    needle: str
    pattern: re.Pattern[str]
    read: Read
    since: str
    until: str
    example: str
    settings: bool


def row(
    needle: str, pattern: str, read: Read, example: str, *, since: str = "", until: str = "", settings: bool = False
) -> Row:
    return Row(needle, re.compile(pattern), read, since, until, example, settings)


def number(text: str | None) -> float | None:
    """A figure as engines print it, thousands commas allowed; None stays None."""
    return None if text is None else float(text.replace(",", ""))


def count(text: str | None) -> int | None:
    return None if text is None else int(text.replace(",", ""))


def group(match: re.Match[str], name: str) -> str | None:
    """A group that only some rows have."""
    return match[name] if name in match.re.groupindex else None


def nothing(match: re.Match[str], where: Where) -> Iterable[AnyFact]:
    """For a wording that is known and says nothing wanted here."""
    return ()


def _shards(match: re.Match[str], where: Where) -> Iterable[AnyFact]:
    yield Entered(where=where, phase="weights", done=int(match["n"]), of=int(match["of"]))


def _capture(match: re.Match[str], where: Where) -> Iterable[AnyFact]:
    yield Entered(where=where, phase="graphs", done=int(match["n"]), of=int(match["of"]))


def _plain_bar(match: re.Match[str], where: Where) -> Iterable[AnyFact]:
    yield Entered(where=where, phase="graphs", done=int(match["n"]), of=int(match["of"]), bar=True)


def _cuda(match: re.Match[str], where: Where) -> Iterable[AnyFact]:
    yield Told(where=where, about="cuda_version", value=match["version"])


_UNITS = {"bytes": 2**-30, "KiB": 2**-20, "MiB": 2**-10, "GiB": 1.0}


def _out_of_memory(match: re.Match[str], where: Where) -> Iterable[AnyFact]:
    available = round(float(match["free"]) * _UNITS[match["unit"]], 3)
    yield MemoryTold(where=where, total_gib=float(match["total"]), available_gib=available)


COMMON: tuple[Row, ...] = (
    row(
        "% Completed |",
        r"(?:[Ss]hards|[Ll]oad)[^:]*: +\d+% Completed \| (?P<n>\d{1,9})/(?P<of>\d{1,9})",
        _shards,
        "Loading safetensors checkpoint shards:  50% Completed | 1/2 [00:00<00:01,  1.28it/s]",
    ),
    row(
        "Capturing ",
        r"Capturing (?:batches|num tokens|prefill shape|[A-Z]{2,4} graph(?: shape)?s)(?: \([^)]*\))?: "
        r"+\d+%\|[^|]*\| (?P<n>\d{1,9})/(?P<of>\d{1,9})",
        _capture,
        "Capturing batches (bs=256 avail_mem=25.86 GB):   3%|▎         | 1/35 [00:14<08:17, 14.62s/it]",
    ),
    row(
        "%|",
        r"^\s*\d+%\|[^|]*\| (?P<n>\d{1,9})/(?P<of>\d{1,9}) \[",
        _plain_bar,
        " 25%|██▌       | 1/4 [00:01<00:03,  1.14s/it]",
    ),
    row(
        "CUDA Version",
        r"CUDA Version:? (?P<version>\d{1,3}\.\d{1,3}(?:\.\d{1,3})?)",
        _cuda,
        "CUDA Version 12.6.1",
    ),
    row(
        "CUDA used to build PyTorch",
        r"CUDA used to build PyTorch *: (?P<version>\d{1,3}\.\d{1,3})",
        _cuda,
        "CUDA used to build PyTorch   : 12.8",  # from a report of the environment above the log
    ),
    row(
        "total capacity of",
        rf"total capacity of (?P<total>{GIB}) GiB of +which (?P<free>{GIB}) (?P<unit>bytes|[KMG]iB) is free",
        _out_of_memory,
        "GPU 0 has a total capacity of 22.05 GiB of which 112.12 MiB is free.",
    ),
    row(
        "GiB total capacity;",  # PyTorch up to 2.1, and later those for other accelerators
        rf"[A-Z]PU \d+; (?P<total>{GIB}) GiB total capacity;.*?; (?P<free>{GIB}) (?P<unit>bytes|[KMG]iB) free;",
        _out_of_memory,
        "(NPU 0; 60.97 GiB total capacity; 10.24 GiB already allocated; 19.52 MiB free; 10.65 GiB reserved in total",
    ),
)
