"""One worker's share of a level, from its first request to its last."""

from __future__ import annotations

import asyncio
import gc
import math
import time
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from time import perf_counter

import msgspec

from tuner_tui.load.endpoint import Endpoint, Sent
from tuner_tui.load.lateness import histogram
from tuner_tui.load.model import Job, RequestRecord, RunShare, ShareDone, ShareProgress
from tuner_tui.load.records import RecordFile
from tuner_tui.load.schedule import due_times_s
from tuner_tui.load.tickets import Tickets
from tuner_tui.load.traffic import Traffic

_PROGRESS_INTERVAL_S = 0.5
# Where nobody watches: each time the timer is due the process wakes up, between two tokens that wake it anyway.
_FLUSH_INTERVAL_S = 5.0
# A server that is gone refuses thousands of requests a second: the level ends after so many failures in a row.
_UNANSWERED_IN_A_ROW_PER_LANE = 3
_UNANSWERED_IN_A_ROW_AT_A_RATE = 30
_FAILED_IN_A_ROW = 100
# Requests a second: a low rate's warm-up is not to take longer than what is measured.
_WARM_UP_RATE = 1.0


class Share:
    """Carries out a share. `run` does everything.

    Closed loop: `lanes` requests are in flight from the start; each that ends is followed by the next at once, until
    no tickets are left or `max_time_s` is over. At a rate: each request of this part is sent when it is due, however
    many are in flight, up to `lanes`; one that must wait for that keeps its place and is sent late, or never where
    `max_time_s` is over by then. A warm-up sends one a second at least.

    Requests in flight at the end are waited for and count; `request_timeout_s` bounds each. Answers are decoded one
    by one between the reads, after their successors were sent. A warm-up is not recorded.
    """

    def __init__(
        self,
        order: RunShare,
        *,
        job: Job,
        endpoint: Endpoint,
        traffic: Traffic,
        records: RecordFile,
        report: Callable[[ShareProgress], None],
    ) -> None:
        """Raises OSError when the tickets cannot be opened."""
        self._order = order
        self._job = job
        self._endpoint = endpoint
        self._traffic = traffic
        self._records = records
        self._report = report
        self._tickets = Tickets(order.tickets, order.limit)
        self._zero_s = order.zero_s
        self._undecoded: deque[Sent] = deque()
        self._lateness_s: array[float] = array("f")
        self._sent = 0
        self._running = 0
        self._done = 0
        self._failed = 0
        self._failed_in_a_row = 0
        self._unanswered_in_a_row = 0
        self._example: str | None = None
        self._gave_up: str | None = None
        self._output_tokens = 0
        self._ttft_sum_s = 0.0
        self._e2e_sum_s = 0.0

    async def run(self) -> ShareDone:
        """Raises OSError when the records cannot be written."""
        try:
            with _no_garbage_collection():
                await asyncio.sleep(max(0.0, self._zero_s - perf_counter()))
                ticking = asyncio.create_task(self._tick())
                cpu_s, began_s = time.process_time(), perf_counter()
                try:
                    await (self._closed_loop() if self._order.traffic.request_rate is None else self._at_rate())
                finally:
                    ticking.cancel()
                    [ended] = await asyncio.gather(ticking, return_exceptions=True)
                if isinstance(ended, Exception):
                    raise ended
                busy = (time.process_time() - cpu_s) / max(1e-9, perf_counter() - began_s)
                elapsed_s = perf_counter() - self._zero_s
                while self._undecoded:
                    self._decode()
                self._records.flush()
        finally:
            self._tickets.close()
        return ShareDone(
            last=msgspec.structs.replace(self._progress(), elapsed_s=elapsed_s),
            error=self._gave_up or self._example,
            gave_up=self._gave_up is not None,
            busy=min(1.0, busy),
            lateness=histogram(self._lateness_s),
        )

    async def _closed_loop(self) -> None:
        async with asyncio.TaskGroup() as lanes:
            for _ in range(self._order.lanes):
                lanes.create_task(self._lane())

    async def _lane(self) -> None:
        max_time_s = self._job.max_time_s
        while self._gave_up is None:
            if max_time_s is not None and perf_counter() - self._zero_s >= max_time_s:
                return
            if (index := self._tickets.draw()) is None:
                return
            await self._send(index, None)

    async def _at_rate(self) -> None:
        order, traffic = self._order, self._order.traffic
        assert traffic.request_rate is not None
        rate = max(traffic.request_rate, _WARM_UP_RATE) if order.warm_up else traffic.request_rate
        seed = f"{self._job.drawn_by} {order.level} {order.warm_up}"
        max_time_s = self._job.max_time_s
        within = None if max_time_s is None else math.ceil(rate * max_time_s)
        number = min(most for most in (order.limit, within) if most is not None)
        free = asyncio.Semaphore(order.lanes)
        async with asyncio.TaskGroup() as requests:
            for index, due_s in enumerate(due_times_s(rate, traffic.arrivals, seed, number)):
                if max_time_s is not None and due_s >= max_time_s:
                    return
                if index % order.parts != order.part:
                    continue
                await asyncio.sleep(max(0.0, self._zero_s + due_s - perf_counter()))
                await free.acquire()
                late = max_time_s is not None and perf_counter() - self._zero_s >= max_time_s
                if late or self._gave_up is not None or self._tickets.withdrawn:
                    return
                requests.create_task(self._send(index, self._zero_s + due_s)).add_done_callback(
                    lambda _: free.release()
                )

    async def _send(self, index: int, scheduled_s: float | None) -> None:
        request = self._traffic.prepare(index)
        if scheduled_s is not None:
            request = replace(request, scheduled_s=scheduled_s)
        self._sent += 1
        self._running += 1
        try:
            sent = await self._endpoint.send(request)
        finally:
            self._running -= 1
        if sent.trouble is not None:
            # At once, so that a server that is gone is noticed; and others get a turn, as nothing was waited for.
            self._note(self._endpoint.read(sent, self._order.level, self._zero_s))
            await asyncio.sleep(0)
            return
        self._undecoded.append(sent)
        if len(self._undecoded) == 1:
            asyncio.get_running_loop().call_soon(self._decode_in_turn)

    def _decode_in_turn(self) -> None:
        if self._undecoded:
            self._decode()
        if self._undecoded:
            asyncio.get_running_loop().call_soon(self._decode_in_turn)

    def _decode(self) -> None:
        sent = self._undecoded.popleft()
        self._note(self._endpoint.read(sent, self._order.level, self._zero_s, self._lateness_s))

    def _note(self, record: RequestRecord) -> None:
        self._done += 1
        if not self._order.warm_up:
            self._records.add(record)
        if record.error is not None:
            self._note_failure(record, record.error)
            return
        self._failed_in_a_row = self._unanswered_in_a_row = 0
        self._output_tokens += record.output_tokens or 0
        self._ttft_sum_s += (record.first_s or record.end_s) - record.sent_s
        self._e2e_sum_s += record.end_s - record.sent_s

    def _note_failure(self, record: RequestRecord, error: str) -> None:
        self._failed += 1
        self._example = self._example or error
        self._failed_in_a_row += 1
        self._unanswered_in_a_row = self._unanswered_in_a_row + 1 if record.status is None else 0
        if self._gave_up is not None:
            return
        rate = self._order.traffic.request_rate
        unanswered = (
            _UNANSWERED_IN_A_ROW_PER_LANE * self._order.lanes if rate is None else _UNANSWERED_IN_A_ROW_AT_A_RATE
        )
        if self._unanswered_in_a_row >= unanswered:
            self._give_up(f"gave up after {self._unanswered_in_a_row} requests in a row without an answer: {error}")
        elif self._failed_in_a_row >= max(_FAILED_IN_A_ROW, unanswered, int(10 * (rate or 0))):
            self._give_up(f"gave up after {self._failed_in_a_row} failed requests in a row: {error}")

    def _give_up(self, why: str) -> None:
        self._gave_up = why
        self._tickets.withdraw()

    async def _tick(self) -> None:
        """Records to the file and progress to the owner, twice a second where it is watched."""
        due_s = self._zero_s
        while True:
            due_s += _PROGRESS_INTERVAL_S if self._order.watched else _FLUSH_INTERVAL_S
            await asyncio.sleep(max(0.0, due_s - perf_counter()))
            self._records.flush()
            if self._order.watched:
                self._report(self._progress())

    def _progress(self) -> ShareProgress:
        return ShareProgress(
            elapsed_s=perf_counter() - self._zero_s,
            sent=self._sent,
            done=self._done,
            failed=self._failed,
            running=self._running,
            output_tokens=self._output_tokens + self._endpoint.reads_under_way,
            ttft_sum_s=self._ttft_sum_s,
            e2e_sum_s=self._e2e_sum_s,
        )


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """A collection of this process's heap takes milliseconds, which would be counted as the server's."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
