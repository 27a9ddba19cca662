"""Flags that fit what was typed so far, and why a name is refused."""

from __future__ import annotations

from collections.abc import Collection

from tuner_tui.engines.catalogue import Catalogue, Flag, plain
from tuner_tui.engines.check import check
from tuner_tui.engines.equivalents import OPPOSITE, counterpart
from tuner_tui.task.model import Parameter, ParameterSpace
from tuner_tui.task.reading import Reading

MOST = 60
"""Candidates that are offered; who wants another types on."""


def candidates(known: Catalogue, typed: str, taken: Collection[str]) -> list[Flag]:
    """The flags that `typed` may mean, best first: by the beginning of the name, a part of it, another name, then the
    words of what it does. Nothing typed: those that are explained, in the catalogue's order. What the task has already
    (`taken`, as written there) and what may not be set is left out."""
    taken_flags = {each.name for name in taken if (each := known.find(name))}
    own = [flag for flag in known.flags.values() if not flag.refused and flag.name not in taken_flags]
    wanted = plain(typed.strip()).lower()
    if not wanted:
        return [flag for flag in own if flag.does][:MOST]
    ranked: list[tuple[int, int, int, Flag]] = []
    words = typed.lower().split()
    for at, flag in enumerate(own):
        others = [*flag.aliases, *flag.short]
        if wanted == flag.name or wanted in others:
            rank = 0
        elif flag.name.startswith(wanted):
            rank = 1
        elif wanted in flag.name or any(other.startswith(wanted) for other in others):
            rank = 2
        elif words and all(word in f"{flag.name} {flag.does} {flag.trades}".lower() for word in words):
            rank = 3
        else:
            continue
        ranked.append((rank, not flag.does, at, flag))
    ranked.sort(key=lambda each: each[:3])
    found = [flag for _, _, _, flag in ranked[:MOST]]
    if not found and known.engine in ("sglang", "vllm"):
        there = counterpart(wanted, to=known.engine)
        # By its very name only: never the flag that means the opposite.
        other = known.flags.get(there.name) if there and there.differs != OPPOSITE else None
        return [other] if other is not None and other.name not in taken_flags else []
    return found


def refusal(engine: str, name: str) -> str:
    """Why the engine's task cannot take a flag of this name, in the words of the check; "" where it can."""
    reading = Reading(
        file="", lines=[], engine=engine, space=ParameterSpace(parameters=(Parameter(name=plain(name), values=()),))
    )
    return next((problem.message for problem in check(reading) if problem.severity == "error"), "")
