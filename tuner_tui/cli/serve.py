"""`tuner-tui serve`: the app in a browser."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import click


def serve_screen(port: int, arguments: tuple[str, ...]) -> int:
    """On this machine's loopback only: whoever reaches it can start containers. Returns the exit code.

    Raises RunNotFound where `arguments` name a run that is not there: a page could only say that it has ended.
    """
    _check(arguments)
    try:
        # -P: a textual.py in the user's folder is not the library.
        server = _server(shlex.join([sys.executable, "-P", "-m", "tuner_tui", *arguments]), port)
    except ImportError:
        click.echo("tuner-tui: `serve` needs one more package: pip install 'tuner-tui[serve]'", err=True)
        return 2
    forward = f"ssh -L {port}:127.0.0.1:{port} this-machine"
    click.echo(f"http://127.0.0.1:{port}  (from another machine: {forward})", err=True)
    click.echo("A click on the page gives it the keys; Ctrl-C here ends it.", err=True)
    try:
        server.serve()
    except OSError as error:
        click.echo(f"tuner-tui: 127.0.0.1:{port} cannot be used: {error.strerror}; --port takes another", err=True)
        return 2
    return 0


def _check(arguments: tuple[str, ...]) -> None:
    """Raises RunNotFound, or click.UsageError for a task file that is not there."""
    from tuner_tui.runs.folder import default_runs_dir, find_run

    match arguments:
        case ("attach" | "replay", *rest) if "--runs-dir" not in rest:
            find_run(next((each for each in rest if not each.startswith("-")), "latest"), default_runs_dir())
        case (task,) if task.endswith((".yaml", ".yml", ".json")) and not Path(task).is_file():
            raise click.UsageError(f"{task}: there is no such file")
        case _:
            pass


def _server(command: str, port: int) -> Any:
    """textual-serve's server, which answers its own pages alone: it asks for no password, and any other page that is
    open in a browser of this machine could speak to it as well."""
    from aiohttp import web
    from textual_serve.server import Server

    server: Any = Server(command, host="127.0.0.1", port=port, title="tuner-tui")
    answer = server.handle_websocket
    ours = {f"127.0.0.1:{port}", f"localhost:{port}"}

    async def handle_websocket(request: web.Request) -> web.StreamResponse:
        origin = request.headers.get("Origin", f"http://{request.host}")
        if request.host not in ours or origin.removeprefix("http://") not in ours:
            raise web.HTTPForbidden(text="only pages of this server may speak to it")
        answered: web.StreamResponse = await answer(request)
        return answered

    server.handle_websocket = handle_websocket
    return server
