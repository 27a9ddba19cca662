"""The app in a browser: what a page gets of it, keys from there, and its end with the page."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from pathlib import Path

import aiohttp
import pytest

from tests.tuner import TUNER, tuner

_MOST_S = 30.0


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def children(pid: int) -> list[int]:
    """The processes that `pid` started, and theirs."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *children(child)]
    return found


async def until_shown(page: aiohttp.ClientWebSocketResponse, words: str) -> None:
    shown = ""
    while words not in shown:
        message = await page.receive(timeout=_MOST_S)
        assert message.type is aiohttp.WSMsgType.BINARY, f"{words!r} was not shown before {message}"
        shown += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", message.data.decode())


async def test_a_page_shows_the_app_takes_keys_and_ends_it_when_it_is_closed(
    home: Path, runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("textual_serve", reason="textual-serve is not installed (pip install 'tuner-tui[serve]')")
    monkeypatch.setenv("TERM", "dumb")  # the terminal that `serve` was started from is no matter
    (home / "textual.py").write_text("raise SystemExit('a file of the user, not the library')")
    port = free_port()
    server = await asyncio.create_subprocess_exec(
        *TUNER,
        "serve",
        "--port",
        str(port),
        cwd=home,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert server.stderr is not None
        said = await asyncio.wait_for(server.stderr.readline(), _MOST_S)
        assert f"http://127.0.0.1:{port}" in said.decode()
        async with aiohttp.ClientSession() as browser:
            async with asyncio.timeout(_MOST_S):
                while True:
                    try:
                        page = await browser.ws_connect(f"http://127.0.0.1:{port}/ws?width=80&height=24")
                        break
                    except aiohttp.ClientConnectorError:
                        await asyncio.sleep(0.05)
            elsewhere = {"Origin": "https://example.com"}
            with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
                await browser.ws_connect(f"http://127.0.0.1:{port}/ws?width=80&height=24", headers=elsewhere)
            async with page:
                await until_shown(page, "no run yet")
                assert children(server.pid)
                await page.send_str(json.dumps(["stdin", "\x1bOS"]))  # F4
                await until_shown(page, "No run is open.")
        async with asyncio.timeout(_MOST_S):
            while children(server.pid):  # noqa: ASYNC110 (processes are looked at, not awaited)
                await asyncio.sleep(0.05)
    finally:
        server.terminate()
        await server.wait()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["attach", "none-of-mine"], "no run is called 'none-of-mine'"),
        (["nothing.yaml"], "nothing.yaml: there is no such file"),
    ],
)
def test_what_no_page_could_show_is_said_at_once(home: Path, runs_dir: Path, arguments: list[str], said: str) -> None:
    assert said in tuner("serve", *arguments, check=2).stderr


def test_a_port_that_is_taken_is_said(home: Path) -> None:
    pytest.importorskip("textual_serve", reason="textual-serve is not installed (pip install 'tuner-tui[serve]')")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"127.0.0.1:{port} cannot be used: " in tuner("serve", "--port", port, check=2).stderr
