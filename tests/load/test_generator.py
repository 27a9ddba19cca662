"""The generator as a process, against a server whose every step is scripted."""

from __future__ import annotations

import asyncio
import itertools
import os
import resource
import signal
import statistics
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.load.scripted_server import Reply, Request, ScriptedServer, serving, steady
from tuner_tui.load.client import Generator, LoadError
from tuner_tui.load.cpus import parse_cpus
from tuner_tui.load.metrics import level_result, read_records
from tuner_tui.load.model import Job, Level, LevelDone, LoadProgress, RequestRecord, RunLevel


@pytest.fixture
async def generator() -> AsyncIterator[Generator]:
    made = await Generator.start()
    yield made
    await made.close()


def job(server: ScriptedServer, folder: Path, **options: Any) -> Job:
    options = {"max_requests": 12, "seed": 1} | options
    return Job(url=server.url, records=str(folder / "requests.jsonl"), **options)


def level(concurrency: int, scenario: str = "D(20,5)", *, warm_up: bool = False, index: int = 0) -> RunLevel:
    return RunLevel(level=index, traffic=Level(scenario=scenario, concurrency=concurrency), warm_up=warm_up)


def ignore(progress: LoadProgress) -> None:
    pass


def records(folder: Path) -> list[RequestRecord]:
    return read_records(folder / "requests.jsonl")


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_times_are_the_servers(generator: Generator, tmp_path: Path, concurrency: int) -> None:
    async with serving(steady(0.05, 0.01)) as server:
        await generator.begin(job(server, tmp_path, max_requests=4 * concurrency))
        await generator.run(level(concurrency, warm_up=True), ignore)
        server.requests.clear()
        await generator.run(level(concurrency, "D(20,11)"), ignore)
    metrics = level_result(Level(scenario="D(20,11)", concurrency=concurrency), records(tmp_path)).metrics
    assert metrics.ttft_s and metrics.tpot_s and metrics.e2e_s
    # Against what the server did, which on a busy machine is a little later than its script says.
    ttft_s = statistics.median(each.writes_s[0] - each.received_s for each in server.requests)
    tpot_s = statistics.median((each.writes_s[-1] - each.writes_s[0]) / 10 for each in server.requests)
    assert ttft_s <= metrics.ttft_s.p50 + 0.001
    assert metrics.ttft_s.p50 == pytest.approx(ttft_s, abs=0.02)
    assert metrics.tpot_s.p50 == pytest.approx(tpot_s, abs=0.004)
    assert metrics.e2e_s.p50 == pytest.approx(ttft_s + 10 * tpot_s, abs=0.04)


async def test_exactly_the_concurrency_is_kept(generator: Generator, tmp_path: Path) -> None:
    async def uneven(request: Request, reply: Reply) -> None:
        await steady(0.02 + request.number % 7 * 0.006, 0.001)(request, reply)

    async with serving(uneven) as server:
        await generator.begin(job(server, tmp_path, max_requests=60))
        done = await generator.run(level(4), ignore)
    assert (done.done, done.failed, done.error) == (60, 0, None)
    assert server.peak == 4
    # Each that ends is followed by the next at once: a new one finds three others, but where two end together.
    assert server.in_flight_at_arrival[:4] == [1, 2, 3, 4]
    assert statistics.mean(server.in_flight_at_arrival[4:]) > 3.6
    busy_s = sum(each.end_s - each.sent_s for each in records(tmp_path))
    assert 3.2 < busy_s / done.elapsed_s <= 4
    assert server.connections <= 5  # four kept open, and one may have served /v1/models


async def test_prompts_are_exact_and_unique_over_warm_up_and_levels(generator: Generator, tmp_path: Path) -> None:
    async with serving(steady(0, 0)) as server:
        await generator.begin(job(server, tmp_path))
        for index in range(2):
            await generator.run(level(3, "D(25,2)", warm_up=True, index=index), ignore)
            await generator.run(level(3, "D(25,2)", index=index), ignore)
    prompts = [request.body["prompt"] for request in server.requests]
    assert len(prompts) == 2 * (6 + 12)
    assert {len(prompt) for prompt in prompts} == {25}
    assert len({prompt[0] for prompt in prompts}) == len(prompts)
    # Only measured requests are recorded, each under its level, in the file when the level is done.
    assert sorted((each.level, each.index) for each in records(tmp_path)) == [(a, b) for a in (0, 1) for b in range(12)]


