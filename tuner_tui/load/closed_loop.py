"""A closed loop: always the same number of requests in flight."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from time import perf_counter

from tuner_tui.load.answer import Answer
from tuner_tui.load.endpoint import Endpoint, PreparedRequest
from tuner_tui.load.model import Job, LevelDone, LoadProgress, RequestRecord, RunLevel
from tuner_tui.load.prompts import Prompts
from tuner_tui.load.records import RecordFile
from tuner_tui.load.scenario import Scenario

PROGRESS_INTERVAL_S = 0.5
# A server that is gone refuses thousands of requests a second: the level ends after so many failures in a row.
_UNANSWERED_IN_A_ROW_PER_CONCURRENCY = 3
_FAILED_IN_A_ROW = 100


class ClosedLoop:
    """One level, or its warm-up, from its first request to its last.

    `concurrency` requests are in flight from the start; each that ends is followed by the next at once, until
    `max_requests` were started or `max_time_s` is over. Requests in flight at that moment are waited for and
    count; `request_timeout_s` bounds each. The warm-up has the level's own shape and concurrency, sends
    2 × concurrency requests and is not recorded; `max_time_s` bounds it too.
    """

    def __init__(
        self,
        order: RunLevel,
        scenario: Scenario,
        *,
        job: Job,
        endpoint: Endpoint,
        prompts: Prompts,
        records: RecordFile,
        report: Callable[[LoadProgress], None],
    ) -> None:
        self._order = order
        self._lanes = order.traffic.concurrency or 1
        self._scenario = scenario
        self._job = job
        self._endpoint = endpoint
        self._prompts = prompts
        self._records = records
        self._report = report
        self._limit = 2 * self._lanes if order.warm_up else job.max_requests
        self._random = Random(f"{job.seed} {order.level} {order.warm_up}")
        self._zero_s = 0.0
        self._started = 0
        self._running: set[Answer] = set()
        self._done = 0
        self._failed = 0
        self._failed_in_a_row = 0
        self._unanswered_in_a_row = 0
        self._example: str | None = None
        self._gave_up: str | None = None
        self._output_tokens = 0
        self._ttft_sum_s = 0.0
        self._e2e_sum_s = 0.0

    async def run(self) -> LevelDone:
        """Raises OSError when the records cannot be written."""
        with _no_garbage_collection():
            self._zero_s = perf_counter()
            ticking = asyncio.create_task(self._tick())
            try:
                async with asyncio.TaskGroup() as lanes:
                    for _ in range(self._lanes):
                        lanes.create_task(self._lane())
            finally:
                ticking.cancel()
                [ended] = await asyncio.gather(ticking, return_exceptions=True)
            if isinstance(ended, Exception):
                raise ended
            self._records.flush()
        return LevelDone(
            level=self._order.level,
            warm_up=self._order.warm_up,
            elapsed_s=perf_counter() - self._zero_s,
            done=self._done,
            failed=self._failed,
            error=self._gave_up or self._example,
        )

    async def _lane(self) -> None:
        while (request := self._next()) is not None:
            answer = Answer()
            self._running.add(answer)
            record = await self._endpoint.send(request, answer, self._order.level, self._zero_s)
            self._running.discard(answer)
            self._note(record)

    def _next(self) -> PreparedRequest | None:
        if self._gave_up is not None or (self._limit is not None and self._started >= self._limit):
            return None
        if self._job.max_time_s is not None and perf_counter() - self._zero_s >= self._job.max_time_s:
            return None
        index = self._started
        self._started += 1
        return self._endpoint.prepare(index, self._prompts, *self._scenario.sample(self._random))

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
        concurrency = self._lanes
        if self._unanswered_in_a_row >= _UNANSWERED_IN_A_ROW_PER_CONCURRENCY * concurrency:
            self._gave_up = f"gave up after {self._unanswered_in_a_row} requests in a row without an answer: {error}"
        elif self._failed_in_a_row >= max(_FAILED_IN_A_ROW, _UNANSWERED_IN_A_ROW_PER_CONCURRENCY * concurrency):
            self._gave_up = f"gave up after {self._failed_in_a_row} failed requests in a row: {error}"

    async def _tick(self) -> None:
        """Twice a second: records to the file, progress to the owner."""
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        while True:
            due_s += PROGRESS_INTERVAL_S
            await asyncio.sleep(due_s - loop.time())
            self._records.flush()
            elapsed_s = perf_counter() - self._zero_s
            succeeded = self._done - self._failed
            under_way = sum(answer.chunks for answer in self._running)
            self._report(
                LoadProgress(
                    level=self._order.level,
                    warm_up=self._order.warm_up,
                    elapsed_s=elapsed_s,
                    done=self._done,
                    failed=self._failed,
                    running=len(self._running),
                    output_tokens_per_s=(self._output_tokens + under_way) / elapsed_s,
                    ttft_mean_s=self._ttft_sum_s / succeeded if succeeded else None,
                    e2e_mean_s=self._e2e_sum_s / succeeded if succeeded else None,
                )
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
