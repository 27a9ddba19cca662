"""A run folder made from stored results, so that they are judged and shown like any run of ours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import yaml

from tuner_tui import __version__
from tuner_tui.engines.gpus import gpus_needed
from tuner_tui.engines.log import LogReader
from tuner_tui.engines.registry import engine
from tuner_tui.load.model import Level
from tuner_tui.load.records import RecordFile
from tuner_tui.runs.events import (
    AnyEvent,
    Experiment,
    ExperimentsAdded,
    Failure,
    LaunchFinished,
    LaunchStarted,
    LaunchStatus,
    LevelFinished,
    RunCreated,
    RunFinished,
    ValidityFlag,
    levels_of,
    now,
)
from tuner_tui.runs.experiment import FOLDER
from tuner_tui.runs.folder import RunFolder
from tuner_tui.runs.journal import new_run
from tuner_tui.runs.stored import EngineName, Stored, StoredLaunch
from tuner_tui.runs.validity import validity
from tuner_tui.search.words import GOODPUT
from tuner_tui.task.model import Benchmark, Configuration, Model, Objective, Parameter, ParameterSpace, Task

IMPORTED = "imported_summary"


def task_of(
    stored: Stored,
    *,
    objective: Objective,
    engine_name: EngineName,
    given: Task | None = None,
    model: str | None = None,
) -> Task:
    """What was asked, as far as the files (and the task file `given`) tell it. The levels are those that were measured.

    Raises ValueError with one sentence where there are none, or they do not form scenarios × concurrencies, or where
    they cannot be judged by the objective.
    """
    results = [result for launch in stored.launches for result in launch.results]
    if not results:
        reason = next((launch.failure for launch in stored.launches if launch.failure), "nothing was measured")
        raise ValueError(f"{stored.name}: no launch has results ({reason})")
    traffic = tuple(dict.fromkeys(result.scenario for result in results))
    concurrency = tuple(sorted({result.concurrency or 1 for result in results}))
    measured = {result.level for result in results}
    for scenario in traffic:
        for number in concurrency:
            if (level := Level(scenario=scenario, concurrency=number)) not in measured:
                raise ValueError(
                    f"{stored.name}: {level.name} was never measured; each scenario needs each concurrency"
                )
    names = [result.name for result in results]
    if objective.level is not None and objective.level not in names:
        there = ", ".join(dict.fromkeys(names))
        raise ValueError(f"{stored.name}: the objective's level {objective.level} was not measured; there are {there}")
    if objective.metric == GOODPUT:
        raise ValueError(
            f"{stored.name}: goodput cannot be told of these files, whose requests were held against no limits; take "
            "another --objective"
        )
    benchmark = Benchmark(
        traffic=traffic,
        concurrency=concurrency,
        tool="genai-bench",
        max_requests=stored.max_requests,
        max_time_s=stored.max_time_s,
    )
    if given is not None:
        # What the files have takes the place of every load that the task asks for.
        asked = msgspec.structs.replace(
            given.benchmark,
            traffic=traffic,
            concurrency=concurrency,
            request_rate=(),
            seek=None,
            tool="genai-bench",
        )
        return msgspec.structs.replace(given, benchmark=asked, objective=objective)
    name = stored.model or model or "unknown"
    return Task(
        name=stored.name,
        file="task.yaml",
        engine=engine_name,
        model=Model(given=name, kind="name"),
        space=_space([launch.configuration for launch in stored.launches]),
        benchmark=benchmark,
        objective=objective,
        gpus=None,
    )


def make_imported_run(stored: Stored, task: Task, runs_dir: Path, task_file: Path | None = None) -> RunFolder:
    """The folder, its journal complete. `task_file` is copied into it; without one a task is written. Raises OSError.

    What is known of each launch is told in the same events as a run of ours, with the note `imported_summary`.
    """
    moment = now()
    with new_run(runs_dir, task.name, moment) as (folder, journal):
        folder.task.write_bytes(task_file.read_bytes() if task_file else _task_yaml(stored, task))
        launches = _with_experiments(stored.launches)
        gpus = [_gpus(task, launch) for _, launch in launches]
        journal.append(
            RunCreated(
                at=moment,
                run=folder.name,
                task=task,
                version=__version__,
                kind="import",
                gpus=tuple(range(max(gpus))),
            )
        )
        configurations = {number: launch.configuration for number, launch in launches}
        journal.append(
            ExperimentsAdded(
                experiments=tuple(
                    Experiment(id=number, configuration=configuration, gpus_needed=_gpus_asked(task, configuration))
                    for number, configuration in configurations.items()
                )
            )
        )
        for index, (experiment, launch) in enumerate(launches, 1):
            for event in _events(task, index, experiment, launch, gpus[index - 1], folder.launch(index)):
                journal.append(event)
        journal.append(RunFinished(reason="finished"))
    return folder


def _with_experiments(launches: Sequence[StoredLaunch]) -> list[tuple[int, StoredLaunch]]:
    """Each launch with the number of its configuration, counted from 1; the same flags are the same configuration."""
    seen: list[Configuration] = []
    numbered = []
    for launch in launches:
        if launch.configuration not in seen:
            seen.append(launch.configuration)
        numbered.append((seen.index(launch.configuration) + 1, launch))
    return numbered


def _events(task: Task, number: int, experiment: int, launch: StoredLaunch, gpus: int, folder: Path) -> list[AnyEvent]:
    folder.mkdir(parents=True, exist_ok=True)
    reader = LogReader(engine(task.engine).log_language)
    if launch.log:
        (folder / "container.log").write_text(launch.log)
        reader.feed(launch.log.encode())
        reader.close()
    if launch.records:
        records = RecordFile(folder / "requests.jsonl")
        for record in launch.records:
            records.add(record)
        records.close()
    events: list[AnyEvent] = [
        LaunchStarted(
            launch=number, experiment=experiment, command=f"imported from {launch.source}", gpus=tuple(range(gpus))
        )
    ]
    order = {level: index for index, level in enumerate(levels_of(task))}
    found = {order[result.level]: result for result in launch.results}
    events += [LevelFinished(launch=number, level=index, result=found[index]) for index in sorted(found)]
    status: LaunchStatus = "succeeded"
    failure = None
    flags = (*validity(task.objective, launch.results, task.limits), _note(launch))
    missing = [level.name for level, index in order.items() if index not in found]
    if launch.failure or missing:
        status = "failed"
        cause = reader.cause() if launch.log and launch.failure else None
        reason = launch.failure or f"{', '.join(missing)} was not measured, which others were"
        failure = Failure(
            failure_class=cause.failure_class if cause else "imported",
            reason=cause.reason if cause else reason,
            line=cause.line if cause else "",
            fix=cause.fix if cause else None,
            tail=tuple(reader.tail(12)) if launch.log else (),
        )
    elif any(flag.disqualifies for flag in flags):
        status = "invalid"
    events.append(
        LaunchFinished(
            launch=number,
            status=status,
            load_s=launch.load_s,
            total_s=launch.load_s,
            memory=reader.memory,
            validity=() if status == "failed" else flags,
            failure=failure,
        )
    )
    return events


def _note(launch: StoredLaunch) -> ValidityFlag:
    seen = "each request's times, but not when it was sent" if launch.records else "means, deviations and counts only"
    return ValidityFlag(
        name=IMPORTED,
        disqualifies=False,
        seen=f"{seen}; by genai-bench's definitions ({launch.source})",
        threshold="measured by tuner-tui",
        advice="nothing here was checked while it ran: cached prompts, shared GPUs and the client's lag are not known",
    )


def _gpus_asked(task: Task, configuration: Configuration) -> int:
    return gpus_needed(task.engine, configuration)


def _gpus(task: Task, launch: StoredLaunch) -> int:
    return launch.gpus or _gpus_asked(task, launch.configuration)


def _space(configurations: Sequence[Configuration]) -> ParameterSpace:
    names = list(dict.fromkeys(name for configuration in configurations for name in configuration))
    parameters = []
    for name in names:
        values = []
        for configuration in configurations:
            if (value := configuration.get(name)) not in values:
                values.append(value)
        parameters.append(Parameter(name=name, values=tuple(values)))
    return ParameterSpace(parameters=tuple(parameters))


def _task_yaml(stored: Stored, task: Task) -> bytes:
    """The same levels and configurations, to be measured anew; the flags of a genai-bench folder are not known."""
    head = "# Written by `tuner-tui import`; what the files did not tell has to be filled in.\n"
    head += f"# From {stored.launches[0].source}\n"
    flags = {
        parameter.name: list(parameter.values) if len(parameter.values) > 1 else parameter.values[0]
        for parameter in task.space.parameters
        if parameter.name != FOLDER
    }
    benchmark = {
        "traffic": list(task.benchmark.traffic),
        "concurrency": list(task.benchmark.concurrency),
        "max_requests": task.benchmark.max_requests or 50,
    }
    document = {
        "name": task.name,
        "engine": task.engine,
        "model": task.model.given,
        **({"parameters": flags} if flags else {}),
        "benchmark": benchmark,
        "objective": task.objective.name,
    }
    return head.encode() + yaml.safe_dump(document, sort_keys=False).encode()