async def test_the_warm_up_has_the_levels_shape(generator: Generator, tmp_path: Path) -> None:
    async with serving(steady(0.01, 0)) as server:
        await generator.begin(job(server, tmp_path))
        assert (await generator.run(level(1, warm_up=True), ignore)).done == 2
        assert (await generator.run(level(5, warm_up=True), ignore)).done == 10
        longer = msgspec.structs.replace(level(5, warm_up=True), max_requests=14)
        assert (await generator.run(longer, ignore)).done == 14
        assert server.peak == 5


async def test_time_ends_a_level_and_what_is_in_flight_counts(generator: Generator, tmp_path: Path) -> None:
    async with serving(steady(0.15, 0.05)) as server:
        await generator.begin(job(server, tmp_path, max_requests=None, max_time_s=0.5))
        done = await generator.run(level(2), ignore)  # 0.35 s a request: two rounds
    assert (done.done, done.failed) == (4, 0)
    assert done.elapsed_s == pytest.approx(0.7, abs=0.15)
    assert all(each.output_tokens == 5 for each in records(tmp_path))


async def test_progress_comes_twice_a_second(generator: Generator, tmp_path: Path) -> None:
    seen: list[LoadProgress] = []
    async with serving(steady(0.1, 0.05)) as server:
        await generator.begin(job(server, tmp_path, max_requests=10))
        await generator.run(level(2), seen.append)  # 0.3 s a request: 1.5 s
    assert [each.elapsed_s for each in seen[:2]] == pytest.approx([0.55, 1.05], abs=0.2)
    assert (seen[0].running, seen[0].failed) == (2, 0)
    assert 2 <= seen[0].done <= 4
    assert seen[0].ttft_mean_s == pytest.approx(0.1, abs=0.05)
    # The first two are done and the next two have begun: 10 to 20 tokens by 0.5 s.
    assert seen[0].output_tokens_per_s == pytest.approx(30, abs=11)


async def test_nobody_is_told_of_a_level_that_is_not_watched(generator: Generator, tmp_path: Path) -> None:
    seen: list[LoadProgress] = []
    async with serving(steady(0.1, 0.05)) as server:
        await generator.begin(job(server, tmp_path, max_requests=6))
        order = msgspec.structs.replace(level(2), watched=False)
        done = await generator.run(order, seen.append)  # 0.3 s a request: 0.9 s
    assert (done.done, len(records(tmp_path)), seen) == (6, 6, [])


async def test_failures_of_some_requests_are_recorded_and_the_rest_goes_on(
    generator: Generator, tmp_path: Path
) -> None:
    good = steady(0.005, 0.001)

    async def script(request: Request, reply: Reply) -> None:
        if request.number % 4 == 1:
            reply.start(500, "text/plain", body=b"Internal Server Error")
        elif request.number % 4 == 3:
            reply.start()
            reply.drop()
        else:
            await good(request, reply)

    async with serving(script) as server:
        await generator.begin(job(server, tmp_path))
        done = await generator.run(level(1), ignore)
    result = level_result(Level(scenario="D(20,5)", concurrency=1), records(tmp_path))
    assert (done.done, done.failed, done.error) == (12, 6, "HTTP 500: Internal Server Error")
    assert (result.requests, result.succeeded, result.failed) == (12, 6, 6)
    assert result.errors == {"HTTP 500: Internal Server Error": 3, "the server closed the connection": 3}


async def test_a_server_that_dies_ends_the_level_early(generator: Generator, tmp_path: Path) -> None:
    async with serving(steady(0.01, 0.005)) as server:
        await generator.begin(job(server, tmp_path, max_requests=100_000, max_time_s=60))
        running = asyncio.create_task(generator.run(level(4), ignore))
        await server.until(lambda: len(server.requests) >= 12)
        await server.die()
        died_s = time.perf_counter()
        done = await running
    assert time.perf_counter() - died_s < 1
    assert done.error == "gave up after 12 requests in a row without an answer: connection refused"
    # What was in flight at the death was failed for that, and those after it were refused: a few dozen, where the
    # budget was 100,000. (An answer that still came through on a loaded machine begins the count anew.)
    assert 12 <= done.failed <= 3 * 12 + 4
    assert done.done == len(records(tmp_path))


