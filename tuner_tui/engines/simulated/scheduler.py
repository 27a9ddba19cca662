"""Which requests run in which step: continuous batching with chunked prefill, prefix cache and retraction.

The rules are those of SGLang's scheduler in their plain form. New requests are prefilled before the running batch
decodes on. A request is let in while its prompt and the expected rest of all answers fit the KV cache, where
"expected" is `new_token_ratio` of what each may still generate (at most 4,096 tokens): 0.7 *
schedule-conservativeness at first, falling to 14 % of that over 600 decode steps. When a decode step would find no
free token, the requests with the shortest answers are taken out and start again later, and the ratio goes up.

One thing is simpler than in the original: between two pieces of one long prompt the running batch decodes once.

No clock and no I/O here; `engine_loop` gives the steps their time.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass

from tuner_tui.engines.simulated.performance import Performance
from tuner_tui.engines.simulated.prefix_cache import PrefixCache
from tuner_tui.engines.simulated.sequence import Sequence

_CLIP_TOKENS = 4096
_FIRST_RATIO = 0.7
_LEAST_SHARE = 0.14
_RATIO_STEPS = 600
_RETRACT_STEPS = 20
"""After a retraction, room is kept for this many more decode steps of the batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The launch flags that the scheduler obeys; sizes in tokens, `chunk_tokens` None for no chunking."""

    kv_tokens: int
    max_running_requests: int
    chunk_tokens: int | None = 8192
    max_prefill_tokens: int = 16384
    graph_max_batch: int = 256
    page_tokens: int = 1
    policy: str = "fcfs"
    conservativeness: float = 1.0
    prefix_cache: bool = True
    mixed_chunk: bool = False
    continuous_decode_steps: int = 1
    vocabulary: int = 128256


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One forward pass: what it computes and how long it takes. Counts are as before the step, for the log."""

    duration_s: float
    prefills: tuple[tuple[Sequence, int], ...] = ()
    decodes: tuple[Sequence, ...] = ()
    new_sequences: int = 0
    new_tokens: int = 0
    cached_tokens: int = 0
    running: int = 0
    graph: bool = False


@dataclass(frozen=True, slots=True)
class Retraction:
    """Requests taken out because the KV cache was full."""

    requests: int
    ratio_before: float
    ratio_after: float


