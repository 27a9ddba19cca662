"""Run folders as a runner would have left them, without one: for tests of what reads them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from tuner_tui.engines.facts import Memory
from tuner_tui.load.metrics import level_result
from tuner_tui.load.model import RequestRecord
from tuner_tui.runs.events import (
    AnyEvent,
    Experiment,
    ExperimentsAdded,
    LaunchFinished,
    LaunchStarted,
    LevelFinished,
    LevelStarted,
    RunCreated,
    RunFinished,
    RunStarted,
    ServerReady,
    ServerStarted,
    levels_of,
)
from tuner_tui.runs.folder import RunFolder
from tuner_tui.runs.journal import JournalWriter
from tuner_tui.runs.plan import plan
from tuner_tui.task.model import Task
from tuner_tui.task.reader import read

BEGAN = datetime(2026, 11, 23, 12, 10, 5, tzinfo=UTC)

TASK = """\
name: docker-simple-tune
engine: sglang
model: meta-llama/Llama-3.2-1B-Instruct
gpus: []
parameters:
  tp-size: 1
  mem-fraction-static: [0.7, 0.8]   # searched
benchmark:
  traffic: ["D(100,100)"]
  concurrency: [1, 4]
  max_requests: 20
objective: minimize_latency
search: {launches: 2}
"""


def task_file(folder: Path, text: str = TASK, name: str = "docker-simple-tune.yaml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def task_of(path: Path) -> Task:
    reading = read(path)
    assert reading.task is not None, [str(problem) for problem in reading.problems]
    return reading.task


class RecordedRun:
    """Writes a journal event by event; its clock stands at `at`."""

    def __init__(
        self,
        runs_dir: Path,
        task: Task,
        name: str = "2026-11-23T12-10-05-docker-simple-tune",
        *,
        kind: Literal["tune", "try"] = "tune",
    ) -> None:
        self.folder = RunFolder(runs_dir / name)
        self.folder.path.mkdir(parents=True)
        self.folder.task.write_bytes(Path(task.file).read_bytes())
        self.task = task
        self.at = BEGAN
        self._journal = JournalWriter(self.folder.journal)
        self._launch = 0
        planned = plan(task, ())
        self.experiments: Sequence[Experiment] = planned.experiments
        self.write(
            RunCreated(
                at=self.at,
                run=name,
                task=task,
                version="0",
                seed=1,
                simulated=task.engine == "simulated",
                kind=kind,
            )
        )
        self.write(ExperimentsAdded(at=self.at, experiments=planned.experiments, excluded=planned.excluded))
        self.write(RunStarted(at=self.at, runner="r", pid=1, host="gpu-box-3"))

    def write(self, event: AnyEvent) -> None:
        self._journal.append(event)

    def pass_time(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    def begin(self, experiment: int) -> int:
        """A launch of `experiment`, its server up and not ready yet; returns its number."""
        self._launch += 1
        folder = self.folder.launch(self._launch)
        folder.mkdir(parents=True)
        (folder / "container.log").write_text("Load weight begin. avail mem=94.32 GB\n", encoding="utf-8")
        self.write(LaunchStarted(at=self.at, launch=self._launch, experiment=experiment, command="docker run …"))
        self.write(ServerStarted(at=self.at, launch=self._launch, server="c0ffee", url="http://127.0.0.1:30000"))
        return self._launch

    def ready(self, launch: int, kv_tokens: int = 2_094_537) -> Memory:
        self.pass_time(30)
        memory = Memory(
            weights_gib=2.41, kv_cache_gib=63.92, kv_cache_tokens=kv_tokens, graphs_gib=0.78,
            available_gib=25.62, total_gib=94.76,
        )  # fmt: skip
        self.write(ServerReady(at=self.at, launch=launch, start_s=30.0, memory=memory))
        return memory

    def measure(self, launch: int, e2e_s: float, requests: int = 20) -> None:
        """Every level: E2E around `e2e_s` at concurrency 1, a third longer at each further level."""
        for index, level in enumerate(levels_of(self.task)):
            self.write(LevelStarted(at=self.at, launch=launch, level=index, warm_up=True))
            self.write(LevelStarted(at=self.at, launch=launch, level=index))
            took_s = e2e_s * (1 + index / 3)
            records = []
            for number in range(requests):
                sent_s = number * took_s / (level.concurrency or 1)
                end_s = sent_s + took_s * (1 + 0.02 * (number % 5 - 2))
                records.append(
                    RequestRecord(
                        level=index,
                        index=number,
                        sent_s=sent_s,
                        first_s=sent_s + took_s / 8,
                        last_s=end_s,
                        end_s=end_s,
                        asked_prompt_tokens=100,
                        asked_output_tokens=100,
                        prompt_tokens=100,
                        output_tokens=100,
                        chunks=100,
                    )
                )
            self.pass_time(requests * took_s / (level.concurrency or 1))
            self.write(LevelFinished(at=self.at, launch=launch, level=index, result=level_result(level, records)))

    def launch(self, experiment: int, e2e_s: float, kv_tokens: int = 2_094_537) -> int:
        """A whole launch that succeeded."""
        number = self.begin(experiment)
        memory = self.ready(number, kv_tokens)
        self.measure(number, e2e_s)
        self.write(
            LaunchFinished(
                at=self.at, launch=number, status="succeeded", start_s=30.0, load_s=12.0, total_s=43.0, memory=memory
            )
        )
        return number

    def finish(self) -> RunFolder:
        self.write(RunFinished(at=self.at, reason="finished"))
        self._journal.close()
        return self.folder


def finished_run(runs_dir: Path, folder: Path, text: str = TASK) -> RunFolder:
    """The run of a small grid, two launches each: the first configuration about 10 % slower than the second."""
    run = RecordedRun(runs_dir, task_of(task_file(folder, text)))
    for block in range(run.task.search.launches):
        for experiment in run.experiments:
            scatter = 1 + 0.002 * ((block * 7 + experiment.id) % 3)
            run.launch(
                experiment.id,
                (0.19 if experiment.id == 1 else 0.172) * scatter,
                2_094_537 + 310_502 * (experiment.id - 1),
            )
    return run.finish()
