"""The prefix cache is emptied where the engine can do that, and nothing happens where it cannot."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.runner.simulated_task import simulated_task
from tests.tuner import only_run, tuner
from tuner_tui.runner.flush import flush_cache


async def test_the_first_path_that_is_there_is_taken_and_a_busy_server_is_asked_again() -> None:
    asked: Counter[str] = Counter()

    async def answer(request: web.Request) -> web.Response:
        asked[request.path] += 1
        if request.path == "/busy":
            return web.Response(status=200 if asked["/busy"] > 2 else 400)
        return web.Response(status=404)

    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    async with TestServer(app) as server:
        url = str(server.make_url("/")).rstrip("/")
        assert await flush_cache(url, ("/absent", "/busy")) == "/busy"
        assert asked == {"/absent": 1, "/busy": 3}
        assert await flush_cache(url, ("/absent",)) is None
        assert await flush_cache(url, ()) is None
    assert await flush_cache("http://127.0.0.1:9", ("/busy",)) is None


def test_a_run_empties_it_before_each_levels_warm_up(tmp_path: Path, runs_dir: Path) -> None:
    tuner("run", simulated_task(tmp_path, {"mem-fraction-static": [0.7]}, concurrency=(1, 2)))
    log = (only_run(runs_dir).launch(1) / "container.log").read_text()
    assert log.count('"POST /flush_cache HTTP/1.1" 200') == 2
    first, second, third = log.split('"POST /flush_cache HTTP/1.1" 200')
    assert "/v1/completions" not in first  # SGLang's own warm-up asks /generate
    assert second.count("/v1/completions") == 2 + 4
    assert third.count("/v1/completions") == 4 + 4
