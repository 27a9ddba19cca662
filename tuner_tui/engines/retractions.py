"""Requests that were thrown out of the batch for want of KV cache, each counted once."""

from __future__ import annotations

from tuner_tui.engines.facts import Rank, Retracted


class Retractions:
    """The tensor-parallel ranks of a copy do the same work, and SGLang's all print it: the rank that tells most counts
    for its copy. Copies are added up."""

    def __init__(self) -> None:
        self._of: dict[Rank, int] = {}

    def take(self, fact: Retracted) -> None:
        """One more fact."""
        rank = fact.where.rank
        before = self._of.get(rank, 0)
        self._of[rank] = before + fact.requests if fact.so_far is None else max(before, fact.so_far)

    @property
    def requests(self) -> int:
        """How many since the server began."""
        most: dict[int, int] = {}
        for rank, requests in self._of.items():
            most[rank.copy] = max(most.get(rank.copy, 0), requests)
        return sum(most.values())
