"""The fold: what a journal says, and that equal journals give equal states."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from tests.runs.test_validity import level
from tuner_tui.engines.facts import Fix, Memory
from tuner_tui.runs.budget import budget_spent
from tuner_tui.runs.events import (
    AnyEvent,
    BudgetSpent,
    Experiment,
    ExperimentsAdded,
    Failure,
    LaunchesAdded,
    LaunchFailing,
    LaunchFinished,
    LaunchStarted,
    LevelFinished,
    LevelStarted,
    RunCreated,
    RunFinished,
    RunStarted,
    ServerReady,
    ServerStarted,
)
from tuner_tui.runs.journal import JournalReader
from tuner_tui.runs.state import RunState, Snapshot
from tuner_tui.task.model import Benchmark, Limit, Model, Objective, ParameterSpace, Search, Task

TASK = Task(
    name="t",
    file="t.yaml",
    engine="simulated",
    model=Model(given="m", kind="name"),
    space=ParameterSpace(),
    benchmark=Benchmark(traffic=("D(100,100)",), concurrency=(4,), max_requests=200),
    objective=Objective(name="minimize_latency", direction="minimize", metric="e2e"),
)
START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def fold(*events: AnyEvent) -> Snapshot:
    state = RunState()
    for event in events:
        state.apply(event)
    return state.snapshot()


CREATED = (
    RunCreated(at=at(0), run="r", task=TASK, version="0"),
    ExperimentsAdded(
        at=at(0),
        experiments=(Experiment(id=1, configuration={"a": 1}), Experiment(id=2, configuration={"a": 2})),
    ),
)


def launch(number: int, experiment: int, start: float) -> list[AnyEvent]:
    """A launch of ten seconds that succeeds."""
    return [
        LaunchStarted(at=at(start), launch=number, experiment=experiment, command="x"),
        ServerStarted(at=at(start), launch=number, server="c", url="http://127.0.0.1:1"),
        ServerReady(at=at(start + 2), launch=number, start_s=2.0, memory=Memory(kv_cache_tokens=5)),
        LevelStarted(at=at(start + 2), launch=number, level=0, warm_up=True),
        LevelStarted(at=at(start + 3), launch=number, level=0),
        LevelFinished(at=at(start + 9), launch=number, level=0, result=level()),
        LaunchFinished(at=at(start + 10), launch=number, status="succeeded", start_s=2.0, load_s=7.0, total_s=10.0),
    ]


def test_a_run_from_start_to_end() -> None:
    events = [*CREATED, RunStarted(at=at(1), runner="u", pid=1, host="h"), *launch(1, 2, 1), *launch(2, 1, 12)]
    halfway = fold(*events[:6])
    assert halfway.launch is not None
    assert (halfway.launch.number, halfway.launch.phase, halfway.launch.memory.kv_cache_tokens) == (1, "warming up", 5)
    assert (halfway.launches_done, halfway.launches_planned) == (0, 2)
    assert halfway.verdict.provisional
    whole = fold(*events, RunFinished(at=at(23), reason="finished"))
    assert whole.launch is None
    assert [experiment.status for experiment in whole.experiments] == ["succeeded", "succeeded"]
    assert whole.experiments[0].score is not None
    assert whole.experiments[0].score.value == 1.0
    assert whole.elapsed_s == 22
    assert (whole.verdict.kind, whole.verdict.provisional) == ("tie", False)


def test_a_clock_that_is_set_back_takes_no_time_away() -> None:
    whole = fold(
        *CREATED,
        RunStarted(at=at(101), runner="u", pid=1, host="h"),
        *launch(1, 2, 101),
        *launch(2, 1, 12),
        RunFinished(at=at(23), reason="finished"),
    )
    assert whole.elapsed_s == 21  # but for the second in which it was set


def test_a_clock_that_is_put_forward_spends_no_budget() -> None:
    first = launch(1, 2, 1)
    first[-1] = replace(first[-1], at=at(3 * 3600))
    whole = fold(*CREATED, RunStarted(at=at(1), runner="u", pid=1, host="h"), *first)
    assert whole.elapsed_s == 10


def test_a_failed_launch_keeps_its_cause() -> None:
    fix = Fix(set={"max-model-len": 1152}, remove=("no-such-flag",))
    failure = Failure(failure_class="unknown_flag", reason="no such flag", line="error: …", fix=fix)
    assert failure.advice == "no such flag; fix: max-model-len 1152, without no-such-flag"
    assert failure.words == f"failed (unknown_flag): {failure.advice}"
    skipped = Failure(failure_class="stopped", reason="skipped by the user")
    assert skipped.words == "skipped by the user"
    assert msgspec.json.decode(msgspec.json.encode(failure), type=Failure) == failure
    whole = fold(
        *CREATED,
        RunStarted(at=at(1), runner="u", pid=1, host="h"),
        LaunchStarted(at=at(1), launch=1, experiment=1, command="x"),
        LaunchFailing(at=at(2), launch=1, failure=failure),
        LaunchFinished(at=at(3), launch=1, status="failed", failure=failure),
    )
    assert whole.experiments[0].status == "failed"
    assert whole.experiments[0].failure == failure
    assert whole.experiments[1].status == "waiting"
    assert whole.verdict.leader is None


def test_a_death_leaves_no_trace_but_an_interrupted_launch() -> None:
    whole = fold(
        *CREATED,
        RunStarted(at=at(1), runner="u", pid=1, host="h"),
        *launch(1, 1, 1),
        *launch(2, 2, 12)[:5],
        RunStarted(at=at(1000), runner="v", pid=2, host="h", resumed=True),
        *launch(3, 2, 1001),
        RunFinished(at=at(1012), reason="finished"),
    )
    assert [each.status for each in whole.experiments[1].launches] == ["interrupted", "succeeded"]
    assert [each.number for each in whole.experiments[1].counted] == [3]
    assert whole.launches_done == 2
    # 14 s under the first runner (its last word was at 15 s), 12 under the second: not the hour between them.
    assert whole.elapsed_s == 14 + 12


def test_snapshots_share_what_did_not_change() -> None:
    state = RunState()
    for event in [*CREATED, RunStarted(at=at(1), runner="u", pid=1, host="h"), *launch(1, 1, 1)]:
        state.apply(event)
    before = state.snapshot()
    for event in launch(2, 2, 12):
        state.apply(event)
    after = state.snapshot()
    assert after.experiments[0] is before.experiments[0]
    assert before.experiments[1].status == "waiting"


def test_the_verdict_is_made_once_however_often_it_is_asked_for() -> None:
    state = RunState()
    for event in [*CREATED, RunStarted(at=at(1), runner="u", pid=1, host="h"), *launch(1, 1, 1)]:
        state.apply(event)
    first = state.snapshot()
    assert state.snapshot() is first
    state.apply(launch(2, 2, 12)[0])
    under_way = state.snapshot()
    assert under_way is not first
    assert under_way.verdict is first.verdict
    for event in launch(2, 2, 12)[1:]:
        state.apply(event)
    assert state.snapshot().verdict is not first.verdict


def test_a_launch_under_way_takes_nothing_from_what_its_configuration_has_shown() -> None:
    repeated = replace(TASK, search=Search(launches=2))
    whole = fold(
        replace(CREATED[0], task=repeated),
        CREATED[1],
        RunStarted(at=at(1), runner="u", pid=1, host="h"),
        *launch(1, 1, 1),
        *launch(2, 2, 12),
        *launch(3, 1, 23)[:4],
    )
    assert whole.experiments[0].status == "running"
    assert whole.verdict.leader == 1
    assert set(whole.verdict.ranking) == {1, 2}


def test_a_budget_that_is_spent_gives_up_what_was_planned_and_says_so() -> None:
    limited = replace(TASK, search=Search(launches=2, budget_s=30.0))
    begun = [
        replace(CREATED[0], task=limited),
        CREATED[1],
        RunStarted(at=at(1), runner="u", pid=1, host="h"),
        *launch(1, 1, 1),
    ]
    early = fold(*begun)
    assert budget_spent(early, early.experiments[1]) is None
    late = fold(*begun, *launch(2, 2, 12))
    spent = budget_spent(late, late.experiments[0])
    assert spent == BudgetSpent(at=spent.at if spent else at(0), budget_s=30.0, done=2, planned=4)
    over = fold(*begun, *launch(2, 2, 12), spent, RunFinished(at=at(23), reason="finished"))
    assert (over.launches_done, over.launches_planned, over.verdict.provisional) == (2, 2, False)
    assert over.verdict.sentence.endswith("Budget of 30 s spent after 2 of 4 launches.")
    confirmed = fold(*begun, *launch(2, 2, 12), spent, LaunchesAdded(at=at(24), experiments=(1, 2), launches=3))
    assert confirmed.launches_planned == 8
    assert budget_spent(confirmed, confirmed.experiments[0]) is None


def test_limits_are_held_against_what_a_launch_measured() -> None:
    limited = replace(TASK, limits=(Limit(metric="ttft", statistic="p99", most_s=1.0),))
    whole = fold(
        replace(CREATED[0], task=limited),
        CREATED[1],
        RunStarted(at=at(1), runner="u", pid=1, host="h"),
        *launch(1, 1, 1),
        *launch(2, 2, 12),
    )
    assert whole.experiments[0].limits[0].excess == pytest.approx(0.2)
    assert (whole.verdict.leader, whole.verdict.breaks) == (None, (1, 2))


def test_a_journal_begins_with_its_creation() -> None:
    with pytest.raises(ValueError, match="begins with run_created"):
        fold(RunFinished(reason="finished"))
    with pytest.raises(ValueError, match="empty"):
        fold()


RECORDED = Path(__file__).parent / "data" / "demo" / "journal.jsonl"


def test_the_recorded_journal_of_a_real_run_is_still_read() -> None:
    """Written by the program itself; a change that cannot read it any more would lose every user's runs."""
    whole = fold(*JournalReader(RECORDED).read())
    assert whole.finished is not None
    assert whole.simulated
    assert whole.launches_done == whole.launches_planned == len(whole.experiments) == 4
    assert all(experiment.status == "succeeded" for experiment in whole.experiments)
    assert whole.verdict.leader is not None


def test_a_run_that_ends_in_the_middle_of_a_launch_leaves_none_under_way() -> None:
    whole = fold(
        *CREATED,
        RunStarted(at=at(1), runner="u", pid=1, host="h"),
        *launch(1, 2, 1),
        *launch(2, 1, 12)[:6],
        RunFinished(at=at(30), reason="failed", sentence="The Docker Engine went away while a container was up."),
    )
    assert whole.launch is None
    assert [each.status for each in whole.experiments] == ["waiting", "succeeded"]
    assert [each.status for each in whole.experiments[0].launches] == ["interrupted"]