async def test_a_server_that_only_fails_is_given_up(generator: Generator, tmp_path: Path) -> None:
    async def script(request: Request, reply: Reply) -> None:
        reply.start(500, body=b"no")

    async with serving(script) as server:
        await generator.begin(job(server, tmp_path, max_requests=None, max_time_s=60))
        done = await generator.run(level(2), ignore)
    assert done.error == "gave up after 100 failed requests in a row: HTTP 500: no"


@pytest.mark.parametrize(
    ("options", "order", "reason"),
    [
        ({"url": "nonsense"}, level(1), "'nonsense' is not a server's URL"),
        (
            {"records": "/no/such/folder/x.jsonl"},
            level(1),
            "cannot be written: No such file or directory: /no/such/folder/x.jsonl",
        ),
        ({"max_requests": None}, level(1), "give max_requests, max_time, or both"),
        ({"cpus": "abc"}, level(1), "'abc' is not a list of CPUs"),
        ({}, level(1, "D(1)"), "not a traffic scenario"),
        ({}, level(0), "concurrency 0 is not possible"),
    ],
)
async def test_an_order_that_cannot_be_carried_out_is_said(
    generator: Generator, tmp_path: Path, options: dict[str, Any], order: RunLevel, reason: str
) -> None:
    async with serving(steady(0, 0)) as server:
        await generator.begin(msgspec.structs.replace(job(server, tmp_path), **options))
        with pytest.raises(LoadError, match=reason):
            await generator.run(order, ignore)


async def test_records_that_cannot_be_written_are_no_silent_gap(generator: Generator, tmp_path: Path) -> None:
    async with serving(steady(0.05, 0)) as server:
        await generator.begin(job(server, tmp_path, max_requests=40))
        resource.prlimit(generator.pid, resource.RLIMIT_FSIZE, (1_000, 1_000))
        with pytest.raises(LoadError, match=r"^the requests cannot be written: File too large: /\S+/requests\.jsonl$"):
            await generator.run(level(2), ignore)


async def test_cpus_are_taken() -> None:
    cpu = max(os.sched_getaffinity(0))
    generator = await Generator.start(cpus=str(cpu))
    try:
        assert os.sched_getaffinity(generator.pid) == {cpu}
    finally:
        await generator.close()
    with pytest.raises(LoadError, match="'9999' is not within the CPUs this process may use"):
        await Generator.start(cpus="9999")


def test_a_list_of_cpus() -> None:
    assert parse_cpus("0, 2-4") == {0, 2, 3, 4}
    for wrong in ("", "4-2", "1,", "-1", "a"):
        with pytest.raises(ValueError, match="is not a list of CPUs"):
            parse_cpus(wrong)


async def busy(generator: Generator, server: ScriptedServer, folder: Path) -> asyncio.Task[LevelDone]:
    await generator.begin(job(server, folder, max_requests=1_000))
    running = asyncio.create_task(generator.run(level(8), ignore))
    await server.until(lambda: server.in_flight == 8)
    return running


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


async def slow(request: Request, reply: Reply) -> None:
    reply.start()
    await asyncio.sleep(30)


async def test_closing_ends_what_runs(generator: Generator, tmp_path: Path) -> None:
    async with serving(slow) as server:
        running = await busy(generator, server, tmp_path)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        began_s = time.perf_counter()
        await generator.close()
        assert time.perf_counter() - began_s < 0.5
        assert gone(generator.pid)
        await generator.close()


async def test_sigterm_ends_it_at_once(generator: Generator, tmp_path: Path) -> None:
    async with serving(slow) as server:
        running = await busy(generator, server, tmp_path)
        began_s = time.perf_counter()
        os.kill(generator.pid, signal.SIGTERM)
        with pytest.raises(LoadError, match="ended with code 143"):
            await running
        assert time.perf_counter() - began_s < 0.2


async def test_a_killed_process_is_an_error_not_a_wait(generator: Generator, tmp_path: Path) -> None:
    async with serving(slow) as server:
        running = await busy(generator, server, tmp_path)
        os.kill(generator.pid, signal.SIGKILL)
        with pytest.raises(LoadError, match="the load generator was killed by signal 9"):
            await running


