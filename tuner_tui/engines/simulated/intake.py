"""The work before scheduling: requests on their way from the socket to the scheduler."""

from __future__ import annotations

import heapq
from typing import Generic, TypeVar

T = TypeVar("T")


class Intake(Generic[T]):
    """Holds each request until its moment. Times are seconds on the caller's clock."""

    def __init__(self) -> None:
        self._inside: list[tuple[float, int, T]] = []
        self._arrivals = 0

    def __len__(self) -> int:
        return len(self._inside)

    def arrive(self, ready_s: float, request: T) -> None:
        """Takes `request` in until `ready_s`."""
        self._arrivals += 1
        heapq.heappush(self._inside, (ready_s, self._arrivals, request))

    def next_at(self) -> float | None:
        """When the next request is ready; None when nothing is inside."""
        return self._inside[0][0] if self._inside else None

    def ready(self, now_s: float) -> list[T]:
        """Takes out what is ready by `now_s`, in order."""
        done = []
        while self._inside and self._inside[0][0] <= now_s:
            done.append(heapq.heappop(self._inside)[2])
        return done

    def drop(self, request: T) -> bool:
        """Forgets a request whose client has gone; False if it is not inside."""
        kept = [each for each in self._inside if each[2] is not request]
        if len(kept) == len(self._inside):
            return False
        heapq.heapify(kept)
        self._inside = kept
        return True
