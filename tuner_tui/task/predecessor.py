"""Task files of the predecessor (`task_name`, `base_runtime`, `optimization`, …) → the same `Task`."""

from __future__ import annotations

import math
from collections.abc import Collection
from pathlib import Path
from typing import Literal, cast

import msgspec

from tuner_tui.task.benchmark import read_concurrency, read_request, read_traffic
from tuner_tui.task.fields import NOT_YET, Field, Section
from tuner_tui.task.goal import NAMED, refuse_tpot_of_one_token
from tuner_tui.task.model import Benchmark, Model, Objective, ParameterSpace, Task
from tuner_tui.task.model_place import models_folder, read_model
from tuner_tui.task.parameters import read_parameters
from tuner_tui.task.space import MAX_CONFIGURATIONS, size

_MARKS = ("task_name", "base_runtime", "optimization")
_KEYS = ("task_name", "description", "deployment_mode", "model", "base_runtime", "parameters", "optimization",
         "benchmark")  # fmt: skip
_STRATEGIES_LATER = ("bayesian", "bayesian_optimization", "random", "random_search")


def is_predecessor(keys: Collection[str]) -> bool:
    """Whether the top level's keys are the predecessor's and not ours."""
    return any(mark in keys for mark in _MARKS) and "engine" not in keys


def read_predecessor(top: Section, *, file: Path, models_dir: Path | None) -> Task | None:
    """As `task_keys.read_task`. Unknown keys are warnings: those files carry many that mean nothing here."""
    reading = top.reading
    _names(top, _KEYS, {"slo": "; take it out"})
    for key, what in (("base_runtime", "sglang or vllm"), ("model", "{id_or_path: …}"), ("benchmark", "the traffic")):
        top.missing(key, what)
    runtime = top.field("base_runtime")
    reading.engine = engine = runtime.choice(("sglang", "vllm")) if runtime else None
    mode_field = top.field("deployment_mode")
    mode = mode_field.choice(("docker", "local"), ("ome", "kubernetes")) if mode_field else "docker"
    reading.space = space = _space(top)
    model = _model(top.section("model"), file.parent, models_dir)
    objective, start_timeout_s = _optimization(top.section("optimization"), space)
    benchmark = _benchmark(top.section("benchmark"))
    name, description = top.field("task_name"), top.field("description")
    task_name = name.text() if name else None
    about = description.text() if description else None
    if engine is None or mode is None or model is None or benchmark is None or objective is None:
        return None
    refuse_tpot_of_one_token(reading, "optimization.objective", benchmark, objective)
    return Task(
        name=task_name or file.stem,
        file=str(file),
        engine=cast(Literal["sglang", "vllm"], engine),
        model=model,
        space=space,
        benchmark=benchmark,
        objective=objective,
        backend="process" if mode == "local" else "docker",
        start_timeout_s=start_timeout_s,
        description=about or "",
    )


def _names(section: Section, valid: tuple[str, ...], later: dict[str, str]) -> None:
    section.check_names(valid, later, warning=True)


def _space(top: Section) -> ParameterSpace:
    section = top.section("parameters", "flags with lists of values")
    if section is None:
        return ParameterSpace()
    space = ParameterSpace(parameters=tuple(read_parameters(section, {}, checked=True)))
    if size(space) > MAX_CONFIGURATIONS:
        top.at_key("parameters", f"{size(space):,} configurations are more than {MAX_CONFIGURATIONS:,}")
    return space


def _model(section: Section | None, folder: Path, models_dir: Path | None) -> Model | None:
    if section is None:
        return None
    _names(section, ("id_or_path", "namespace"), {})
    section.missing("id_or_path", "a folder, a Hugging Face id, or a name under models_dir")
    field = section.field("id_or_path")
    if field is None:
        return None
    places = models_folder(None, models_dir, folder)
    return read_model(field, folder=folder, models_dir=places, simulated=False, mount_targets=())


def _optimization(section: Section | None, space: ParameterSpace) -> tuple[Objective | None, float]:
    default_s = msgspec.structs.fields(Task)
    timeout_s = next(float(each.default) for each in default_s if each.name == "start_timeout_s")
    objective: Objective | None = NAMED["minimize_latency"]
    if section is None:
        return objective, timeout_s
    _names(section, ("strategy", "objective", "max_iterations", "timeout_per_iteration"), {})
    if strategy := section.field("strategy"):
        strategy.choice(("grid_search", "grid"), _STRATEGIES_LATER)
    if field := section.field("objective"):
        name = field.choice([each for each in NAMED if NAMED[each].gates], ("balanced",))
        objective = NAMED[name] if name else None
    if (field := section.field("max_iterations")) and (most := field.integer(1, "a number of iterations")):
        total = size(space)
        if most < total:
            field.warn(f"would cut the grid at {most} of {total:,} configurations; all of them are measured here")
    if field := section.field("timeout_per_iteration"):
        timeout_s = field.duration_s() or timeout_s
    return objective, timeout_s


def _benchmark(section: Section | None) -> Benchmark | None:
    if section is None:
        return None
    _names(
        section,
        ("task", "model_name", "model_tokenizer", "traffic_scenarios", "num_concurrency", "max_time_per_iteration",
         "max_requests_per_iteration", "additional_params"),
        {},
    )  # fmt: skip
    section.missing("traffic_scenarios", 'traffic scenarios, like ["D(100,100)"]')
    section.missing("num_concurrency", "numbers of requests at once, like [1, 4]")
    if (field := section.field("task")) and (kind := field.text()) and kind != "text-to-text":
        field.error(f"{kind} {NOT_YET}; expected text-to-text")
    traffic = read_traffic(section.field("traffic_scenarios"))
    concurrency = read_concurrency(section.field("num_concurrency"))
    most, minutes = section.field("max_requests_per_iteration"), section.field("max_time_per_iteration")
    if most is None and minutes is None:
        section.missing("max_requests_per_iteration", "a number of requests")
    requests = most.integer(1, "a number of requests") if most else None
    seconds = _minutes(minutes) if minutes else None
    request = read_request(section.section("additional_params"), warning=True)
    if not traffic or not concurrency or (requests is None and seconds is None):
        return None
    return Benchmark(
        traffic=traffic, concurrency=concurrency, max_requests=requests, max_time_s=seconds, request=request
    )


def _minutes(field: Field) -> float | None:
    """Its program hands the number to genai-bench as minutes; its report calls it seconds."""
    value = getattr(field.item, "value", None)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        field.expected("a number of minutes above zero")
        return None
    field.warn(f"is taken as {value} minutes, as the program of that format does; its report calls them seconds")
    return value * 60.0