async def test_a_stopped_process_is_closed_by_force(generator: Generator) -> None:
    os.kill(generator.pid, signal.SIGSTOP)
    await generator.close()
    assert gone(generator.pid)


async def test_closing_is_safe_when_cancelled(generator: Generator) -> None:
    os.kill(generator.pid, signal.SIGSTOP)
    closing = asyncio.create_task(generator.close())
    await asyncio.sleep(0.05)
    closing.cancel()
    await asyncio.gather(closing, return_exceptions=True)
    assert gone(generator.pid)


OWNER = """
import asyncio, os, sys
from tuner_tui.load.client import Generator
async def main():
    generator = await Generator.start()
    print(generator.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


async def test_nothing_is_left_behind_when_the_owner_is_killed() -> None:
    owner = await asyncio.create_subprocess_exec(sys.executable, "-c", OWNER, stdout=asyncio.subprocess.PIPE)
    assert owner.stdout is not None
    watched = os.pidfd_open(int(await owner.stdout.readline()))
    owner.kill()
    await owner.wait()
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(watched, ended.set)
    try:
        await asyncio.wait_for(ended.wait(), 2)
    finally:
        asyncio.get_running_loop().remove_reader(watched)
        os.close(watched)


async def test_what_it_says_for_people_goes_to_the_file(tmp_path: Path) -> None:
    log = tmp_path / "generator.log"
    generator = await Generator.start(stderr=log)
    os.kill(generator.pid, signal.SIGABRT)
    with pytest.raises(LoadError, match="killed by signal 6"):
        await generator.run(level(1), ignore)
    await generator.close()
    assert log.exists()


async def test_an_unreadable_order_ends_it_with_one_sentence() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tuner_tui.load.generator", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate(b'{"nonsense": 1}\n')
    ready, failed = output.splitlines()
    assert msgspec.json.decode(ready) == {"type": "ready", "pid": process.pid}
    assert msgspec.json.decode(failed)["reason"].startswith("unreadable order, expected a Job")
    assert process.returncode == 1


async def test_a_stall_is_bounded_by_the_timeout(generator: Generator, tmp_path: Path) -> None:
    async with serving(slow) as server:
        await generator.begin(job(server, tmp_path, max_requests=4, request_timeout_s=0.2))
        done = await generator.run(level(2), ignore)
    assert (done.done, done.failed, done.error) == (4, 4, "no end within 0.2 s")
    assert 0.35 < done.elapsed_s < 5  # two rounds, by a machine that may be busy; the server would take 30 s each


async def test_several_workers_share_one_level(tmp_path: Path) -> None:
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("one CPU: there is one worker")
    generator = await Generator.start()
    seen: list[LoadProgress] = []
    try:
        async with serving(steady(0.05, 0.3)) as server:
            await generator.begin(job(server, tmp_path, max_requests=301))
            done = await generator.run(level(100, "D(20,3)"), seen.append)
            assert server.peak == 100
            await generator.run(level(1, "D(20,3)", warm_up=True, index=1), ignore)
    finally:
        await generator.close()
    assert (done.done, done.failed) == (301, 0)
    assert sorted(each.index for each in records(tmp_path)) == list(range(301))
    assert max(each.running for each in seen) == 100
    # Their prompts are of one numbering, which the next level goes on with.
    prompts = [tuple(request.body["prompt"]) for request in server.requests]
    assert len(set(prompts)) == len(prompts) == 303


async def test_a_worker_that_dies_is_said(generator: Generator, tmp_path: Path) -> None:
    async with serving(slow) as server:
        running = await busy(generator, server, tmp_path)
        [worker] = Path(f"/proc/{generator.pid}/task/{generator.pid}/children").read_text().split()
        os.kill(int(worker), signal.SIGKILL)
        with pytest.raises(LoadError, match="a worker of the load generator was killed by signal 9"):
            await running


async def test_workers_end_with_a_killed_generator(generator: Generator, tmp_path: Path) -> None:
    async with serving(slow) as server:
        running = await busy(generator, server, tmp_path)
        [worker] = Path(f"/proc/{generator.pid}/task/{generator.pid}/children").read_text().split()
        ended = asyncio.Event()
        descriptor = os.pidfd_open(int(worker))
        asyncio.get_running_loop().add_reader(descriptor, ended.set)
        os.kill(generator.pid, signal.SIGKILL)
        with pytest.raises(LoadError):
            await running
        async with asyncio.timeout(5):
            await ended.wait()
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)


def at_rate(rate: float, arrivals: Any = "constant", *, warm_up: bool = False) -> RunLevel:
    traffic = Level(scenario="D(20,5)", request_rate=rate, arrivals=arrivals)
    return RunLevel(level=0, traffic=traffic, warm_up=warm_up)


async def test_a_rate_is_kept_whatever_the_server_does(generator: Generator, tmp_path: Path) -> None:
    order = at_rate(40)
    async with serving(steady(0.4, 0.0)) as server:
        await generator.begin(job(server, tmp_path, max_requests=40))
        assert (await generator.run(at_rate(0.05, warm_up=True), ignore)).done == 2
        first, second = server.requests
        assert second.received_s - first.received_s == pytest.approx(1.0, abs=0.2), "a low rate is not warmed up slowly"
        done = await generator.run(order, ignore)
        assert server.peak >= 14  # 40 a second for 0.4 s each
    result = level_result(order.traffic, records(tmp_path), None, done)
    assert [each.scheduled_s for each in sorted(records(tmp_path), key=lambda each: each.index)] == pytest.approx(
        [index / 40 for index in range(40)]
    )
    assert result.name == "D(20,5) @ 40/s"
    assert result.metrics.achieved_rate == pytest.approx(40, rel=0.1)
    assert result.metrics.delay_s is not None
    assert 0 <= result.metrics.delay_s.p50 < 0.02
    assert result.metrics.ttft_s is not None
    assert result.metrics.ttft_s.p50 == pytest.approx(0.4, abs=0.05)


async def test_beyond_the_bound_in_flight_requests_wait_and_their_delay_is_told(
    generator: Generator, tmp_path: Path
) -> None:
    async with serving(steady(0.2, 0.0)) as server:
        await generator.begin(job(server, tmp_path, max_requests=10, max_in_flight=2))
        await generator.run(at_rate(100), ignore)
        assert server.peak == 2
    last = max(records(tmp_path), key=lambda each: each.index)
    # Ten requests, two at a time, 0.2 s each: the last waits for four rounds but its 0.09 s.
    assert last.scheduled_s == pytest.approx(0.09)
    assert 0.65 < last.sent_s - (last.scheduled_s or 0) < 3


async def test_what_has_not_got_its_turn_when_the_time_is_over_is_not_sent(
    generator: Generator, tmp_path: Path
) -> None:
    async with serving(steady(0.3, 0.0)) as server:
        await generator.begin(job(server, tmp_path, max_requests=100, max_in_flight=1, max_time_s=0.8))
        done = await generator.run(at_rate(50), ignore)
    # Forty were due within the time; one at a time, three of them could begin in it.
    assert done.done == len(records(tmp_path)) == 3
    assert max(each.sent_s for each in records(tmp_path)) < 0.8


async def test_poisson_gaps_differ_and_have_the_mean(generator: Generator, tmp_path: Path) -> None:
    async with serving(steady(0, 0)) as server:
        await generator.begin(job(server, tmp_path, max_requests=200))
        await generator.run(at_rate(200, "poisson"), ignore)
    due_s = sorted(each.scheduled_s or 0 for each in records(tmp_path))
    gaps_s = [after - before for before, after in itertools.pairwise(due_s)]
    assert statistics.mean(gaps_s) == pytest.approx(1 / 200)
    assert statistics.stdev(gaps_s) == pytest.approx(1 / 200, rel=0.4)  # as large as the mean: exponential


async def test_more_requests_at_once_than_a_shell_allows_open_files() -> None:
    async with serving(steady(0.3, 0)) as server:
        bench = f"{sys.executable} -m tuner_tui bench {server.url} --traffic 'D(5,2)' --concurrency 100"
        process = await asyncio.create_subprocess_exec(
            "bash", "-c", f"ulimit -Sn 40; exec {bench} --max-requests 100 --json", stdout=asyncio.subprocess.PIPE
        )
        printed, _ = await process.communicate()
    [measured] = msgspec.json.decode(printed)["levels"]
    assert (measured["succeeded"], measured["errors"], server.peak) == (100, {}, 100)
