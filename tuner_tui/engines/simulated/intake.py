"""The work before scheduling: requests handled by one processor core, in two turns each."""

from __future__ import annotations

from collections import deque
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class _Turn(NamedTuple, Generic[T]):
    seconds: float
    request: T
    last: bool
    then_s: float


class Intake(Generic[T]):
    """A queue served in order by one core; after its first turn a request queues again for its second.

    So requests that come together hold each other up, and come out one after another. Times are seconds on the
    caller's clock. Time never runs backwards: an earlier `now_s` is taken as the latest seen.
    """

    def __init__(self) -> None:
        self._now_s = 0.0
        self._queue: deque[_Turn[T]] = deque()
        self._head_ends_s = 0.0
        self._done: list[T] = []

    def __len__(self) -> int:
        return len(self._queue) + len(self._done)

    def arrive(self, now_s: float, first_s: float, second_s: float, request: T) -> None:
        """Takes `request` in; its turns take `first_s` and `second_s`."""
        self._advance(now_s)
        self._push(_Turn(first_s, request, False, second_s))

    def next_at(self) -> float | None:
        """When the turn under way ends; None when nothing is inside. `ready` may still find nothing then."""
        if self._done:
            return self._now_s
        return self._head_ends_s if self._queue else None

    def ready(self, now_s: float) -> list[T]:
        """Takes out what is ready by `now_s`, in order."""
        self._advance(now_s)
        done, self._done = self._done, []
        return done

    def drop(self, request: T) -> bool:
        """Forgets a request whose client has gone; False if it is not inside."""
        before, head = len(self), self._queue[0] if self._queue else None
        self._done = [each for each in self._done if each is not request]
        self._queue = deque(each for each in self._queue if each.request is not request)
        if self._queue and self._queue[0] is not head:
            self._head_ends_s = self._now_s + self._queue[0].seconds
        return len(self) < before

    def _push(self, turn: _Turn[T]) -> None:
        self._queue.append(turn)
        if len(self._queue) == 1:
            self._head_ends_s = self._now_s + turn.seconds

    def _advance(self, now_s: float) -> None:
        while self._queue and self._head_ends_s <= now_s:
            turn = self._queue.popleft()
            self._now_s = self._head_ends_s
            if self._queue:
                self._head_ends_s += self._queue[0].seconds
            if turn.last:
                self._done.append(turn.request)
            else:
                self._push(_Turn(turn.then_s, turn.request, True, 0.0))
        self._now_s = max(self._now_s, now_s)