class Scheduler:
    """Owns the batch, the queue and the KV cache of one replica."""

    def __init__(self, limits: Limits, performance: Performance, chance: random.Random) -> None:
        self.limits = limits
        self.waiting: deque[Sequence] = deque()
        self.running: list[Sequence] = []
        self.cache = PrefixCache(limits.page_tokens)
        self.retractions: list[Retraction] = []
        """Those of the last `plan`."""
        self.finished = 0
        self._performance = performance
        self._chance = chance
        self._own = 0
        self._chunked: Sequence | None = None
        self._in_step: list[Sequence] = []
        """Those being prefilled in the step under way."""
        self._decode_first = 0
        self._ratio = self._first_ratio

    def __len__(self) -> int:
        """Requests that wait or run."""
        prefilling = len(self._in_step) + (self._chunked is not None and self._chunked not in self._in_step)
        return len(self.waiting) + len(self.running) + prefilling

    @property
    def busy(self) -> bool:
        return bool(self.waiting or self.running or self._chunked or self._in_step)

    @property
    def used_tokens(self) -> int:
        """KV tokens that requests hold; what is only cached does not count."""
        return self._own + self.cache.tokens - self.cache.evictable

    @property
    def usage(self) -> float:
        """`used_tokens` as a fraction of the KV cache."""
        return self.used_tokens / self.limits.kv_tokens

    @property
    def longest_tokens(self) -> int:
        """The longest prompt and answer together that can ever be served."""
        return self.limits.kv_tokens - self.limits.page_tokens

    def submit(self, sequence: Sequence) -> None:
        """Queues a request. Its prompt and `limit` together must be at most `longest_tokens`."""
        self.waiting.append(sequence)

    def abort(self, sequence: Sequence) -> None:
        """Forgets a request whose client has gone; one that is not here is ignored."""
        if sequence in self.waiting:
            self.waiting.remove(sequence)
        elif sequence in self.running:
            self.running.remove(sequence)
            self._release(sequence, keep=True)
        elif sequence is self._chunked or sequence in self._in_step:
            if sequence is self._chunked:
                self._chunked = None
            self._release(sequence, keep=False)

    def flush(self) -> bool:
        """Empties the prefix cache; False, and nothing done, while requests are here."""
        if self.busy:
            return False
        self.cache = PrefixCache(self.limits.page_tokens)
        return True

    def plan(self) -> Step | None:
        """The next step, its KV cache taken; None when there is nothing to do. `complete` must follow."""
        self.retractions = []
        if not self.busy:
            self._ratio = self._first_ratio
            return None
        if self.running and self._decode_first > 0:
            self._decode_first -= 1
            if (step := self._plan_decode()) is not None:
                return step
        prefills, new = self._choose_prefills()
        if not prefills:
            self._decode_first = self.limits.continuous_decode_steps - 1
            if (step := self._plan_decode()) is not None:
                return step
            # All that ran was taken out to make room: now something fits.
            prefills, new = self._choose_prefills()
        return self._plan_prefill(prefills, new) if prefills else None

    def complete(self, step: Step) -> None:
        """Counts the tokens that `step` gave, and tells each request that got one. A request aborted meanwhile
        gets none."""
        self._in_step = []
        for sequence, tokens in step.prefills:
            if sequence.node is None:
                continue
            sequence.to_compute -= tokens
            if sequence.to_compute == 0:
                if sequence is self._chunked:
                    self._chunked = None
                self._share(sequence)
                self.running.append(sequence)
                self._advance(sequence)
        for sequence in step.decodes:
            if sequence.node is not None:
                self._advance(sequence)

    def _advance(self, sequence: Sequence) -> None:
        sequence.generated += 1
        if sequence.generated < sequence.length:
            sequence.emit(sequence, None)
            return
        self.running.remove(sequence)
        self._release(sequence, keep=True)
        self.finished += 1
        sequence.emit(sequence, sequence.reason)

    # Prefill

    def _choose_prefills(self) -> tuple[list[tuple[Sequence, int]], list[Sequence]]:
        limits = self.limits
        total = limits.max_prefill_tokens
        chunk = total if limits.chunk_tokens is None else limits.chunk_tokens
        chosen: list[tuple[Sequence, int]] = []
        new: list[Sequence] = []
        if self._chunked is not None:
            tokens = min(self._chunked.to_compute, chunk)
            chosen.append((self._chunked, tokens))
            chunk, total = chunk - tokens, total - tokens
        self._order()
        while self.waiting and min(chunk, total) > 0:
            if len(self.running) + len(chosen) >= limits.max_running_requests:
                break
            sequence = self.waiting[0]
            if not self._let_in(sequence, chosen):
                break
            self.waiting.popleft()
            tokens = sequence.to_compute
            if limits.chunk_tokens is not None:
                tokens = min(tokens, chunk)
            elif chosen and tokens > total:
                # Without chunking a prompt goes in whole, a long one alone.
                self._release(sequence, keep=False)
                self.waiting.appendleft(sequence)
                break
            chosen.append((sequence, tokens))
            new.append(sequence)
            chunk, total = chunk - tokens, total - tokens
            if tokens < sequence.to_compute:
                self._chunked = sequence
                break
        return chosen, new

    def _let_in(self, sequence: Sequence, chosen: list[tuple[Sequence, int]]) -> bool:
        """Takes the KV cache for the prompt if it and the rest of all answers are expected to fit."""
        ids = sequence.ids(self.limits.vocabulary)
        cached, node = self.cache.match(ids[:-1]) if self.limits.prefix_cache else (0, self.cache.root)
        self.cache.lock(node)
        left = [*self.running, *(each for each, _ in chosen)]
        expected = sum(min(each.limit - each.generated, _CLIP_TOKENS) for each in left) * self._ratio
        own = self._pages(len(ids) - cached)
        alone = not left
        needed = own + (0 if alone else min(sequence.limit - sequence.generated, _CLIP_TOKENS) + expected)
        free = self.free_tokens
        if needed > free + self.cache.evictable:
            self.cache.unlock(node)
            return False
        if own > free:
            self.cache.evict(own - free)
        sequence.node, sequence.shared, sequence.own = node, cached, own
        sequence.to_compute = len(ids) - cached
        if sequence.generated == 0:
            sequence.cached = cached
        self._own += own
        return True

    def _plan_prefill(self, prefills: list[tuple[Sequence, int]], new: list[Sequence]) -> Step:
        limits = self.limits
        decodes = tuple(self.running) if limits.mixed_chunk and self._make_room() else ()
        tokens = sum(each for _, each in prefills)
        attended = sum(_pairs(each.tokens - each.to_compute, part) for each, part in prefills)
        kv_tokens = sum(each.tokens for each in decodes)
        duration = self._performance.prefill_s(
            tokens + len(decodes), attended, len(prefills) + len(decodes), kv_tokens=kv_tokens
        )
        if self._chunked is not None and not decodes:
            self._decode_first = 1
        self._in_step = [each for each, _ in prefills]
        return Step(
            duration_s=duration,
            prefills=tuple(prefills),
            decodes=decodes,
            new_sequences=len(new),
            new_tokens=tokens,
            cached_tokens=sum(each.shared for each in new),
            running=len(self.running),
        )

    def _order(self) -> None:
        """Puts the next request first. Longest-prefix order is given up over long queues, as in SGLang."""
        policy = self.limits.policy
        if len(self.waiting) < 2 or policy == "fcfs":
            return
        if policy in ("lpm", "dfs-weight"):
            if len(self.waiting) <= 128:
                ordered = sorted(self.waiting, key=lambda each: -self.cache.match(each.prompt)[0])
                self.waiting = deque(ordered)
        elif policy == "lof":
            self.waiting = deque(sorted(self.waiting, key=lambda each: -each.limit))
        elif policy == "random":
            shuffled = list(self.waiting)
            self._chance.shuffle(shuffled)
            self.waiting = deque(shuffled)

    # Decode

    def _plan_decode(self) -> Step | None:
        if not self.running or not self._make_room():
            return None
        decodes = tuple(self.running)
        kv_tokens = sum(each.tokens for each in decodes)
        graph = len(decodes) <= self.limits.graph_max_batch
        least = self._first_ratio * _LEAST_SHARE
        self._ratio = max(self._ratio - (self._first_ratio - least) / _RATIO_STEPS, least)
        return Step(
            duration_s=self._performance.decode_s(len(decodes), kv_tokens, graph=graph),
            decodes=decodes,
            running=len(decodes),
            graph=graph,
        )

    def _make_room(self) -> bool:
        """Takes a KV token for every running request, and requests out of the batch until that is possible."""
        taken_out: list[Sequence] = []
        before = self._ratio
        while self.running:
            needed = sum(self._pages(each.tokens - each.shared) - each.own for each in self.running)
            free = self.free_tokens
            if needed > free:
                self.cache.evict(needed - free)
                free = self.free_tokens
            if needed <= free:
                break
            last = min(reversed(self.running), key=lambda each: each.generated)
            self.running.remove(last)
            self._release(last, keep=False)
            taken_out.append(last)
        if taken_out:
            self.waiting.extendleft(taken_out)
            answered = sum(each.generated for each in self.running) + _RETRACT_STEPS * len(self.running)
            asked = sum(each.limit for each in self.running)
            self._ratio = min(answered / asked, 1.0) if asked else 1.0
            self.retractions.append(Retraction(len(taken_out), before, self._ratio))
        for each in self.running:
            own = self._pages(each.tokens - each.shared)
            self._own += own - each.own
            each.own = own
        return bool(self.running)

    # KV cache

    @property
    def _first_ratio(self) -> float:
        return min(_FIRST_RATIO * self.limits.conservativeness, 1.0)

    @property
    def free_tokens(self) -> int:
        """KV tokens that nothing holds, not even the prefix cache."""
        return self.limits.kv_tokens - self._own - self.cache.tokens

    def _pages(self, tokens: int) -> int:
        page = self.limits.page_tokens
        return -(-tokens // page) * page

    def _share(self, sequence: Sequence) -> None:
        """Puts the computed prompt into the prefix cache, so that others can use it from now on."""
        if not self.limits.prefix_cache:
            return
        node = sequence.node
        assert node is not None
        shared, end = self.cache.insert(sequence.ids(self.limits.vocabulary))
        self.cache.lock(end)
        self.cache.unlock(node)
        own = self._pages(sequence.tokens - shared)
        self._own += own - sequence.own
        sequence.node, sequence.shared, sequence.own = end, shared, own

    def _release(self, sequence: Sequence, *, keep: bool) -> None:
        """Gives the KV cache back; with `keep` what was computed stays cached."""
        node = sequence.node
        assert node is not None
        if keep and self.limits.prefix_cache and sequence.to_compute == 0:
            # The last token has been drawn but not been computed on.
            self.cache.insert(sequence.ids(self.limits.vocabulary)[:-1])
        self.cache.unlock(node)
        self._own -= sequence.own
        sequence.node, sequence.shared, sequence.own, sequence.to_compute = None, 0, 0, 0


def _pairs(before: int, new: int) -> int:
    """Token pairs that causal attention of `new` tokens after `before` others looks at."""
    return new * before + new * (new + 1) // 2
