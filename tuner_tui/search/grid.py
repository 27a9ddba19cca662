"""The grid strategy: every configuration, in blocks, each block in an order of its own."""

from __future__ import annotations

import random
from collections.abc import Mapping


def next_experiment(done: Mapping[int, int], launches: int, seed: int, *, first: int | None = None) -> int | None:
    """The experiment to launch next, or None when each has had its `launches`.

    `done` maps each experiment's id to the launches it has finished. All experiments get their k-th launch before
    any gets its (k+1)-th, and the order within a block is shuffled by `seed`, so that a slow drift of the machine
    falls on all alike. `first` (the baseline) begins each block.
    """
    open_ids = [experiment for experiment, finished in done.items() if finished < launches]
    if not open_ids:
        return None
    block = min(done[experiment] for experiment in open_ids)
    candidates = [experiment for experiment in open_ids if done[experiment] == block]
    if first in candidates:
        return first
    # The key depends on the experiment alone, so that one joining later does not reorder the others.
    return min(candidates, key=lambda experiment: random.Random(f"{seed}/{block}/{experiment}").random())
