"""Which configuration is best, and how sure that is.

Only launches are independent repeats. With one launch each nothing can be called a winner: configurations whose
within-launch intervals overlap the leader's are *tied* with it; where none does, the leader is *unconfirmed*,
because launch-to-launch scatter (commonly several per cent) is not in those intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from tuner_tui.search.objective import Score
from tuner_tui.task.model import Objective


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration that was measured and is valid."""

    experiment: int
    score: Score


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Who leads, on what evidence, in one sentence for a person."""

    kind: Literal["winner", "tie", "unconfirmed", "none"]
    leader: int | None
    tied_with: tuple[int, ...] = ()
    sentence: str = ""
    provisional: bool = False
    """True before all planned launches are done."""


_UNITS = {"e2e": "s", "ttft": "s", "tpot": "s", "output_tokens_per_s_per_gpu": "tokens/s per GPU"}
_NAMES = {
    "e2e": "end-to-end latency",
    "ttft": "time to first token",
    "tpot": "time per output token",
    "output_tokens_per_s_per_gpu": "output throughput",
}


def quantity(objective: Objective, score: float) -> str:
    """A score as a person reads it: the sign of a throughput undone, with its unit."""
    value = abs(score)
    unit = _UNITS[objective.metric]
    if unit == "s":
        return f"{value * 1000:.2f} ms" if value < 0.1 else f"{value:.4f} s"
    return f"{value:.1f} {unit}"


def metric_name(objective: Objective) -> str:
    """The objective in words: `mean end-to-end latency`, `output throughput`."""
    name = _NAMES[objective.metric]
    # Throughput is one figure a level; it has no distribution to take a statistic of.
    words = name if objective.direction == "maximize" else f"{objective.statistic} {name}"
    return f"{words} at {objective.level}" if objective.level else words


def judge(
    objective: Objective, candidates: Sequence[Candidate], *, launched: int, provisional: bool = False
) -> Verdict:
    """The verdict over `candidates`, out of `launched` experiments in all, one launch each."""
    if not candidates:
        if provisional:
            sentence = "Nothing is measured yet."
        elif launched:
            sentence = f"None of {launched} configurations gave a valid measurement."
        else:
            sentence = "There was no configuration to measure."
        return Verdict(kind="none", leader=None, sentence=sentence, provisional=provisional)
    ranked = sorted(candidates, key=lambda candidate: (candidate.score.value, candidate.experiment))
    leader, others = ranked[0], ranked[1:]
    best = f"#{leader.experiment} with {metric_name(objective)} {quantity(objective, leader.score.value)}"
    ahead = "So far " if provisional else ""
    if not others:
        only = "the only one measured so far" if provisional else "the only configuration with a valid measurement"
        return Verdict(
            kind="unconfirmed",
            leader=leader.experiment,
            sentence=f"{best} is {only}; one launch shows no scatter between launches.",
            provisional=provisional,
        )
    tied = tuple(other.experiment for other in others if _overlap(leader.score, other.score))
    second = others[0]
    gap = abs(second.score.value - leader.score.value) / abs(leader.score.value) if leader.score.value else 0.0
    if tied:
        names = _list([f"#{experiment}" for experiment in (leader.experiment, *sorted(tied))])
        sentence = (
            f"{ahead}{names} cannot be told apart: {best} is nominally ahead, "
            f"but the 95 % intervals within the launches overlap."
        )
        return Verdict(kind="tie", leader=leader.experiment, tied_with=tied, sentence=sentence, provisional=provisional)
    sentence = (
        f"{ahead}{best} leads, {gap:.1%} ahead of #{second.experiment}, "
        f"but one launch each says nothing of the scatter between launches."
    )
    return Verdict(kind="unconfirmed", leader=leader.experiment, sentence=sentence, provisional=provisional)


def _overlap(one: Score, other: Score) -> bool:
    """Whether two intervals share a point; scores without interval never do, equal ones always."""
    if one.value == other.value:
        return True
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return False
    return one.low <= other.high and other.low <= one.high


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
