"""Gives the scheduler's steps their time: one task, the only one that touches the batch."""

from __future__ import annotations

import asyncio
import random

from tuner_tui.engines.simulated.clock import StepClock
from tuner_tui.engines.simulated.intake import Intake
from tuner_tui.engines.simulated.log import Log
from tuner_tui.engines.simulated.performance import handling_s, step_factor
from tuner_tui.engines.simulated.scheduler import Scheduler, Step
from tuner_tui.engines.simulated.sequence import Sequence

_MOST_LATE_S = 0.05
"""Behind by more than this, the clock is set back: this machine cannot deliver what the model promises."""


class SchedulerDied(Exception):
    """Told to die by `--simulate-crash-after`."""


class EngineLoop:
    """One replica: requests go in by `submit`, their tokens come out by each one's `emit`.

    `speed` divides every time. `factor` multiplies the time of every step of this launch, `jitter` is the sigma of
    a further factor drawn for each step. `dies_after`: `run` raises SchedulerDied once so many requests ended and
    another step is due.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        log: Log,
        chance: random.Random,
        *,
        speed: float = 1.0,
        factor: float = 1.0,
        jitter: float = 0.0,
        dies_after: int | None = None,
        decode_log_interval: int = 40,
    ) -> None:
        self.scheduler = scheduler
        self.requests = 0
        self.prompt_tokens = 0
        self.cached_tokens = 0
        self.generated_tokens = 0
        self.retracted = 0
        self.gen_throughput = 0.0
        """Output tokens a second over the last logged interval."""
        self._log = log
        self._chance = chance
        self._speed = speed
        self._factor = factor
        self._jitter = jitter
        self._dies_after = dies_after
        self._interval = decode_log_interval
        self._loop = asyncio.get_running_loop()
        self._clock = StepClock(self._loop)
        self._intake: Intake[Sequence] = Intake()
        self._decode_steps = 0
        self._logged_tokens = 0
        self._logged_at_s = self._loop.time()
        self._said_late = False

    @property
    def queued(self) -> int:
        """Requests that do not run yet."""
        return len(self._intake) + len(self.scheduler.waiting)

    def submit(self, sequence: Sequence, received_s: float) -> None:
        """Takes a request in that came at `received_s` (`loop.time()`). Raises nothing; what does not fit was
        refused before. What this server has really spent on it since then counts as part of its handling."""
        sequence.arrived_s = received_s
        self.requests += 1
        inside = len(self._intake) + len(self.scheduler) + 1
        self._intake.arrive(received_s + handling_s(self._chance, inside) / self._speed, sequence)
        self._clock.wake()

    def abort(self, sequence: Sequence) -> None:
        """The client has gone. A request that has ended is ignored."""
        if not self._intake.drop(sequence):
            self.scheduler.abort(sequence)

    def close(self) -> None:
        self._clock.close()

    async def run(self) -> None:
        """Runs until cancelled. Raises SchedulerDied when told to die."""
        scheduler, clock, intake = self.scheduler, self._clock, self._intake
        # The end of the step under way. Each step starts where the last one should have ended, so that waking up
        # late now and then does not add up.
        now_s = self._loop.time()
        while True:
            for sequence in intake.ready(now_s):
                scheduler.submit(sequence)
            step = scheduler.plan()
            if step is None:
                self.gen_throughput = 0.0
                await clock.idle(intake.next_at())
                real_s, next_s = self._loop.time(), intake.next_at()
                now_s = real_s if next_s is None else min(max(next_s, now_s), real_s)
                continue
            if self._dies_after is not None and scheduler.finished >= self._dies_after:
                raise SchedulerDied(f"told to die after {self._dies_after} requests (--simulate-crash-after)")
            self._note_plan(step, now_s)
            now_s += step.duration_s * self._factor * step_factor(self._chance, self._jitter) / self._speed
            await clock.until(now_s)
            late_s = self._loop.time() - now_s
            if late_s > _MOST_LATE_S:
                now_s += late_s
                self._note_late(late_s)
            generated = len(step.decodes)
            scheduler.complete(step)
            self.generated_tokens += generated + sum(1 for each, _ in step.prefills if each.to_compute == 0)
            if generated:
                self._note_decode(now_s, step)

    def _note_plan(self, step: Step, now_s: float) -> None:
        scheduler = self.scheduler
        for each in scheduler.retractions:
            self.retracted += each.requests
            self._log.line(
                f"KV cache pool is full. Retract requests. #retracted_reqs: {each.requests}, "
                f"#new_token_ratio: {each.ratio_before:.4f} -> {each.ratio_after:.4f}"
            )
        if step.prefills:
            self.prompt_tokens += step.new_tokens + step.cached_tokens
            self.cached_tokens += step.cached_tokens
            self._log.line(
                f"Prefill batch. #new-seq: {step.new_sequences}, #new-token: {step.new_tokens}, "
                f"#cached-token: {step.cached_tokens}, token usage: {scheduler.usage:.2f}, "
                f"#running-req: {step.running}, #queue-req: {len(scheduler.waiting)}, "
            )

    def _note_decode(self, now_s: float, step: Step) -> None:
        self._decode_steps += 1
        if self._decode_steps % self._interval:
            return
        tokens = self.generated_tokens - self._logged_tokens
        self.gen_throughput = tokens / max(now_s - self._logged_at_s, 1e-6)
        self._logged_tokens, self._logged_at_s = self.generated_tokens, now_s
        scheduler = self.scheduler
        self._log.line(
            f"Decode batch. #running-req: {len(step.decodes)}, #token: {scheduler.used_tokens}, "
            f"token usage: {scheduler.usage:.2f}, cuda graph: {step.graph}, "
            f"gen throughput (token/s): {self.gen_throughput:.2f}, #queue-req: {len(scheduler.waiting)}, "
        )

    def _note_late(self, late_s: float) -> None:
        if not self._said_late:
            self._said_late = True
            self._log.line(
                f"SIMULATED ENGINE: {late_s * 1000:.0f} ms late; this machine is too slow for the speed simulated, "
                "and what is measured from here on is its own"
            )
