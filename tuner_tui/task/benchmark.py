"""`benchmark`, `objective` and `search`: the traffic, what is best, and how the space is walked."""

from __future__ import annotations

import re
from typing import Any

from tuner_tui.task.fields import Field, Section, finite, listed, nearest
from tuner_tui.task.model import Benchmark, Objective, Search
from tuner_tui.task.nodes import plain
from tuner_tui.task.scenario_syntax import scenario

_TRAFFIC = 'traffic scenarios, like ["D(100,100)"]'
_CONCURRENCY = "numbers of requests at once, like [1, 4]"
_OWN = (
    "prompt", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "min_tokens", "ignore_eos",
)  # fmt: skip
_METRICS = ("e2e", "ttft", "tpot")
_STATISTICS = ("mean", "p50", "p90", "p99", "min", "max")
_THROUGHPUT = "output_tokens_per_s_per_gpu"
NAMED = {
    "minimize_latency": Objective(name="minimize_latency", direction="minimize", metric="e2e"),
    "maximize_throughput": Objective(name="maximize_throughput", direction="maximize", metric=_THROUGHPUT),
    "minimize_ttft": Objective(name="minimize_ttft", direction="minimize", metric="ttft"),
    "minimize_tpot": Objective(name="minimize_tpot", direction="minimize", metric="tpot"),
}
MAX_LAUNCHES = 50
STRATEGIES_LATER = ("bayesian", "random", "halving", "successive_halving", "coordinate")


def read_benchmark(top: Section) -> Benchmark | None:
    """None where an error was noted."""
    section = top.section("benchmark", "traffic, concurrency, and max_requests or max_time")
    if section is None:
        top.missing("benchmark", "traffic, concurrency, and max_requests or max_time")
        return None
    keys = ("tool", "traffic", "concurrency", "max_requests", "max_time", "request", "cpus")
    meant = section.check_names(keys, {"request_rate": "; write concurrency: [1, 4]"})
    if tool := section.field("tool"):
        tool.choice(("builtin",), ("genai-bench",))
    traffic = read_traffic(section.field("traffic"))
    concurrency = read_concurrency(section.field("concurrency"))
    max_requests = section.field("max_requests")
    max_time = section.field("max_time")
    if "traffic" not in meant:
        section.missing("traffic", _TRAFFIC)
    if "concurrency" not in meant and "request_rate" not in section.mapping.entries:
        section.missing("concurrency", _CONCURRENCY)
    if not max_requests and not max_time and not meant & {"max_requests", "max_time"}:
        section.missing("max_requests", "max_requests: 50, or max_time: 10s, or both")
    cpus = section.field("cpus")
    requests = max_requests.integer(1, "a number of requests") if max_requests else None
    seconds = max_time.duration_s() if max_time else None
    request = read_request(section.section("request", "fields of the request, like {temperature: 0}"))
    cpu_set = cpus.cpu_set() if cpus else None
    if not traffic or not concurrency or (requests is None and seconds is None):
        return None
    return Benchmark(
        traffic=traffic,
        concurrency=concurrency,
        max_requests=requests,
        max_time_s=seconds,
        request=request,
        cpus=cpu_set,
    )


def read_traffic(field: Field | None) -> tuple[str, ...]:
    """Scenarios without blanks, each once; empty where an error was noted."""
    if field is None:
        return ()
    found: dict[str, None] = {}
    good = True
    pieces = iter(field.items(_TRAFFIC) if field.is_list else [field])
    for each in pieces:
        text = each.text("a traffic scenario")
        if text is None:
            good = False
            continue
        if field.is_list and text.count("(") > text.count(")"):
            # YAML has cut D(100,100) at its comma.
            while text.count("(") > text.count(")") and (piece := next(pieces, None)):
                text += "," + (piece.text() or "")
            each.error(f'in a list, a scenario stands in quotes: ["{text}"]')
            good = False
            continue
        try:
            bare = scenario(text)
        except ValueError as error:
            each.error(str(error))
            good = False
            continue
        if bare in found:
            each.warn(f"{bare} is listed twice; it is measured once")
        found[bare] = None
    return tuple(found) if good else ()


def read_concurrency(field: Field | None) -> tuple[int, ...]:
    """Each number once; empty where an error was noted."""
    if field is None:
        return ()
    found: dict[int, None] = {}
    good = True
    for each in field.items(_CONCURRENCY) if field.is_list else [field]:
        number = each.integer(1, "a number of requests at once")
        if number is None:
            good = False
            continue
        if number in found:
            each.warn(f"{number} is listed twice; it is measured once")
        found[number] = None
    return tuple(found) if good else ()


def read_request(section: Section | None, *, warning: bool = False) -> dict[str, Any]:
    """Fields passed on in every request. Those the tuner sets itself are refused, or with `warning` left out."""
    request: dict[str, Any] = {}
    if section is None:
        return request
    for name, _, field in section.fields():
        if name in _OWN:
            said = "left out: " if warning else ""
            section.at_key(name, f"{said}the tuner sets it itself, from the traffic", warning=warning)
        elif not finite(field.item):
            field.error("expected finite numbers")
        else:
            request[name] = plain(field.item)
    return request


def read_objective(field: Field | None, benchmark: Benchmark | None) -> Objective | None:
    """None where an error was noted."""
    if field is None:
        return NAMED["minimize_latency"]
    if not field.is_mapping:
        name = field.choice(tuple(NAMED), ("maximize_goodput",))
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
    known = {f"{traffic}×{n}": f"{traffic} × {n}" for traffic in benchmark.traffic for n in benchmark.concurrency}
    bare = re.sub(r"\s", "", text)
    bare = re.sub(r"\)[xX*](\d+)$", r")×\1", bare)
    if bare in known:
        return known[bare]
    near = nearest(bare, known)
    hint = f"did you mean {known[near]}?" if near else f"there are {', '.join(list(known.values())[:8])}"
    field.error(f"the benchmark has no level {text!r}; {hint}")
    return None


def read_search(section: Section | None) -> Search:
    """What could be read; the rest is noted."""
    if section is None:
        return Search()
    later = {"budget": "", "baseline": ""}
    section.check_names(("strategy", "launches", "min_difference"), later)
    if strategy := section.field("strategy"):
        strategy.choice(("grid",), STRATEGIES_LATER)
    launches = section.field("launches")
    number = launches.integer(1, "a number of launches of each configuration") if launches else None
    if launches and number and number > MAX_LAUNCHES:
        launches.error(f"{number} launches of each configuration are more than the {MAX_LAUNCHES} that are possible")
        number = None
    difference = section.field("min_difference")
    share = difference.percentage("a percentage, such as 1%") if difference else None
    return Search(launches=number or 1, min_difference=share or 0.0)
