"""Results that another program left on disk, read into what a run holds: configurations, launches, levels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from tuner_tui.engines.detect import engine_of
from tuner_tui.load.genai_bench_files import (
    METADATA,
    MeasuredRun,
    Metadata,
    measured_result,
    read_metadata,
    read_run,
    run_files,
    summary_result,
)
from tuner_tui.load.model import Level, LevelResult, RequestRecord
from tuner_tui.runs.experiment import FOLDER
from tuner_tui.task.model import Configuration

EngineName = Literal["sglang", "vllm", "simulated"]


class StoredLaunch(msgspec.Struct, frozen=True, kw_only=True):
    """One launch of one configuration, as it was found. `failure`: why it has no results, else empty."""

    configuration: Configuration
    results: tuple[LevelResult, ...]
    source: str
    """The file or folder it was read from, for people."""
    records: tuple[RequestRecord, ...] = ()
    """Of its requests, where the file has them; their `level` counts `results`."""
    load_s: float = 0.0
    gpus: int | None = None
    """None: not told."""
    log: str = ""
    """What the engine printed, where that was kept."""
    failure: str = ""


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was found. What the files do not tell is None."""

    name: str
    launches: tuple[StoredLaunch, ...]
    engine: EngineName | None = None
    model: str | None = None
    max_requests: int | None = None
    max_time_s: float | None = None


def read_stored(paths: Sequence[Path]) -> Stored:
    """Reads genai-bench's experiment folders (each its own configuration) or one results file of the predecessor.

    A folder may also hold experiment folders; one that is named twice was measured once. Raises ValueError with one
    sentence that names the file.
    """
    try:
        found = [folder for path in paths if path.is_dir() for folder in _experiment_folders(path)]
        folders = list({folder.resolve(): folder for folder in found}.values())
        files = list({path.resolve(): path for path in paths if not path.is_dir()}.values())
        if folders and files:
            raise ValueError(f"{files[0]} is a file, {folders[0]} a folder; import them one after the other")
        if len(files) > 1:
            raise ValueError(f"{files[1]}: one results file at a time")
        return _predecessor(files[0]) if files else _genai_bench(folders)
    except OSError as error:
        raise ValueError(f"{error.filename}: {error.strerror}") from error


def _experiment_folders(path: Path) -> list[Path]:
    if (path / METADATA).is_file():
        return [path]
    below = sorted(each.parent for each in path.glob(f"*/{METADATA}"))
    if not below:
        raise ValueError(
            f"{path}: neither this folder nor one in it has an {METADATA}; expected an experiment folder of genai-bench"
        )
    return below


# genai-bench


def _genai_bench(folders: Sequence[Path]) -> Stored:
    metadata = [read_metadata(folder) for folder in folders]
    named = zip(folders, _names(folders), metadata, strict=True)
    launches = [_experiment(folder, name, about) for folder, name, about in named]
    engines = {_engine(about) for about in metadata}
    models = {about.model for about in metadata}
    if len(models) > 1:
        raise ValueError(f"{folders[0].parent}: experiments of different models are not compared: {', '.join(models)}")
    name = folders[0].name if len(folders) == 1 else folders[0].parent.name
    return Stored(
        name=name,
        launches=tuple(launches),
        engine=engines.pop() if len(engines) == 1 else None,
        model=models.pop(),
        max_requests=metadata[0].max_requests_per_run,
        max_time_s=metadata[0].max_time_per_run_s,
    )


def _names(folders: Sequence[Path]) -> list[str]:
    """The folders' own names, or where two are called the same, their paths below what they have in common."""
    names = [folder.name for folder in folders]
    if len(set(names)) == len(names):
        return names
    whole = [folder.resolve() for folder in folders]
    above = os.path.commonpath([folder.parent for folder in whole])
    return [str(folder.relative_to(above)) for folder in whole]


def _engine(about: Metadata) -> EngineName | None:
    for word in (about.server_engine, about.api_backend):
        if word and word.lower() in ("sglang", "vllm"):
            return "sglang" if word.lower() == "sglang" else "vllm"
    return None


def _experiment(folder: Path, name: str, about: Metadata) -> StoredLaunch:
    """The flags of the server are not in the folder: its name stands for the configuration."""
    if about.task != "text-to-text":
        raise ValueError(f"{folder}: a {about.task} experiment; only text-to-text is read")
    runs: dict[Level, MeasuredRun] = {}
    for path in run_files(folder):
        run = read_run(path)
        if run.level in runs:
            raise ValueError(f"{path}: a second run of {run.level.name}; take the one out that is not meant")
        runs[run.level] = run
    order = {scenario: index for index, scenario in enumerate(about.traffic_scenario)}
    levels = sorted(
        runs, key=lambda level: (order.get(level.scenario, len(order)), level.scenario, level.concurrency or 0)
    )
    tool = f"genai-bench {about.benchmark_version}"
    records: list[RequestRecord] = []
    results = []
    for index, level in enumerate(levels):
        run = runs[level]
        records += [msgspec.structs.replace(record, level=index) for record in run.records]
        results.append(measured_result(level, run.records, run.duration_s, tool=tool))
    gpus = about.server_gpu_count
    return StoredLaunch(
        configuration={FOLDER: name},
        results=tuple(results),
        source=str(folder),
        records=tuple(records),
        load_s=sum(run.duration_s for run in runs.values()),
        gpus=int(gpus) if gpus and gpus.isdecimal() else None,
        failure="" if results else "the folder holds no finished run",
    )


# The predecessor's results file


class _Metrics(msgspec.Struct, frozen=True):
    raw_results: list[dict[str, Any]] = []
    elapsed_time: float = 0.0


class _Result(msgspec.Struct, frozen=True):
    parameters: Configuration
    experiment_id: int
    status: str = "success"
    metrics: _Metrics | None = None
    container_logs: str | None = None
    error_message: str | None = None


class _Results(msgspec.Struct, frozen=True):
    task_name: str
    all_results: list[_Result]


def _predecessor(path: Path) -> Stored:
    """Times are seconds there; each experiment is one launch. Only summaries were kept, no request's own times."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_Results)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{path}: expected a results file with task_name and all_results, or a folder of genai-bench: {error}"
        ) from error
    if not found.all_results:
        raise ValueError(f"{path}: all_results is empty: nothing was measured")
    launches = tuple(_launch(path, result) for result in found.all_results)
    logs = "".join(launch.log for launch in launches)
    return Stored(name=found.task_name, launches=launches, engine=engine_of(logs.encode()))


def _launch(path: Path, result: _Result) -> StoredLaunch:
    where = f"{path}: experiment {result.experiment_id}"
    metrics = result.metrics or _Metrics()
    results = [
        summary_result(f"{where}: raw_results[{index}]", raw, tool="genai-bench")
        for index, raw in enumerate(metrics.raw_results)
    ]
    failure = ""
    if result.status != "success":
        failure = result.error_message or f"its status is {result.status!r}, without a reason"
    elif not results:
        failure = "it has no results"
    return StoredLaunch(
        configuration=result.parameters,
        results=tuple(sorted(results, key=lambda each: (each.scenario, each.concurrency or 0))),
        source=where,
        load_s=metrics.elapsed_time,
        log=result.container_logs or "",
        failure=failure,
    )
