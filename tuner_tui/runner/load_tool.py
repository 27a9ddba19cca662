"""What makes a launch's load: our own generator, or another program by the same orders."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from tuner_tui.backends.cpuset import parse_cpuset
from tuner_tui.load.client import Generator
from tuner_tui.load.genai_bench import GenaiBench
from tuner_tui.load.genai_bench_files import measured_result
from tuner_tui.load.metrics import level_result
from tuner_tui.load.model import Job, Level, LevelDone, LevelResult, LoadProgress, RequestRecord, RunLevel
from tuner_tui.runs.score import request_limits_s
from tuner_tui.task.launch_spec import LaunchSpec
from tuner_tui.task.model import Model, Task


class LoadTool(Protocol):
    """As `load.client.Generator` has it."""

    async def begin(self, job: Job) -> None: ...

    async def run(self, level: RunLevel, on_progress: Callable[[LoadProgress], None], /) -> LevelDone: ...

    async def close(self) -> None: ...


async def start_tool(task: Task, spec: LaunchSpec, folder: Path) -> LoadTool:
    """The tool that the task names, for one launch with the folder `folder`. Raises LoadError."""
    cpus, errors = generator_cpus(task, spec), folder / "generator.log"
    if task.benchmark.tool == "builtin":
        return await Generator.start(cpus=cpus, stderr=errors)
    return await GenaiBench.start(
        engine=task.engine,
        tokenizer=tokenizer(task.model) or task.model.given,
        folder=folder / "genai-bench",
        gpus=len(spec.gpus),
        cpus=cpus,
        stderr=errors,
    )


def result_of(
    tool: LoadTool, task: Task, level: Level, records: Sequence[RequestRecord], done: LevelDone
) -> LevelResult:
    """The level's result by the tool's own definitions."""
    limits_s = request_limits_s(task.limits)
    if isinstance(tool, GenaiBench):
        return measured_result(level, records, done.elapsed_s, limits_s, tool=tool.name)
    return level_result(level, records, limits_s, done)


def tokenizer(model: Model) -> str | None:
    """The model's tokenizer as a client on this machine can load it: its folder, or its Hugging Face id."""
    return model.path if model.kind == "folder" else model.hub_id


def generator_cpus(task: Task, spec: LaunchSpec) -> str | None:
    """The task's choice; else the CPUs that are not the engine's, where its set leaves any."""
    if task.benchmark.cpus is not None or not spec.cpuset or not hasattr(os, "sched_getaffinity"):
        return task.benchmark.cpus
    free = sorted(os.sched_getaffinity(0) - set(parse_cpuset(spec.cpuset)))
    return ",".join(map(str, free)) or None
