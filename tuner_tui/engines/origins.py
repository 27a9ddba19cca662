"""Who printed a line, and when: the prefixes of both engines."""

from __future__ import annotations

import re
from collections.abc import Hashable
from functools import lru_cache

import msgspec

from tuner_tui.engines.facts import Rank

_SGLANG = re.compile(
    r"\[(?P<at>(?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d(?:\.\d{3})?)"
    r"(?P<ranks>(?: (?:DP|PP|ATTN_CP|MOE_DP|TP|EP)\d{1,6})*)\]"
)
_WORD = re.compile(r"([A-Z_]+)(\d+)")
_VLLM_TIME = re.compile(
    r"(?:DEBUG|INFO|WARNING|ERROR|CRITICAL) (?:[A-Za-z_][\w.]* )?(?P<at>(?:\d{4}-)?\d\d-\d\d \d\d:\d\d:\d\d)"
)
_PROCESS = re.compile(
    r"[(\[](?P<name>[A-Za-z][\w:.-]*)(?: rank=(?P<rank>\d{1,6})| (?P<words>[A-Z]+\d{1,6}(?:_[A-Z]+\d{1,6})*))?"
    r" pid=(?P<pid>\d{1,9})(?:, ip=[\w.:]+)?[)\]]"
)
_CLOSE = re.compile(r"[)\]]")
_COPY = re.compile(r"DP(\d{1,6})")
_GLUED = re.compile(r"(?<!^)(?=\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{3})?(?: [A-Z_]+\d+)*\] )")

NO_RANK = Rank(0, "")


class Origin(msgspec.Struct, frozen=True, gc=False):
    """`at` is "" where the line has no time of its own. `member` names the rank for counting ranks, None where the
    line comes from none; see `ranks_of_sglang` and `ranks_of_vllm`."""

    at: str
    rank: Rank
    member: Hashable | None


NOWHERE = Origin("", NO_RANK, None)


def segments(text: str) -> list[str]:
    """SGLang: other ranks print while a progress bar is open, so that one line may hold several prefixes."""
    return _GLUED.split(text) if text.find("[20", 1) > 0 else [text]


def sglang(text: str) -> Origin:
    """`[2025-02-04 05:21:40 DP1 TP0] …`, the rank words in any order; none means the only one."""
    found = _SGLANG.match(text) or _SGLANG.search(text)
    if found is None:
        return NOWHERE
    at, ranks = found.groups()
    if not ranks:
        return Origin(at, NO_RANK, None)
    rank = rank_of_words(ranks)
    return Origin(at, rank, rank.name)


@lru_cache(maxsize=1024)
def rank_of_words(ranks: str) -> Rank:
    """SGLang's " DP1 TP0"."""
    words = dict(_WORD.findall(ranks))
    return Rank(int(words.get("DP", 0)), " ".join(f"{word}{words[word]}" for word in sorted(words)))


def vllm(text: str) -> Origin:
    """`(EngineCore_DP0 pid=9) (VllmWorker rank=1 pid=10) INFO 11-23 13:31:18 …`: the innermost names the rank.

    An engine core speaks for all of its workers, so it and a worker without numbers share one rank.
    """
    time = _VLLM_TIME.search(text)
    at = time["at"] if time else ""
    end = text.rfind(" pid=", 0, time.start() if time else 400)
    if end < 0:
        return Origin(at, NO_RANK, None)
    close = _CLOSE.search(text, end)
    rank, member = rank_of_processes(text[: close.end() if close else 0])
    return Origin(at, rank, member)


@lru_cache(maxsize=1024)
def rank_of_processes(processes: str) -> tuple[Rank, Hashable | None]:
    """vLLM's `(EngineCore_DP0 pid=9) (VllmWorker rank=1 pid=10)`: the rank and the member, see `Origin`."""
    copy, name, member = 0, "", None
    for found in _PROCESS.finditer(processes):
        process = f"{found['name']}_{found['words']}" if found["words"] else found["name"]
        numbered = _COPY.search(process)
        if numbered:
            copy = int(numbered[1])
        if "Worker" in process:
            name = f"rank{found['rank']}" if found["rank"] else "_".join(process.split("_")[1:])
            if process in ("VllmWorkerProcess", "RayWorkerWrapper"):
                name = f"pid{found['pid']}"  # up to 0.7: nothing but the process tells the ranks apart
            member = (copy, process, found["rank"] or "", found["pid"])
        elif numbered and "Core" in process:
            member = (copy, process, "", found["pid"])
    return Rank(copy, name), member


def ranks_of_sglang(members: set[Hashable]) -> int:
    """Distinct ranks, at least 1. A prefix that holds only some words of another one's is the same rank's."""
    words = [frozenset(each.split()) for each in members if isinstance(each, str)]
    return max(sum(not any(each < other for other in words) for each in words), 1)


def ranks_of_vllm(members: set[Hashable]) -> int:
    """Distinct workers, at least 1; engine cores count where they run no workers of their own.

    Early in the start a worker calls itself `VllmWorker-1`, later `Worker_TP1`, from the same process.
    """
    workers = [each for each in members if isinstance(each, tuple) and "Worker" in each[1]]
    final = {pid for _, name, _, pid in workers if "-" not in name}
    named = {pid for _, name, rank, pid in workers if "_" in name or rank}
    distinct = {
        # Worker_TP1 is one rank wherever it runs; a nameless worker is told apart by its process.
        (copy, name, rank) if "_" in name or rank else pid
        for copy, name, rank, pid in workers
        if ("-" not in name or pid not in final) and ("_" in name or rank or pid not in named)
    }
    # Up to 0.7 the driver is a rank itself and puts no prefix before its lines; later an engine core drives.
    silent = any(name in ("VllmWorkerProcess", "RayWorkerWrapper") for _, name, _, _ in workers)
    silent = silent and not any(isinstance(each, tuple) and "Core" in each[1] for each in members)
    busy = {copy for copy, _, _, _ in workers}
    cores = {each[0] for each in members if isinstance(each, tuple) and "Core" in each[1] and each[0] not in busy}
    return max(len(distinct) + silent + len(cores), 1)
