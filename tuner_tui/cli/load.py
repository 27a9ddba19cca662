"""What every command that takes a TASK does first."""

from __future__ import annotations

from pathlib import Path

import click

from tuner_tui.engines.load_task import load_task
from tuner_tui.task.model import Task
from tuner_tui.task.problem import BadInput, Problem


def load(path: Path, models_dir: Path | None) -> Task:
    """The task; warnings go to standard error. Raises BadInput with every problem."""
    task, warnings = load_task(path, models_dir)
    for warning in warnings:
        click.echo(str(warning), err=True)
    return task


def usable_gpus(task: Task, *, strict: bool) -> tuple[int, ...]:
    """The GPUs that may be used: those listed, or all that are found.

    `strict`: a listed one that is missing is BadInput; else (for a plan made elsewhere) it is believed.
    The simulated engine uses a GPU only where one is listed.
    """
    if task.gpus == () or (task.gpus is None and task.engine == "simulated"):
        return ()
    if task.gpus is not None and not strict:
        return task.gpus
    from tuner_tui.backends.gpus import choose_gpus, docker_has_nvidia, find_gpus

    found = find_gpus()
    if not found and task.backend == "docker" and docker_has_nvidia():
        # The Engine sees GPUs that this process does not (another host, or this process is in a container itself).
        return task.gpus if task.gpus is not None else (0,)
    try:
        return choose_gpus(task.gpus, found)
    except ValueError as error:
        raise BadInput([Problem(file=task.file, line=0, column=0, key="gpus", message=str(error))]) from error


def require_tool(task: Task) -> None:
    """Raises BadInput where the task wants genai-bench and it is not installed, or cannot do what is asked."""
    if task.benchmark.tool == "builtin":
        return
    from tuner_tui.load.genai_bench_program import MISSING, find_genai_bench

    message = None
    if task.benchmark.request_rate:
        message = "genai-bench knows no request rate; write concurrency: [1, 4], or tool: builtin"
    elif task.benchmark.dataset:
        message = "genai-bench would not force the output length of a dataset; write tool: builtin"
    elif find_genai_bench() is None:
        message = MISSING
    elif task.model.kind == "name":
        message = (
            f"genai-bench makes its prompts with the model's tokenizer, and {task.model.given!r} has none on this "
            "machine; give the model as a folder here or as a Hugging Face id"
        )
    if message is not None:
        raise BadInput([Problem(file=task.file, line=0, column=0, key="benchmark.tool", message=message)])


def require_dataset(task: Task) -> tuple[str, ...]:
    """Notes on how the file of prompts is read. Raises BadInput where it cannot be used, before an engine is started
    for it."""
    if task.benchmark.dataset is None:
        return ()
    from tuner_tui.load.dataset import Dataset

    try:
        dataset = Dataset(Path(task.benchmark.dataset), None)
        dataset.check(task.benchmark.endpoint)
    except ValueError as error:
        raise BadInput(
            [Problem(file=task.file, line=0, column=0, key="benchmark.dataset", message=str(error))]
        ) from error
    return dataset.notes


def require_model(task: Task) -> None:
    """Raises BadInput where the model is not there: a plan may be made without it, a run may not."""
    if task.model.kind == "missing":
        message = (
            f"{task.model.given!r} is not a folder under {Path(str(task.model.path)).parent}; "
            "write a path, a Hugging Face id (org/name), or say where bare names are: --models-dir or "
            "$TUNER_TUI_MODELS_DIR"
        )
        raise BadInput([Problem(file=task.file, line=0, column=0, key="model", message=message)])
