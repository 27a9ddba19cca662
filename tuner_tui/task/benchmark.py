"""`benchmark`: the traffic."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, cast

from tuner_tui.task.fields import Field, Section, finite
from tuner_tui.task.model import Benchmark
from tuner_tui.task.nodes import plain
from tuner_tui.task.paths import is_file
from tuner_tui.task.scenario_syntax import DATASET, scenario
from tuner_tui.task.variables import expand_path

_TRAFFIC = 'traffic scenarios, like ["D(100,100)"]'
_CONCURRENCY = "numbers of requests at once, like [1, 4]"
_RATE = "requests a second, like [2, 4, 8]"
_MAX_RATE = 100_000
_KEYS = (
    "tool", "traffic", "concurrency", "request_rate", "arrivals", "max_in_flight", "max_requests", "max_time",
    "endpoint", "dataset", "api_key_variable", "request", "cpus",
)  # fmt: skip
# What only the builtin generator does.
_BUILTIN = ("request_rate", "arrivals", "max_in_flight", "endpoint", "dataset", "api_key_variable")
_OWN = (
    "prompt", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "min_tokens", "ignore_eos",
)  # fmt: skip


def read_benchmark(top: Section, folder: Path) -> Benchmark | None:
    """`folder` is the task file's own. None where an error was noted."""
    section = top.section("benchmark", "traffic, concurrency, and max_requests or max_time")
    if section is None:
        top.missing("benchmark", "traffic, concurrency, and max_requests or max_time")
        return None
    meant = section.check_names(_KEYS, {})
    tool_field = section.field("tool")
    tool = (tool_field.choice(("builtin", "genai-bench")) if tool_field else None) or "builtin"
    traffic = read_traffic(section.field("traffic"))
    before = len(top.reading.problems)
    seek = _read_seek(section)
    concurrency = () if seek else read_concurrency(section.field("concurrency"))
    max_requests = section.field("max_requests")
    max_time = section.field("max_time")
    if "traffic" not in meant:
        section.missing("traffic", _TRAFFIC)
    rates = None if seek == "rate" else _read_rates(section, meant)
    _check_tool(section, tool, seek)
    if not max_requests and not max_time and not meant & {"max_requests", "max_time"}:
        section.missing("max_requests", "max_requests: 50, or max_time: 10s, or both")
    cpus = section.field("cpus")
    requests = max_requests.integer(1, "a number of requests") if max_requests else None
    seconds = max_time.duration_s() if max_time else None
    if tool == "genai-bench" and max_time and seconds is not None and seconds % 60:
        max_time.error("genai-bench counts whole minutes; write 1m, 2m, …, or end a level by max_requests alone")
    request = read_request(section.section("request", "fields of the request, like {temperature: 0}"))
    cpu_set = cpus.cpu_set() if cpus else None
    arrivals = section.field("arrivals")
    bound = section.field("max_in_flight")
    endpoint = section.field("endpoint")
    optional: dict[str, Any] = {
        "arrivals": arrivals.choice(("constant", "poisson")) if arrivals else None,
        "max_in_flight": bound.integer(1, "the most requests in flight at once") if bound else None,
        "endpoint": endpoint.choice(("completions", "chat")) if endpoint else None,
        "dataset": _read_dataset(section, traffic, folder),
        "api_key_variable": _read_variable(section.field("api_key_variable")),
    }
    if rates is None and seek != "rate" and (arrivals or bound):
        section.at_key("arrivals" if arrivals else "max_in_flight", "belongs to request_rate, which is not there")
    if not traffic or not (concurrency or rates or seek) or (requests is None and seconds is None):
        return None
    if seek and len(top.reading.problems) > before:
        return None  # whatever else such a load needs is not missed on top
    return Benchmark(
        traffic=traffic,
        concurrency=concurrency,
        request_rate=rates or (),
        seek=seek,
        tool=cast(Literal["builtin", "genai-bench"], tool),
        max_requests=requests,
        max_time_s=seconds,
        request=request,
        cpus=cpu_set,
        **{name: value for name, value in optional.items() if value is not None},
    )


def _read_seek(section: Section) -> Literal["concurrency", "rate"] | None:
    """Whether one of the two is `max`: the highest that keeps the limits."""
    kinds: dict[str, Literal["concurrency", "rate"]] = {"concurrency": "concurrency", "request_rate": "rate"}
    for name, kind in kinds.items():
        field = section.field(name)
        if field and field.is_word("max"):
            other = next(each for each in kinds if each != name)
            if section.field(other):
                section.at_key(other, f"{name}: max looks for the load itself; leave {other} out")
            return kind
    return None


def _read_rates(section: Section, meant: set[str]) -> tuple[float, ...] | None:
    """Each rate once; None where there are none or an error was noted. One of the two must be there, not both."""
    field = section.field("request_rate")
    if field is None:
        if not meant & {"concurrency", "request_rate"}:
            section.missing("concurrency", f"{_CONCURRENCY}; or request_rate, {_RATE}")
        return None
    if section.field("concurrency"):
        section.at_key("request_rate", "a level has either a concurrency or a request rate; leave one of the two out")
        return None
    found: dict[float, None] = {}
    for each in field.items(_RATE) if field.is_list else [field]:
        rate = each.number(f"{_RATE}, above 0 and at most {_MAX_RATE:,}", above=0, most=_MAX_RATE)
        if rate is not None:
            if rate in found:
                each.warn(f"{rate:g} is listed twice; it is measured once")
            found[rate] = None
    return tuple(found) or None


def _check_tool(section: Section, tool: str, seek: str | None) -> None:
    if tool == "genai-bench":
        if seek == "concurrency":
            section.at_key("concurrency", "genai-bench looks for no highest load; write [1, 4], or tool: builtin")
        for name in _BUILTIN:
            if section.field(name):
                section.at_key(name, f"genai-bench has no {name} here; leave it out, or write tool: builtin")


def _read_dataset(section: Section, traffic: tuple[str, ...], folder: Path) -> str | None:
    field = section.field("dataset")
    if field is None:
        if DATASET in traffic:
            section.missing("dataset", "a file of prompts, like ./prompts.jsonl, for the traffic dataset")
        return None
    if traffic and DATASET not in traffic:
        section.at_key("dataset", "nothing reads it; write traffic: [dataset]")
    text = field.text("a file of prompts, like ./prompts.jsonl")
    path = expand_path(field, text, folder) if text else None
    if path is not None and not is_file(path):
        field.error(f"the file {path} is not there")
    return str(path) if path else None


def _read_variable(field: Field | None) -> str | None:
    """The name of an environment variable; its value is never read here."""
    name = field.text("the name of an environment variable, like OPENAI_API_KEY") if field else None
    if field and name is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        field.error("expected the name of an environment variable, like OPENAI_API_KEY; never the key itself")
        return None
    return name


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
        number = each.integer(1, "a number of requests at once" + ("" if field.is_list else ", or max"))
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
