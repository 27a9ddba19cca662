"""What a task will launch, and about how long that takes. Needs no Docker, no GPU, no network."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from tuner_tui.engines.catalogue import catalogue
from tuner_tui.engines.command import flags
from tuner_tui.engines.gpus import gpus_needed
from tuner_tui.engines.registry import engine
from tuner_tui.load.scenario import DATASET, parse
from tuner_tui.runs.events import Excluded, Experiment, levels_of
from tuner_tui.task.model import Configuration, Task
from tuner_tui.task.space import expand


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The configurations to launch, those left out, and remarks on the reading."""

    experiments: tuple[Experiment, ...]
    excluded: tuple[Excluded, ...]
    notes: tuple[str, ...]
    gpus: tuple[int, ...]

    @property
    def gpus_needed(self) -> int:
        """GPUs that the largest configuration needs; 0 where none are asked for."""
        return max((experiment.gpus_needed for experiment in self.experiments), default=0)


def plan(task: Task, gpus: tuple[int, ...]) -> Plan:
    """Expands the grid. `gpus` are the ones that may be used; () means that none are asked for."""
    expansion = expand(task.space, len(gpus) if gpus else None)
    kept: list[Experiment] = []
    excluded = [Excluded(configuration=e.configuration, reason=e.reason) for e in expansion.excluded]
    for configuration in expansion.kept:
        needed = gpus_needed(task.engine, configuration)
        if gpus and needed > len(gpus):
            count = f"{len(gpus)} is" if len(gpus) == 1 else f"{len(gpus)} are"
            excluded.append(Excluded(configuration=configuration, reason=f"needs {needed} GPUs, {count} available"))
            continue
        kept.append(Experiment(id=len(kept) + 1, configuration=configuration, gpus_needed=needed if gpus else 0))
    if task.search.baseline:
        kept = _with_baseline(task, kept, gpus)
    return Plan(experiments=tuple(kept), excluded=tuple(excluded), notes=tuple(expansion.notes), gpus=gpus)


def baseline(task: Task) -> Configuration:
    """The engine as it is without tuning: the flags that the task fixes, and of the searched ones none."""
    space = task.space
    fixed = {each.name: each.values[0] for each in space.parameters if len(each.values) == 1}
    return fixed | (space.linked[0] if len(space.linked) == 1 else {})


def _with_baseline(task: Task, kept: list[Experiment], gpus: tuple[int, ...]) -> list[Experiment]:
    """One more experiment, with id 0; where the grid holds the same command anyway, that one is marked instead."""
    configuration = baseline(task)
    same = _arguments(task, configuration)
    if any(_arguments(task, each.configuration) == same for each in kept):
        return [replace(each, baseline=_arguments(task, each.configuration) == same) for each in kept]
    needed = gpus_needed(task.engine, configuration) if gpus else 0
    return [Experiment(id=0, configuration=configuration, gpus_needed=needed, baseline=True), *kept]


def _arguments(task: Task, configuration: Configuration) -> list[str]:
    known = engine(task.engine)
    return flags(known, configuration, catalogue(known.catalogue))


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds of one launch (start, load) and of the whole plan. A guess until the first launch is over."""

    start_s: float
    load_s: float
    total_s: float


# What a start takes with an image that is there and a model of a few GB in the page cache; large models take minutes.
_START_S = {"sglang": 60.0, "vllm": 75.0, "simulated": 2.0}
# A middling time per output token. The simulated engine's is the seed run's.
_TPOT_S = {"sglang": 0.012, "vllm": 0.012, "simulated": 0.0017}
_PREFILL_S_PER_TOKEN = 0.0001
# A run of genai-bench: its start, and what it looks at only once a second.
_GENAI_BENCH_S = 6.0
# About how many loads are tried until the highest is found; the rounds of a concurrency and seconds of a rate that each
# takes at the least; a middling load.
_TRIES, _ROUNDS, _SECONDS, _AT_ONCE = 10, 4, 10.0, 8
# About what conversations hold.
_DATASET_TOKENS = (250.0, 250.0)


def estimate(task: Task, launches: int) -> Estimate:
    """How long `launches` launches take: a start, and for each level a warm-up (of two rounds, or of two seconds at a
    rate) and its requests, bounded by `max_time`. Where the highest load is looked for, about ten of such."""
    benchmark, load_s = task.benchmark, 0.0
    for level in levels_of(task):
        prompt_tokens, output_tokens = (
            _DATASET_TOKENS if level.scenario == DATASET else parse(level.scenario).mean_tokens
        )
        request_s = prompt_tokens * _PREFILL_S_PER_TOKEN + output_tokens * _TPOT_S[task.engine]
        if level.seek is not None:
            try_s = max((benchmark.max_requests or 0) / _AT_ONCE, _ROUNDS) * request_s
            if level.seek == "rate":
                try_s = max(try_s, _SECONDS) + 2
            load_s += _TRIES * (min(try_s, benchmark.max_time_s or try_s) + 2 * request_s)
            continue
        level_s = benchmark.max_time_s or float("inf")
        if benchmark.max_requests is not None:
            at_once = (level.request_rate or 0.0) * request_s if level.concurrency is None else level.concurrency
            level_s = min(level_s, benchmark.max_requests / at_once * request_s)
        warm_up_s = 2 * request_s if level.concurrency is not None else 2 + request_s
        load_s += level_s + warm_up_s + (_GENAI_BENCH_S if benchmark.tool == "genai-bench" else 0.0)
    start_s = min(_START_S[engine(task.engine).name], task.start_timeout_s)
    return Estimate(start_s=start_s, load_s=load_s, total_s=launches * (start_s + load_s + 1.0))
