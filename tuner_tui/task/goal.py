"""`objective`, `limits` and `search`: what is best, what must be kept, and how the space is walked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, cast

from tuner_tui.task.fields import Field, Section, listed, nearest
from tuner_tui.task.model import Benchmark, Limit, Objective, Search
from tuner_tui.task.reading import Reading
from tuner_tui.task.scenario_syntax import gives_one_token

_METRICS = ("e2e", "ttft", "tpot")
_STATISTICS = ("mean", "p50", "p90", "p99", "min", "max")
_THROUGHPUT = "output_tokens_per_s_per_gpu"
NAMED = {
    "minimize_latency": Objective(name="minimize_latency", direction="minimize", metric="e2e"),
    "maximize_throughput": Objective(name="maximize_throughput", direction="maximize", metric=_THROUGHPUT),
    "minimize_ttft": Objective(name="minimize_ttft", direction="minimize", metric="ttft"),
    "minimize_tpot": Objective(name="minimize_tpot", direction="minimize", metric="tpot"),
    "maximize_goodput": Objective(name="maximize_goodput", direction="maximize", metric="good_requests_per_s_per_gpu"),
}
MAX_LAUNCHES = 50
STRATEGIES_LATER = ("bayesian", "random", "halving", "successive_halving", "coordinate")


def read_objective(field: Field | None, benchmark: Benchmark | None) -> Objective | None:
    """None where an error was noted."""
    sought = NAMED["maximize_goodput"] if benchmark is not None and benchmark.seek else None
    if field is None:
        return sought or NAMED["minimize_latency"]
    if sought is not None:
        if not field.is_word(sought.name):
            field.error(f"where the load is max, the best is who sustains most; write {sought.name}, or leave it out")
        return sought
    if not field.is_mapping:
        name = field.choice(tuple(NAMED))
        return NAMED[name] if name else None
    section = field.section()
    assert section is not None
    before = len(field.reading.problems)
    meant = section.check_names(("minimize", "maximize", "level"), {})
    ways = [way for way in ("minimize", "maximize") if section.field(way)]
    if len(ways) != 1 and not meant:
        field.error('expected one of minimize or maximize, like {minimize: ttft.p99, level: "D(100,100) × 4"}')
    if len(ways) != 1 or len(field.reading.problems) > before:
        return None
    target = section.field(ways[0])
    level_field = section.field("level")
    level = _level(level_field, benchmark) if level_field else None
    metric = _metric(target, ways[0]) if target else None
    if metric is None or len(field.reading.problems) > before:
        return None
    name, statistic = metric
    shown = name if name == _THROUGHPUT else f"{name}.{statistic}"
    return Objective(
        name=f"{ways[0]} {shown}",
        direction="minimize" if ways[0] == "minimize" else "maximize",
        metric=name,
        statistic=statistic,
        level=level,
    )


def _metric(field: Field, way: str) -> tuple[str, str] | None:
    what = f"{listed([*_METRICS])} with {listed(['.' + each for each in _STATISTICS])}, or {_THROUGHPUT}"
    text = field.text(what)
    if text is None:
        return None
    name, dot, statistic = text.partition(".")
    if name == _THROUGHPUT and not dot:
        if way == "maximize":
            return name, "mean"
        field.error(f"more {_THROUGHPUT} is better; write maximize")
    elif name not in _METRICS:
        near = nearest(name, [*_METRICS, _THROUGHPUT])
        field.error(f"expected {what}, found {text!r}" + (f"; did you mean {near}?" if near else ""))
    elif dot and statistic not in _STATISTICS:
        field.error(f"expected {listed([f'{name}.{each}' for each in _STATISTICS])}, found {text!r}")
    elif way == "maximize":
        field.error(f"less {name} is better; write minimize")
    else:
        return name, statistic or "mean"
    return None


def _level(field: Field, benchmark: Benchmark | None) -> str | None:
    text = field.text('a level, like "D(100,100) × 4"')
    if text is None or benchmark is None:
        return None
    names = [f"{traffic} × {n}" for traffic in benchmark.traffic for n in benchmark.concurrency]
    poisson = " poisson" if benchmark.arrivals == "poisson" else ""
    names += [f"{traffic} @ {rate:g}/s{poisson}" for traffic in benchmark.traffic for rate in benchmark.request_rate]
    known = {re.sub(r"\s", "", name): name for name in names}
    bare = re.sub(r"\s", "", text)
    bare = re.sub(r"(\)|t)[xX*](\d+)$", r"\1×\2", bare)
    if bare in known:
        return known[bare]
    near = nearest(bare, known)
    hint = f"did you mean {known[near]}?" if near else f"there are {', '.join(list(known.values())[:8])}"
    field.error(f"the benchmark has no level {text!r}; {hint}")
    return None


SAMPLES_NEEDED = {"p50": 2, "p90": 10, "p99": 100}
"""Requests a level without which a percentile is not to be trusted; as in `load.metrics`, which stands alone."""


def warn_of_few_samples(top: Section, benchmark: Benchmark, objective: Objective, limits: Sequence[Limit]) -> None:
    """Where the verdict rests on a percentile that `max_requests` leaves without enough requests behind it."""
    most = benchmark.max_requests
    used = {"objective": [objective.statistic], "limits": [limit.statistic for limit in limits if objective.gates]}
    for key, statistics in used.items():
        needed = max((SAMPLES_NEEDED.get(each, 0) for each in statistics), default=0)
        if most is not None and most < needed and key in top.mapping.entries:
            percentile = next(name for name, number in SAMPLES_NEEDED.items() if number == needed)
            top.at_key(
                key,
                f"{percentile} takes {needed} requests a level; with benchmark.max_requests: {most} "
                "every launch will be invalid",
                warning=True,
            )


def refuse_tpot_of_one_token(
    reading: Reading, key: str, benchmark: Benchmark, objective: Objective, limits: Sequence[Limit] = ()
) -> None:
    """Where the objective (written at `key`) or a limit is on a time per output token that no output will have."""
    judged = [each for each in benchmark.traffic if (objective.level or each).split(" ")[0] == each]
    single = [each for each in benchmark.traffic if gives_one_token(each)]
    found = [each for each in judged if each in single]
    why = "gives outputs of one token, which have no time per output token"
    if objective.metric == "tpot" and found:
        remedy = "ask for two tokens or more, or for another objective"
        reading.problems.append(reading.problem(key, f"{found[0]} {why}; {remedy}"))
    for limit in limits if single == [*benchmark.traffic] else ():
        if limit.metric == "tpot":
            remedy = "take this limit out, or ask for two tokens or more"
            reading.problems.append(reading.problem(f"limits.{limit.name}", f"{single[0]} {why}; {remedy}"))


def read_search(section: Section | None) -> Search:
    """What could be read; the rest is noted."""
    if section is None:
        return Search()
    section.check_names(("strategy", "launches", "min_difference", "budget", "baseline"), {})
    if strategy := section.field("strategy"):
        strategy.choice(("grid",), STRATEGIES_LATER)
    launches = section.field("launches")
    number = launches.integer(1, "a number of launches of each configuration") if launches else None
    if launches and number and number > MAX_LAUNCHES:
        launches.error(f"{number} launches of each configuration are more than the {MAX_LAUNCHES} that are possible")
        number = None
    difference = section.field("min_difference")
    share = difference.percentage("a percentage, such as 1%") if difference else None
    budget = section.field("budget")
    baseline = section.field("baseline")
    return Search(
        launches=number or 1,
        min_difference=share or 0.0,
        budget_s=budget.duration_s() if budget else None,
        baseline=(baseline.boolean() if baseline else None) or False,
    )


def read_limits(section: Section | None, *, one_a_metric: bool) -> tuple[Limit, ...]:
    """What could be read; the rest is noted. `one_a_metric`: each request is held against them by itself."""
    limits: list[Limit] = []
    for name, _, field in section.fields() if section else ():
        metric, _, statistic = name.partition(".")
        statistic = statistic or "mean"
        if metric not in _METRICS or statistic not in _STATISTICS:
            valid = [f"{each}.{one}" for each in _METRICS for one in _STATISTICS]
            near = nearest(name, valid)
            hint = f"did you mean {near}?" if near else "known here: ttft, tpot and e2e, with .mean, .p50, .p90, .p99 …"
            assert section is not None
            section.at_key(name, f"unknown limit; {hint}")
        elif (most_s := field.duration_s()) is not None:
            known = cast(Literal["ttft", "tpot", "e2e"], metric)
            limits.append(Limit(metric=known, statistic=statistic, most_s=most_s))
    if section is not None and one_a_metric:
        for metric in _METRICS:
            same = [limit for limit in limits if limit.metric == metric]
            if len(same) > 1:
                section.at_key(
                    same[1].name,
                    f"with maximize_goodput each request is held against one limit on {metric}; "
                    f"take out {same[0].name} or {same[1].name}",
                )
    return tuple(limits)
