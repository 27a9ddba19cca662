"""The load alone, against a server that somebody else started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.load.scripted_server import Reply, Request, serving, steady
from tuner_tui.load.bench import bench
from tuner_tui.load.client import LoadError
from tuner_tui.load.metrics import read_records
from tuner_tui.load.model import Job, Level, LoadProgress

LEVELS = [Level(scenario="D(20,5)", concurrency=concurrency) for concurrency in (1, 3)]


def job(url: str, **options: Any) -> Job:
    defaults: dict[str, Any] = {"records": "", "max_requests": 1}
    return Job(url=url, **(defaults | options))


async def test_every_level_is_warmed_up_and_measured(tmp_path: Path) -> None:
    seen: list[LoadProgress] = []
    async with serving(steady(0.03, 0.01)) as server:
        results = await bench(
            Job(url=server.url + "/v1/", max_requests=9, records=str(tmp_path / "mine.jsonl")),
            LEVELS,
            on_progress=seen.append,
        )
    assert [(result.concurrency, result.requests, result.succeeded) for result in results] == [(1, 9, 9), (3, 9, 9)]
    assert [result.wrong_length for result in results] == [0, 0]
    assert len(server.requests) == 2 + 9 + 6 + 9
    assert len(read_records(tmp_path / "mine.jsonl")) == 18
    assert seen
    first = results[0].metrics
    assert first.ttft_s is not None
    assert first.ttft_s.p50 == pytest.approx(0.03, abs=0.015)


async def test_an_endpoint_that_is_not_under_v1_is_asked_where_it_was_said_to_be() -> None:
    async with serving(steady(0, 0)) as server:
        await bench(job(server.url + "/v1beta/my openai/completions"), LEVELS[:1])
    assert {request.path for request in server.requests} == {"/v1beta/my%20openai/completions"}


async def test_each_call_has_other_prompts() -> None:
    async with serving(steady(0, 0)) as server:
        for _ in range(2):
            await bench(job(server.url, max_requests=2), LEVELS[:1])
    prompts = [tuple(request.body["prompt"]) for request in server.requests]
    assert len(set(prompts)) == len(prompts) == 8


@pytest.mark.parametrize(("prompts", "repeat"), [(8, False), (7, True)])
async def test_a_dataset_that_begins_anew_is_told(tmp_path: Path, prompts: int, repeat: bool) -> None:
    """Two for the warm-up, one left out between levels, and five that are measured."""
    path = tmp_path / "prompts.jsonl"
    path.write_text("\n".join(f'{{"prompt": "number {each}", "output_tokens": 3}}' for each in range(prompts)))
    level = Level(scenario="dataset", concurrency=1)
    async with serving(steady(0, 0)) as server:
        [result] = await bench(job(server.url, max_requests=5, dataset=str(path)), [level])
    assert (result.succeeded, result.prompts_repeat) == (5, repeat)
    assert len({request.body["prompt"] for request in server.requests}) == prompts - 1
    assert {request.body["max_tokens"] for request in server.requests} == {3}


async def test_records_are_never_mixed_with_others(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text("kept")
    with pytest.raises(LoadError, match="exists already"):
        await bench(job("http://127.0.0.1:1", records=str(path)), LEVELS)
    assert path.read_text() == "kept"


async def test_no_server_is_one_sentence() -> None:
    async with serving(steady(0, 0)) as server:
        url = server.url
    with pytest.raises(LoadError, match=rf"^{url}/v1/models: connection refused$"):
        await bench(job(url), LEVELS)
    with pytest.raises(LoadError, match=r"every warm-up request of D\(20,5\) × 1 failed: .*connection refused"):
        await bench(job(url, model="named"), LEVELS)
    with pytest.raises(LoadError, match="expected one like http"):
        await bench(job("127.0.0.1:8000"), LEVELS)


async def test_an_endpoint_that_is_not_there_is_one_sentence() -> None:
    async def script(request: Request, reply: Reply) -> None:
        reply.start(404, "application/json", body=b'{"detail":"Not Found"}')

    async with serving(script) as server:
        with pytest.raises(LoadError, match=r"HTTP 404: Not Found; has this server the endpoint, and the model\?"):
            await bench(job(server.url), LEVELS)
