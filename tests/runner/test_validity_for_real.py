"""Real vLLM and real SGLang, kept up: their counts, a prefix cache that answers, and one that was emptied."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml

from tests.engines.real_task import real_task
from tests.runner.test_load_on_demand import ask, the_launch
from tests.runs.test_validity import MEAN
from tests.tuner import in_launch, state, until
from tuner_tui.cli.load import load as read_task
from tuner_tui.engines.registry import engine
from tuner_tui.load.bench import bench
from tuner_tui.load.model import Job, Level, LevelResult
from tuner_tui.runner.flush import flush_cache
from tuner_tui.runner.log_figures import LogFigures
from tuner_tui.runner.observer import Observer
from tuner_tui.runs.commands import Load, Stop, append_command
from tuner_tui.runs.events import Experiment
from tuner_tui.runs.evidence import Evidence, LevelEvidence
from tuner_tui.runs.folder import RunFolder
from tuner_tui.runs.lock import holder
from tuner_tui.runs.samples import SampleReader
from tuner_tui.runs.start import create_run, start_runner
from tuner_tui.runs.validity import validity

LEVEL = Level(scenario="D(300,20)", concurrency=2)

Name = Literal["vllm", "sglang"]
ENGINES = [
    pytest.param("vllm", marks=pytest.mark.vllm),
    pytest.param("sglang", marks=pytest.mark.sglang),
]


@pytest.fixture(params=ENGINES)
def kept_up(request: pytest.FixtureRequest, tmp_path: Path, runs_dir: Path) -> Iterator[tuple[Name, RunFolder]]:
    """A `try` run on a real engine, ready."""
    name: Name = request.param
    path = real_task(tmp_path, name, "process", {})
    document: dict[str, Any] = yaml.safe_load(path.read_text())
    document["env"]["VLLM_SERVER_DEV_MODE"] = "1"  # without it vLLM cannot empty its cache
    path.write_text(yaml.safe_dump(document))
    task = read_task(path, None)
    configuration = {parameter.name: parameter.values[0] for parameter in task.space.parameters}
    folder = create_run(task, [Experiment(id=1, configuration=configuration)], [], (), runs_dir, kind="try")
    start_runner(folder)
    try:
        folder = in_launch(runs_dir, within_s=180)
        until(lambda: the_launch(folder).phase == "serving")
        yield name, folder
    finally:
        append_command(folder.commands, Stop())
        until(lambda: holder(folder.lock) is None, within_s=60)


async def measured(url: str) -> tuple[LevelResult, LevelEvidence]:
    """The same prompts every time: what a level must not send."""
    observer = Observer(LogFigures())
    await observer.begin(url, LEVEL.name)
    [result] = await bench(Job(url=url, records="", max_requests=12, seed=7), [LEVEL], cpus="1")
    await observer.end()
    return result, observer.levels[0]


@pytest.mark.acceptance
async def test_a_prefix_cache_is_noticed_by_the_engines_own_counts_and_emptied(
    kept_up: tuple[Name, RunFolder],
) -> None:
    name, folder = kept_up
    url = the_launch(folder).url
    first, seen = await measured(url)
    warm_up_and_level = 300 * (4 + 12)
    assert (seen.prompt_tokens, seen.generated_tokens) == (warm_up_and_level, 20 * (4 + 12))
    assert (first.prompt_tokens, first.output_tokens, first.asked_prompt_tokens) == (3600, 240, 3600)
    assert seen.cached_share == pytest.approx(0, abs=0.01)
    again, seen = await measured(url)
    assert seen.cached_share is not None
    assert seen.cached_share > 0.4
    [cached] = [flag for flag in validity(MEAN, [again], (), Evidence(levels=(seen,))) if flag.disqualifies]
    assert cached.name == "cached_prompts"
    assert "by the engine's metrics" in cached.seen
    assert await flush_cache(url, engine(name).flush_paths) == engine(name).flush_paths[0]
    _, seen = await measured(url)
    assert seen.cached_share == pytest.approx(0, abs=0.01)


@pytest.mark.acceptance
def test_load_on_demand_and_what_the_engine_shows_of_it(kept_up: tuple[Name, RunFolder]) -> None:
    _, folder = kept_up
    assert ask(folder, Load(scenario="D(100,100)", concurrency=4, requests=40)) == (True, "")
    until(lambda: the_launch(folder).results, within_s=120)
    [result] = the_launch(folder).results
    assert (result.succeeded, result.wrong_length, result.cached_tokens) == (40, 0, 0)
    assert state(folder).finished is None
    samples = SampleReader(folder.launch(1) / "samples.jsonl").read()
    assert {"starting", "measuring"} <= {sample.phase.name for sample in samples if sample.phase}
    engines = [sample.engine for sample in samples if sample.engine is not None]
    assert "metrics" in {each.source for each in engines}
    assert max(each.running or 0 for each in engines) == 4
    assert max(each.decode_tokens_per_s or 0 for each in engines) > 50
    assert max(each.prefill_tokens_per_s or 0 for each in engines) > 50
