"""`benchmark`: the traffic."""

from __future__ import annotations

from typing import Any, Literal, cast

from tuner_tui.task.fields import Field, Section, finite
from tuner_tui.task.model import Benchmark
from tuner_tui.task.nodes import plain
from tuner_tui.task.scenario_syntax import scenario

_TRAFFIC = 'traffic scenarios, like ["D(100,100)"]'
_CONCURRENCY = "numbers of requests at once, like [1, 4]"
_OWN = (
    "prompt", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "min_tokens", "ignore_eos",
)  # fmt: skip


def read_benchmark(top: Section) -> Benchmark | None:
    """None where an error was noted."""
    section = top.section("benchmark", "traffic, concurrency, and max_requests or max_time")
    if section is None:
        top.missing("benchmark", "traffic, concurrency, and max_requests or max_time")
        return None
    keys = ("tool", "traffic", "concurrency", "max_requests", "max_time", "request", "cpus")
    meant = section.check_names(keys, {"request_rate": "; write concurrency: [1, 4]"})
    tool_field = section.field("tool")
    tool = (tool_field.choice(("builtin", "genai-bench")) if tool_field else None) or "builtin"
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
    if tool == "genai-bench" and max_time and seconds is not None and seconds % 60:
        max_time.error("genai-bench counts whole minutes; write 1m, 2m, …, or end a level by max_requests alone")
    request = read_request(section.section("request", "fields of the request, like {temperature: 0}"))
    cpu_set = cpus.cpu_set() if cpus else None
    if not traffic or not concurrency or (requests is None and seconds is None):
        return None
    return Benchmark(
        traffic=traffic,
        concurrency=concurrency,
        tool=cast(Literal["builtin", "genai-bench"], tool),
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
