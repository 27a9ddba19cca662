"""The work before scheduling: requests handled side by side on one processor core."""

from __future__ import annotations

import heapq
from typing import Generic, TypeVar

T = TypeVar("T")


class Intake(Generic[T]):
    """Processor sharing: with n requests inside, each gets 1/n of the core.

    Times are seconds on the caller's clock. A request that arrives alone with a demand of d seconds is ready d
    later; two such requests that arrive together are ready after 2 d. Time never runs backwards: an earlier
    `now_s` is taken as the latest seen.
    """

    def __init__(self) -> None:
        self._now_s = 0.0
        self._served_s = 0.0
        """How much work each request inside has got since the beginning; it only ever grows."""
        self._inside: list[tuple[float, int, T]] = []
        self._done: list[T] = []
        self._arrivals = 0

    def __len__(self) -> int:
        return len(self._inside) + len(self._done)

    def arrive(self, now_s: float, demand_s: float, request: T) -> None:
        """Takes `request` in, with `demand_s` of work of its own."""
        self._advance(now_s)
        self._arrivals += 1
        heapq.heappush(self._inside, (self._served_s + demand_s, self._arrivals, request))

    def next_at(self) -> float | None:
        """When the next request is ready if no other arrives; None when nothing is inside."""
        if self._done:
            return self._now_s
        if not self._inside:
            return None
        return self._now_s + (self._inside[0][0] - self._served_s) * len(self._inside)

    def ready(self, now_s: float) -> list[T]:
        """Takes out what is ready by `now_s`, in order."""
        self._advance(now_s)
        done, self._done = self._done, []
        return done

    def drop(self, request: T) -> bool:
        """Forgets a request whose client has gone; False if it is not inside."""
        before = len(self)
        self._done = [each for each in self._done if each is not request]
        self._inside = [each for each in self._inside if each[2] is not request]
        heapq.heapify(self._inside)
        return len(self) < before

    def _advance(self, now_s: float) -> None:
        while self._inside:
            tag = self._inside[0][0]
            at = self._now_s + (tag - self._served_s) * len(self._inside)
            if at > now_s + 1e-9:
                break
            self._now_s, self._served_s = max(self._now_s, at), tag
            self._done.append(heapq.heappop(self._inside)[2])
        if now_s > self._now_s:
            if self._inside:
                self._served_s += (now_s - self._now_s) / len(self._inside)
            self._now_s = now_s
