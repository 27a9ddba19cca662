"""The task file's top level → a `Task`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, cast

from tuner_tui.task.benchmark import read_benchmark
from tuner_tui.task.fields import Section, listed
from tuner_tui.task.goal import read_limits, read_objective, read_search, refuse_tpot_of_one_token, warn_of_few_samples
from tuner_tui.task.model import Task
from tuner_tui.task.model_place import models_folder, read_model
from tuner_tui.task.parameters import read_space
from tuner_tui.task.surroundings import read_docker, read_env, read_gpus, read_process

ENGINES = ("sglang", "vllm", "simulated")
KEYS = (
    "name", "description", "engine", "image", "model", "models_dir", "backend", "gpus", "env", "docker", "process",
    "parameters", "linked", "constraints", "unchecked", "benchmark", "objective", "limits", "search", "start_timeout",
)  # fmt: skip


def read_task(top: Section, *, file: Path, models_dir: Path | None) -> Task | None:
    """The whole task; None where a required part is missing or broken. `reading.engine` and `.space` are set as
    far as they can be read. Whether any error was noted is the caller's to see."""
    folder = file.parent
    reading = top.reading
    meant = top.check_names(KEYS, {})
    for key, what in (("engine", listed(ENGINES)), ("model", "a folder, a Hugging Face id, or a name")):
        if key not in meant:
            top.missing(key, what)
    engine_field = top.field("engine")
    reading.engine = engine = engine_field.choice(ENGINES) if engine_field else None
    backend_field = top.field("backend")
    backend = (backend_field.choice(("docker", "process"), ("kubernetes",)) if backend_field else None) or "docker"
    docker = read_docker(top.section("docker"), folder)
    model = None
    if model_field := top.field("model"):
        model = read_model(
            model_field,
            folder=folder,
            models_dir=models_folder(top.field("models_dir"), models_dir, folder),
            simulated=engine == "simulated",
            mount_targets=tuple(mount.rsplit(":", 2)[1] for mount in docker.mounts) if backend == "docker" else (),
        )
    reading.space = space = read_space(top)
    benchmark = None if "benchmark" in meant else read_benchmark(top, folder)
    objective = read_objective(top.field("objective"), benchmark)
    seek = benchmark is not None and benchmark.seek is not None
    each_request = objective is not None and not objective.gates and not seek
    limits = read_limits(
        top.section("limits", "limits, like {ttft.p99: 500ms, tpot.mean: 50ms}"), one_a_metric=each_request
    )
    if seek and not limits:
        top.missing("limits", "what the highest load is to keep, like {ttft.p99: 500ms}")
    elif each_request and not limits and "limits" not in top.mapping.entries:
        top.at_key("objective", "maximize_goodput counts requests that keep the limits; add limits: {ttft.p99: 500ms}")
    timeout = top.field("start_timeout")
    start_timeout_s = timeout.duration_s() if timeout else None
    texts = {}
    for key in ("name", "image", "description"):
        field = top.field(key)
        texts[key] = field.text() if field else None
    if texts["image"] and any(letter.isspace() for letter in texts["image"]):
        top.at_key("image", f"{texts['image']!r} is not the name of an image: a blank stands in it")
    env = read_env(top.section("env", "names with values, like {HF_HUB_OFFLINE: 1}"))
    gpus = read_gpus(top.field("gpus"))
    process = read_process(top.section("process"), folder)
    search = read_search(top.section("search"))
    if engine is None or model is None or benchmark is None or objective is None:
        return None
    warn_of_few_samples(top, benchmark, objective, limits)
    refuse_tpot_of_one_token(reading, "objective", benchmark, objective, limits)
    return Task(
        name=texts["name"] or file.stem,
        file=str(file),
        engine=cast(Literal["sglang", "vllm", "simulated"], engine),
        model=model,
        space=space,
        benchmark=benchmark,
        objective=objective,
        image=texts["image"],
        backend=cast(Literal["docker", "process"], backend),
        gpus=gpus,
        env=env,
        docker=docker,
        process=process,
        limits=limits,
        search=search,
        start_timeout_s=start_timeout_s or 1200.0,
        description=texts["description"] or "",
    )
